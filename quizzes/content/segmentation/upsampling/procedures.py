"""Upsampling: procedures."""

from collections.abc import Iterator
from typing import Any

from quizzes.content.cnn.pooling.formulas import check_window
from quizzes.content.cnn.shared import Map, check_maps
from quizzes.content.segmentation.upsampling.formulas.interpolation import INTERPOLATION
from quizzes.content.segmentation.upsampling.formulas.values import MAX_UNPOOL, TRANSPOSED_CONV, check_output_padding
from quizzes.content.segmentation.upsampling.maps import (
    add_copy,
    linear_samples,
    nearest_indices,
    output_size,
    pool_with_indices,
    unpool,
)
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, number_text, procedure
from quizzes.question import Visualization


@procedure(
    "max-unpool",
    MAX_UNPOOL,
    title="Max pooling with indices and unpooling, window by window",
    example=dict(X=[[1, 6, 2, 0], [5, 3, 8, 1], [0, 4, 3, 7], [9, 2, 5, 6]]),
)
def max_unpool(X: Map, k: int, s: int = 0, V: Map | None = None) -> Iterator[State]:
    """Remember where the maximum of each window is, and put a value there."""
    check_window(X, k)
    pooled = pool_with_indices(X, k, s or k)
    maxima, indices = ([[cell[part] for cell in row] for row in pooled] for part in (0, 1))
    decoded, height, width = V or maxima, len(X), len(X[0])
    unpool(decoded, indices, height, width)  # checks the shape of V
    output = [[0] * width for _ in X]

    def state(caption: str, **values: Any) -> State:
        drawing = Visualization("matrices", {"X": X, "M": maxima, "/": None, "U": output})
        return State(caption, dict(values, M=maxima, I=indices, U=output), drawing)

    yield state(
        f"Pool the {height}x{width} map, and remember the index of each maximum: its place in the flattened map, from "
        "0. All cells of the new map are 0 at first.",
        height=height,
        width=width,
    )
    for row, line in enumerate(pooled):
        for column, (largest, index) in enumerate(line):
            value, y, x = decoded[row][column], index // width, index % width
            output[y][x] = value
            yield state(
                f"Window ({row}, {column}): its maximum {number_text(largest)} has index {index}, which is row {y}, "
                f"column {x}. Put the value {number_text(value)} there.",
                row=row,
                column=column,
                maximum=largest,
                index=index,
                value=value,
                y=y,
                x=x,
            )


@procedure(
    "transposed-conv",
    TRANSPOSED_CONV,
    title="Transposed convolution: a copy of the kernel per input value",
    example=dict(X=[[1, 2], [3, 4]], K=[[1, 0, 2], [0, 1, 0], [1, 0, 1]]),
)
def transposed_conv(X: Map, K: Map, b: Value, s: int, p: int, q: int, d: int) -> Iterator[State]:
    """Add a copy of the kernel, times the input value, to the output; the copies are a stride apart."""
    check_maps(X=X, K=K)
    check_output_padding(q, s, d)
    height = output_size(len(X), len(K), s, p, q, d)
    width = output_size(len(X[0]), len(K[0]), s, p, q, d)
    output: Map = [[b] * width for _ in range(height)]

    def state(caption: str, **values: Any) -> State:
        drawing = Visualization("matrices", {"X": X, "K": K, "/": None, "O": output})
        return State(caption, dict(values, O=output), drawing)

    bias = f" Each begins with the bias {number_text(b)}." if b else ""
    yield state(f"The output has {height}x{width} values.{bias}", height=height, width=width)
    for i, row in enumerate(X):
        for j, value in enumerate(row):
            add_copy(output, value, K, i * s - p, j * s - p, d)
            top, left = i * s - p, j * s - p
            cut = ", and what is outside is cut off" if min(top, left) < 0 else ""
            yield state(
                f"Input ({i}, {j}) is {number_text(value)}: add {in_parentheses(value)} times the kernel to the cells "
                f"from row {number_text(top)} and column {number_text(left)} on{cut}.",
                i=i,
                j=j,
                value=value,
                top=top,
                left=left,
            )


@procedure(
    "interpolation",
    INTERPOLATION,
    title="Interpolation of a map, pixel by pixel",
    example=dict(X=[[10, 20], [30, 40]], H=4, W=4),
)
def interpolation(X: Map, H: int, W: int, mode: str, align: str) -> Iterator[State]:
    """Find where each pixel of the new map is in the old one, and mix the pixels around it, or copy one."""
    check_maps(X=X)
    output: Map = []

    def state(caption: str, **values: Any) -> State:
        return State(caption, dict(values, O=output), Visualization("matrices", {"X": X, "/": None, "O": output}))

    if mode == "nearest":
        rows, columns = nearest_indices(len(X), H), nearest_indices(len(X[0]), W)
        for i, row in enumerate(rows):
            output.append([])
            for j, column in enumerate(columns):
                output[-1].append(X[row][column])
                yield state(
                    f"Pixel ({i}, {j}) reads row floor({i}*{len(X)}/{H}) = {row}, column floor({j}*{len(X[0])}/{W}) = "
                    f"{column}: {number_text(X[row][column])}.",
                    i=i,
                    j=j,
                    row=row,
                    column=column,
                    h=len(X),
                    w=len(X[0]),
                    value=X[row][column],
                )
        return
    across = linear_samples(len(X[0]), W, align == "yes")
    for i, down in enumerate(linear_samples(len(X), H, align == "yes")):
        output.append([])
        for j, beside in enumerate(across):
            upper, lower = (
                X[y][beside.first] * (1 - beside.weight) + X[y][beside.second] * beside.weight
                for y in (down.first, down.second)
            )
            value = upper * (1 - down.weight) + lower * down.weight
            output[-1].append(value)
            yield state(
                f"Pixel ({i}, {j}) is at y = {number_text(down.place)}, x = {number_text(beside.place)} of X. The "
                f"value is {number_text(upper)} in row {down.first} and {number_text(lower)} in row {down.second}, and "
                f"the second one has the weight {number_text(down.weight)}: {number_text(value)}.",
                i=i,
                j=j,
                y=down.place,
                x=beside.place,
                first=down.first,
                second=down.second,
                upper=upper,
                lower=lower,
                weight=down.weight,
                value=value,
            )
