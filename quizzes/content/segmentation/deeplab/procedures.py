"""DeepLab: procedures."""

from collections.abc import Iterator
from typing import Any

from quizzes.content.segmentation.deeplab.formulas import DENSE_CRF
from quizzes.content.segmentation.deeplab.mean_field import (
    Rows,
    Widths,
    best_labels,
    check_pixels,
    infer,
    kernel_matrix,
)
from quizzes.expressions.tree import Value
from quizzes.procedure import State, number_text, procedure
from quizzes.question import Visualization


@procedure(
    "dense-crf",
    DENSE_CRF,
    title="Mean field inference, update by update",
    example=dict(
        U=[[0.2, 1.7], [0.3, 1.4], [0.9, 0.5], [1.6, 0.2]],
        P=[[0, 0], [1, 0], [2, 0], [3, 0]],
        I=[90, 92, 94, 200],
    ),
)
def dense_crf(
    U: Rows, P: Rows, I: list[Value], w1: Value, w2: Value, alpha: Value, beta: Value, gamma: Value, T: int
) -> Iterator[State]:
    """Update the marginals of all pixels, from those of all other pixels, again and again."""
    check_pixels(U, P, I, T)
    K = kernel_matrix(P, I, Widths(*(float(value) for value in (w1, w2, alpha, beta, gamma))))
    labels: list[int] = []
    for step, (penalties, Q) in enumerate(infer(U, K, T)):
        before, labels = labels, best_labels(Q)
        values: dict[str, Any] = dict(step=step, K=K, Q=Q, label=labels, penalties=penalties)
        texts = ", ".join(map(str, labels))
        if step:
            changed = [k for k, (a, b) in enumerate(zip(before, labels, strict=True), 1) if a != b]
            numbers = ", ".join(map(str, changed)) or "none"
            caption = (
                f"Update {step}: penalize each label by the kernels times the probabilities that the others have "
                f"another one, and normalize. The most probable labels are {texts}. Pixels that changed: {numbers}."
            )
            values |= dict(changed=changed)
        else:
            strongest = max(value for row in K for value in row)
            caption = (
                f"The marginals begin as softmax(-U), so the labels are {texts}. The largest kernel of two pixels is "
                f"{number_text(strongest)}."
            )
            values |= dict(strongest=strongest)
        yield State(caption, values, Visualization("matrices", {"K": _rounded(K), "/": None, "Q": _rounded(Q)}))


def _rounded(rows: Rows) -> list[list[float]]:
    return [[round(float(value), 4) for value in row] for row in rows]
