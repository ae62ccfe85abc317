"""Words in the gap of a sentence, and numbers there.

Two texts are the same words if they differ only in what nobody would call a mistake: case, hyphens, brackets around
the whole, an article, a plural, -ise for -ize, or words of the sentence next to the gap that are written once more:

    ___ gradients             exploding, exploding gradients
    called the ___.           lasso, the lasso, called the lasso
    stored in w.___           grad, .grad, w.grad
"""

import re
import unicodedata
from fractions import Fraction

from quizzes.answers.kind import Kind, Reading
from quizzes.answers.notation import UNITS, ascii_notation
from quizzes.answers.numbers import read_number
from quizzes.expressions.parser import FormatError, check_length
from quizzes.expressions.tree import Value
from quizzes.question import Answer, Part
from workbench.errors import UserError

GAP = "___"
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
TENS = "thirty forty fifty sixty seventy eighty ninety"
WORDS = {word: n for n, word in enumerate(ONES.split())} | {word: n * 10 for n, word in enumerate(TENS.split(), 3)}
PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "eighth": 8, "tenth": 10}
PARTS |= {f"{part}s": n for part, n in PARTS.items() if n > 2} | {"hundredth": 100, "hundredths": 100}
ARTICLES = ("a", "an", "the")
TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*|[^\w\s]")
BRACKETED = re.compile(r"[(\[{\"'“”‘’]+([^()\[\]{}]*)[)\]}\"'“”‘’]+")
BRITISH = re.compile(r"is(?=(?:e|ed|es|er|ing|ation)$)")


class Text(Kind):
    """A word or two; the part's `other_answers` are accepted too.

    If a number is expected, every way to write it is accepted: `0.90`, `9/10`, `90%`, `nine tenths`, `beta1 = 0.9`.
    """

    expected_format = "a word or two"

    def format_hint(self, part: Part) -> str:
        return self.expected_format if parse_number(part.answer) is None else "a number"

    def read(self, text: str, part: Part) -> Reading:
        check_length(text)
        if not tokens(text):
            raise FormatError("this is empty: enter an answer", text, 0)
        has_comma = re.fullmatch(r"\s*-?\d+,\d+\s*", text, re.ASCII)
        if has_comma and parse_number(part.answer) is not None and parse_number(text) is None:
            read_number(text)  # raises the error that asks for a decimal point
        return Reading(text.strip(), text.strip())

    def score(self, value: str, expected: Answer, part: Part) -> float:
        is_same = _joined(tokens(expected)) in readings(value, part.sentence)
        return float(is_same or _is_same_number(value, expected, part.sentence))


def readings(text: str, sentence: str = "") -> set[str]:
    """Return what a text may say: its words as they are, and without what may be left out.

    Args:
        text: The words.
        sentence: The sentence with the gap that they fill; empty if there is none.
    """
    words = tokens(text)
    before, _, after = sentence.partition(GAP)
    variants = [words, _without_neighbors(words, TOKEN.findall(before.casefold()), TOKEN.findall(after.casefold()))]
    variants += [variant[1:] for variant in variants if variant and variant[0] in ARTICLES]
    return {_joined(variant) for variant in variants if variant}


def _joined(words: list[str]) -> str:
    """Return words as a text, the last one in the singular."""
    return " ".join([*words[:-1], _singular(words[-1])])


def tokens(text: str) -> list[str]:
    """Return the words, numbers and signs of a text; hyphens between words, and brackets around all, are left out."""
    text = re.sub(r"[ _]+", " ", ascii_notation(unicodedata.normalize("NFC", text))).strip()
    if match := BRACKETED.fullmatch(text):
        text = match[1]
    text = re.sub(r"(?<=[^\W\d])-(?=[^\W\d])", " ", text).rstrip(". ").casefold()
    words = [BRITISH.sub("iz", word) for word in TOKEN.findall(text)]
    return ["+" if word == "plus" and 0 < k < len(words) - 1 else word for k, word in enumerate(words)]


def _without_neighbors(words: list[str], before: list[str], after: list[str]) -> list[str]:
    """Drop what a text repeats of the words before the gap and behind it, as long as something is left."""
    start = max((n for n in range(1, len(words)) if words[:n] == before[-n:]), default=0)
    words = words[start:]
    singular, after = [_singular(word) for word in words], [_singular(word) for word in after]
    end = max((n for n in range(1, len(words)) if singular[-n:] == after[:n]), default=0)
    return words[: len(words) - end]


def _singular(word: str) -> str:
    word = word[:-2] if word.endswith("ses") else word
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def _is_same_number(text: str, expected: str, sentence: str) -> bool:
    number = parse_number(expected)
    if number is None:
        return False
    if match := re.search(r"(?<=[\d.)\s])\s*([^\W\d_ ]+)\s*\.?\s*$", text):
        words = {"x", *(_singular(UNITS.get(word, word)) for word in tokens(sentence))}
        word = match[1].casefold()
        if _singular(UNITS.get(word, word)) in words - {*WORDS, *PARTS}:  # the number of what: 13 layers
            text = text[: match.start()]
    if parse_number(text) != number:
        return False
    return "%" not in text or "%" in expected or number != int(number)  # nobody counts layers in percent


def parse_number(text: str) -> Value | None:
    """Return the number that a text is, in words or digits, alone or after a name and an equals sign; None if none."""
    text = re.sub(r"^\s*[^\W\d][\w ]*=", "", text).strip()
    words = tokens(text)
    if words and words[-1] in PARTS and len(words) <= 2:
        count = {"a": 1, "an": 1}.get(words[0]) or (
            WORDS.get(words[0]) if len(words) == 2 else words[0] in ("half", "quarter")
        )
        return Fraction(count, PARTS[words[-1]]) if count else None
    if words and all(word in WORDS for word in words):
        tens, *ones = (WORDS[word] for word in words)
        return tens + sum(ones) if not ones or (tens >= 20 and len(ones) == 1 and 0 < ones[0] < 10) else None
    if not any(map(str.isdigit, text)):  # the name of a constant, such as e, is a word here
        return None
    if match := re.fullmatch(r"[\[(]+([^\[\]()]*)[\])]+", text):
        text = match[1]
    if re.fullmatch(r"\d{1,3}([, ]\d{3})+", text, re.ASCII):
        text = re.sub("[, ]", "", text)
    text = re.sub(r"(?<=\d)\s*k$", " * 1000", text, flags=re.I)
    text = re.sub(r"\s*(?:per ?cent)$", "%", text)
    is_percentage = text.endswith("%")
    try:
        value, _ = read_number(text.removesuffix("%").rstrip("."))
    except UserError:
        return None
    return Fraction(value) / 100 if is_percentage else value
