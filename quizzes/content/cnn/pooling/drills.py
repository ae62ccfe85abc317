"""Pooling: drills."""

from random import Random
from typing import Any

from quizzes.content.cnn.pooling.formulas import (
    GAP_HEAD,
    POOL_BACKWARD,
    POOL_SHAPE,
    POOLING,
    mean,
    pool,
    pool_backward,
    pooled_size,
    to_all,
    to_largest,
)
from quizzes.content.cnn.shared import Map, extract_windows
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
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


def _with_partial_windows(X: Map, k: int, s: int, reduce: Any) -> Map:
    """Pooling that keeps the windows that extend past the edge."""
    if s != k:
        raise UndefinedValue("no window extends past the edge")
    return [
        [reduce([v for line in X[y : y + k] for v in line[x : x + k]]) for x in range(0, len(X[0]), s)]
        for y in range(0, len(X), s)
    ]


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


def _shape_steps(H: int, W: int, C: int, k: int, s: int, p: int, S: list[int], Q: list[int]) -> list[Step]:
    dimensions = list(enumerate([("height", H), ("width", W)]))
    steps = [
        Step(f"Compute the {name}, rounded down", [f"o = floor(({n} + 2*{p} - {k})/{s}) + 1", f"o = {S[axis]}"])
        for axis, (name, n) in dimensions
    ]
    for axis, (name, n) in dimensions:
        rounded_up, dropped = -(-(n + 2 * p - k) // s) + 1, ""
        if rounded_up != Q[axis]:
            start = (rounded_up - 1) * s
            dropped = (
                f". Window {rounded_up} would start at {start}, past the input, so it is dropped: {Q[axis]} are left"
            )
        math = [f"o = ceil(({n} + 2*{p} - {k})/{s}) + 1", f"o = {rounded_up}"]
        steps.append(Step(f"Compute the {name} in ceil mode{dropped}", math))
    return [*steps, Step(f"Pooling treats each channel separately, so the number of channels stays {C}.")]


def _with_rules(size: Any, channels: Any = lambda C, **_: C) -> dict[str, Any]:
    """The incorrect shapes of a rule for the size and one for the channels."""
    return {
        name: lambda H, W, C, k, s, p, name=name: [
            *(size(n, k, s, p, name == "Q") for n in (H, W)),
            channels(C, k=k, s=s, p=p),
        ]
        for name in ("S", "Q")
    }


@drill(
    POOLING,
    tier=1,
    asks=("M", "A"),
    visualization="pooling X k s",
    decimals=None,
    steps=_steps,
    prompt="The feature map\n"
    "{rows}\n"
    "is pooled with square windows of size k = {k} at stride s = {s}, without padding.\n"
    "What are the outputs of max pooling (M) and average pooling (A)?\n"
    "Conventions: windows that would extend past the edge are dropped. Give exact values.",
    hints=(
        "Mark the windows first. They start every s pixels, so they may overlap or leave pixels out.",
        "M[r, c] is the maximum and A[r, c] the sum divided by k^2 of the window that begins at row (r - 1)*s "
        "+ 1 and column (c - 1)*s + 1.",
        "First step: write down the values of the first window, the k rows and k columns at the top left. "
        "What are their maximum and their mean?",
    ),
    mistakes=[
        Mistake(
            "windows-side-by-side",
            {"M": lambda X, k, s: pool(X, k, k, max), "A": lambda X, k, s: pool(X, k, k, mean)},
            "You used the window size as the stride. Windows start every s pixels, so they may overlap or leave "
            "pixels out.",
        ),
        Mistake(
            "rest-kept",
            {
                "M": lambda X, k, s: _with_partial_windows(X, k, s, max),
                "A": lambda X, k, s: _with_partial_windows(X, k, s, mean),
            },
            "You kept windows that extend past the edge. They are dropped here, so the output size is rounded down.",
        ),
        Mistake(
            "mean-for-max",
            {"M": lambda X, k, s: pool(X, k, s, mean)},
            "You took the mean. Max pooling takes the largest value of each window.",
        ),
        Mistake(
            "smallest-for-largest",
            {"M": lambda X, k, s: pool(X, k, s, min)},
            "You took the smallest value. Max pooling takes the largest value of each window.",
        ),
        Mistake(
            "sum-for-mean",
            {"A": lambda X, k, s: pool(X, k, s, sum)},
            "You took the sum. Average pooling takes the mean, so divide by k^2.",
        ),
        Mistake(
            "divided-by-side",
            {"A": lambda X, k, s: pool(X, k, s, lambda values: mean(values) * k)},
            "You divided by k. A window contains k^2 values, so divide by k^2.",
        ),
        Mistake(
            "max-for-mean",
            {"A": lambda X, k, s: pool(X, k, s, max)},
            "You took the maximum. Average pooling takes the mean of each window.",
        ),
    ],
)
def pooling_values(rng: Random) -> Inputs:
    """Max and average pooling"""
    height, width, s = rng.choice([(4, 4, 2), (3, 3, 1), (3, 4, 1), (5, 5, 2), (3, 3, 2), (5, 4, 2), (4, 5, 2)])
    X = _distinct(rng, height, width)
    return dict(X=X, k=2, s=s, rows=_rows(X))


@drill(
    POOL_BACKWARD,
    id="pool-backprop",
    tier=2,
    asks=("M", "A"),
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
    hints=(
        "If one value of X changes slightly, by how much does the output of its window change?",
        "In M, each gradient of G goes to the largest value of its window. In A, each of the k^2 values of "
        "the window receives the gradient divided by k^2. Gradients of windows that overlap add up.",
        "First step: mark the window at the top left and its largest value. The first gradient of G belongs "
        "to this window.",
    ),
    mistakes=[
        Mistake(
            "max-shared",
            {"M": lambda X, G, k, s: pool_backward(X, G, k, s, to_all)},
            "You split the gradient. The maximum depends only on the largest value, so that value gets the whole "
            "gradient and "
            "the others get 0.",
        ),
        Mistake(
            "max-to-all",
            {"M": lambda X, G, k, s: pool_backward(X, G, k, s, lambda values, g: [g] * len(values))},
            "You passed the gradient to every value. The maximum depends only on the largest value, so the others "
            "get 0.",
        ),
        Mistake(
            "value-for-gradient",
            {"M": lambda X, G, k, s: pool_backward(X, G, k, s, lambda values, g: to_largest(values, max(values)))},
            "You passed back the value itself. Backpropagation passes the gradient of the output, so use G.",
        ),
        Mistake(
            "not-divided",
            {"A": lambda X, G, k, s: pool_backward(X, G, k, s, lambda values, g: [g] * len(values))},
            "You passed the full gradient to every value. Each has the weight 1/k^2 in the mean, so divide by k^2.",
        ),
        Mistake(
            "average-to-largest",
            {"A": lambda X, G, k, s: pool_backward(X, G, k, s, to_largest)},
            "You passed the gradient to the largest value only. The mean depends on every value, so split the gradient "
            "equally.",
        ),
        Mistake(
            "divided-by-side",
            {
                "A": lambda X, G, k, s: pool_backward(
                    X, G, k, s, lambda values, g: [part * k for part in to_all(values, g)]
                )
            },
            "You divided by k. A window contains k^2 values, so divide by k^2.",
        ),
    ],
)
def pool_backprop(rng: Random) -> Inputs:
    """Backpropagation through pooling"""
    height, width, s = rng.choice([(2, 2, 2), (2, 4, 2), (4, 2, 2), (2, 3, 1), (3, 3, 1)])
    X = _distinct(rng, height, width)
    G = [
        [rng.choice([-1, 1]) * rng.randint(1, 9) for _ in range((width - 2) // s + 1)]
        for _ in range((height - 2) // s + 1)
    ]
    return dict(X=X, G=G, k=2, s=s, rows=_rows(X))


@drill(
    POOL_SHAPE,
    id="pooling-values:shape",
    tier=2,
    asks=("S", "Q"),
    visualization="flow: {H}x{W}x{C} > {k}x{k}, stride {s}, padding {p} > ?",
    steps=_shape_steps,
    prompt="A feature map of shape {H}x{W}x{C} (HxWxC) is max-pooled with {k}x{k} windows, stride {s} and padding {p} "
    "on each side. S is the output shape if sizes are rounded down. Q is the output shape with PyTorch's "
    "ceil_mode=True: sizes are rounded up, but windows that would start beyond the input and the padding before it "
    "are dropped.\n"
    "What are S and Q?\n"
    "Conventions: shapes as HxWxC.",
    hints=(
        "Compute height and width separately. Does pooling change the number of channels?",
        "Use this formula for S, with ceil() instead of floor() for Q:\n  o = floor((n + 2*p - k)/s) + 1",
    ),
    mistakes=[
        Mistake(
            "depth-pooled",
            _with_rules(size=pooled_size, channels=lambda C, k, s, **_: (C - k) // s + 1),
            "You pooled the channels too. Pooling treats each channel separately, so the number of channels does not "
            "change.",
        ),
        Mistake(
            "one-channel",
            _with_rules(size=pooled_size, channels=lambda C, **_: 1),
            "You reduced the channels to one. Unlike a filter, pooling does not sum over the channels, so their "
            "number does "
            "not change.",
        ),
        Mistake(
            "no-plus-one",
            _with_rules(size=lambda n, k, s, p, ceil: -(-(n + 2 * p - k) // s) if ceil else (n + 2 * p - k) // s),
            "You left out the +1. The first window counts too, so add 1 after dividing by the stride.",
        ),
        Mistake(
            "padding-once",
            _with_rules(size=lambda n, k, s, p, ceil: -(-(n + p - k) // s) + 1 if ceil else (n + p - k) // s + 1),
            "You added the padding on one side only. It is added on both sides, so add it twice.",
        ),
        Mistake(
            "rounding-swapped",
            _with_rules(size=lambda n, k, s, p, ceil: pooled_size(n, k, s, p, not ceil)),
            "You swapped the two roundings. Rounding down drops the last partial window, and ceil mode keeps it.",
        ),
    ],
)
def pooling_shape(rng: Random) -> Inputs:
    """Shape after pooling"""
    k, s = rng.choice([(2, 2), (2, 2), (3, 2), (3, 2), (3, 3), (2, 3)])
    H, p = rng.randint(6, 60), rng.choice([0, 0, 1])
    H += next(extra for extra in range(s) if (H + extra + 2 * p - k) % s)  # so that rounding matters
    return dict(H=H, W=rng.randint(6, 60), C=rng.choice([6, 16, 32, 64, 96]), k=k, s=s, p=p)


@drill(
    GAP_HEAD,
    tier=1,
    asks=("P", "D"),
    visualization="branches: {n}x{n}x{C} > average, ? values, linear {K} | flatten, ? values, linear {K} > {K} classes",
    prompt="The last feature map of a network has height and width n = {n} and C = {C} channels. A linear classifier "
    "with biases predicts K = {K} classes.\n"
    "How many parameters does the classifier have after global average pooling (P), and how many after flattening (D)?",
    hint="How many inputs does the classifier have after pooling, and how many after flattening?",
    mistakes=[
        Mistake(
            "sides-counted",
            "P = (n^2*C + 1)*K",
            "You counted all positions. Global average pooling leaves one value per channel, so each class has C "
            "weights.",
        ),
        Mistake("no-bias", "P = C*K; D = n^2*C*K", "You left out the biases. Every class has one, so add K."),
        Mistake("one-bias", "P = C*K + 1; D = n^2*C*K + 1", "You counted one bias. Every class has one, so add K."),
        Mistake(
            "one-side",
            "D = (n*C + 1)*K",
            "You used n positions. The feature map has n^2 positions, so each class has n^2 C weights.",
        ),
        Mistake(
            "no-sides",
            "D = (C + 1)*K",
            "You left out the positions. Flattening keeps them all, so each class has n^2 C weights.",
        ),
    ],
)
def gap_head(rng: Random) -> Inputs:
    """Linear classifier after global average pooling"""
    return dict(
        n=rng.choice([4, 5, 6, 7, 8, 14]),
        C=rng.choice([64, 128, 256, 320, 512, 768, 1024, 1280, 2048]),
        K=rng.choice([5, 10, 20, 100, 365, 1000]),
    )
