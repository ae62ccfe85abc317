"""Names of symbols as on paper: θ for `theta`, x̂ for `xhat`, w₁ for `w1`, σ² for a symbol that is declared so.

A single letter or a number after an underscore is a subscript if Unicode has it; a word stays as it is written, as in
`fan_in`. Indices that can't be subscripts are in brackets.
"""

from collections.abc import Sequence

from sympy.printing.pretty.pretty_symbology import pretty_symbol, sub

SHORT = {"lam": "lambda", "eps": "epsilon"}
SQUARE = "²"


def symbol_name(name: str, index: Sequence[str] = ()) -> str:
    """Return a symbol as it is printed; with the indices of an element as they are written, the element."""
    base, *words = name.split("_")
    text = str(pretty_symbol(SHORT.get(base, base))) + "".join(map(_subscript, words))
    if not index:
        return text
    subscripts = [_small(each) for each in index]
    stem = text.removesuffix(SQUARE)
    # After a subscript of the name, small indices would run into it.
    if all(subscripts) and "_" not in stem and stem[-1] not in sub.values():
        return stem + "".join(subscripts) + text[len(stem) :]
    return f"{text}[{', '.join(index)}]"


def _subscript(word: str) -> str:
    return _small(word) or f"_{word}"


def _small(text: str) -> str:
    """Return a letter or a number as a subscript; empty if there is none."""
    if text.isdigit():
        return "".join(sub[digit] for digit in text)
    return str(sub.get(text, "")) if len(text) == 1 else ""
