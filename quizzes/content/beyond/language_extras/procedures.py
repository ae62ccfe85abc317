"""Byte-pair encoding and edit distance: procedures."""

from collections.abc import Iterator

from quizzes.content.beyond.language_extras.byte_pairs import count_pairs, count_tokens, merges_of
from quizzes.content.beyond.language_extras.formulas import BPE, EDIT_DISTANCE, split_units, training_corpus
from quizzes.content.beyond.language_extras.texts import align
from quizzes.expressions.tree import Value
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


MAX_PAIRS = 12  # pairs that a state shows


@procedure(
    "bpe",
    BPE,
    title="Byte-pair encoding, merge by merge",
    example=dict(words=["low", "lower", "newest", "widest"], counts=[5, 2, 6, 3]),
)
def bpe(
    k: int,
    words: list[str] | None = None,
    counts: list[Value] | None = None,
    text: str | None = None,
    end: str | None = None,
) -> Iterator[State]:
    """Count the pairs of adjacent tokens, merge the most frequent one everywhere, and count again."""
    inputs = dict(k=k, words=words, counts=counts, text=text, end=end)
    result = BPE.evaluate({name: value for name, value in inputs.items() if value is not None})
    corpus = training_corpus(words, counts, text, end)
    yield State(
        f"Split every word into characters. With their occurrences, the words have {result['before']} tokens.",
        dict(before=result["before"]),
        Visualization(
            "highlighted-table",
            dict(
                columns=["word", "occurrences"],
                rows=[[" ".join(tokens), str(count)] for tokens, count in corpus.items()][:MAX_PAIRS],
                row=None,
            ),
        ),
    )
    for number, (pair, count, after) in enumerate(merges_of(corpus, k), 1):
        pairs = count_pairs(corpus)
        ranking = sorted(pairs, key=lambda one: -pairs[one])[:MAX_PAIRS]
        ties = sum(times == count for times in pairs.values())
        rule = f" {ties} pairs are equally frequent, and it occurs first." if ties > 1 else ""
        corpus = after
        yield State(
            f"Merge {number}: the pair {' '.join(pair)!r} occurs most often, {count} times.{rule} Joined, it "
            f"leaves {count_tokens(corpus)} tokens.",
            dict(merge=number, pair=" ".join(pair), count=count, ties=ties, tokens=count_tokens(corpus)),
            Visualization(
                "highlighted-table",
                dict(
                    columns=["pair", "occurrences"],
                    rows=[[" ".join(one), str(pairs[one])] for one in ranking],
                    row=0,
                ),
            ),
        )
    words_after = [" ".join(tokens) for tokens in corpus]
    yield State(
        f"After {len(result['merges'])} merges, the text has {result['after']} tokens.",
        {name: result[name] for name in BPE.outputs} | {"words_after": words_after, "n": len(result["merges"])},
        Visualization(
            "highlighted-table",
            dict(
                columns=["word", "occurrences"],
                rows=[[word, str(count)] for word, count in zip(words_after, corpus.values(), strict=True)][:MAX_PAIRS],
                row=None,
            ),
        ),
    )
