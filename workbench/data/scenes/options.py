"""What may be asked of a scene."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from workbench.data.scenes.kinds import KINDS
from workbench.data.scenes.textures import TEXTURES
from workbench.errors import UserError, unknown_name

LEAST_SIDE, MOST_SIDE = 8, 1024
MOST_OBJECTS = 100


@dataclass(frozen=True)
class Options:
    """Of every pair the least and the most; all in between are as likely.

    Attributes:
        side: Pixels of the square picture's side.
        kinds: What objects there are, the commonest first.
        textures: Of the objects, and of the background.
        contrast: How far the second colour of a texture is from the first: 0 leaves all plain, 1 is any colour.
        sizes: The root of an object's area, as a share of the side.
        turn: How far an object is turned at most, either way, in degrees.
        objects: How many; what finds no place in many tries is left out.
        clutter: How many strokes lie about, behind the objects.
        overlap: The largest IoU that the whole boxes of two objects may have.
        imbalance: How many times as common the first kind is as the last; those in between fall geometrically.
        speed: The fastest that an object moves in a film, in pixels a frame.

    Raises:
        UserError: No scene can be made so.
    """

    side: int = 64
    kinds: tuple[str, ...] = tuple(KINDS)
    textures: tuple[str, ...] = tuple(TEXTURES)
    contrast: float = 1.0
    sizes: tuple[float, float] = (0.15, 0.4)
    turn: float = 180.0
    objects: tuple[int, int] = (1, 4)
    clutter: tuple[int, int] = (0, 4)
    overlap: float = 0.1
    imbalance: float = 1.0
    speed: float = 2.0

    def __post_init__(self) -> None:
        _whole("side", self.side, LEAST_SIDE, MOST_SIDE)
        every: dict[str, Collection[str]] = dict(kinds=KINDS, textures=TEXTURES)
        for name, known in every.items():
            chosen = getattr(self, name)
            if not isinstance(chosen, (tuple, list)) or not chosen or len(set(map(str, chosen))) < len(chosen):
                raise UserError(f"{name} must be one or more of {', '.join(known)}, each once.")
            for one in chosen:
                if one not in known:
                    raise unknown_name(name.removesuffix("s"), one, list(known))
        for name, least, most in (("objects", 1, MOST_OBJECTS), ("clutter", 0, MOST_OBJECTS)):
            low, high = _pair(name, getattr(self, name))
            _whole(name, low, least, most)
            _whole(name, high, low, most)
        low, high = _pair("sizes", self.sizes)
        _number("sizes", low, 0.02, 0.5)
        _number("sizes", high, low, 0.5)
        _number("contrast", self.contrast, 0, 1)
        _number("turn", self.turn, 0, 180)
        _number("overlap", self.overlap, 0, 1)
        _number("imbalance", self.imbalance, 1, 1000)
        _number("speed", self.speed, 0, self.side)

    def weights(self) -> list[float]:
        """How common each kind is, the first 1."""
        steps = max(1, len(self.kinds) - 1)
        return [self.imbalance ** (-k / steps) for k in range(len(self.kinds))]

    def quotas(self, count: int) -> list[int]:
        """How many of so many samples each kind gets: its share, what is left over where most is missing."""
        weights = self.weights()
        shares = [count * weight / sum(weights) for weight in weights]
        whole = [int(share) for share in shares]
        short = sorted(range(len(shares)), key=lambda k: whole[k] - shares[k])[: count - sum(whole)]
        return [number + (k in short) for k, number in enumerate(whole)]


def _pair(name: str, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise UserError(f"{name} must be two numbers, the least and the most, not {value!r}.")
    return value[0], value[1]


def _whole(name: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UserError(f"{name} must be a whole number from {least} to {most} here, not {value!r}.")


def _number(name: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise UserError(f"{name} must be a number from {least:g} to {most:g} here, not {value!r}.")
