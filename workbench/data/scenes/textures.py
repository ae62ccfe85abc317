"""Textures: how two colours lie on a surface. They are fixed to its frame, and so turn and move with it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Colour = tuple[float, float, float]  # red, green, blue, each from 0 to 1


@dataclass(frozen=True)
class Texture:
    """Attributes:
    kind: One of `TEXTURES`.
    colours: What lies below, and what lies on it; a plain one has the first alone.
    period: Pixels after which it repeats; the side of a grain of noise is a quarter of it.
    """

    kind: str
    colours: tuple[Colour, Colour]
    period: float

    def colour(self, u: "np.ndarray", v: "np.ndarray") -> "np.ndarray":
        """The colours (3, H, W) at these places, in pixels of the surface's own frame; (3, 1, 1) if all are alike."""
        import numpy as np

        first, second = np.array(self.colours, np.float32)[:, :, None, None]
        if self.kind == "plain":
            return first
        mixed = (second - first) * TEXTURES[self.kind](u, v, self.period)
        mixed += first
        return mixed


def within(values: "np.ndarray", least: float, most: float) -> "np.ndarray":
    """The values, changed in place so that they keep within bounds: for small arrays faster than `np.clip`."""
    import numpy as np

    np.maximum(values, least, out=values)
    return np.minimum(values, most, out=values)


def _plain(u: "np.ndarray", v: "np.ndarray", period: float) -> "np.ndarray":
    return 0 * (u + v)


def _wave(u: "np.ndarray", period: float) -> "np.ndarray":
    """From -1 to 1 and back in a period, with edges as sharp as a pixel."""
    import numpy as np

    return within(np.sin(u * (2 * pi / period)) * (period / pi), -1, 1)


def _stripes(u: "np.ndarray", v: "np.ndarray", period: float) -> "np.ndarray":
    return 0.5 + 0.5 * _wave(u, period)


def _checks(u: "np.ndarray", v: "np.ndarray", period: float) -> "np.ndarray":
    return 0.5 + 0.5 * _wave(u, period) * _wave(v, period)


def _dots(u: "np.ndarray", v: "np.ndarray", period: float) -> "np.ndarray":
    """A third of the surface is dots."""
    import numpy as np

    across, down = (period * (places / period - np.round(places / period)) for places in (u, v))
    return within(0.5 + period / 3 - np.hypot(across, down), 0, 1)


def _noise(u: "np.ndarray", v: "np.ndarray", period: float) -> "np.ndarray":
    """Grains whose share follows from their place alone, by a hash, so that they are the same wherever it moves to."""
    import numpy as np

    across, down = (np.floor(places * (4 / period)).astype(np.int32).view(np.uint32) for places in (u, v))
    mixed = across * np.uint32(0x9E3779B1) ^ down * np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    return (mixed >> np.uint32(24)).astype(np.float32) / np.float32(255)


TEXTURES: dict[str, Callable[..., "np.ndarray"]] = {
    "plain": _plain,
    "stripes": _stripes,
    "dots": _dots,
    "checks": _checks,
    "noise": _noise,
}
