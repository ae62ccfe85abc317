"""Pooling: procedures."""

from collections.abc import Iterator

from quizzes.content.cnn.pooling.formulas import POOLING, check_window, mean
from quizzes.content.cnn.shared import Map, extract_windows, pad
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, number_text, procedure
from quizzes.question import Visualization

MAX_TERMS = 25  # that a caption writes out


@procedure(
    "pooling-values",
    POOLING,
    title="Max and average pooling, window by window",
    example=dict(X=[[1, 3, 2, 4], [5, 6, 1, 2], [7, 2, 9, 1], [3, 4, 8, 6]], k=2),
)
def pooling_values(X: Map, k: int, s: int = 0, p: int = 0) -> Iterator[State]:
    """Compute the maximum and the mean of one window per state."""
    check_window(X, k, p)
    s = s or k
    padded, inside = pad(X, p), pad([[1] * len(X[0]) for _ in X], p)
    windows, masks = extract_windows(padded, k, k, s), extract_windows(inside, k, k, s)
    maxima: list[list[Value]] = []
    means: list[list[Value]] = []
    for row, (line, mask_line) in enumerate(zip(windows, masks, strict=True)):
        maxima.append([])
        means.append([])
        for column, (window, mask) in enumerate(zip(line, mask_line, strict=True)):
            values = [value for value, is_input in zip(window, mask, strict=True) if is_input]
            zeros, count = len(window) - len(values), len(window)
            largest, average, total = max(values), mean(window), sum(window)
            maxima[-1].append(largest)
            means[-1].append(average)
            numbers = ", ".join(map(number_text, values)) if count <= MAX_TERMS else f"{len(values)} values"
            padding = f" and {zeros} zeros of the padding, which are never the maximum" if zeros else ""
            terms = " + ".join(map(in_parentheses, values)) if count <= MAX_TERMS else number_text(total)
            yield State(
                f"Row {row + 1}, column {column + 1}: the window contains {numbers}{padding}. Its maximum is "
                f"{number_text(largest)}. Its mean is ({terms})/{count} = {number_text(average)}.",
                dict(
                    row=row + 1,
                    column=column + 1,
                    window=values,
                    padding_zeros=zeros,
                    window_size=count,
                    sum=total,
                    maximum=largest,
                    mean=average,
                    M=maxima,
                    A=means,
                ),
                Visualization(
                    "sliding-window",
                    dict(
                        X=padded,
                        top=row * s,
                        left=column * s,
                        height=k,
                        width=k,
                        d=1,
                        shape=[len(windows), len(line)],
                        outputs=dict(M=maxima, A=means),
                    ),
                ),
            )
