"""States of procedures as text, in the same words in the app and on the command line."""

from typing import Any

from quizzes.procedure import State, number_text
from workbench.render import visualizations
from workbench.render.question import wrap_text

DRAWING_HEIGHT = 14  # lines, on the command line
GAP = "   "  # between two values in a line


def render_state(state: State, width: int = 80) -> str:
    """Return the caption, the values and the drawing of a state, one below the other."""
    blocks = [wrap_text(state.caption, width), "\n".join(render_values(state.values, width))]
    return "\n\n".join(filter(None, [*blocks, draw_state(state, width, DRAWING_HEIGHT)]))


def draw_state(state: State, width: int, height: int) -> str:
    """Return the drawing of a state, cut to a width and a height in cells; empty if it has none."""
    if state.visualization is None:
        return ""
    lines = visualizations.draw(state.visualization, width, height).splitlines()
    return "\n".join(line[:width] for line in lines[:height])


def render_values(values: dict[str, Any], width: int) -> list[str]:
    """Return the values as lines `name = value`, several per line if they are short; a long one is cut off."""
    lines: list[str] = []
    for name, value in values.items():
        if value in (None, "", [], {}):
            continue
        text = f"{name} = {_value_text(value)}"
        if len(text) > width:
            text = f"{text[: width - 1]}…"
        if lines and len(lines[-1]) + len(GAP) + len(text) <= width:
            lines[-1] += GAP + text
        else:
            lines.append(text)
    return lines


def _value_text(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_value_text(item)}' for name, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value_text, value))}]"
    return number_text(value) if isinstance(value, int | float) else str(value)
