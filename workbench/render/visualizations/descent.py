"""The loss that an optimizer descends, with the start of its path, and the end if that is given."""

import math
from typing import Any

from quizzes.question import value_text
from workbench.render.visualizations.plot import Plot

MARGIN = 1.25  # range of the axes, relative to the largest coordinate


def draw_parabola(data: dict[str, Any], width: int, height: int) -> str:
    """Draw L = c w^2/2 with the points `start` and `end`; the unknown one is not drawn."""
    c, points = data["c"], {name: data[name] for name in ("start", "end") if name in data}
    positions = {name: value for name, value in points.items() if value is not None}
    limit = MARGIN * max(map(abs, positions.values()))
    plot = Plot([-limit, limit], [0, c * limit**2 / 2], width, height - 1)
    plot.function(lambda w: c * w**2 / 2)
    signs = {"start": "●", "end": "○"}
    for name, value in positions.items():
        plot.mark(value, c * value**2 / 2, signs[name])
    words = [f"{signs[name]} {name} {'?' if value is None else value_text(value)}" for name, value in points.items()]
    return f"{'   '.join(words)}\n{plot.text()}"


def draw_contour(data: dict[str, Any], width: int, height: int) -> str:
    """Draw contours of L = (c1 w1^2 + c2 w2^2)/2 and the start of the descent; the question asks for its next point."""
    c1, c2, w1, w2 = (data[name] for name in ("c1", "c2", "w1_0", "w2_0"))
    level = c1 * w1**2 + c2 * w2**2
    limit1, limit2 = (MARGIN * math.sqrt(level / c) for c in (c1, c2))
    plot = Plot([-limit1, limit1], [-limit2, limit2], width, height - 1)
    for fraction in (0.1, 0.4, 1):
        radius1, radius2 = (math.sqrt(fraction * level / c) for c in (c1, c2))
        angles = [math.pi * k / 60 for k in range(121)]
        plot.curve([(radius1 * math.cos(angle), radius2 * math.sin(angle)) for angle in angles])
    plot.mark(0, 0, "+")
    plot.mark(w1, w2, "●")
    return f"w2 over w1: ● start  + minimum\n{plot.text()}"
