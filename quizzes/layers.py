"""A network's layers in one line, such as `conv5x5-6, relu, pool2, conv5x5-16, relu, pool2, fc120, fc10`.

A layer is a word, its kernel size, a minus sign and its number of filters, then options in any order:

    conv3-64        64 filters of 3x3 (conv5x3-64: height 5, width 3), stride 1, no padding, with biases
    dwconv3         depthwise: one filter of 3x3 per channel
    pool2 avgpool2  max and average pooling; the stride is the kernel size
    gap             global average pooling
    fc10            10 neurons with biases; its input is flattened
    bn              batch norm, with a scale and a shift per channel
    flatten dropout relu sigmoid tanh softmax gelu silu
    /2 stride   p1 padding   same padding that keeps the size   d2 dilation   g32 groups   nobias
    (/2x1 and p0x1: down, then across)

A layer may also be written as PyTorch prints it: see `quizzes.torch_layers`.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from quizzes.expressions.parser import FormatError, check_length
from quizzes.torch_layers import is_torch_layer, read_torch_layer, split_layers

LENGTH, LAYERS, DIGITS = 8_000, 500, 5  # the most characters, layers, and digits of a number
ACTIVATIONS = ("relu", "sigmoid", "tanh", "softmax", "gelu", "silu")
EXAMPLES = {"conv": "conv3-64", "dwconv": "dwconv3", "pool": "pool2", "avgpool": "avgpool2", "fc": "fc10"}
OPTIONS: dict[str, tuple[str, ...]] = {  # the options of each kind of layer
    "conv": ("/", "p", "same", "d", "g", "nobias"),
    "dwconv": ("/", "p", "same", "d", "nobias"),
    "pool": ("/", "p"),
    "avgpool": ("/", "p"),
    "fc": ("nobias",),
    **dict.fromkeys(("gap", "bn", "flatten", "dropout", *ACTIVATIONS), ()),
}
FORMS = {  # the numbers of each kind: h the kernel's height (or the neurons), w its width, f the filters
    "conv": ("hf", "hwf"),
    "dwconv": ("h", "hw"),
    "pool": ("h", "hw"),
    "avgpool": ("h", "hw"),
    "fc": ("h",),
}
NUMBERS = ("height", "width", "filters")
ALIASES = {"maxpool": "pool", "linear": "fc", "dense": "fc"}
LAYER = re.compile(r"\s*(?P<word>[a-z]+)(?P<height>\d+)?(?:x(?P<width>\d+))?(?:-(?P<filters>\d+))?", re.ASCII | re.I)
OPTION = re.compile(
    r"\s*(?:(?P<key>[/pdgs])(?P<number>\d+)(?:x(?P<second>\d+))?|(?P<word>same|nobias))", re.ASCII | re.I
)


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        kind: A key of `OPTIONS`.
        text: The layer as it was typed.
        kernel_size: Height and width; (0, 0) for a layer without a kernel.
        channels: The number of its filters or neurons; 0 if it has none of its own.
        stride: Down and across.
        padding: Zeros added above and below, and on the left and right.
        dilation: The distance between the kernel's elements.
        groups: The number of groups of channels.
        bias: Whether its filters or neurons have biases.
        in_channels: The number of channels (or values) that it takes; 0 for any number.
    """

    kind: str
    text: str
    kernel_size: tuple[int, int] = (0, 0)
    channels: int = 0
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1
    groups: int = 1
    bias: bool = True
    in_channels: int = 0


def read_layers(text: str) -> list[Layer]:
    """Read layers that a user typed.

    Raises:
        FormatError: If they can't be read, with the position.
    """
    check_length(text, LENGTH)
    if "(" in text:
        pieces = split_layers(text)
        check_count(pieces)
        return [
            Layer(**read_torch_layer(piece)) if is_torch_layer(piece) else _layer(piece, 0, len(piece))
            for piece in pieces
        ]
    pieces = text.split(",")
    check_count(pieces)
    layers, start = [], 0
    for piece in pieces:
        layers.append(_layer(text, start, start + len(piece)))
        start += len(piece) + 1
    return layers


def check_count(pieces: list[str]) -> None:
    """Raise `FormatError` if there are too many layers."""
    if len(pieces) > LAYERS:
        raise FormatError(f"these are {len(pieces)} layers; the limit is {LAYERS}")


def _layer(text: str, start: int, end: int) -> Layer:
    """Read the layer between two positions of a text."""
    match = LAYER.match(text, start, end)
    if not match:
        raise FormatError("a layer is missing here: write one such as conv3-64, pool2 or fc10", text, start)
    at, word = match.start("word"), match["word"].lower()
    kind = ALIASES.get(word, word)
    if kind not in OPTIONS:
        close = get_close_matches(kind, OPTIONS, n=1)
        advice = f"the closest is {close[0]}" if close else f"choose from {', '.join(OPTIONS)}"
        raise FormatError(f"unknown layer {word[:20]!r}: {advice}", text, at)
    form = "".join(letter for letter, name in zip("hwf", NUMBERS, strict=True) if match[name])
    is_hyphenated = (kind, form) == ("fc", "f")  # fc-10
    form = "h" if is_hyphenated else form
    if form not in FORMS.get(kind, ("",)):
        example = f"as in {EXAMPLES[kind]}" if kind in EXAMPLES else "without numbers"
        raise FormatError(f"can't read {match[0].strip()[:30]!r}: write {kind} {example}", text, at)
    height, width, filters = (_number(match, name, text) for name in NUMBERS)
    options = _options(kind, text, match.end(), end)
    layer_text, bias = " ".join(text[start:end].split()), "nobias" not in options
    if kind == "fc":
        return Layer(kind, layer_text, channels=(filters if is_hyphenated else height) or 0, bias=bias)
    kernel_size = (height or 0, width or height or 0)
    default_stride = kernel_size if kind in ("pool", "avgpool") else (1, 1)
    stride, padding = options.get("/", default_stride), options.get("p", (0, 0))
    dilation, groups = options.get("d", (1, 1))[0], options.get("g", (1, 1))[0]
    if "same" in options:
        padding = _same_padding(kernel_size, stride, dilation, text, at)
    return Layer(kind, layer_text, kernel_size, filters or 0, stride, padding, dilation, groups, bias)


def _options(kind: str, text: str, start: int, end: int) -> dict[str, tuple[int, int]]:
    """Read a layer's options between two positions of a text; a word such as `same` has the value (1, 1)."""
    options: dict[str, tuple[int, int]] = {}
    while text[start:end].strip():
        match = OPTION.match(text, start, end)
        key = (match["key"] or match["word"]).lower() if match else ""
        key = "/" if key == "s" else key
        if not match or key not in OPTIONS[kind]:
            advice = f"{kind} takes {', '.join(OPTIONS[kind]) or 'no options'}"
            rest = text[start:end].lstrip()
            raise FormatError(f"can't read {rest.rstrip()[:20]!r}: {advice}", text, end - len(rest))
        if key in options or {key, *options} >= {"p", "same"}:
            raise FormatError("the padding or another option appears twice: write it once", text, match.start())
        least = 0 if key == "p" else 1
        number = _number(match, "number", text, least)
        second = _number(match, "second", text, least)
        if second is not None and key not in ("/", "p"):
            raise FormatError("only the stride and the padding may differ down and across", text, match.start())
        first = 1 if number is None else number
        options[key], start = (first, first if second is None else second), match.end()
    return options


def _number(match: re.Match[str], group: str, text: str, least: int = 1) -> int | None:
    digits = match[group]
    if digits is None:
        return None
    if len(digits) > DIGITS:
        raise FormatError(f"numbers may have at most {DIGITS} digits here", text, match.start(group))
    if int(digits) < least:
        raise FormatError(f"this number must be at least {least}", text, match.start(group))
    return int(digits)


def _same_padding(
    kernel_size: tuple[int, int], stride: tuple[int, int], dilation: int, text: str, at: int
) -> tuple[int, int]:
    """Return the padding per side that keeps the size: half of the effective kernel size less 1."""
    total = [dilation * (size - 1) for size in kernel_size]
    if stride != (1, 1) or any(t % 2 for t in total):
        raise FormatError(
            "same needs stride 1 and an odd effective kernel size: write the padding, such as p1", text, at
        )
    return total[0] // 2, total[1] // 2
