"""Names of symbols as on paper: θ for `theta`, x̂ for `xhat`, w₁ for `w1`, σ² for a symbol that is declared so.

A single letter or a number after an underscore is a subscript if Unicode has it; a word stays as it is written, as in
`fan_in`. Indices that can't be subscripts are in brackets.
"""

import re
from collections.abc import Sequence

from sympy.printing.pretty.pretty_symbology import greek_unicode, sub

SHORT = {"lam": "lamda", "lambda": "lamda", "eps": "epsilon"}
MARKS = {"hat": "\N{COMBINING CIRCUMFLEX ACCENT}", "bar": "\N{COMBINING OVERLINE}"}
SQUARE = "²"


def symbol_name(name: str, index: Sequence[str] = ()) -> str:
    """Return a symbol as it is printed; with the indices of an element as they are written, the element."""
    base, *words = name.split("_")
    text = _letter(base) + "".join(map(_subscript, words))
    if not index:
        return text
    subscripts = [_small(each) for each in index]
    stem = text.removesuffix(SQUARE)
    # After a subscript of the name, small indices would run into it.
    if all(subscripts) and "_" not in stem and stem[-1] not in sub.values():
        return stem + "".join(subscripts) + text[len(stem) :]
    return f"{text}[{', '.join(index)}]"


def _letter(name: str) -> str:
    """Return the part of a name before the first underscore, with Greek letters, marks above it, and its number."""
    word, number = re.fullmatch(r"(.*?)(\d*)", name, re.DOTALL).groups()  # type: ignore[union-attr]  # it always matches
    for mark, sign in MARKS.items():
        if word.endswith(mark) and word != mark:
            return _letter(word.removesuffix(mark)) + sign + _small(number)
    return str(greek_unicode.get(SHORT.get(word, word), word)) + _small(number)


def _subscript(word: str) -> str:
    return _small(word) or f"_{word}"


def _small(text: str) -> str:
    """Return a letter or a number as a subscript; empty if there is none."""
    if text.isdigit():
        return "".join(sub[digit] for digit in text)
    return str(sub.get(text, "")) if len(text) == 1 else ""
