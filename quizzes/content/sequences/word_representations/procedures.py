"""Word representations: procedures."""

from collections.abc import Iterator

from quizzes.content.sequences.word_representations.formulas import SKIP_GRAM_PAIRS, skipgram_pairs
from quizzes.procedure import State, procedure
from quizzes.question import Params, Visualization


@procedure(
    "skip-gram-pairs",
    SKIP_GRAM_PAIRS,
    title="Skip-gram pairs: the window moves over the sentence, and each center word is paired with its neighbors",
    example=dict(sentence="the cat sat on the mat"),
)
def skip_gram_pairs(sentence: str, c: int) -> Iterator[State]:
    """Move the window over the sentence, and pair each center word with the words within it."""
    result = SKIP_GRAM_PAIRS.evaluate(dict(sentence=sentence, c=c))
    words = sentence.split()
    places = skipgram_pairs(words, c)
    rows: list[list[str]] = []
    for t, center in enumerate(words):
        context = [words[k] for place, k in places if place == t]
        rows += [[center, word] for word in context]
        values: Params = dict(position=t + 1, center=center, context=context, pairs_so_far=len(rows))
        cut = len(context) < 2 * c
        yield State(
            f"The center is {center!r}, the word at position {t + 1}. Its window holds {len(context)} other words"
            f"{', because it ends at the edge of the sentence' if cut else ''}. There are {len(rows)} pairs so far.",
            values | {"window": len(context)},
            Visualization("highlighted-table", dict(columns=["center", "context"], rows=list(rows), row=len(rows) - 1)),
        )
    yield State(
        f"The {result['T']} words give {result['N']} pairs of a center and a context word.",
        dict(T=result["T"], N=result["N"], pairs=result["pairs"]),
    )
