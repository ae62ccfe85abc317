"""Layers as PyTorch prints them: `Conv2d(3, 16, kernel_size=(3, 3), stride=(1, 1))`, `Linear(in_features=64, ...)`."""

import re
from typing import Any

from quizzes.expressions.parser import FormatError

ACTIVATIONS = ("relu", "sigmoid", "tanh", "softmax", "gelu", "silu")
CALL = re.compile(r"\s*(?:\(\w+\)\s*:\s*)?(?:torch\.)?(?:nn\.)?(?P<name>[A-Za-z][A-Za-z0-9]*)\((?P<args>.*)\)\s*", re.S)
NUMBER = re.compile(r"-?\d{1,5}")
PAIR = re.compile(r"[(\[]\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,?\s*[)\]]")
# Class -> its kind here, and its arguments in PyTorch's order.
CONVOLUTION = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias")
CLASSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Conv2d": ("conv", CONVOLUTION),
    "Linear": ("fc", ("in_features", "out_features", "bias")),
    "MaxPool2d": ("pool", ("kernel_size", "stride", "padding", "dilation")),
    "AvgPool2d": ("avgpool", ("kernel_size", "stride", "padding")),
    "AdaptiveAvgPool2d": ("gap", ("output_size",)),
    "BatchNorm2d": ("bn", ("num_features", "eps", "momentum", "affine", "track_running_stats", "bias")),
    "BatchNorm1d": ("bn", ("num_features", "eps", "momentum", "affine", "track_running_stats", "bias")),
    "Flatten": ("flatten", ()),
    "Dropout": ("dropout", ()),
    "ReLU": ("relu", ()),
    "Sigmoid": ("sigmoid", ()),
    "Tanh": ("tanh", ()),
    "Softmax": ("softmax", ()),
    "GELU": ("gelu", ()),
    "SiLU": ("silu", ()),
}
# Arguments that may be given and change nothing that is counted here.
IGNORED = {
    *("dim", "p", "inplace", "start_dim", "end_dim", "eps", "momentum", "track_running_stats", "approximate"),
    *("padding_mode", "count_include_pad", "divisor_override", "return_indices", "device", "dtype"),
}


def split_layers(text: str) -> list[str]:
    """Return the layers of a text, between commas or lines outside of parentheses; `Sequential(...)` is opened."""
    text = re.sub(r"^\s*(?:\w+\.)*Sequential\((.*)\)\s*$", r"\1", text, flags=re.S)
    pieces, depth, start = [], 0, 0
    for k, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and sign in ",\n":
            pieces.append(text[start:k])
            start = k + 1
    return [piece for piece in [*pieces, text[start:]] if piece.strip()]


def is_torch_layer(text: str) -> bool:
    """Return whether a layer is written as a call."""
    return bool(CALL.fullmatch(text))


def read_torch_layer(text: str) -> dict[str, Any]:
    """Return the fields of a `layers.Layer`, read from PyTorch's own notation.

    Raises:
        FormatError: If the class or an argument is unknown, or a number is missing.
    """
    match = CALL.fullmatch(text)
    if not match or match["name"] not in CLASSES:
        name = match["name"] if match else text.strip()
        raise FormatError(f"unknown layer {name[:30]!r}: choose from {', '.join(CLASSES)}", text, 0)
    kind, names = CLASSES[match["name"]]
    values = _arguments(match["name"], match["args"], names, text)
    for name in names[: {"conv": 3, "fc": 2, "pool": 1, "avgpool": 1, "gap": 1}.get(kind, 0)]:
        if name not in values:
            raise FormatError(f"{match['name']} needs {name}", text, 0)
    layer: dict[str, Any] = {"kind": kind, "text": _short(kind, values), "bias": values.get("bias", True)}
    if not values.get("affine", True):
        raise FormatError(f"{match['name']} is read with its scale and shift only, not with affine=False", text, 0)
    if kind == "pool" and values.get("dilation", 1) != 1:
        raise FormatError("MaxPool2d is read without dilation only", text, 0)
    if kind == "gap" and _pair(values["output_size"]) != (1, 1):
        raise FormatError("AdaptiveAvgPool2d is read with an output size of 1 only", text, 0)
    if kind == "fc":
        return layer | {"channels": values["out_features"], "in_channels": values["in_features"]}
    if kind == "bn":
        return layer | {"in_channels": values.get("num_features", 0)}
    if kind in ("conv", "pool", "avgpool"):
        layer |= {"kernel_size": _pair(values["kernel_size"])}
        layer |= {"stride": _pair(values.get("stride", 1 if kind == "conv" else values["kernel_size"]))}
        layer |= {"dilation": _one(values, "dilation", text), "groups": values.get("groups", 1)}
        layer |= {"channels": values.get("out_channels", 0), "in_channels": values.get("in_channels", 0)}
        layer |= {"padding": _padding(values.get("padding", 0), layer, text)}
    return layer


def _arguments(class_name: str, text: str, names: tuple[str, ...], layer: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for k, piece in enumerate(split_layers(text)):
        key, equals, value = piece.partition("=")
        name = key.strip() if equals else (names[k] if k < len(names) else "")
        if name == "ceil_mode" and value.strip() == "True":
            raise FormatError("ceil_mode=True is not read: output sizes are rounded down", layer, 0)
        if name in IGNORED or name == "ceil_mode" or (not equals and not names):
            continue
        if name not in names:
            raise FormatError(f"{class_name} has no argument {(name or piece.strip())[:30]!r}", layer, 0)
        values[name] = _value(value if equals else piece, layer)
    return values


def _value(text: str, layer: str) -> Any:
    text = text.strip()
    if text in ("True", "False"):
        return text == "True"
    if text.strip("'\"") in ("same", "valid"):
        return text.strip("'\"")
    if match := PAIR.fullmatch(text):
        return int(match[1]), int(match[2])
    if NUMBER.fullmatch(text) and int(text) >= 0:
        return int(text)
    raise FormatError(
        f"can't read the argument {text[:30]!r}: write an integer or a pair", layer, max(0, layer.find(text))
    )


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _one(values: dict[str, Any], name: str, text: str) -> int:
    first, second = _pair(values.get(name, 1))
    if first != second:
        raise FormatError(f"{name} must be the same in both directions", text, 0)
    return first


def _padding(value: Any, layer: dict[str, Any], text: str) -> tuple[int, int]:
    if value == "valid":
        return 0, 0
    if value != "same":
        return _pair(value)
    total = [layer["dilation"] * (size - 1) for size in layer["kernel_size"]]
    if layer["stride"] != (1, 1) or any(t % 2 for t in total):
        raise FormatError("padding='same' needs stride 1 and an odd effective kernel size", text, 0)
    return total[0] // 2, total[1] // 2


def _short(kind: str, values: dict[str, Any]) -> str:
    """Return the layer in the short notation, for tables."""
    if kind == "fc":
        return f"fc{values['out_features']}"
    if kind not in ("conv", "pool", "avgpool"):
        return kind
    height, width = _pair(values["kernel_size"])
    size = f"{height}" if height == width else f"{height}x{width}"
    return f"{kind}{size}" + (f"-{values['out_channels']}" if kind == "conv" else "")
