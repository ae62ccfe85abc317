"""8,000 images of two shapes, of 32x32 pixels in color, with sentences that describe them, made by code.

"a red circle left of a blue square" and "a blue square right of a red circle" describe one image: each has two
sentences. Drawn once, then stored in the cache folder.
"""

from dataclasses import replace
from functools import cache, lru_cache
from itertools import count
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from workbench.data.cache import kept

if TYPE_CHECKING:
    from workbench.data.scenes import Object

SET = dict(
    title="a sentence about the shapes in an image",
    row="two shapes, red, green, blue or yellow, on a gray background",
    samples=8000,
    shape=(3, 32, 32),
    modality="captions",
    target="two sentences",
    source="made by code: workbench.data.scenes, sizes 0.28 to 0.4 of the image",
    licence="MIT",
    synthetic=True,
    sizes=dict(vocabulary=18),
)
SAMPLES, SIZE, FIRST_SEED, VERSION = 8000, 32, 2 * 10**6, 3
KINDS = ("circle", "square", "triangle", "cross")
COLORS = ("red", "green", "blue", "yellow")
GRAY = (0.5, 0.5, 0.5)
START, END = "<start>", "<end>"


@lru_cache(1)
def load() -> tuple[np.ndarray, np.ndarray]:
    """Return images (8000, 3, 32, 32), uint8, and tokens (8000, 2, length), int64.

    A sentence begins with `<start>` and ends with `<end>`, and is padded with 0.
    """
    images, tokens = kept(f"scene-captions-v{VERSION}", _draw)
    for array in (images, tokens):
        array.flags.writeable = False  # all callers get the same arrays
    return images, tokens


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the word of each token."""
    from workbench.data.words import PAD, UNKNOWN

    return (PAD, UNKNOWN, START, END, "a", *COLORS, *KINDS, "left", "right", "of", "above", "below")


def _draw() -> tuple[np.ndarray, np.ndarray]:
    from workbench.data import words
    from workbench.data.scenes import Options, Texture, draw, scene

    options = Options(
        side=SIZE, kinds=KINDS, textures=("plain",), sizes=(0.28, 0.4), turn=15, contrast=0.0, objects=(2, 2),
        clutter=(0, 0), overlap=0.0,
    )  # fmt: skip
    images = np.empty((SAMPLES, 3, SIZE, SIZE), np.uint8)
    rows: list[list[str]] = []
    # One of two shapes may find no place.
    scenes = filter(lambda one: len(one.objects) == 2, (scene(options, FIRST_SEED + k) for k in count()))
    rng = Random(FIRST_SEED)
    background = Texture("plain", (GRAY, GRAY), SIZE)
    for image, one in zip(images, scenes, strict=False):
        objects = tuple(_paint(each, rng.choice(COLORS)) for each in one.objects)
        image[:] = draw(replace(one, background=background, objects=objects)).picture.transpose(2, 0, 1)
        rows += sentences(*objects)
    tokens = words.encode([[START, *row, END] for row in rows], vocabulary())
    return images, tokens.reshape(SAMPLES, 2, -1)


def _paint(shape: "Object", color: str) -> "Object":
    """Return a shape in another color."""
    from workbench.data.scenes import PALETTE

    return replace(shape, colour=color, texture=replace(shape.texture, colours=(PALETTE[color], PALETTE[color])))


def sentences(one: "Object", other: "Object") -> list[list[str]]:
    """Return the words of two sentences about two shapes, one from each of them."""
    from workbench.data.scenes.captions import relation

    first, second = (["a", each.colour, each.kind] for each in (one, other))
    return [
        [*first, *relation(one, other).split(), *second],
        [*second, *relation(other, one).split(), *first],
    ]
