"""R-CNN, Fast R-CNN, Faster R-CNN: procedures."""

from collections.abc import Iterator
from fractions import Fraction
from math import floor

from quizzes.content.object_detection.two_stage.formulas import ROI_POOL, SELECTIVE_SEARCH
from quizzes.content.object_detection.two_stage.regions import merge_regions, roi_bins
from quizzes.expressions.tree import Value
from quizzes.procedure import State, number_text, procedure
from quizzes.question import Params, Visualization


@procedure(
    "roi-pool",
    ROI_POOL,
    title="RoI pooling, bin by bin",
    example=dict(
        X=[[1, 5, 2, 0, 3, 4], [7, 0, 3, 8, 1, 2], [4, 6, 9, 2, 5, 0], [2, 3, 1, 7, 6, 8], [0, 4, 5, 3, 2, 1]],
        roi=[14, 20, 70, 63],
    ),
)
def roi_pool(X: list[list[Value]], roi: list[Value], s: int, k: int) -> Iterator[State]:
    """Round the region to cells of the map, divide it into bins, and take the maximum of each."""
    cells = [floor(Fraction(v) / s + Fraction(1, 2)) for v in roi]
    x1, y1, x2, y2 = cells
    n, m = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
    rows, columns = roi_bins(roi[1], roi[3], s, k, len(X)), roi_bins(roi[0], roi[2], s, k, len(X[0]))
    output: list[list[Value]] = []

    def state(caption: str, row: tuple[int, int], column: tuple[int, int], **values: Value) -> State:
        window: Params = {"top": row[0], "left": column[0], "height": row[1] - row[0], "width": column[1] - column[0]}
        if row[0] >= row[1] or column[0] >= column[1]:
            window |= {"top": None, "left": None, "height": 1, "width": 1}
        data = {"X": X, "d": 1, "outputs": {"O": output}, "shape": [k, k], **window}
        return State(caption, dict(values, O=output), Visualization("sliding-window", data))

    yield state(
        f"Divide the corners by the stride {s} and round, halves up: from row {y1} to row {y2}, and from column {x1} "
        "to "
        f"column {x2}. The region has {n} rows and {m} columns, those of both corners included.",
        (min(y1, len(X)), min(y1 + n, len(X))),
        (min(x1, len(X[0])), min(x1 + m, len(X[0]))),
        cells=cells,
        n=n,
        m=m,
    )
    for i, (top, bottom) in enumerate(rows):
        output.append([])
        for j, (left, right) in enumerate(columns):
            values = [value for row in X[top:bottom] for value in row[left:right]]
            largest = max(values, default=0)
            output[-1].append(largest)
            where = f"rows {top} to {bottom - 1} and columns {left} to {right - 1}"
            text = (
                f"Bin ({i}, {j}) has {where} of the map. Its maximum is {number_text(largest)}."
                if values
                else f"Bin ({i}, {j}) lies outside of the map, so its value is {number_text(largest)}."
            )
            indices = dict(i=i, j=j, top=top, left=left, last_row=bottom - 1, last_column=right - 1, maximum=largest)
            end = dict(rows=[list(row) for row in rows], columns=[list(column) for column in columns])
            yield state(text, (top, bottom), (left, right), **indices, **end)


@procedure(
    "selective-search",
    SELECTIVE_SEARCH,
    title="Selective search: merging the most similar neighbors",
    example=dict(
        X=[[0, 0, 0, 1, 1], [0, 2, 2, 1, 1], [0, 2, 2, 3, 3], [3, 3, 3, 3, 3]],
        R=[[0, 0, 0, 1, 1], [0, 2, 2, 1, 1], [0, 2, 2, 3, 3], [4, 4, 4, 3, 3]],
    ),
)
def selective_search(X: list[list[Value]], R: list[list[Value]]) -> Iterator[State]:
    """Merge the two most similar neighboring regions, again and again; the box of every region is a proposal."""
    numbers = sorted({int(number) for row in R for number in row})
    table: list[Params] = []
    yield State(
        f"The segmentation has {len(numbers)} regions. Each of them is a proposal, by the smallest box around it.",
        dict(count=len(numbers), labels=R),
        Visualization("matrices", dict(R=R, X=X)),
    )
    for step, merge in enumerate(merge_regions(X, R), 1):
        value = float(merge.similarity)
        table.append(merge.row(step))
        count = len(merge.similarities)
        text = "the only pair" if count == 1 else f"the highest of {count} pairs of neighbors"
        x1, y1, x2, y2 = merge.box
        end = {"labels": merge.labels, "n": step, "table": table}
        yield State(
            f"Merge {step}: regions {merge.first} and {merge.second} have the similarity {number_text(value)}, "
            f"{text}. They become region {merge.new}, whose box [{x1}, {y1}, {x2}, {y2}] is a new proposal.",
            {**merge.row(step), "first": merge.first, "second": merge.second, "pairs": count, **end},
            Visualization("matrices", dict(R=merge.labels)),
        )
    if not table:
        yield State(
            "There is one region only, so nothing is merged: n = 0.",
            dict(n=0, table=table, labels=R),
            Visualization("matrices", dict(R=R)),
        )
