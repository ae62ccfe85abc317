"""Mask R-CNN, SAM and SAM 2: procedures."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor

from quizzes.content.segmentation.instance_and_promptable.formulas import ROI_ALIGN
from quizzes.content.segmentation.instance_and_promptable.sampling import align_region, sample_points
from quizzes.expressions.tree import Value
from quizzes.procedure import State, list_text, number_text, procedure
from quizzes.question import Params, Visualization


def _cells(points: list[Fraction], length: int) -> tuple[int, int]:
    """Return the first cell from which points are interpolated, and the number of cells."""
    first = min(max(floor(points[0]), 0), length - 1)
    last = max(min(ceil(points[-1]), length - 1), first)
    return first, last - first + 1


@procedure(
    "roi-align",
    ROI_ALIGN,
    title="RoIAlign, bin by bin",
    example=dict(
        X=[[1, 5, 2, 0, 3, 4], [7, 0, 3, 8, 1, 2], [4, 6, 9, 2, 5, 0], [2, 3, 1, 7, 6, 8], [0, 4, 5, 3, 2, 1]],
        roi=[14, 20, 70, 63],
    ),
)
def roi_align(X: list[list[Value]], roi: list[Value], s: int, k: int, n: int, aligned: int) -> Iterator[State]:
    """Place the sampling points of each bin without rounding, interpolate the map there, and average."""
    xs, ys = (sample_points(roi[a], roi[a + 2], s, k, n, aligned) for a in (0, 1))
    output: list[list[Fraction]] = []

    def state(caption: str, rows: list[Fraction], columns: list[Fraction], **values: Value) -> State:
        (top, height), (left, width) = _cells(rows, len(X)), _cells(columns, len(X[0]))
        window: Params = {"top": top, "left": left, "height": height, "width": width}
        data = {"X": X, "d": 1, "outputs": {"O": output}, "shape": [k, k], **window}
        return State(caption, dict(values, x=xs, y=ys, O=output), Visualization("sliding-window", data))

    half = ", and subtract half a cell" if aligned else ""
    left, top = (Fraction(roi[a]) / s - Fraction(aligned, 2) for a in (0, 1))
    yield state(
        f"Divide the corners by the stride {s}{half}. Nothing is rounded: the region begins at x = {number_text(left)} "
        f"and y = {number_text(top)} on the map. Each of the {k}x{k} bins has {n}x{n} sampling points.",
        ys,
        xs,
        left=left,
        top=top,
    )
    for i, row in enumerate(align_region(X, ys, xs, n)):
        output.append([])
        for j, samples in enumerate(row):
            mean = sum(samples) / Fraction(len(samples))
            output[-1].append(mean)
            rows, columns = ys[i * n : (i + 1) * n], xs[j * n : (j + 1) * n]
            yield state(
                f"Bin ({i}, {j}) is sampled at y = {list_text(rows)} and x = {list_text(columns)}. The bilinear values "
                f"are {list_text(samples)}, and their mean is {number_text(mean)}.",
                rows,
                columns,
                i=i,
                j=j,
                y_bin=rows,
                x_bin=columns,
                samples=samples,
                mean=mean,
            )
