"""Numbers from 0 to 999 in words and in digits, in both directions. Made by code, always the same."""

from functools import cache

from workbench.data.pairs import Pair

SET = dict(
    title="numbers in words, and in digits",
    row="a number in words or in digits",
    samples=2000,
    shape=(),
    target="the number in digits, or in words",
    source="made by code: the numbers 0 to 999 in British style, three hundred and five",
    licence="MIT",
    synthetic=True,
    modality="pairs",
    sizes=dict(source_vocabulary=35, target_vocabulary=35, longest_target=32),
)
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(number: int) -> str:
    """Return a number from 0 to 999 in words."""
    hundreds, rest = divmod(number, 100)
    if hundreds:
        return f"{ONES[hundreds]} hundred" + (f" and {in_words(rest)}" if rest else "")
    if number < len(ONES):
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens - 2] + (f"-{ONES[ones]}" if ones else "")


@cache
def load() -> list[Pair]:
    """Return each number twice: from words to digits, and from digits to words."""
    texts = [(in_words(number), str(number)) for number in range(1000)]
    return texts + [(digits, words) for words, digits in texts]
