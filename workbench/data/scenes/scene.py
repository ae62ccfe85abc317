"""A scene: what is in a picture, as plain data, drawn by a seed."""

from dataclasses import dataclass
from math import pi, radians
from random import Random
from typing import Any

from workbench.data.scenes.boxes import iou
from workbench.data.scenes.kinds import KINDS
from workbench.data.scenes.options import Options
from workbench.data.scenes.textures import Colour, Texture

PALETTE: dict[str, Colour] = {
    "red": (0.90, 0.15, 0.15),
    "orange": (1.00, 0.60, 0.10),
    "yellow": (0.95, 0.90, 0.15),
    "green": (0.15, 0.70, 0.20),
    "cyan": (0.20, 0.85, 0.85),
    "blue": (0.15, 0.30, 0.90),
    "purple": (0.60, 0.20, 0.80),
    "pink": (1.00, 0.60, 0.80),
    "white": (0.97, 0.97, 0.97),
    "black": (0.05, 0.05, 0.05),
}
JITTER = 0.05  # of a named colour
APART = 0.3  # mean difference of an object's colour from those behind it, at least where there is such a colour
TRIES = 50  # to find a place


@dataclass(frozen=True)
class Object:
    """Attributes:
    kind: One of `KINDS`.
    colour: Its name, of `PALETTE`.
    texture: How it is painted: in that colour, and a darker or lighter one.
    size: The root of its area, in pixels.
    angle: By which it is turned clockwise, in radians.
    x, y: Its centre, in pixels from the left and from the top; the first pixel's centre is at 0.5.
    velocity: To the right and down, in pixels a frame.
    """

    kind: str
    colour: str
    texture: Texture
    size: float
    angle: float
    x: float
    y: float
    velocity: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Scene:
    """Attributes:
    side: Pixels of the picture's side.
    background: Its texture ...
    angle: ... and how far that is turned.
    clutter: Strokes that lie about and are no objects: their kind is empty, their size their length.
    objects: The hindmost first: the smaller in front, so that none is hidden whole by a larger one.
    """

    side: int
    background: Texture
    angle: float
    clutter: tuple[Object, ...]
    objects: tuple[Object, ...]


def scene(options: Options, seed: int) -> Scene:
    """The scene of a seed: the same options and seed give the same one, always."""
    rng = Random(seed)
    colour = _any(rng)
    colours = colour, _toward(colour, _any(rng), options.contrast)
    background = Texture(rng.choice(options.textures), colours, rng.uniform(6, 16))
    angle = rng.uniform(0, pi)
    strokes = tuple(_stroke(rng, options.side) for _ in range(rng.randint(*options.clutter)))
    behind = colours[:1] if background.kind == "plain" else colours
    objects: list[Object] = []
    boxes: list[Any] = []
    kinds = rng.choices(options.kinds, options.weights(), k=rng.randint(*options.objects))
    for kind in kinds:
        if placed := _placed(rng, kind, behind, options, boxes):
            objects.append(placed)
    objects.sort(key=lambda one: -one.size)
    return Scene(options.side, background, angle, strokes, tuple(objects))


def _any(rng: Random) -> Colour:
    return rng.random(), rng.random(), rng.random()


def _stroke(rng: Random, side: int) -> Object:
    colour = _any(rng)
    size, angle = rng.uniform(0.05, 0.25) * side, rng.uniform(0, pi)
    texture = Texture("plain", (colour, colour), side)
    return Object("", "", texture, size, angle, rng.uniform(0, side), rng.uniform(0, side))


def _placed(rng: Random, kind: str, behind: Any, options: Options, boxes: list[Any]) -> Object | None:
    """An object in a place where it overlaps no other too much, and its box added to theirs; None if none is found."""
    name, texture = painted(rng, behind, options)
    for _ in range(TRIES):
        size, angle = rng.uniform(*options.sizes) * options.side, rng.uniform(-1, 1) * radians(options.turn)
        left, top, right, bottom = KINDS[kind].extent(size, angle)
        x, y = rng.uniform(-left, options.side - right), rng.uniform(-top, options.side - bottom)
        box = left + x, top + y, right + x, bottom + y
        if all(iou(box, other) <= options.overlap for other in boxes):
            boxes.append(box)
            velocity = rng.uniform(-options.speed, options.speed), rng.uniform(-options.speed, options.speed)
            return Object(kind, name, texture, size, angle, x, y, velocity)
    return None


def painted(rng: Random, behind: Any, options: Options) -> tuple[str, Texture]:
    """A named colour that stands out from what is behind, and a texture of it."""
    names = rng.sample(list(PALETTE), len(PALETTE))
    name = next((name for name in names if min(_apart(PALETTE[name], other) for other in behind) > APART), names[0])
    first = _like(rng, PALETTE[name])
    lighter = max(first) < 0.3
    second = _toward(first, (1, 1, 1) if lighter else (0, 0, 0), 0.4 * options.contrast)  # still of that colour
    return name, Texture(rng.choice(options.textures), (first, second), rng.uniform(4, 8))


def _like(rng: Random, colour: Colour) -> Colour:
    red, green, blue = (min(max(part + rng.uniform(-JITTER, JITTER), 0.0), 1.0) for part in colour)
    return red, green, blue


def _toward(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (one + share * (another - one) for one, another in zip(colour, other, strict=True))
    return red, green, blue


def _apart(one: Colour, other: Colour) -> float:
    return (abs(one[0] - other[0]) + abs(one[1] - other[1]) + abs(one[2] - other[2])) / 3
