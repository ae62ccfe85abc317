"""Max and average pooling, forward and backward pass."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.formulas.cnn_values import (
    POOL_BACKWARD,
    POOLING,
    Map,
    extract_windows,
    mean,
    pool,
    pool_backward,
    to_all,
    to_largest,
)
from quizzes.question import Step, value_text


def _distinct(rng: Random, height: int, width: int) -> Map:
    """A feature map without equal values, so that every window has a unique maximum."""
    values = rng.sample(range(30), height * width)
    return [values[row * width : (row + 1) * width] for row in range(height)]


def _rows(X: Map) -> str:
    width = max(len(value_text(v)) for row in X for v in row)
    return "\n".join("  " + " ".join(value_text(v).rjust(width) for v in row) for row in X)


def _steps(X: Map, k: int, s: int, M: Map, A: Map) -> list[Step]:
    steps = []
    for i, row in enumerate(extract_windows(X, k, k, s)):
        for j, values in enumerate(row):
            listing = ", ".join(map(str, values))
            text = f"Row {i + 1}, column {j + 1}: the window contains {listing}. Its maximum is {M[i][j]}"
            steps.append(Step(f"{text}, and its mean is {value_text(A[i][j])}."))
    return steps


@drill(
    POOLING,
    tier=1,
    asks="M A",
    visualization="pooling X k s",
    decimals=None,
    steps=_steps,
    prompt="The feature map\n"
    "{rows}\n"
    "is pooled with square windows of size k = {k} at stride s = {s}, without padding.\n"
    "What are the outputs of max pooling (M) and average pooling (A)?\n"
    "Conventions: windows that would extend past the edge are dropped. Give exact values.",
    hint="Mark the windows first. They start every s pixels, so they may overlap or leave pixels out.",
)
def pooling_values(rng: Random) -> dict[str, Any]:
    """Max and average pooling"""
    height, width, s = rng.choice([(4, 4, 2), (3, 3, 1), (3, 4, 1), (5, 5, 2), (3, 3, 2), (5, 4, 2), (4, 5, 2)])
    X = _distinct(rng, height, width)
    return dict(X=X, k=2, s=s, rows=_rows(X))


def _with_partial_windows(X: Map, k: int, s: int, reduce: Any) -> Map:
    """Pooling that keeps the windows that extend past the edge."""
    if s != k:
        raise UndefinedValue("no window extends past the edge")
    return [
        [reduce([v for line in X[y : y + k] for v in line[x : x + k]]) for x in range(0, len(X[0]), s)]
        for y in range(0, len(X), s)
    ]


pooling_values.mistake(
    "windows-side-by-side",
    {"M": lambda X, k, s: pool(X, k, k, max), "A": lambda X, k, s: pool(X, k, k, mean)},
    "You used the window size as the stride. Windows start every s pixels, so they may overlap or leave pixels out.",
)
pooling_values.mistake(
    "rest-kept",
    {
        "M": lambda X, k, s: _with_partial_windows(X, k, s, max),
        "A": lambda X, k, s: _with_partial_windows(X, k, s, mean),
    },
    "You kept windows that extend past the edge. They are dropped here, so the output size is rounded down.",
)
pooling_values.mistake(
    "mean-for-max",
    {"M": lambda X, k, s: pool(X, k, s, mean)},
    "You took the mean. Max pooling takes the largest value of each window.",
)
pooling_values.mistake(
    "smallest-for-largest",
    {"M": lambda X, k, s: pool(X, k, s, min)},
    "You took the smallest value. Max pooling takes the largest value of each window.",
)
pooling_values.mistake(
    "sum-for-mean",
    {"A": lambda X, k, s: pool(X, k, s, sum)},
    "You took the sum. Average pooling takes the mean, so divide by k^2.",
)
pooling_values.mistake(
    "divided-by-side",
    {"A": lambda X, k, s: pool(X, k, s, lambda values: mean(values) * k)},
    "You divided by k. A window contains k^2 values, so divide by k^2.",
)
pooling_values.mistake(
    "max-for-mean",
    {"A": lambda X, k, s: pool(X, k, s, max)},
    "You took the maximum. Average pooling takes the mean of each window.",
)
pooling_values.torch(
    """
M = F.max_pool2d(X[None], k, s)[0]
A = F.avg_pool2d(X[None], k, s)[0]
"""
)


def _backward_steps(X: Map, G: Map, k: int, s: int, M: Map, A: Map) -> list[Step]:
    steps = []
    for i, row in enumerate(extract_windows(X, k, k, s)):
        for j, values in enumerate(row):
            g = G[i][j]
            steps.append(
                Step(
                    f"Row {i + 1}, column {j + 1} of G: the window contains {', '.join(map(str, values))}. Max pooling "
                    f"passes all of {g} to {max(values)}, and average pooling passes {value_text(g / k**2)} to each."
                )
            )
    return [*steps, Step("Where windows overlap, the gradients of a value are summed.")]


@drill(
    POOL_BACKWARD,
    id="pool-backprop",
    tier=2,
    asks="M A",
    visualization="pooling X k s G",
    decimals=None,
    steps=_backward_steps,
    prompt="The feature map X\n"
    "{rows}\n"
    "is pooled with square windows of size k = {k} at stride s = {s}. The gradient of the loss with respect to the "
    "pooled map is\n"
    "  G = {G}\n"
    "What is the gradient with respect to X for max pooling (M) and for average pooling (A)?\n"
    "Conventions: give exact values, including zeros.",
    hint="If one value of X changes slightly, by how much does the output of its window change?",
)
def pool_backprop(rng: Random) -> dict[str, Any]:
    """Backpropagation through pooling"""
    height, width, s = rng.choice([(2, 2, 2), (2, 4, 2), (4, 2, 2), (2, 3, 1), (3, 3, 1)])
    X = _distinct(rng, height, width)
    G = [
        [rng.choice([-1, 1]) * rng.randint(1, 9) for _ in range((width - 2) // s + 1)]
        for _ in range((height - 2) // s + 1)
    ]
    return dict(X=X, G=G, k=2, s=s, rows=_rows(X))


pool_backprop.mistake(
    "max-shared",
    {"M": lambda X, G, k, s: pool_backward(X, G, k, s, to_all)},
    "You split the gradient. The maximum depends only on the largest value, so that value gets the whole gradient and "
    "the others get 0.",
)
pool_backprop.mistake(
    "max-to-all",
    {"M": lambda X, G, k, s: pool_backward(X, G, k, s, lambda values, g: [g] * len(values))},
    "You passed the gradient to every value. The maximum depends only on the largest value, so the others get 0.",
)
pool_backprop.mistake(
    "value-for-gradient",
    {"M": lambda X, G, k, s: pool_backward(X, G, k, s, lambda values, g: to_largest(values, max(values)))},
    "You passed back the value itself. Backpropagation passes the gradient of the output, so use G.",
)
pool_backprop.mistake(
    "not-divided",
    {"A": lambda X, G, k, s: pool_backward(X, G, k, s, lambda values, g: [g] * len(values))},
    "You passed the full gradient to every value. Each has the weight 1/k^2 in the mean, so divide by k^2.",
)
pool_backprop.mistake(
    "average-to-largest",
    {"A": lambda X, G, k, s: pool_backward(X, G, k, s, to_largest)},
    "You passed the gradient to the largest value only. The mean depends on every value, so split the gradient "
    "equally.",
)
pool_backprop.mistake(
    "divided-by-side",
    {"A": lambda X, G, k, s: pool_backward(X, G, k, s, lambda values, g: [part * k for part in to_all(values, g)])},
    "You divided by k. A window contains k^2 values, so divide by k^2.",
)
pool_backprop.torch(
    """
def backward(pool):
    x = X.clone().requires_grad_()
    return torch.autograd.grad(pool(x[None], k, s)[0], x, G)[0]

M, A = backward(F.max_pool2d), backward(F.avg_pool2d)
"""
)
