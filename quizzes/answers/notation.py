"""Numbers, lists and shapes as people write them, put into the notation of the grammar.

Answers are copied from Python, NumPy, PyTorch, MATLAB or a spreadsheet, or typed on a phone. Here they become what
`expressions.parser` reads: ASCII signs, points as decimal marks, commas between elements, no unit.

- `[7 -8]` has two elements: between square brackets, a sign with a space before it and none behind starts an element
  if no comma or semicolon separates elements there. `[7 - 8]` has one, -1. `[7 -8, 3]` is rejected.
- Groups of three digits behind `,`, `.`, `'`, `_` or a space are thousands where an integer is expected; in a decimal
  number they are where the text allows no other reading.
- A unit, or a word of the part's label, is dropped behind a number, and so is a word before it.
"""

import re
import unicodedata

from quizzes.expressions.tokens import SUPERSCRIPTS, FormatError, check_length
from quizzes.question import Part

DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"))
SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
INVISIBLE = re.compile(r"[\u200b-\u200d\u2060\ufeff]")
SAME_SEPARATORS = str.maketrans("X×·⋅", "xx**")
BRACES = str.maketrans("{}", "[]")
APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"))
SUPERSCRIPT_POWER = re.compile(rf"([⁻⁺]?)([{''.join(SUPERSCRIPTS)}]+)")
# The letter x as a sign of multiplication: 4.76x10^-4.
TIMES_POWER_OF_TEN = re.compile(r"(?<=[\d.)])\s*[xX×]\s*(?=10\s*(?:\^|\*\*))")
FRACTION_SIGN = re.compile(r"(\d*)\s*([\u00bc-\u00be\u2150-\u215e])")
GROUPS = re.compile(r"(?P<sign>[+-]?)(?P<whole>\d{1,3}(?:(?P<mark>[,.'_ ])\d{3})(?:(?P=mark)\d{3})*)")
DECIMAL = re.compile(rf"{GROUPS.pattern}(?:(?P<point>[.,])(?P<places>\d+))?(?P<exponent>[eE][+-]?\d+)?")
WRAPPERS = re.compile(
    r"^\s*(?:(?:np|numpy|torch|tf|jnp)\s*\.\s*)?(?:tensor|array|matrix|Size|TensorShape|tuple|list)\s*\(", re.I
)
KEYWORD = re.compile(r",\s*(?:dtype|device|grad_fn|requires_grad|shape|size)\s*=.*$", re.S)
UNITS = {"percent": "%", "pct": "%", "pixel": "px", "pixels": "px", "times": "x"}
TRAILING_WORDS = re.compile(r"(?<=[\d.)%\s])\s*(?P<words>%|[^\W\d_][\w %/^²³.-]*|°C?)\s*\.?\s*$")
LEADING_WORDS = re.compile(r"^\s*(?P<words>[^\W\d_][^\W\d_ ]*(?: +[^\W\d_]+)*)\s+(?=[-+.\d(])")


def ascii_notation(text: str) -> str:
    """Return a text with plain dashes, spaces and apostrophes; powers and fractions are as the grammar has them."""
    text = INVISIBLE.sub("", SPACES.sub(" ", text.translate(DASHES).translate(APOSTROPHES)))
    text = "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in text)
    text = SUPERSCRIPT_POWER.sub(_power, text)
    text = FRACTION_SIGN.sub(_fraction, text)
    return TIMES_POWER_OF_TEN.sub("*", text).lstrip("≈~ \t\n")


def _power(match: re.Match[str]) -> str:
    digits = "".join(SUPERSCRIPTS[c] for c in match[2])
    return f"^(-{digits})" if match[1] == "⁻" else f"^{digits}"


def _fraction(match: re.Match[str]) -> str:
    numerator, denominator = unicodedata.normalize("NFKC", match[2]).split("\u2044")
    return f"({match[1] or 0} + {numerator}/{denominator})"


def number_notation(text: str, part: Part, is_integer: bool = False) -> str:
    """Return the text of one number without units and separators of thousands.

    Args:
        text: What the student typed.
        part: The part that it answers, with its label and unit.
        is_integer: Whether the part expects an integer, in which any group of three digits is thousands.

    Raises:
        FormatError: If its unit is not that of the part.
    """
    check_length(text)
    text = _without_words(ascii_notation(text), part)
    return (_join_integer if is_integer else _join_decimal)(text.strip())


def _join_integer(text: str) -> str:
    match = GROUPS.fullmatch(text)
    return match["sign"] + re.sub(r"\D", "", match["whole"]) if match else text


def _join_decimal(text: str) -> str:
    match = DECIMAL.fullmatch(text)
    if not match:
        return text
    mark, point = match["mark"], match["point"]
    is_sure = point != mark if point else mark in "'_ " or match["whole"].count(mark) > 1
    if not is_sure:  # one comma or point: 1,234 and 1.234 may be decimal numbers
        return text
    places = f".{match['places']}" if point else ""
    return match["sign"] + re.sub(r"\D", "", match["whole"]) + places + (match["exponent"] or "")


def unit_of(part: Part) -> str:
    """Return the unit of a part, which its label ends with in parentheses; empty if there is none."""
    match = re.search(r"\(([^()]*(?:\([^()]*\))?[^()]*)\)$", part.label)
    return match[1] if match else ""


def _without_words(text: str, part: Part) -> str:
    """Drop a unit or words of the label behind a number, and words of the label before it; `%` becomes `/100`."""
    unit = _fold_unit(unit_of(part))
    words = _words(part.label) | _words(unit)
    if (match := LEADING_WORDS.search(text)) and _words(match["words"]) <= words:
        text = text[match.end() :]
    match = TRAILING_WORDS.search(text)
    if not match:
        return text
    number, tail = text[: match.start("words")], match["words"].strip().rstrip(".")
    folded, tail_words = _fold_unit(tail), _words(tail)
    if folded == "%":
        return number if unit.startswith("%") or unit.startswith("percent") else f"({number.strip()})/100"
    if folded == "x" and match.start("words") == len(number.rstrip()):  # 4.74x: times
        return number
    is_unit = folded in (unit, unit.split(",")[0])
    return number if is_unit or (tail_words and tail_words <= words) else text


def _fold_unit(text: str) -> str:
    folded = text.strip().casefold().replace("²", "^2").replace("³", "^3").replace(" ", "")
    return UNITS.get(folded, UNITS.get(text.strip().casefold(), folded))


def _words(text: str) -> set[str]:
    """Return the words of a text of two letters or more, in the singular."""
    words = {word.casefold() for word in re.findall(r"[^\W\d_]{2,}", text)}
    return {word[:-1] if word.endswith("s") and len(word) > 3 else word for word in words}


def unwrap(text: str) -> str:
    """Return what `tensor(...)`, `array(...)` or `torch.Size(...)` has inside."""
    text = ascii_notation(text).strip()
    while match := WRAPPERS.match(text):
        if not text.endswith(")"):
            raise FormatError("expected ')' at the end", text, len(text))
        text = KEYWORD.sub("", text[match.end() : -1]).strip()
    return text


def list_notation(text: str, depth: int) -> str:
    """Return a vector or matrix with commas between its elements and semicolons or brackets around its rows.

    Args:
        text: What the student typed.
        depth: 1 for a vector, 2 for a matrix.

    Raises:
        FormatError: If spaces and commas separate the elements of one list.
    """
    text = unwrap(text).translate(BRACES)
    if depth == 1:
        text = re.sub(r"\]\s*(?:\^\s*T|\.T|')$", "]", text)
    if depth == 2 and "\n" in text.strip():
        has_rows = re.search(r"\]\s*,?\s*\n\s*\[", text)
        text = re.sub(r"\s*\n\s*", " " if has_rows else "; ", text.strip())
        text = re.sub(r";\s*;|,\s*;|;\s*,", "; ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r",\s*(?=[\])])", "", text)  # a trailing comma
    if "[" not in text:
        return ";".join(_elements(row, text) for row in text.split(";"))
    text = re.sub(r"\]\s*\[", "], [", text)
    text = re.sub(r"\[([^\[\]]*)\]", lambda match: f"[{_rows(match[1], text)}]", text)
    return text


def _rows(inside: str, text: str) -> str:
    return ";".join(_elements(row, text) for row in inside.split(";"))


SIGN_STARTS_ELEMENT = re.compile(r"(?<=[\w.)]) +(?=[-+][^\s])")
GAP = re.compile(r"(?<![-+*/^(, ]) +(?![-+*/^), ])|" + SIGN_STARTS_ELEMENT.pattern)


def _elements(row: str, text: str) -> str:
    """Return the elements of one row with commas between them."""
    row = row.strip()
    outside = re.sub(r"\([^()]*\)", lambda match: "0" * len(match[0]), row)
    if "," in outside:
        if match := SIGN_STARTS_ELEMENT.search(outside):
            sentence = "write commas between all elements, or spaces around a minus that subtracts"
            at = text.find(row)
            raise FormatError(sentence, text, max(0, at) + match.end())
        return row
    pieces, start = [], 0
    for match in GAP.finditer(outside):
        pieces.append(row[start : match.start()])
        start = match.end()
    return ", ".join([*pieces, row[start:]])


def shape_notation(text: str) -> str:
    """Return a shape with commas between its sizes.

    Raises:
        FormatError: If several kinds of signs separate them.
    """
    check_length(text)
    text = unwrap(text)
    inside = re.sub(r"^[\[({]\s*(.*?)\s*,?\s*[\])}]$", r"\1", text, flags=re.S).strip()
    separators = re.findall(r"\s*(?:[x×X*·⋅]|\bby\b)\s*|\s*,\s*|\s*;\s*|\s+", inside)
    kinds = {s.strip().translate(SAME_SEPARATORS) for s in separators}
    if not re.fullmatch(r"\d+(?:(?:\s*(?:[x×X*·⋅]|\bby\b)\s*|\s*,\s*|\s*;\s*|\s+)\d+)*", inside):
        return re.sub(r"(?<=[\d\s)])[x×X](?=[\d\s(])", ",", text)  # arithmetic in a size
    if len(kinds) > 1:
        raise FormatError("use the same sign between all dimensions, such as in AxBxC", text, 0)
    return ", ".join(re.findall(r"\d+", inside))
