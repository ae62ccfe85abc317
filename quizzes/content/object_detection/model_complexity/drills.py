"""Params (M) and GFLOPs: drills."""

from collections.abc import Callable
from math import prod
from random import Random
from typing import Any

from quizzes.content.object_detection.model_complexity.formulas import (
    ACTIVATION_MEMORY,
    BATCH_MEMORY,
    MEMORY_BYTES,
    NETWORK_SIZE,
    count_parameters,
    output_shape,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.layers import Layer, read_layers
from quizzes.question import Step

Count = Callable[[Layer, list[int], list[int]], int]  # of a layer, from its input shape and its output shape


def _total(layers: str, input: list[int], count: Count) -> int:
    """Return the sum of a count over the layers."""
    total, shape = 0, [int(size) for size in input]
    for layer in read_layers(layers):
        before, shape = shape, output_shape(layer, shape)
        total += count(layer, before, shape)
    return total


def _mistaken(count: Count) -> Callable[..., int]:
    return lambda layers, input: _total(layers, input, count)


def _weights(layer: Layer, before: list[int], after: list[int]) -> int:
    return count_parameters(layer, before)[0]


def _macs_at_input_size(layer: Layer, before: list[int], after: list[int]) -> int:
    return _weights(layer, before, after) * (prod(before[:2]) if layer.kind == "conv" else 1)


def _one_input_channel(layer: Layer, before: list[int], after: list[int]) -> int:
    weights, biases = count_parameters(layer, before)
    return (weights // before[-1] if layer.kind == "conv" else weights) + biases


def _network_steps(table: list[dict[str, Any]], P: int, MACs: int, FLOPs: int, **_: Any) -> list[Step]:
    steps = []
    for row in table:
        shape = "x".join(map(str, row["output_shape"]))
        text = f"{row['layer'].strip()} outputs {shape}"
        if row["params"]:
            text += f". It has {row['params']:,} parameters and {row['macs']:,} MACs."
        else:
            text += ", without parameters."
        steps.append(Step(text))
    parameters, macs = (" + ".join(str(row[key]) for row in table if row[key]) for key in ("params", "macs"))
    return [
        *steps,
        Step("Add the parameters of all layers.", [f"P = {parameters}", f"P = {P}"]),
        Step("Add the MACs. A MAC is two FLOPs.", [f"MACs = {macs}", f"MACs = {MACs}", f"FLOPs = {FLOPs}"]),
    ]


@drill(
    NETWORK_SIZE,
    id="network-params-flops",
    tier=2,
    asks=("P", "MACs", "FLOPs"),
    steps=_network_steps,
    prompt="A network has these layers, for an input of shape {shape} (HxWxC):\n"
    "{listing}\n"
    "How many parameters does it have (P), and how many MACs and FLOPs does one sample need?\n"
    "Conventions: filters and neurons have biases. A MAC is two FLOPs; biases, pooling and activations are not counted "
    "as operations.",
    hints=(
        "At how many positions is each weight of a filter used?",
        "A convolution has k^2*C_in*C_out weights and C_out biases, and one MAC per weight and output position. A "
        "dense layer has one MAC per weight.",
        "First step: write down the output shape of each layer.",
    ),
    mistakes=[
        Mistake(
            "biases-left-out",
            {"P": _mistaken(_weights)},
            "You left out the biases: one per filter or neuron.",
        ),
        Mistake(
            "input-channels-left-out",
            {"P": _mistaken(_one_input_channel)},
            "A filter spans all input channels: k^2*C_in weights, not k^2.",
        ),
        Mistake(
            "positions-left-out",
            {"MACs": _mistaken(_weights)},
            "You counted each weight once. A filter's weights are used at every output position.",
        ),
        Mistake(
            "input-positions",
            {"MACs": _mistaken(_macs_at_input_size)},
            "You multiplied by the input's positions. The weights are used once per output position.",
        ),
        Mistake("macs-for-flops", "FLOPs = MACs", "Those are MACs. Each is a multiplication and an addition: 2 FLOPs."),
        Mistake("halved", "FLOPs = MACs/2", "You halved the MACs. A MAC is two FLOPs."),
    ],
)
def network_params_flops(rng: Random) -> Inputs:
    """Parameters, MACs and FLOPs of a small network"""
    n, channels = rng.choice([8, 10, 12, 16, 20]), rng.choice([1, 3, 3])
    k, filters = rng.choice([3, 3, 5]), rng.choice([4, 6, 8])
    padding = f"p{k // 2}"
    first, second = rng.choice([padding, "", f"/2 {padding}"]), rng.choice(["p1", ""])
    layers = [f"conv{k}-{filters} {first}".strip(), "relu", "pool2"]
    if rng.random() < 0.5:
        layers += [f"conv3-{2 * filters} {second}".strip(), "relu"]
    layers.append(rng.choice(["gap", "flatten"]))
    layers.append(f"fc{rng.choice([2, 5, 10])}")
    shape = [n, n, channels]
    for layer in read_layers(", ".join(layers)):
        if min(shape) < 1 or (layer.kind == "conv" and shape[0] < layer.kernel_size[0]):
            raise UndefinedValue("a layer doesn't fit")
        if layer.kind == "pool" and shape[0] % 2:
            raise UndefinedValue("pooling would drop a row")
        shape = output_shape(layer, shape)
    width = max(map(len, layers))
    lines = [f"  {layer:<{width}}  {_describe(layer)}" for layer in layers]
    return dict(layers=", ".join(layers), input=[n, n, channels], shape=f"{n}x{n}x{channels}", listing="\n".join(lines))


def _describe(layer: str) -> str:
    """Return a layer in words."""
    [one] = read_layers(layer)
    if one.kind == "conv":
        size = f"{one.kernel_size[0]}x{one.kernel_size[1]}"
        padding = f"padding {one.padding[0]}" if one.padding[0] else "no padding"
        return f"convolution: {one.channels} filters of {size}, stride {one.stride[0]}, {padding}"
    if one.kind == "fc":
        return f"dense layer of {one.channels} neurons"
    return dict(relu="ReLU", pool="max pooling of 2x2, stride 2", gap="global average pooling", flatten="flatten")[
        one.kind
    ]


@drill(
    MEMORY_BYTES,
    tier=1,
    asks=("MB", "MiB", "train"),
    prompt="A network has {P} parameters. How much memory do they need at {b} bytes per parameter, in MB (MB) and in "
    "MiB (MiB)? How many GB do parameters, gradients and the two moments of Adam need in training in float32 (train)?\n"
    "Conventions: 1 MB = 10^6 bytes, 1 GB = 10^9 bytes, 1 MiB = 2^20 bytes. Activations are not counted.",
    hint="How many numbers does Adam need per parameter, with the parameter itself and its gradient?",
    mistakes=[
        Mistake("binary-for-decimal", "MB = W/2^20", "You divided by 2^20, which gives MiB. 1 MB is 10^6 bytes."),
        Mistake("decimal-for-binary", "MiB = W/10^6", "You divided by 10^6, which gives MB. 1 MiB is 2^20 bytes."),
        Mistake("bits", "MB = 8*W/10^6; MiB = 8*W/2^20", "You counted bits. A byte has 8 bits."),
        Mistake(
            "moments-left-out",
            "train = 2*P*4/10^9",
            "You left out the two moments of Adam: four numbers per parameter in total.",
        ),
        Mistake(
            "one-moment",
            "train = 3*P*4/10^9",
            "Adam keeps two numbers per parameter, the first and the second moment.",
        ),
    ],
)
def memory_bytes(rng: Random) -> Inputs:
    """Memory of parameters"""
    return dict(P=rng.randint(1000, 200000) * 1000 + rng.randint(0, 999), b=rng.choice([1, 2, 2, 4, 4]))


@drill(
    ACTIVATION_MEMORY,
    tier=1,
    asks=("A", "MiB"),
    prompt="A layer outputs a feature map of {C} channels and {H}x{W} px for each of {N} images. How much memory does "
    "it need at {b} bytes per value, in bytes (A) and in MiB (MiB)?\n"
    "Conventions: 1 MiB = 2^20 bytes.",
    hint="How many values does the layer output for the whole batch?",
    mistakes=[
        Mistake("batch-left-out", "A = C*H*W*b", "That is the memory for one image. Multiply by the batch size."),
        Mistake("values", "A = N*C*H*W", "You counted values. Multiply by the bytes per value."),
        Mistake("one-channel", "A = N*H*W*b", "That is one channel. Multiply by the number of channels."),
        Mistake("bits", "A = 8*N*C*H*W*b", "You counted bits. A byte has 8 bits."),
        Mistake("decimal", "MiB = A/10^6", "You divided by 10^6, which gives MB. 1 MiB is 2^20 bytes."),
        Mistake("kibibytes", "MiB = A/2^10", "You divided by 2^10, which gives KiB. 1 MiB is 2^20 bytes."),
    ],
)
def activation_memory(rng: Random) -> Inputs:
    """Memory of a feature map"""
    H = rng.choice([14, 28, 56, 112, 100, 160])
    W = H if rng.random() < 0.6 else rng.choice([20, 40, 60, 120, 200])
    return dict(N=rng.choice([8, 16, 24, 32, 64]), C=rng.choice([16, 32, 64, 96, 128]), H=H, W=W, b=rng.choice([2, 4]))


@drill(
    BATCH_MEMORY,
    id="activation-memory:batch",
    tier=2,
    asks=("S", "G", "N"),
    prompt="A device has {M} MiB of memory to train a network of {P} parameters with Adam in float32. For the backward "
    "pass, it keeps the outputs of three layers at {b} bytes per value: {C} channels of {n}x{n} px, then 2 "
    "and 4 times as many channels at a half and a quarter of the height and width.\n"
    "How many bytes do the activations of one image need (S), and how many do parameters, gradients and the two "
    "moments of Adam (G)? What is the largest batch size N?\n"
    "Conventions: 1 MiB = 2^20 bytes.",
    hints=(
        "Which part of the memory grows with the batch size?",
        "Activations: bytes per value times the values of the three feature maps. Parameters, gradients and moments: "
        "16 bytes per parameter. Round the batch size down.",
        "First step: count the values of the first feature map, and by which factor each later one is smaller.",
    ),
    mistakes=[
        Mistake(
            "first-layer-only",
            "S = b*C*n^2",
            "You counted the first layer. The backward pass needs the outputs of all three.",
        ),
        Mistake(
            "equal-layers",
            "S = 3*b*C*n^2",
            "The layers don't have equally many values: each has half as many as the one before.",
        ),
        Mistake(
            "quartered",
            "S = b*(C*n^2 + C*(n/2)^2 + C*(n/4)^2)",
            "You kept the number of channels. It doubles when height and width are halved.",
        ),
        Mistake(
            "parameters-alone", "G = 4*P", "You counted the parameters alone: 16 bytes with gradients and moments."
        ),
        Mistake("moments-left-out", "G = 8*P", "You left out the two moments of Adam: 16 bytes per parameter."),
        Mistake(
            "parameters-ignored",
            "N = floor(M*2^20/S)",
            "You gave all memory to the activations. Subtract that of parameters, gradients and moments first.",
        ),
        Mistake("decimal", "N = floor((M*10^6 - G)/S)", "1 MiB is 2^20 bytes, not 10^6."),
        Mistake("rounded-up", "N = ceil((M*2^20 - G)/S)", "That batch no longer fits. Round down."),
    ],
)
def activation_memory_batch(rng: Random) -> Inputs:
    """Largest batch that fits into memory"""
    P, M = rng.randint(100, 4000) * 1000, rng.choice([128, 256, 512, 1024])
    C, n = rng.choice([16, 32, 64]), rng.choice([32, 48, 56, 64, 112])
    if 16 * P > M * 2**19:
        raise UndefinedValue("the parameters leave too little memory")
    return dict(P=P, M=M, C=C, n=n, b=rng.choice([2, 4]))
