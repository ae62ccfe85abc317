"""Losses and learning rates over the epochs."""

import math
from collections.abc import Callable
from typing import Any

from quizzes.question import value_text
from workbench.render.visualizations.plot import Plot

SIGNS = "●○◆◇"


def draw_learning_curves(data: dict[str, Any], width: int, height: int) -> str:
    """Draw losses by name, each starting at epoch 1."""
    last = max(map(len, data.values()))
    plot = Plot([1, last], [loss for losses in data.values() for loss in losses], width, height - 1)
    for k, losses in enumerate(data.values()):
        points = list(enumerate(losses, 1))
        plot.curve(points, dotted=k > 0)
        for point in points:
            plot.mark(*point, SIGNS[k])
    names = "  ".join(f"{sign} {name}" for sign, name in zip(SIGNS, data, strict=False))
    return f"loss by epoch: {names}\n{plot.text()}"


def draw_line_chart(data: dict[str, Any], width: int, height: int) -> str:
    """Draw curves by name, over the values `x` or the numbers from 1."""
    curves = {name: _points(values, data) for name, values in data.items() if name != "x"}
    xs, ys = ([point[k] for points in curves.values() for point in points] for k in (0, 1))
    plot = Plot(xs, ys, width, height - 1)
    for k, (sign, points) in enumerate(zip(SIGNS, curves.values(), strict=False)):
        plot.curve(points, dotted=k > 0)
        for point in points:
            plot.mark(*point, sign)
    names = "  ".join(f"{sign} {name}" for sign, name in zip(SIGNS, curves, strict=False))
    return f"{names}\n{plot.text()}"


def _points(values: list[float], data: dict[str, Any]) -> list[tuple[float, float]]:
    return list(zip(data.get("x") or range(1, len(values) + 1), values, strict=True))


def describe_line_chart(data: dict[str, Any]) -> str:
    """List the points of each curve."""
    curves = {name: _points(values, data) for name, values in data.items() if name != "x"}
    lists = [
        f"{name}: {', '.join(f'({value_text(x)}, {value_text(y)})' for x, y in points)}"
        for name, points in curves.items()
    ]
    return "\n".join(lists)


def draw_learning_rate(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the schedule that the text names, with the epochs or steps that the question is about.

    If the initial learning rate is unknown, the y axis has no numbers. If the decay factor is unknown, only the initial
    and the final point are drawn.
    """
    last, lr_at, symbols = _schedule(data)
    if "gamma" in data or "gamma" not in SYMBOLS[data["text"]]:
        plot = Plot([0, last], [0, *(lr_at(last * k / 200) for k in range(201))], width, height - 1, "eta0" in data)
        plot.function(lr_at)
    else:
        plot = Plot([0, last], [0, data["eta0"]], width, height - 1)
        plot.mark(0, data["eta0"], "●")
        plot.mark(data["t"], data["eta"], "●")
    for name in symbols:
        plot.add_vertical_line(data[name], f"{name} = {data[name]}")
    first = value_text(data["eta0"]) if "eta0" in data else "?"
    head = "eta: eta0" if data["text"] != "warm-up" else "eta: peak"
    return f"{head} = {first}\n{plot.text()}"


# The symbols of each schedule in addition to the initial learning rate and the time.
SYMBOLS = {"cosine": "eta_min T", "step": "gamma s", "exponential": "gamma", "warm-up": "T_w T_c"}


def _schedule(data: dict[str, Any]) -> tuple[float, Callable[[float], float], list[str]]:
    """Return the last epoch or step, the learning rate as a function of time, and the symbols of the times to mark."""
    eta0, low, gamma = data.get("eta0", 1), data.get("eta_min", 0), data.get("gamma", 1)
    if data["text"] == "cosine":
        return data["T"], lambda t: low + (eta0 - low) * (1 + math.cos(math.pi * t / data["T"])) / 2, ["t"]
    if data["text"] == "step":
        return data["t"] + data["s"], lambda t: eta0 * gamma ** math.floor(t / data["s"]), ["t"]
    if data["text"] == "exponential":
        return data["t"] + 2, lambda t: eta0 * gamma**t, ["t"]
    warmup, decay = data["T_w"], data["T_c"]
    return (
        warmup + decay,
        lambda t: eta0 * (t / warmup if t < warmup else (1 + math.cos(math.pi * (t - warmup) / decay)) / 2),
        ["t_a", "t_b"],
    )


def draw_progress(data: dict[str, Any], width: int, height: int) -> str:
    """Draw `curves` by name over the epochs or steps `x`, with the one that is reached.

    Each curve begins at `first`. The index `at` is marked, and so are the indices of `marks`, by vertical lines. What
    comes after `at` is dotted.
    """
    first, at, curves = data["first"], data["at"], data["curves"]
    last = first + max(map(len, curves.values())) - 1
    plot = Plot([first, last], [value for curve in curves.values() for value in curve], width, height - 1)
    for curve in curves.values():
        points = list(enumerate(curve, first))
        plot.curve(points[at:], dotted=True)
        plot.curve(points[: at + 1])
    for curve in curves.values():
        plot.mark(first + at, curve[at], "◆")
    for name, index in data.get("marks", {}).items():
        plot.add_vertical_line(first + index, name)
    return f"{', '.join(curves)} by {data['x']}: ◆ {data['x']} {first + at}\n{plot.text()}"
