"""A whole stack of layers: sizes, parameters, operations, memory, receptive fields."""

from math import prod
from typing import Any

from quizzes.formulas import formula
from quizzes.layers import Layer, read_layers
from workbench.errors import UserError

FLOAT32 = 4  # bytes

Pair = tuple[int, int]


def shape_after(layer: Layer, shape: list[int]) -> list[int]:
    """What a layer makes of a map [height, width, channels] or of a vector [values].

    Raises:
        UserError: Where the layer can't follow.
    """
    match layer.kind:
        case "fc":
            return [layer.channels]
        case "flatten":
            return [prod(shape)]
        case "conv" | "dwconv" | "pool" | "avgpool" | "gap" if len(shape) == 1:
            raise UserError(
                f"{layer.text} needs a feature map (height x width x channels), not a vector of {shape[0]} values."
            )
        case "gap":
            return [1, 1, shape[2]]
        case "conv" | "dwconv" | "pool" | "avgpool":
            return [*_sides(layer, shape), layer.channels or shape[2]]
    return shape


def _sides(layer: Layer, shape: list[int]) -> list[int]:
    covered = [layer.dilation * (side - 1) + 1 for side in layer.kernel_size]
    padded = [side + 2 * p for side, p in zip(shape, layer.padding, strict=False)]
    if any(c > side for c, side in zip(covered, padded, strict=True)):
        window, field = ("{} x {}".format(*sides) for sides in (covered, padded))
        raise UserError(f"{layer.text} doesn't fit: its window covers {window}, and the padded map is {field}.")
    if "pool" in layer.kind and 2 * layer.padding[0] > min(layer.kernel_size):
        raise UserError(f"{layer.text} doesn't fit: the padding of pooling is at most half of the window.")
    return [(side - c) // s + 1 for side, c, s in zip(padded, covered, layer.stride, strict=True)]


def weights_of(layer: Layer, shape: list[int]) -> tuple[int, int]:
    """The weights of a layer's filters or neurons, and its biases (or batch norm's scales and shifts)."""
    match layer.kind:
        case "conv":
            if shape[2] % layer.groups or layer.channels % layer.groups:
                raise UserError(
                    f"{layer.text} has {layer.groups} groups, which must divide its {shape[2]} input channels and "
                    f"its {layer.channels} filters."
                )
            return prod(layer.kernel_size) * shape[2] // layer.groups * layer.channels, layer.bias * layer.channels
        case "dwconv":
            return prod(layer.kernel_size) * shape[2], layer.bias * shape[2]
        case "fc":
            return prod(shape) * layer.channels, layer.bias * layer.channels
        case "bn":
            return 0, 2 * shape[-1]
    return 0, 0


def field_after(layer: Layer, shape: list[int], field: Pair, jump: Pair) -> tuple[Pair, Pair]:
    """The receptive field and the jump (the distance of neighbouring units) after a layer, each down and across."""
    high, wide = (shape[0], shape[1]) if layer.kind == "gap" else layer.kernel_size
    if not high:
        return field, jump
    reach = (high - 1) * layer.dilation * jump[0], (wide - 1) * layer.dilation * jump[1]
    down, across = layer.stride
    return (field[0] + reach[0], field[1] + reach[1]), (jump[0] * down, jump[1] * across)


def _one(pair: Pair) -> int | list[int]:
    return pair[0] if pair[0] == pair[1] else list(pair)


def _walk(layers: str, input: list[int]) -> dict[str, Any]:
    if len(input) not in (1, 3):
        raise UserError("input is height x width x channels such as 32x32x3, or the length of a vector such as [784].")
    shape, field, jump = list(input), (1, 1), (1, 1)
    rows = []
    for layer in read_layers(layers):
        before, shape = shape, shape_after(layer, shape)
        weights, biases = weights_of(layer, before)
        row: dict[str, Any] = {"layer": layer.text, "output_shape": shape, "params": weights + biases}
        positions = prod(shape[:-1])  # at each of them every weight is used once; a dense layer has a single one
        row |= {"macs": weights * positions, "flops": 2 * weights * positions, "bytes": FLOAT32 * prod(shape)}
        row |= {"receptive_field": None, "jump": None}
        if len(shape) == 3:
            field, jump = field_after(layer, before, field, jump)
            row |= {"receptive_field": _one(field), "jump": _one(jump)}
        rows.append(row)
    totals = {name: sum(row[key] for row in rows) for name, key in TOTALS.items()}
    return {"table": rows, "output": shape, **totals}


TOTALS = {"P": "params", "MACs": "macs", "B": "bytes"}

NETWORK_SIZE = formula(
    "network-size",
    """
    FLOPs = 2*MACs
    M = 4*P
    """,
    topic="model-complexity",
    title="Sizes, parameters, operations, memory and receptive fields of a stack of layers",
    source="derivation: a filter or neuron multiplies each of its weights once for every unit of its output; fields: "
    "Araujo, Norris & Sim, Computing receptive fields of convolutional neural networks, Distill 2019",
    conventions="""
Layers: conv3-64 (64 filters of 3 x 3), conv5x3-64 (height 5, width 3), dwconv3
(depthwise), pool2, avgpool2, gap (global average), fc10 (flattens what comes),
bn, flatten, dropout, relu, sigmoid, tanh, softmax, gelu, silu. Behind it, where
it differs: /2 stride, p1 padding, same (the padding that keeps the size), d2
dilation, g32 groups, nobias.

The stride is 1, of pooling the window's side.
Filters and neurons have biases, also before bn. bn has a scale and a shift for
each channel; running averages are no parameters. Sizes are rounded down.
A MAC is two FLOPs; biases, bn, pooling and activations count none. Memory is
4 bytes a value (float32), activations those of one sample, the input left out.
Receptive field and jump (the distance of neighbouring units) are in pixels of
the input, as if it went on beyond its edges, and those of maps: a neuron of fc
sees everything.
""",
    procedure=_walk,
    procedure_outputs="table output P MACs B",
    layers="layers; the layers in order, separated by commas",
    input="shape 1..99999; what comes in, height x width x channels",
    table="table; what each layer makes and costs",
    output="shape; what comes out, height x width x channels",
    P="int 0..; parameters, weights and biases",
    MACs="int 0..; multiply-accumulates of one sample",
    FLOPs="int 0..; floating-point operations of one sample, two for each MAC",
    M="int 0..; memory of the parameters [bytes]",
    B="int 0..; memory of all layers' outputs for one sample [bytes]",
)
