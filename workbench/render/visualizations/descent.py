"""The ground that an optimiser goes over, with its start, and its end where that is given."""

import math
from typing import Any

from quizzes.question import value_text
from workbench.render.visualizations.plot import Plot

MORE = 1.25  # how much further than its points a picture reaches


def draw_parabola(data: dict[str, Any], width: int, height: int) -> str:
    """L = c w^2/2 with the point `start`, and with `end` where the path has one; what is asked isn't marked."""
    c, known = data["c"], {name: data[name] for name in ("start", "end") if name in data}
    shown = {name: value for name, value in known.items() if value is not None}
    reach = MORE * max(map(abs, shown.values()))
    plot = Plot([-reach, reach], [0, c * reach**2 / 2], width, height - 1)
    plot.function(lambda w: c * w**2 / 2)
    signs = {"start": "●", "end": "○"}
    for name, value in shown.items():
        plot.mark(value, c * value**2 / 2, signs[name])
    words = [f"{signs[name]} {name} {'?' if value is None else value_text(value)}" for name, value in known.items()]
    return f"{'   '.join(words)}\n{plot.text()}"


def draw_contour(data: dict[str, Any], width: int, height: int) -> str:
    """Contours of L = (c1 w1^2 + c2 w2^2)/2 and the start of a descent; where it goes is asked."""
    c1, c2, w1, w2 = (data[name] for name in ("c1", "c2", "w1_0", "w2_0"))
    level = c1 * w1**2 + c2 * w2**2
    wide, high = (MORE * math.sqrt(level / c) for c in (c1, c2))
    plot = Plot([-wide, wide], [-high, high], width, height - 1)
    for part in (0.1, 0.4, 1):
        rings = [math.sqrt(part * level / c) for c in (c1, c2)]
        turns = [math.pi * k / 60 for k in range(121)]
        plot.curve([(rings[0] * math.cos(turn), rings[1] * math.sin(turn)) for turn in turns])
    plot.mark(0, 0, "+")
    plot.mark(w1, w2, "●")
    return f"w2 over w1: ● start  + minimum\n{plot.text()}"
