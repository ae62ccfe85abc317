"""The kinds of shape, each as its signed distance: how far a point is from the border, negative inside.

    coverage of a pixel = 0.5 - distance of its centre, within 0 and 1

which smooths every edge over one pixel. Sizes are given by area: a shape of size s covers s * s pixels, whatever its
kind, so that a class can't be told by how much is covered.
"""

from cmath import rect
from collections.abc import Callable
from dataclasses import dataclass
from math import acos, cos, pi, sin, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Distance = Callable[[np.ndarray, np.ndarray, float], np.ndarray]

STROKE = 0.75  # pixels: half the width of a stroke
BITE, ASIDE = 0.8, 0.5  # the disc that a crescent lacks: its radius and its place, in radii of the whole


@dataclass(frozen=True)
class Kind:
    """A kind of shape.

    Attributes:
        reach: How far it reaches from its centre, at size 1.
        distance: u, v (to the right and down from its centre, in pixels, in its own frame) and size -> distances.
        corners: Its outermost points at size 1, as u + iv; none of what is as wide in every direction.
    """

    reach: float
    distance: "Distance"
    corners: tuple[complex, ...] = ()

    def extent(self, size: float, angle: float) -> tuple[float, float, float, float]:
        """How far it reaches to the left, up, right and down of its centre, turned clockwise by an angle in radians."""
        if not self.corners:
            far = self.reach * size
            return -far, -far, far, far
        turn = rect(size, angle)
        turned = [corner * turn for corner in self.corners]
        across, down = [corner.real for corner in turned], [corner.imag for corner in turned]
        return min(across), min(down), max(across), max(down)


def _polygon(tips: int, inner: float) -> Kind:
    """A star; a regular polygon is one whose inner corners lie on its edges.

    Args:
        tips: How many; the first points up.
        inner: The radius of the inner corners, as a share of that of the tips.
    """
    wedge = pi / tips  # between a tip and the inner corner next to it: all other wedges are mirrored onto this one
    radius = 1 / sqrt(tips * inner * sin(wedge))
    across, along = 1 - inner * cos(wedge), inner * sin(wedge)
    length = sqrt(across**2 + along**2)
    normal_x, normal_y = along / length, across / length  # of the edge from (1, 0) to the inner corner

    def distance(u: "np.ndarray", v: "np.ndarray", size: float) -> "np.ndarray":
        import numpy as np

        turned = np.arctan2(u, -v)
        turned -= 2 * wedge * np.round(turned / (2 * wedge))
        far = np.hypot(u, v)
        return normal_x * (far * np.cos(turned) - radius * size) + normal_y * far * np.abs(np.sin(turned))

    return Kind(radius, distance, tuple(rect(radius, 2 * wedge * k - pi / 2) for k in range(tips)))


def _box(half_width: float, half_height: float) -> tuple[complex, ...]:
    return tuple(complex(x * half_width, y * half_height) for x in (-1, 1) for y in (-1, 1))


def _circle(u: "np.ndarray", v: "np.ndarray", size: float) -> "np.ndarray":
    import numpy as np

    return np.hypot(u, v) - size / sqrt(pi)


def _square(u: "np.ndarray", v: "np.ndarray", size: float) -> "np.ndarray":
    import numpy as np

    return np.maximum(np.abs(u), np.abs(v)) - size / 2


def _bar(u: "np.ndarray", v: "np.ndarray", size: float) -> "np.ndarray":
    """Three times as long as wide."""
    import numpy as np

    return np.maximum(np.abs(u) - size * sqrt(3) / 2, np.abs(v) - size / sqrt(3) / 2)


def _ring(u: "np.ndarray", v: "np.ndarray", size: float) -> "np.ndarray":
    """The hole has half the radius."""
    import numpy as np

    radius = _RING * size
    return np.abs(np.hypot(u, v) - 0.75 * radius) - 0.25 * radius


def _cross(u: "np.ndarray", v: "np.ndarray", size: float) -> "np.ndarray":
    """Two bars, each three times as long as wide."""
    import numpy as np

    across, down = np.abs(u), np.abs(v)
    return np.maximum(np.maximum(across, down) - 3 * _ARM * size, np.minimum(across, down) - _ARM * size)


def _crescent(u: "np.ndarray", v: "np.ndarray", size: float) -> "np.ndarray":
    import numpy as np

    radius = _MOON * size
    return np.maximum(np.hypot(u, v) - radius, BITE * radius - np.hypot(u - ASIDE * radius, v))


def _stroke(u: "np.ndarray", v: "np.ndarray", size: float) -> "np.ndarray":
    """A line as long as its size, always as thin."""
    import numpy as np

    return np.hypot(np.maximum(np.abs(u) - size / 2, 0), v) - STROKE


def lens(first: float, second: float, apart: float) -> float:
    """The area that two discs of these radii share, whose borders cross."""
    one = acos((apart**2 + first**2 - second**2) / (2 * apart * first))
    other = acos((apart**2 + second**2 - first**2) / (2 * apart * second))
    return first**2 * (one - sin(2 * one) / 2) + second**2 * (other - sin(2 * other) / 2)


_RING = 1 / sqrt(0.75 * pi)
_ARM = sqrt(1 / 20)  # half the width: five squares of it make the cross
_MOON = 1 / sqrt(pi - lens(1, BITE, ASIDE))
_HORN = acos((ASIDE**2 + 1 - BITE**2) / (2 * ASIDE))  # the angle at which both borders cross
_ARC = tuple(rect(_MOON, _HORN + 2 * (pi - _HORN) * k / 48) for k in range(49))  # a point every six degrees

KINDS = {
    "circle": Kind(1 / sqrt(pi), _circle),
    "square": Kind(1 / sqrt(2), _square, _box(1 / 2, 1 / 2)),
    "triangle": _polygon(3, cos(pi / 3)),
    "star": _polygon(5, sin(pi / 10) / sin(3 * pi / 10)),  # as drawn in one line
    "ring": Kind(_RING, _ring),
    "cross": Kind(sqrt(10) * _ARM, _cross, _box(3 * _ARM, _ARM) + _box(_ARM, 3 * _ARM)),
    "crescent": Kind(_MOON, _crescent, _ARC),
    "bar": Kind(sqrt(3 / 4 + 1 / 12), _bar, _box(sqrt(3) / 2, 1 / sqrt(3) / 2)),
}
CLUTTER = Kind(1 / 2, _stroke, (-1 / 2, 1 / 2))  # what lies about, and is no object
