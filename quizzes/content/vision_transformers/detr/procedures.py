"""DETR: procedures."""

from collections.abc import Iterator, Sequence

from quizzes.content.vision_transformers.detr.formulas import HUNGARIAN
from quizzes.content.vision_transformers.detr.matching import (
    Number,
    Stage,
    best_matching,
    letters,
    stages,
    total_cost,
)
from quizzes.procedure import State, list_text, number_text, procedure
from quizzes.question import Visualization


@procedure(
    "hungarian-assign",
    HUNGARIAN,
    title="Hungarian method: the matching of the smallest total cost",
    example=dict(cost=[[1, 2, 4], [1, 5, 6], [3, 3, 4]]),
)
def hungarian_assign(cost: list[list[Number]]) -> Iterator[State]:
    """Subtract numbers from rows and columns until zeros match every row with a column of its own."""
    objects, size = len(cost), len(cost[0])
    for stage in stages(cost):
        values = dict(table=stage.table, numbers=stage.numbers, objects=objects, queries=size)
        if stage.kind == "matched":
            break
        yield State(_caption(stage, objects, values), values, Visualization("matrices", dict(table=stage.table)))
    queries = best_matching(cost)
    pairs = ", ".join(f"{k} with {letter}" for k, letter in enumerate(letters(queries), 1))
    costs = [row[query] for row, query in zip(cost, queries, strict=True)]
    total = total_cost(cost, queries)
    yield State(
        f"Match each row with a zero in a column of its own: object {pairs}. A matching of zeros can't be improved. "
        f"Its costs in the first table are {list_text(costs)}, so the total is {number_text(total)}.",
        dict(pairs=pairs, costs=costs, match=letters(queries), total=total),
        Visualization("matrices", dict(table=stage.table)),
    )


def _caption(stage: Stage, objects: int, values: dict[str, object]) -> str:
    """Return the caption of a stage; numbers that it counts are added to the values."""
    size = len(stage.table)
    if stage.kind == "square":
        text = f"The table has a row for each of {objects} objects and a column for each of {size} queries."
        if size > objects:
            values["added"] = size - objects
            text += f' Add zeros for "no object" below ({size - objects} more), so that every query has a row.'
        return text
    if stage.kind in ("rows", "columns"):
        values["sum"] = total = sum(stage.numbers)
        return (
            f"Subtract the minimum of each of the {stage.kind}: {list_text(stage.numbers)}. Every matching becomes "
            f"cheaper by their sum, {number_text(total)}, so the best one stays the best."
        )
    matched = sum(query is not None for query in stage.queries)
    rows, columns = stage.lines
    values |= dict(matched=matched, rows=[row + 1 for row in rows], columns=letters(columns))
    lines = [*(f"row {row + 1}" for row in rows), *(f"column {letter}" for letter in letters(columns))]
    return (
        f"Zeros match only {matched} of {size} rows with columns of their own, and {_listed(lines)} cover all zeros. "
        f"Subtract the smallest number outside of them, {number_text(stage.numbers[0])}, from all numbers outside, and "
        "add it where a row and a column cross."
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
