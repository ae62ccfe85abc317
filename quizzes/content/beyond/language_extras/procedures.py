"""TF-IDF, n-grams, CTC, WER: procedures."""

from collections.abc import Iterator

from quizzes.content.beyond.language_extras.formulas import EDIT_DISTANCE, split_units
from quizzes.content.beyond.language_extras.texts import align
from quizzes.procedure import State, list_text, number_text, procedure
from quizzes.question import Params, Visualization

OPERATIONS = {"=": "equal", "S": "substitution", "D": "deletion", "I": "insertion"}


@procedure(
    "edit-distance",
    EDIT_DISTANCE,
    title="Edit distance: the table row by row, then the operations",
    example=dict(reference="the cat sat on the mat", hypothesis="the cat on a mat"),
)
def edit_distance(reference: str, hypothesis: str, unit: str) -> Iterator[State]:
    """Fill the table of the distances of all beginnings, then follow the cheapest way back."""
    result = EDIT_DISTANCE.evaluate(dict(reference=reference, hypothesis=hypothesis, unit=unit))
    a, b = split_units(reference, unit), split_units(hypothesis, unit)
    table, operations = align(a, b)
    columns = ["", "(none)", *b]
    rows = [[name, *[""] * (len(b) + 1)] for name in ("(none)", *a)]

    def state(caption: str, row: int, values: Params) -> State:
        rows[row][1:] = map(str, table[row])
        return State(caption, values, Visualization("highlighted-table", dict(columns=columns, rows=rows, row=row)))

    yield state(
        f"The first row has the distances of nothing to the beginnings of the hypothesis: each element is inserted. "
        f"{list_text(table[0])}.",
        0,
        dict(row=table[0]),
    )
    for i, element in enumerate(a, 1):
        equal = [j for j, other in enumerate(b, 1) if other == element]
        match = "no element of the hypothesis is equal"
        if equal:
            match = f"it is equal to the hypothesis at {list_text(equal)}, where the diagonal costs nothing"
        yield state(
            f"Row {i}, {element!r}: {match}. Each cell is the smallest of above + 1 (deletion), left + 1 (insertion) "
            f"and diagonal + 1 (substitution; + 0 if equal): {list_text(table[i])}.",
            i,
            dict(i=i, equal=equal, row=table[i]),
        )
    d, E, N = result["d"], result["E"], result["N"]
    counts = ", ".join(f"{result[letter]} {OPERATIONS[letter]}s" for letter in "SDI")
    listing = [[OPERATIONS[operation], x, y] for operation, x, y in operations]
    yield State(
        f"The last cell is the distance, {d}. The way back to the first cell has {counts}. The error rate is {d}/{N} = "
        f"{number_text(E)}, because the reference has {N} {unit}.",
        {name: result[name] for name in EDIT_DISTANCE.outputs} | {"error_rate": float(E)},
        Visualization(
            "highlighted-table",
            dict(columns=["operation", "reference", "hypothesis"], rows=listing or [["", "", ""]], row=None),
        ),
    )
