"""Pooling: shapes, and the classifier behind global average pooling."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.cnn_costs import GAP_HEAD
from quizzes.formulas.cnn_values import POOL_SHAPE, pooled_side
from quizzes.question import Step


def _shape_steps(H: int, W: int, C: int, k: int, s: int, p: int, S: list[int], Q: list[int]) -> list[Step]:
    steps = [
        Step(f"Rounded down, the {name}", [f"o = floor(({n} + 2*{p} - {k})/{s}) + 1", f"o = {S[at]}"])
        for at, (name, n) in enumerate([("height", H), ("width", W)])
    ]
    for at, (name, n) in enumerate([("height", H), ("width", W)]):
        up, rest = -(-(n + 2 * p - k) // s) + 1, ""
        if up != Q[at]:
            rest = f"; window {up} would start at {(up - 1) * s}, past the map, and is left out: {Q[at]} stay"
        steps.append(Step(f"In ceil mode, the {name}{rest}", [f"o = ceil(({n} + 2*{p} - {k})/{s}) + 1", f"o = {up}"]))
    return [*steps, Step(f"Every channel is pooled by itself: {C} channels stay.")]


@drill(
    POOL_SHAPE,
    id="pooling-values:shape",
    tier=2,
    asks="S Q",
    visualization="flow: {H} x {W} x {C} > {k} x {k}, stride {s}, padding {p} > ?",
    steps=_shape_steps,
    prompt="A map of {H} x {W} x {C} (height x width x depth) passes max pooling with {k} x {k} windows, stride {s} "
    "and padding {p} on each side. What is the shape S of the output when sizes are rounded down, and the shape Q "
    "with PyTorch's ceil_mode=True (rounded up, but without a window that would start beyond the map and its padding "
    "before)? Height x width x depth.",
    hint="Height and width go through the formula one by one; ask what pooling does to the depth.",
)
def pooling_shape(rng: Random) -> dict[str, Any]:
    """Shape after pooling"""
    k, s = rng.choice([(2, 2), (2, 2), (3, 2), (3, 2), (3, 3), (2, 3)])
    H, p = rng.randint(6, 60), rng.choice([0, 0, 1])
    H += next(more for more in range(s) if (H + more + 2 * p - k) % s)  # so that rounding matters
    return dict(H=H, W=rng.randint(6, 60), C=rng.choice([6, 16, 32, 64, 96]), k=k, s=s, p=p)


def _all(**sides: Any) -> dict[str, Any]:
    """The mistaken shapes, of a function for a side and one for the depth."""
    side, deep = sides["side"], sides.get("deep", lambda C, **_: C)
    return {
        name: lambda H, W, C, k, s, p, name=name: [
            *(side(n, k, s, p, name == "Q") for n in (H, W)),
            deep(C, k=k, s=s, p=p),
        ]
        for name in ("S", "Q")
    }


pooling_shape.mistake(
    "depth-pooled",
    _all(side=pooled_side, deep=lambda C, k, s, **_: (C - k) // s + 1),
    "Pooling works on every channel by itself: height and width shrink, the depth stays.",
)
pooling_shape.mistake(
    "one-channel",
    _all(side=pooled_side, deep=lambda C, **_: 1),
    "Pooling doesn't reach through the channels as a filter does: there are as many after it as before.",
)
pooling_shape.mistake(
    "no-plus-one",
    _all(side=lambda n, k, s, p, up: -(-(n + 2 * p - k) // s) if up else (n + 2 * p - k) // s),
    "The first position counts too: add 1 after dividing.",
)
pooling_shape.mistake(
    "padding-once",
    _all(side=lambda n, k, s, p, up: -(-(n + p - k) // s) + 1 if up else (n + p - k) // s + 1),
    "Padding is added on both sides: 2p, not p.",
)
pooling_shape.mistake(
    "rounding-swapped",
    _all(side=lambda n, k, s, p, up: pooled_side(n, k, s, p, not up)),
    "Rounding down drops the last partial window, and ceil mode keeps it.",
)
pooling_shape.torch(
    """
x = torch.empty(1, C, H, W, device="meta")
S = F.max_pool2d(x, k, s, p)[0].permute(1, 2, 0).shape
Q = F.max_pool2d(x, k, s, p, ceil_mode=True)[0].permute(1, 2, 0).shape
"""
)


@drill(
    GAP_HEAD,
    tier=1,
    asks="P D",
    visualization="branches: {n} x {n} x {C} > average, ? values, linear {K} | flatten, ? values, "
    "linear {K} > {K} classes",
    prompt="A network's last map is {n} x {n} x {C}, and there are {K} classes. How many parameters does a "
    "linear classifier with biases have after global average pooling (P), and how many on the flattened map instead "
    "(D)?",
    hint="Count the values that the classifier sees: one a channel after pooling, all of them after flattening.",
)
def gap_head(rng: Random) -> dict[str, Any]:
    """A classifier on global average pooling"""
    return dict(
        n=rng.choice([4, 5, 6, 7, 8, 14]),
        C=rng.choice([64, 128, 256, 320, 512, 768, 1024, 1280, 2048]),
        K=rng.choice([5, 10, 20, 100, 365, 1000]),
    )


gap_head.mistake(
    "sides-counted",
    "P = (n^2*C + 1)*K",
    "Global average pooling leaves one value for each channel: the sides are gone.",
)
gap_head.mistake("no-bias", "P = C*K; D = n^2*C*K", "Every class has a bias beside its weights: add 1 for each class.")
gap_head.mistake("one-bias", "P = C*K + 1; D = n^2*C*K + 1", "There is one bias for each class, K in all.")
gap_head.mistake("one-side", "D = (n*C + 1)*K", "The map has n x n positions: n^2 values for each channel.")
gap_head.mistake("no-sides", "D = (C + 1)*K", "Flattening keeps every position: n^2 values for each channel.")
gap_head.torch(
    """
x = torch.empty(1, C, n, n, device="meta")
pooled = torch.nn.AdaptiveAvgPool2d(1)(x).flatten(1).shape[1]
flat = torch.nn.Flatten()(x).shape[1]
P, D = (sum(w.numel() for w in torch.nn.Linear(v, K, device="meta").parameters()) for v in (pooled, flat))
"""
)
