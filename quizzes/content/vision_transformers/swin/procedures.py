"""Swin: procedures."""

from collections.abc import Iterator

from quizzes.content.vision_transformers.swin.formulas import SWIN_SHIFT
from quizzes.content.vision_transformers.swin.windows import region, shifted_tokens, window_tokens
from quizzes.procedure import State, list_text, procedure
from quizzes.question import Visualization


@procedure(
    "swin-shift",
    SWIN_SHIFT,
    title="Shifted windows of Swin: cyclic shift, windows and mask",
)
def swin_shift(h: int, w: int, M: int, s: int) -> Iterator[State]:
    """Divide a grid of tokens into windows, shift it cyclically, and find the pairs that the mask allows."""
    result = SWIN_SHIFT.evaluate(dict(h=h, w=w, M=M, s=s))
    grid, shifted = shifted_tokens(h, w, 0), shifted_tokens(h, w, s)
    yield State(
        f"The grid has {h} rows and {w} columns. Windows of {M}x{M} tokens divide it into {result['n']} windows, and "
        f"each token attends to the {M * M} tokens of its window.",
        dict(grid=grid, n=result["n"], size=M * M),
        Visualization("matrices", dict(grid=grid)),
    )
    yield State(
        f"Shift the grid cyclically up and to the left by s = {s}. The windows stay where they are, so that each "
        "one "
        "now has tokens of several windows of the layer before.",
        dict(shifted=shifted),
        Visualization("matrices", dict(shifted=shifted)),
    )
    for number, window in enumerate(window_tokens(shifted, M), 1):
        regions = [region((token // w, token % w), h, w, M, s) for token in window]
        groups = [[t for t, own in zip(window, regions, strict=True) if own == one] for one in dict.fromkeys(regions)]
        allowed = sum(len(group) ** 2 for group in groups)
        if len(groups) == 1:
            text = f"are neighbors in the image, so no mask is needed: all {allowed} pairs are allowed"
        else:
            listing = ", ".join(map(list_text, groups))
            text = f"belong to {len(groups)} regions of the image: {listing}. The mask allows {allowed} of {M**4} pairs"
        mask = [[int(a == b) for b in regions] for a in regions]
        yield State(
            f"Window {number}: the tokens {list_text(window)} {text}.",
            dict(window=number, tokens=window, groups=groups, count=len(groups), allowed=allowed, pairs=M**4),
            Visualization("matrices", dict(mask=mask)),
        )
    yield State(
        f"Of {result['n']} windows, {result['masked']} need a mask. {result['allowed']} pairs attend to each other, "
        f"and "
        f"{result['blocked']} are blocked. Shift the result back, down and to the right.",
        {name: result[name] for name in SWIN_SHIFT.outputs},
        Visualization("matrices", dict(grid=grid)),
    )
