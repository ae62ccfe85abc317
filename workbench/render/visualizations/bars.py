"""Bars, one for each value of one or several vectors."""

from typing import Any

from quizzes.question import value_text


def draw_bars(data: dict[str, Any], width: int, height: int) -> str:
    """The values of vectors; those of one place in several vectors stand together."""
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
