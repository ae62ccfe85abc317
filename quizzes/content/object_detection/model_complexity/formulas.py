"""Params (M) and GFLOPs: formulas."""

from math import prod
from typing import Any

from quizzes.formula import Formula
from quizzes.layers import Layer, read_layers
from quizzes.symbols import Int, Layers, Real, Shape, Table
from quizzes.torch_layers import is_torch_layer, split_layers
from workbench.errors import UserError

FLOAT32 = 4  # bytes


Pair = tuple[int, int]


def output_shape(layer: Layer, shape: list[int]) -> list[int]:
    """Return the output shape of a layer for a feature map [height, width, channels] or a vector [values].

    Raises:
        UserError: If the layer can't take such an input.
    """
    match layer.kind:
        case "fc":
            return [layer.channels]
        case "flatten":
            return [prod(shape)]
        case "conv" | "dwconv" | "pool" | "avgpool" | "gap" if len(shape) == 1:
            raise UserError(
                f"{layer.text} needs a feature map (height x width x channels), not a vector of length {shape[0]}."
            )
        case "gap":
            return [1, 1, shape[2]]
        case "conv" | "dwconv" | "pool" | "avgpool":
            return [*_output_size(layer, shape), layer.channels or shape[2]]
    return shape


def _output_size(layer: Layer, shape: list[int]) -> list[int]:
    """Return the height and width after a convolution or pooling."""
    covered = [layer.dilation * (size - 1) + 1 for size in layer.kernel_size]
    padded = [size + 2 * p for size, p in zip(shape, layer.padding, strict=False)]
    if any(c > size for c, size in zip(covered, padded, strict=True)):
        window, field = ("{}x{}".format(*sizes) for sizes in (covered, padded))
        raise UserError(f"{layer.text} doesn't fit: its window covers {window}, but the padded map is only {field}.")
    if "pool" in layer.kind and 2 * layer.padding[0] > min(layer.kernel_size):
        raise UserError(f"{layer.text} doesn't fit: the padding of pooling must be at most half of the window.")
    return [(size - c) // s + 1 for size, c, s in zip(padded, covered, layer.stride, strict=True)]


def count_parameters(layer: Layer, shape: list[int]) -> tuple[int, int]:
    """Return the number of weights of a layer, and of its biases; of batch norm, the scales and the shifts."""
    match layer.kind:
        case "conv":
            if shape[2] % layer.groups or layer.channels % layer.groups:
                raise UserError(
                    f"{layer.text} has {layer.groups} groups. They must divide the number of its input channels, "
                    f"{shape[2]}, and of its filters, {layer.channels}."
                )
            return prod(layer.kernel_size) * shape[2] // layer.groups * layer.channels, layer.bias * layer.channels
        case "dwconv":
            return prod(layer.kernel_size) * shape[2], layer.bias * shape[2]
        case "fc":
            return prod(shape) * layer.channels, layer.bias * layer.channels
        case "bn":
            return shape[-1], shape[-1]
    return 0, 0


def next_field(layer: Layer, shape: list[int], field: Pair, jump: Pair) -> tuple[Pair, Pair]:
    """Return the receptive field and the jump (the distance between adjacent units), each as (down, across)."""
    height, width = (shape[0], shape[1]) if layer.kind == "gap" else layer.kernel_size
    if not height:
        return field, jump
    reach = (height - 1) * layer.dilation * jump[0], (width - 1) * layer.dilation * jump[1]
    down, across = layer.stride
    return (field[0] + reach[0], field[1] + reach[1]), (jump[0] * down, jump[1] * across)


def _one(pair: Pair) -> int | list[int]:
    return pair[0] if pair[0] == pair[1] else list(pair)


def check_input(layer: Layer, shape: list[int]) -> None:
    """Check that a layer that says how many channels (or values) it takes gets them.

    Raises:
        UserError: If it gets another number.
    """
    count = prod(shape) if layer.kind == "fc" else shape[-1]
    if layer.in_channels not in (0, count):
        noun = "values" if layer.kind == "fc" else "channels"
        raise UserError(f"{layer.text} takes {layer.in_channels} {noun}, and its input has {count}.")


def walk(layers: str, input: list[int]) -> dict[str, Any]:
    if len(input) not in (1, 3):
        raise UserError(
            "input must be height x width x channels, such as 32x32x3, or the length of a vector, such as [784]."
        )
    shape, field, jump = list(input), (1, 1), (1, 1)
    if is_torch_layer(split_layers(layers)[0]) and len(shape) == 3:  # as PyTorch has it
        shape = [*shape[1:], shape[0]]
    rows = []
    for layer in read_layers(layers):
        check_input(layer, shape)
        before, shape = shape, output_shape(layer, shape)
        weights, biases = count_parameters(layer, before)
        row: dict[str, Any] = {"layer": layer.text, "output_shape": shape, "params": weights + biases, "biases": biases}
        # Each weight is used once per position; a dense layer has one position.
        macs = 0 if layer.kind == "bn" else weights * prod(shape[:-1])
        row |= {"macs": macs, "flops": 2 * macs, "bytes": FLOAT32 * prod(shape)}
        row |= {"receptive_field": None, "jump": None}
        if len(shape) == 3:
            field, jump = next_field(layer, before, field, jump)
            row |= {"receptive_field": _one(field), "jump": _one(jump)}
        rows.append(row)
    totals = {name: sum(row[key] for row in rows) for name, key in TOTALS.items()}
    return {"table": rows, "output": shape, "W": totals["P"] - totals["b"], **totals}


TOTALS = {"b": "biases", "P": "params", "MACs": "macs", "B": "bytes"}


NETWORK_SIZE = Formula(
    "network-size",
    """
    FLOPs = 2*MACs
    M = 4*P
    """,
    title="Output sizes, parameters, operations, memory and receptive fields of a stack of layers",
    source="derivation: each weight of a filter or neuron is used once per output value; receptive fields: Araujo, "
    "Norris & Sim, Computing receptive fields of convolutional neural networks, Distill 2019",
    conventions="""
Layers: conv3-64 (64 filters of 3x3), conv5x3-64 (height 5, width 3), dwconv3
(depthwise), pool2, avgpool2, gap (global average pooling), fc10 (flattens its
input), bn, flatten, dropout, relu, sigmoid, tanh, softmax, gelu, silu. Options
after the layer: /2 stride, p1 padding, same (padding that keeps the size), d2
dilation, g32 groups, nobias; /2x1 and p0x1: down, then across. Layers may also
be as PyTorch prints them: Conv2d(3, 16, 3, stride=2), Linear(512, 10); then the
input is CxHxW.

The default stride is 1; for pooling it is the window size.
Filters and neurons have biases, also before bn. bn has one scale and one shift
per channel; running statistics do not count as parameters. Output sizes are
rounded down.
A MAC is two FLOPs; biases, bn, pooling and activations have none. Memory is
4 bytes per value (float32); activation memory is for one sample, without the
input.
Receptive field and jump (the distance between adjacent units) are in input
pixels, and are not cut off at the edges. They are given for feature maps only:
a neuron of fc depends on the whole input.
""",
    procedure=walk,
    procedure_outputs="table output W b P MACs B",
    layers=Layers(meaning="layers in order, separated by commas"),
    input=Shape(1, 99999, "input shape, as HxWxC (CxHxW for layers of PyTorch)"),
    table=Table(meaning="output shape and cost of each layer"),
    output=Shape(meaning="output shape, as HxWxC"),
    W=Int(0, meaning="number of weights, with the scales of bn"),
    b=Int(0, meaning="number of biases, with the shifts of bn"),
    P=Int(0, meaning="number of parameters, weights and biases"),
    MACs=Int(0, meaning="multiply-accumulate operations per sample"),
    FLOPs=Int(0, meaning="floating-point operations per sample, two per MAC"),
    M=Int(0, meaning="memory for the parameters", unit="bytes"),
    B=Int(0, meaning="memory for all layer outputs of one sample", unit="bytes"),
)


PARAMETERS = Int(1, 10**15, "number of parameters")

BYTES = Int(1, 8, "bytes per value: 4 in float32, 2 in float16", default=4)


MEMORY_BYTES = Formula(
    "memory-bytes",
    """
    W = P*b
    MB = W/10^6
    MiB = W/2^20
    train = 4*P*4/10^9
    """,
    title="Memory of parameters, in inference and in training with Adam",
    source="derivation: b bytes per parameter; in training, Adam keeps two numbers per parameter (Kingma & Ba, 2015, "
    "arXiv:1412.6980), and the gradient is one more",
    conventions="1 MB = 10^6 bytes, 1 MiB = 2^20 bytes. Training is in float32; activations are not counted.",
    P=PARAMETERS,
    b=BYTES,
    W=Int(meaning="memory for the parameters", unit="bytes"),
    MB=Real(meaning="memory for the parameters", unit="MB"),
    MiB=Real(meaning="memory for the parameters", unit="MiB"),
    train=Real(meaning="memory for parameters, gradients and the two moments of Adam", unit="GB"),
)


ACTIVATION_MEMORY = Formula(
    "activation-memory",
    """
    A = N*C*H*W*b
    MiB = A/2^20
    """,
    title="Memory of a feature map",
    source="derivation: N*C*H*W values of b bytes each",
    conventions="1 MiB = 2^20 bytes.",
    N=Int(1, 100000, "batch size"),
    C=Int(1, 100000, "number of channels"),
    H=Int(1, 100000, "height", unit="px"),
    W=Int(1, 100000, "width", unit="px"),
    b=BYTES,
    A=Int(meaning="memory for the feature map", unit="bytes"),
    MiB=Real(meaning="memory for the feature map", unit="MiB"),
)


BATCH_MEMORY = Formula(
    "batch-memory",
    """
    S = b*(C*n^2 + 2*C*(n/2)^2 + 4*C*(n/4)^2)
    G = 16*P
    N = floor((M*2^20 - G)/S)
    """,
    title="Largest batch that fits into memory in training",
    source="derivation: training keeps the output of every layer for the backward pass, for each sample; parameters, "
    "gradients and the two moments of Adam take 16 bytes per parameter in float32, whatever the batch size",
    conventions="Three layers whose outputs are kept: C channels of n x n, 2C of n/2 x n/2, 4C of n/4 x n/4. "
    "1 MiB = 2^20 bytes.",
    integer_constraints="n/4",
    P=PARAMETERS,
    C=Int(1, 100000, "channels of the first layer"),
    n=Int(4, 100000, "height and width of its output", unit="px"),
    b=BYTES,
    M=Int(1, 10**9, "memory", unit="MiB"),
    S=Int(meaning="memory for the activations of one sample", unit="bytes"),
    G=Int(meaning="memory for parameters, gradients and moments", unit="bytes"),
    N=Int(0, meaning="largest batch size"),
)


MATMUL_FLOPS = Formula(
    "matmul-flops",
    """
    MACs = m*n*p
    FLOPs = 2*MACs
    t = FLOPs/(rate*10^9)
    """,
    title="FLOPs of a matrix product, and the shortest time for them",
    source="derivation: each of the m*p results is a sum of n products; a device can't be faster than its peak",
    conventions="A MAC is two FLOPs. The time counts arithmetic only, not memory accesses.",
    m=Int(1, 10**9, "rows of the first matrix"),
    n=Int(1, 10**9, "columns of the first matrix, rows of the second one"),
    p=Int(1, 10**9, "columns of the second matrix"),
    rate=Real(0.001, 10**9, "peak of the device, in FLOPs per second", unit="TFLOP/s", default=1),
    MACs=Int(meaning="multiply-accumulate operations"),
    FLOPs=Int(meaning="floating-point operations"),
    t=Real(meaning="shortest time", unit="ms"),
)
