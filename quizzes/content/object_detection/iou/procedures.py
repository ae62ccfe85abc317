"""Intersection over union: procedures."""

from collections.abc import Iterator

from quizzes.content.object_detection.iou.formulas import IOU
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, number_text, procedure
from quizzes.question import Params, Visualization
from workbench.errors import UserError


@procedure(
    "iou",
    IOU,
    title="Intersection over union, from the corners to the ratio",
    example=dict(A=[10, 10, 60, 50], B=[30, 20, 80, 70]),
)
def iou(A: list[Value], B: list[Value]) -> Iterator[State]:
    """Find the corners of the intersection, its area, the area of the union, and their ratio."""
    for name, box in (("A", A), ("B", B)):
        if len(box) != 4 or box[0] >= box[2] or box[1] >= box[3]:
            raise UserError(f"{name} must be x1, y1, x2, y2 with x1 < x2 and y1 < y2.")
    drawing = Visualization("boxes", dict(A=A, B=B))
    values: Params = {}

    def state(caption: str, **new: Value) -> State:
        values.update(new)
        return State(caption, dict(values), drawing)

    for axis, low, high, extent in (("x", 0, 2, "width"), ("y", 1, 3, "height")):
        start, end = max(A[low], B[low]), min(A[high], B[high])
        clamp = "" if end > start else ", so the boxes do not overlap there"
        yield state(
            f"In {axis}, the intersection extends from the larger start, {number_text(start)}, to the smaller end, "
            f"{number_text(end)}{clamp}. Its {extent} is {number_text(max(0, end - start))}.",
            **{f"{axis}1": start, f"{axis}2": end, extent: max(0, end - start)},
        )
    width, height = values["width"], values["height"]
    yield state(
        f"Multiply width and height: the area of the intersection is {number_text(width)}*{number_text(height)} = "
        f"{number_text(width * height)}.",
        I=width * height,
    )
    for name, (x1, y1, x2, y2) in (("A", A), ("B", B)):
        area = (x2 - x1) * (y2 - y1)
        product = f"({number_text(x2)} - {in_parentheses(x1)})*({number_text(y2)} - {in_parentheses(y1)})"
        yield state(f"The area of box {name} is {product} = {number_text(area)}.", **{f"area_{name}": area})
    union = values["area_A"] + values["area_B"] - values["I"]
    yield state(
        f"Add both areas and subtract the intersection, because it lies in both boxes: {number_text(values['area_A'])} "
        f"+ {number_text(values['area_B'])} - {number_text(values['I'])} = {number_text(union)}.",
        U=union,
    )
    yield state(
        f"Divide the intersection by the union: {number_text(values['I'])}/{number_text(union)} = "
        f"{number_text(values['I'] / union)}.",
        iou=values["I"] / union,
    )
