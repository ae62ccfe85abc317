"""Bar charts of vectors."""

from typing import Any

from quizzes.question import value_text


def draw_bars(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a bar for each value; the values at one index of several vectors are next to each other."""
    values = {
        f"{name}{k}": value
        for k in range(1, max(map(len, data.values())) + 1)
        for name, vector in data.items()
        for value in vector[k - 1 : k]
    }
    low, high = min(0, *values.values()), max(0, *values.values())
    names, numbers = (max(map(len, texts)) for texts in (values, map(value_text, values.values())))
    room = width - names - numbers - 3
    cells = room / ((high - low) or 1)
    zero = int(-low * cells)
    lines = []
    for name, value in values.items():
        length = int(abs(value) * cells)
        left = ("▇" * length if value < 0 else "").rjust(zero)
        bar = f"{left}│{'▇' * length if value > 0 else ''}".ljust(room + 1)
        lines.append(f"{name.ljust(names)} {bar} {value_text(value)}")
    return "\n".join(lines)
