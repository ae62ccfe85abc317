"""A network's layers in one line, such as `conv5x5-6, relu, pool2, conv5x5-16, relu, pool2, fc120, fc10`.

A layer is a word, its window, a minus and its filters, then what differs from the usual, in any order:

    conv3-64        64 filters of 3 x 3 (conv5x3-64: height 5, width 3), stride 1, no padding, with biases
    dwconv3         depthwise: one filter of 3 x 3 for each channel
    pool2 avgpool2  max and average pooling; the stride is the window's side
    gap             global average pooling
    fc10            10 neurons with biases; a map is flattened before
    bn              batch norm, with a scale and a shift for each channel
    flatten dropout relu sigmoid tanh softmax gelu silu
    /2 stride   p1 padding   same padding that keeps the size   d2 dilation   g32 groups   nobias
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from quizzes.expressions.parser import FormatError

LENGTH, LAYERS, DIGITS = 8_000, 500, 5  # characters, layers, and digits of a number that are read
ACTIVATIONS = ("relu", "sigmoid", "tanh", "softmax", "gelu", "silu")
EXAMPLES = {"conv": "conv3-64", "dwconv": "dwconv3", "pool": "pool2", "avgpool": "avgpool2", "fc": "fc10"}
OPTIONS: dict[str, tuple[str, ...]] = {  # what each kind of layer takes beside its numbers
    "conv": ("/", "p", "same", "d", "g", "nobias"),
    "dwconv": ("/", "p", "same", "d", "nobias"),
    "pool": ("/", "p"),
    "avgpool": ("/", "p"),
    "fc": ("nobias",),
    **dict.fromkeys(("gap", "bn", "flatten", "dropout", *ACTIVATIONS), ()),
}
FORMS = {  # which numbers each kind has: h its window's height (or its neurons), w its width, f its filters
    "conv": ("hf", "hwf"),
    "dwconv": ("h", "hw"),
    "pool": ("h", "hw"),
    "avgpool": ("h", "hw"),
    "fc": ("h",),
}
NUMBERS = ("high", "wide", "filters")
ALIASES = {"maxpool": "pool"}
LAYER = re.compile(r"\s*(?P<word>[a-z]+)(?P<high>\d+)?(?:x(?P<wide>\d+))?(?:-(?P<filters>\d+))?", re.ASCII | re.I)
OPTION = re.compile(r"\s*(?:(?P<key>[/pdg])(?P<number>\d+)|(?P<word>same|nobias))", re.ASCII | re.I)


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        kind: A key of `OPTIONS`.
        text: As it was written, without spaces around.
        window: Height and width of its window; (0, 0) where it has none.
        width: Its filters or neurons; 0 where it has none of its own.
        stride: Down and across.
        padding: Zeros added above and below, and on the left and right.
        dilation, groups: As the options say.
        bias: Whether its filters or neurons have biases.
    """

    kind: str
    text: str
    window: tuple[int, int] = (0, 0)
    width: int = 0
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1
    groups: int = 1
    bias: bool = True


def read_layers(text: str) -> list[Layer]:
    """Read a description that a person typed.

    Raises:
        FormatError: Where it can't be read, with the place.
    """
    if len(text) > LENGTH:
        raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
    pieces = text.split(",")
    if len(pieces) > LAYERS:
        raise FormatError(f"these are {len(pieces)} layers: up to {LAYERS} are read")
    layers, at = [], 0
    for piece in pieces:
        layers.append(_layer(text, at, at + len(piece)))
        at += len(piece) + 1
    return layers


def _layer(text: str, start: int, end: int) -> Layer:
    """The layer that stands between two places of a text."""
    found = LAYER.match(text, start, end)
    if not found:
        raise FormatError("a layer is missing here: write one such as conv3-64, pool2 or fc10", text, start)
    at, word = found.start("word"), found["word"].lower()
    kind = ALIASES.get(word, word)
    if kind not in OPTIONS:
        near = get_close_matches(kind, OPTIONS, n=1)
        offer = f"write {near[0]} if that is meant" if near else f"there are {', '.join(OPTIONS)}"
        raise FormatError(f"there is no layer {word[:20]!r}: {offer}", text, at)
    given = "".join(letter for letter, part in zip("hwf", NUMBERS, strict=True) if found[part])
    if given not in FORMS.get(kind, ("",)):
        example = f"as {EXAMPLES[kind]}" if kind in EXAMPLES else "without numbers"
        raise FormatError(f"I don't read {found[0].strip()[:30]!r}: write {kind} {example}", text, at)
    high, wide, filters = (_number(found, part, text) for part in NUMBERS)
    options = _options(kind, text, found.end(), end)
    written, bias = " ".join(text[start:end].split()), "nobias" not in options
    if kind == "fc":
        return Layer(kind, written, width=high or 0, bias=bias)
    window = (high or 0, wide or high or 0)
    usual = window if kind in ("pool", "avgpool") else (1, 1)
    stride = (options["/"],) * 2 if "/" in options else usual
    dilation, padding = options.get("d", 1), (options.get("p", 0),) * 2
    if "same" in options:
        padding = _same(window, stride, dilation, text, at)
    return Layer(kind, written, window, filters or 0, stride, padding, dilation, options.get("g", 1), bias)


def _options(kind: str, text: str, at: int, end: int) -> dict[str, int]:
    """What follows a layer's numbers, up to the next comma; a word such as `same` counts 1."""
    options: dict[str, int] = {}
    while text[at:end].strip():
        found = OPTION.match(text, at, end)
        key = (found["key"] or found["word"]).lower() if found else ""
        if not found or key not in OPTIONS[kind]:
            takes = f"takes {', '.join(OPTIONS[kind])}" if OPTIONS[kind] else "takes no options"
            rest = text[at:end].lstrip()
            raise FormatError(f"I don't read {rest.rstrip()[:20]!r}: {kind} {takes}", text, end - len(rest))
        if key in options or {key, *options} >= {"p", "same"}:
            raise FormatError("the padding, or another option, is given twice: give it once", text, found.start())
        number = _number(found, "number", text, least=0 if key == "p" else 1)
        options[key], at = 1 if number is None else number, found.end()
    return options


def _number(found: re.Match[str], part: str, text: str, least: int = 1) -> int | None:
    digits = found[part]
    if digits is None:
        return None
    if len(digits) > DIGITS:
        raise FormatError(f"numbers of up to {DIGITS} digits are read here", text, found.start(part))
    if int(digits) < least:
        raise FormatError(f"this number is at least {least}", text, found.start(part))
    return int(digits)


def _same(window: tuple[int, int], stride: tuple[int, int], dilation: int, text: str, at: int) -> tuple[int, int]:
    """The padding that keeps the size: half of what the window covers less 1, on each side."""
    missing = [dilation * (side - 1) for side in window]
    if stride != (1, 1) or any(m % 2 for m in missing):
        raise FormatError(
            "same needs stride 1 and a window that covers an odd side: write the padding, as p1", text, at
        )
    return missing[0] // 2, missing[1] // 2
