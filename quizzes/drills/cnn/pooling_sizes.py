"""Pooling: output shapes, and linear classifiers after global average pooling."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.cnn_costs import GAP_HEAD
from quizzes.formulas.cnn_values import POOL_SHAPE, pooled_size
from quizzes.question import Step


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


@drill(
    POOL_SHAPE,
    id="pooling-values:shape",
    tier=2,
    asks="S Q",
    visualization="flow: {H}x{W}x{C} > {k}x{k}, stride {s}, padding {p} > ?",
    steps=_shape_steps,
    prompt="A feature map of shape {H}x{W}x{C} (HxWxC) is max-pooled with {k}x{k} windows, stride {s} and padding {p} "
    "on each side. S is the output shape if sizes are rounded down. Q is the output shape with PyTorch's "
    "ceil_mode=True: sizes are rounded up, but windows that would start beyond the input and the padding before it "
    "are dropped.\n"
    "What are S and Q?\n"
    "Conventions: shapes as HxWxC.",
    hint="Compute height and width separately. Does pooling change the number of channels?",
)
def pooling_shape(rng: Random) -> dict[str, Any]:
    """Shape after pooling"""
    k, s = rng.choice([(2, 2), (2, 2), (3, 2), (3, 2), (3, 3), (2, 3)])
    H, p = rng.randint(6, 60), rng.choice([0, 0, 1])
    H += next(extra for extra in range(s) if (H + extra + 2 * p - k) % s)  # so that rounding matters
    return dict(H=H, W=rng.randint(6, 60), C=rng.choice([6, 16, 32, 64, 96]), k=k, s=s, p=p)


def _with_rules(size: Any, channels: Any = lambda C, **_: C) -> dict[str, Any]:
    """The incorrect shapes of a rule for the size and one for the channels."""
    return {
        name: lambda H, W, C, k, s, p, name=name: [
            *(size(n, k, s, p, name == "Q") for n in (H, W)),
            channels(C, k=k, s=s, p=p),
        ]
        for name in ("S", "Q")
    }


pooling_shape.mistake(
    "depth-pooled",
    _with_rules(size=pooled_size, channels=lambda C, k, s, **_: (C - k) // s + 1),
    "You pooled the channels too. Pooling treats each channel separately, so the number of channels does not change.",
)
pooling_shape.mistake(
    "one-channel",
    _with_rules(size=pooled_size, channels=lambda C, **_: 1),
    "You reduced the channels to one. Unlike a filter, pooling does not sum over the channels, so their number does "
    "not change.",
)
pooling_shape.mistake(
    "no-plus-one",
    _with_rules(size=lambda n, k, s, p, ceil: -(-(n + 2 * p - k) // s) if ceil else (n + 2 * p - k) // s),
    "You left out the +1. The first window counts too, so add 1 after dividing by the stride.",
)
pooling_shape.mistake(
    "padding-once",
    _with_rules(size=lambda n, k, s, p, ceil: -(-(n + p - k) // s) + 1 if ceil else (n + p - k) // s + 1),
    "You added the padding on one side only. It is added on both sides, so add it twice.",
)
pooling_shape.mistake(
    "rounding-swapped",
    _with_rules(size=lambda n, k, s, p, ceil: pooled_size(n, k, s, p, not ceil)),
    "You swapped the two roundings. Rounding down drops the last partial window, and ceil mode keeps it.",
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
    visualization="branches: {n}x{n}x{C} > average, ? values, linear {K} | flatten, ? values, linear {K} > {K} classes",
    prompt="The last feature map of a network has height and width n = {n} and C = {C} channels. A linear classifier "
    "with biases predicts K = {K} classes.\n"
    "How many parameters does the classifier have after global average pooling (P), and how many after flattening (D)?",
    hint="How many inputs does the classifier have after pooling, and how many after flattening?",
)
def gap_head(rng: Random) -> dict[str, Any]:
    """Linear classifier after global average pooling"""
    return dict(
        n=rng.choice([4, 5, 6, 7, 8, 14]),
        C=rng.choice([64, 128, 256, 320, 512, 768, 1024, 1280, 2048]),
        K=rng.choice([5, 10, 20, 100, 365, 1000]),
    )


gap_head.mistake(
    "sides-counted",
    "P = (n^2*C + 1)*K",
    "You counted all positions. Global average pooling leaves one value per channel, so each class has C weights.",
)
gap_head.mistake("no-bias", "P = C*K; D = n^2*C*K", "You left out the biases. Every class has one, so add K.")
gap_head.mistake("one-bias", "P = C*K + 1; D = n^2*C*K + 1", "You counted one bias. Every class has one, so add K.")
gap_head.mistake(
    "one-side",
    "D = (n*C + 1)*K",
    "You used n positions. The feature map has n^2 positions, so each class has n^2 C weights.",
)
gap_head.mistake(
    "no-sides",
    "D = (C + 1)*K",
    "You left out the positions. Flattening keeps them all, so each class has n^2 C weights.",
)
gap_head.torch(
    """
x = torch.empty(1, C, n, n, device="meta")
pooled = torch.nn.AdaptiveAvgPool2d(1)(x).flatten(1).shape[1]
flat = torch.nn.Flatten()(x).shape[1]
P, D = (sum(p.numel() for p in torch.nn.Linear(v, K, device="meta").parameters()) for v in (pooled, flat))
"""
)
