"""BLEU: procedures."""

from collections.abc import Iterator

from quizzes.content.transformers.bleu.formulas import BLEU, ngrams
from quizzes.procedure import State, number_text, procedure
from quizzes.question import Params, Visualization
from workbench.errors import UserError

MAX_CLIPPED = 5  # n-grams that a caption lists
COLUMNS = ["n-gram", "in the candidate", "most in a reference", "clipped"]


@procedure(
    "bleu",
    BLEU,
    title="BLEU-4: clipped n-gram precisions and the brevity penalty",
    example=dict(
        candidate="the cat the cat sat on the mat today",
        references=["the cat sat on the mat", "a cat sat on the mat this very day today"],
    ),
)
def bleu(
    candidate: str, references: list[str], hypothesis: str | None = None, reference: str | None = None
) -> Iterator[State]:
    """Count the n-grams of each length, clip them, and combine the precisions with the brevity penalty."""
    if hypothesis is not None or reference is not None:
        raise UserError("The steps are those of one candidate. Give candidate and references.")
    result = BLEU.evaluate(dict(candidate=candidate, references=references))
    values: Params = {}
    for n in range(1, 5):
        counts = ngrams(candidate, n)
        rows = [(gram, count, max(ngrams(text, n)[gram] for text in references)) for gram, count in counts.items()]
        matches, total = sum(min(count, most) for _, count, most in rows), sum(counts.values())
        precision = result[f"p{n}"]
        clipped = [" ".join(gram) for gram, count, most in rows if count > most > 0][:MAX_CLIPPED]
        caption = f"The candidate has no n-grams of length {n}, so p{n} is 0."
        if total:
            caption = (
                f"Length {n}: {matches} of the {total} n-grams of the candidate match, so p{n} = {matches}/{total}"
            )
            caption += f" = {number_text(precision)}."
        if clipped:
            texts = ", ".join(map(repr, clipped))
            caption += f" Clipped, because a single reference contains it less often: {texts}."
        table = [[" ".join(gram), str(count), str(most), str(min(count, most))] for gram, count, most in rows]
        values |= {f"p{n}": precision}
        yield State(
            caption,
            dict(values, n=n, matches=matches, total=total),
            Visualization("highlighted-table", dict(columns=COLUMNS, rows=table, row=None)),
        )
    c, r, penalty = result["c"], result["r"], result["BP"]
    shorter = "is shorter than" if c < r else "is not shorter than"
    lengths = f"exp(1 - {r}/{c})" if c < r else "1"
    values |= dict(c=c, r=r, BP=penalty)
    yield State(
        f"The candidate has {c} words and {shorter} the reference closest in length, {r} words, so the brevity penalty "
        f"is BP = {lengths}{f' = {number_text(penalty)}' if c < r else ''}.",
        dict(values),
    )
    precisions = "*".join(number_text(result[f"p{n}"]) for n in range(1, 5))
    values |= dict(max_n=4, BLEU=result["BLEU"])
    yield State(
        f"Multiply the brevity penalty by the fourth root of the product of the precisions: BLEU = "
        f"{number_text(penalty)}*({precisions})^(1/4) = {number_text(result['BLEU'])}.",
        dict(values),
    )
