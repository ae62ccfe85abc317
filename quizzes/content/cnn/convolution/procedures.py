"""Convolution: procedures."""

from collections.abc import Iterator
from typing import Any

from quizzes.content.cnn.convolution.formulas import CONV_VALUES, check_kernel
from quizzes.content.cnn.shared import Map, extract_windows, pad
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, number_text, procedure
from quizzes.question import Visualization

MAX_TERMS = 25  # that a caption writes out


@procedure(
    "conv-values",
    CONV_VALUES,
    title="Convolution: the kernel slides over the input",
    example=dict(
        X=[[1, 0, 2, 1, 0], [0, 1, 3, 2, 1], [2, 1, 0, 1, 2], [1, 2, 1, 0, 1], [0, 1, 2, 1, 3]],
        K=[[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    ),
)
def conv_values(X: Map, K: Map, b: Value, s: int, p: int, d: int = 1) -> Iterator[State]:
    """Compute one output value per state: the sum of weight times input over the window, plus the bias."""
    check_kernel(X, K, p, d)
    padded = pad(X, p)
    windows = extract_windows(padded, len(K), len(K[0]), s, d)
    weights = [weight for row in K for weight in row]
    output: Map = []

    def state(caption: str, top: int | None = None, left: int | None = None, **values: Any) -> State:
        data = dict(X=padded, K=K, height=len(K), width=len(K[0]), d=d, outputs=dict(O=output))
        data |= dict(shape=[len(windows), len(windows[0])], top=top, left=left)
        return State(caption, dict(values, O=output), Visualization("sliding-window", data))

    size = f"{len(padded)}x{len(padded[0])}"
    zeros = f"With zero padding {p} on each side, the input is {size}." if p else ""
    positions = f"The kernel has {len(windows)}x{len(windows[0])} positions, and each gives one output value."
    yield state(
        f"{zeros} {positions}".strip(),
        padded_shape=[len(padded), len(padded[0])],
        output_shape=[len(windows), len(windows[0])],
    )
    for row, line in enumerate(windows):
        output.append([])
        for column, window in enumerate(line):
            products = [weight * value for weight, value in zip(weights, window, strict=True)]
            value = sum(products) + b
            output[-1].append(value)
            terms = [f"{in_parentheses(w)}*{in_parentheses(x)}" for w, x in zip(weights, window, strict=True)]
            total = " + ".join(terms) if len(terms) <= MAX_TERMS else f"{number_text(sum(products))}"
            bias = f" + {in_parentheses(b)}" if b else ""
            ending = f", then add the bias: {total}{bias}" if b else f": {total}"
            yield state(
                f"Row {row + 1}, column {column + 1}: multiply weights and inputs and add the products{ending} = "
                f"{number_text(value)}.",
                top=row * s,
                left=column * s,
                row=row + 1,
                column=column + 1,
                window=window,
                sum=sum(products),
                o=value,
            )
