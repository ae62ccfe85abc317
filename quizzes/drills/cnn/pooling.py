"""Pooling."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.formulas.cnn_values import (
    POOL_BACKWARD,
    POOLING,
    Map,
    mean,
    pooled,
    spread,
    to_all,
    to_largest,
    windows,
)
from quizzes.question import Step, value_text


def _distinct(rng: Random, high: int, wide: int) -> Map:
    """A map without equal values, so that every window has one largest."""
    values = rng.sample(range(30), high * wide)
    return [values[row * wide : (row + 1) * wide] for row in range(high)]


def _listed(X: Map) -> str:
    wide = max(len(value_text(v)) for row in X for v in row)
    return "\n".join("  " + " ".join(value_text(v).rjust(wide) for v in row) for row in X)


def _steps(X: Map, k: int, s: int, M: Map, A: Map) -> list[Step]:
    steps = []
    for i, row in enumerate(windows(X, k, k, s)):
        for j, seen in enumerate(row):
            listed = ", ".join(map(str, seen))
            text = f"Row {i + 1}, column {j + 1}: the window holds {listed}; its largest is {M[i][j]}"
            steps.append(Step(f"{text}, and its mean {value_text(A[i][j])}."))
    return steps


@drill(
    POOLING,
    tier=1,
    asks="M A",
    visualization="pooling X k s",
    decimals=None,
    steps=_steps,
    prompt="The map\n{picture}\nis pooled with {k} x {k} windows and stride {s}, without padding; windows that would "
    "reach over the edge are left out. What does max pooling give (M), and what average pooling (A)? Give exact "
    "numbers.",
    hint="Mark the windows first: they start every s pixels, and may overlap or leave a rest.",
)
def pooling_values(rng: Random) -> dict[str, Any]:
    """Max and average pooling"""
    high, wide, s = rng.choice([(4, 4, 2), (3, 3, 1), (3, 4, 1), (5, 5, 2), (3, 3, 2), (5, 4, 2), (4, 5, 2)])
    X = _distinct(rng, high, wide)
    return dict(X=X, k=2, s=s, picture=_listed(X))


def _partial(X: Map, k: int, s: int, of: Any) -> Map:
    """Pooling that keeps the windows that reach over the edge, with what they hold."""
    return [
        [of([v for line in X[y : y + k] for v in line[x : x + k]]) for x in range(0, len(X[0]), s)]
        for y in range(0, len(X), s)
    ]


pooling_values.mistake(
    "windows-side-by-side",
    {"M": lambda X, k, s: pooled(X, k, k, max), "A": lambda X, k, s: pooled(X, k, k, mean)},
    "The stride says where windows start: with a stride below the window's side they overlap.",
)
pooling_values.mistake(
    "rest-kept",
    {
        "M": lambda X, k, s: _partial(X, k, s, max) if s == k else _nothing(),
        "A": lambda X, k, s: _partial(X, k, s, mean) if s == k else _nothing(),
    },
    "A window that would reach over the edge is left out: sizes are rounded down.",
)
pooling_values.mistake(
    "mean-for-max", {"M": lambda X, k, s: pooled(X, k, s, mean)}, "Max pooling takes the largest value of the window."
)
pooling_values.mistake(
    "smallest-for-largest",
    {"M": lambda X, k, s: pooled(X, k, s, min)},
    "Max pooling takes the largest value of the window, not the smallest.",
)
pooling_values.mistake(
    "sum-for-mean",
    {"A": lambda X, k, s: pooled(X, k, s, sum)},
    "Average pooling divides the sum by the number of values in the window, k^2.",
)
pooling_values.mistake(
    "divided-by-side",
    {"A": lambda X, k, s: pooled(X, k, s, lambda seen: mean(seen) * k)},
    "A window of side k holds k^2 values: divide by k^2, not by k.",
)
pooling_values.mistake(
    "max-for-mean", {"A": lambda X, k, s: pooled(X, k, s, max)}, "Average pooling takes the mean of the window."
)
pooling_values.torch(
    """
M = F.max_pool2d(X[None], k, s)[0]
A = F.avg_pool2d(X[None], k, s)[0]
"""
)


def _nothing() -> Any:
    raise UndefinedValue("no window reaches over the edge")


def _back_steps(X: Map, G: Map, k: int, s: int, M: Map, A: Map) -> list[Step]:
    steps = []
    for i, row in enumerate(windows(X, k, k, s)):
        for j, seen in enumerate(row):
            g = G[i][j]
            steps.append(
                Step(
                    f"Output {i + 1}, {j + 1} came from {', '.join(map(str, seen))}: max pooling sends all of {g} to "
                    f"the {max(seen)}, average pooling {value_text(g / k**2)} to each."
                )
            )
    return [*steps, Step("Where windows overlap, a value gets the sum of what its windows send.")]


@drill(
    POOL_BACKWARD,
    id="pool-backprop",
    tier=2,
    asks="M A",
    visualization="pooling X k s G",
    decimals=None,
    steps=_back_steps,
    prompt="The map X\n{picture}\nwas pooled with {k} x {k} windows and stride {s}. The gradient of the loss with "
    "respect to the pooled map is\n  G = {G}\nWhat is the gradient with respect to X, if it was max pooling (M), and "
    "if it was average pooling (A)? Give exact numbers, zeros included.",
    hint="Nudge one value of X: by how much does its window's output move?",
)
def pool_backprop(rng: Random) -> dict[str, Any]:
    """Backpropagation through pooling"""
    high, wide, s = rng.choice([(2, 2, 2), (2, 4, 2), (4, 2, 2), (2, 3, 1), (3, 3, 1)])
    X = _distinct(rng, high, wide)
    G = [
        [rng.choice([-1, 1]) * rng.randint(1, 9) for _ in range((wide - 2) // s + 1)]
        for _ in range((high - 2) // s + 1)
    ]
    return dict(X=X, G=G, k=2, s=s, picture=_listed(X))


pool_backprop.mistake(
    "max-shared",
    {"M": lambda X, G, k, s: spread(X, G, k, s, to_all)},
    "Only the largest value moved the output: it gets the whole gradient, the others 0.",
)
pool_backprop.mistake(
    "max-to-all",
    {"M": lambda X, G, k, s: spread(X, G, k, s, lambda seen, g: [g] * len(seen))},
    "Only the largest value moved the output: the others of the window get 0.",
)
pool_backprop.mistake(
    "value-for-gradient",
    {"M": lambda X, G, k, s: spread(X, G, k, s, lambda seen, g: to_largest(seen, max(seen)))},
    "What flows back is the gradient of the output, not the value itself.",
)
pool_backprop.mistake(
    "not-divided",
    {"A": lambda X, G, k, s: spread(X, G, k, s, lambda seen, g: [g] * len(seen))},
    "The mean has slope 1/k^2 in each of its k^2 values: divide the gradient by k^2.",
)
pool_backprop.mistake(
    "average-to-largest",
    {"A": lambda X, G, k, s: spread(X, G, k, s, to_largest)},
    "Every value of the window moves its mean, and gets an equal share of the gradient.",
)
pool_backprop.mistake(
    "divided-by-side",
    {"A": lambda X, G, k, s: spread(X, G, k, s, lambda seen, g: [part * k for part in to_all(seen, g)])},
    "A window of side k holds k^2 values: each gets the gradient over k^2, not over k.",
)
pool_backprop.torch(
    """
def back(pool):
    x = X.clone().requires_grad_()
    return torch.autograd.grad(pool(x[None], k, s)[0], x, G)[0]

M, A = back(F.max_pool2d), back(F.avg_pool2d)
"""
)
