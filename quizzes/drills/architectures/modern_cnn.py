"""DenseNet, MobileNet, squeeze-and-excitation, EfficientNet."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.architectures import COMPOUND_SCALING, DENSENET, MOBILENET_V2, SEPARABLE, SQUEEZE_EXCITATION


@drill(
    DENSENET,
    tier=2,
    asks="I B T",
    visualization="flow: {k0} channels > {L} layers, growth {k} > ? channels > transition, theta {theta} > ? channels",
    prompt="{k0} channels enter a dense block of {L} layers with growth rate {k}: every layer reads all that came "
    "before it in the block, the block's input included, and adds {k} channels. How many channels does layer {l} read "
    "(I, layers counted from 1), how many are there at the end of the block (B), and how many after a transition with "
    "compression theta = {theta}, rounded down (T)?",
    hint="Before layer 1 there are k0 channels; each layer that has run puts k more beside them.",
)
def densenet_channels(rng: Random) -> dict[str, Any]:
    """Channels in a dense block"""
    L = rng.choice([4, 5, 6, 8, 12, 16, 24])
    return dict(
        k0=rng.choice([16, 24, 32, 48, 64, 65, 96, 128]),
        k=rng.choice([9, 12, 15, 24, 32, 40]),
        L=L,
        l=rng.randint(2, L - 1),
        theta=0.5,
    )


densenet_channels.mistake(
    "layer-counted-itself",
    "I = k0 + k*l",
    "A layer reads what those before it made: l - 1 layers have run when layer l begins.",
)
densenet_channels.mistake(
    "added-not-concatenated",
    "I = k; B = k",
    "DenseNet puts maps side by side instead of adding them: k channels more after every layer.",
)
densenet_channels.mistake(
    "block-input-forgotten",
    "I = k*(l - 1); B = k*L",
    "What entered the block stays in the stack: k0 channels beside the layers' own.",
)
densenet_channels.mistake(
    "last-layer-forgotten", "B = k0 + k*(L - 1)", "At the end all L layers have added their k channels."
)
densenet_channels.mistake(
    "no-compression", "T = B", "The transition's 1 x 1 convolution keeps the share theta of them."
)
densenet_channels.mistake("rounded-up", "T = ceil(theta*B)", "The number of channels is rounded down here.")
densenet_channels.torch(
    """
from unittest.mock import patch
from torchvision.models import DenseNet

with torch.device("meta"), patch("torch.nn.init.kaiming_normal_"):  # only the shapes of its weights are wanted
    # Its transitions halve, which is theta = 0.5.
    net = DenseNet(growth_rate=k, block_config=(L, 1), num_init_features=k0)
I = net.features.denseblock1[f"denselayer{l}"].norm1.num_features
B, T = net.features.transition1.conv.in_channels, net.features.transition1.conv.out_channels
"""
)


@drill(
    SEPARABLE,
    tier=2,
    asks="W A M q",
    visualization="flow: {n} x {n} x {C_in} > depthwise {f} x {f} > {n} x {n} x {C_in} > pointwise 1 x 1 > "
    "{n} x {n} x {C_out}",
    prompt="A depthwise separable convolution takes a {n} x {n} map from {C_in} to {C_out} channels: a depthwise {f} "
    "x {f} convolution (stride 1, padding that keeps the size), then a pointwise one. No biases, no batch "
    "normalization. How many weights does it have (W), and how many does a full {f} x {f} convolution between the "
    "same channels have (A)? How many multiply-accumulates does the separable one take (M), and what is q = W/A?",
    hint="Depthwise: one filter for each input channel, which sees that channel alone; pointwise: 1 x 1 filters.",
)
def depthwise_separable(rng: Random) -> dict[str, Any]:
    """A depthwise separable convolution"""
    return dict(
        n=rng.choice([7, 14, 28, 56, 112]),
        f=rng.choice([3, 3, 3, 5]),
        C_in=rng.choice([16, 24, 32, 64, 96, 128, 256]),
        C_out=rng.choice([16, 32, 48, 64, 128, 192, 256, 512]),
    )


depthwise_separable.mistake(
    "depthwise-times-outputs",
    "W = f^2*C_in*C_out + C_in*C_out",
    "The depthwise part has one filter for each input channel, whatever the number of output channels.",
)
depthwise_separable.mistake(
    "no-pointwise", "W = f^2*C_in", "The pointwise 1 x 1 convolution mixes the channels: another C_in C_out weights."
)
depthwise_separable.mistake(
    "no-depthwise", "W = C_in*C_out", "The depthwise convolution comes first: f^2 weights for each input channel."
)
depthwise_separable.mistake(
    "full-without-channels", "A = f^2*C_out", "A full filter reaches through all input channels: times C_in."
)
depthwise_separable.mistake("positions-left-out", "M = W", "Each weight works at all n^2 positions of the map.")
depthwise_separable.mistake("one-side", "M = W*n", "The map has n^2 positions, not n.")
depthwise_separable.mistake("flops-for-macs", "M = 2*W*n^2", "A multiplication and its addition are one MAC.")
depthwise_separable.mistake("ratio-inverted", "q = A/W", "q is the separable one over the full one, below 1.")
depthwise_separable.torch(
    """
from torch.utils.flop_counter import FlopCounterMode

with torch.device("meta"):
    depthwise = torch.nn.Conv2d(C_in, C_in, f, padding="same", groups=C_in, bias=False)
    pointwise = torch.nn.Conv2d(C_in, C_out, 1, bias=False)
    A = torch.nn.Conv2d(C_in, C_out, f, bias=False).weight.numel()
    with FlopCounterMode(display=False) as counter:
        pointwise(depthwise(torch.empty(1, C_in, n, n)))
W = depthwise.weight.numel() + pointwise.weight.numel()
M = counter.get_total_flops() // 2
q = W / A
"""
)


@drill(
    MOBILENET_V2,
    tier=2,
    asks="E W r",
    visualization="flow: {C} channels > 1 x 1 > ? channels > depthwise 3 x 3, stride {s} > ? channels > "
    "1 x 1 > {D} channels",
    prompt="An inverted residual block of MobileNet v2 takes {C} channels to {D} with expansion factor {t}: 1 x 1 to "
    "E channels, a depthwise 3 x 3 with stride {s}, and 1 x 1 to {D}. No biases, no batch normalization. What is E, "
    "how many weights W do the three convolutions have together, and does the block add its input to its output "
    "(r = 1) or not (r = 0)?",
    hint="Narrow, wide, narrow: count each layer's channels in and out; a sum needs two maps of one shape.",
)
def mobilenetv2_block(rng: Random) -> dict[str, Any]:
    """An inverted residual block"""
    C = rng.choice([16, 24, 32, 64, 96, 160])
    D = rng.choice([C, C, *(d for d in (16, 24, 32, 64, 96, 160, 320) if d > C)])
    return dict(C=C, D=D, t=rng.choice([2, 3, 4, 6, 6, 6]), s=rng.choice([1, 1, 2]))


mobilenetv2_block.mistake("divided", "E = C/t", "The bottleneck is inverted: the middle is wider, t times C.")
mobilenetv2_block.mistake("expanded-output", "E = t*D", "The block expands what comes in: t times the input channels.")
mobilenetv2_block.mistake(
    "depthwise-as-full",
    "W = C*E + 9*E^2 + E*D",
    "The middle layer is depthwise: one 3 x 3 filter for each of the E channels.",
)
mobilenetv2_block.mistake(
    "depthwise-times-outputs",
    "W = C*E + 9*E*D + E*D",
    "The depthwise layer makes E channels of E; only the last layer goes to the output's depth.",
)
mobilenetv2_block.mistake(
    "one-pointwise",
    "W = C*E + 9*E",
    "There are two 1 x 1 convolutions, one that widens (C E weights) and one that narrows again (E times the "
    "output's).",
)
mobilenetv2_block.mistake(
    "shortcut-in-every-block",
    "r = 1",
    "The sum needs equal shapes: stride 1, and as many channels out as in. There is no projection here.",
)
mobilenetv2_block.mistake(
    "shortcut-never", "r = 0", "At stride 1 with as many channels out as in, the block adds its input."
)
mobilenetv2_block.torch(
    """
from torchvision.models.mobilenetv2 import InvertedResidual

with torch.device("meta"):
    block = InvertedResidual(C, D, stride=s, expand_ratio=t)
convolutions = [layer for layer in block.modules() if isinstance(layer, torch.nn.Conv2d)]
E = convolutions[0].out_channels
W = sum(layer.weight.numel() for layer in convolutions)
r = int(block.use_res_connect)
"""
)


@drill(
    SQUEEZE_EXCITATION,
    id="se-block-params",
    tier=1,
    asks="W P",
    visualization="flow: {C} x H x W > average > {C} > dense, ReLU > {C}/{r} > dense, sigmoid > {C}",
    prompt="A squeeze-and-excitation block weighs the {C} channels of a map: average each channel, a dense layer to "
    "{C}/{r} values, ReLU, a dense layer back to {C}, sigmoid. How many weights do its two dense layers have (W), and "
    "how many parameters does the block have with their biases (P)?",
    hint="Two matrices, one down and one up, and a bias for each neuron of both layers.",
)
def se_block_params(rng: Random) -> dict[str, Any]:
    """A squeeze-and-excitation block"""
    r = rng.choice([2, 4, 8, 16, 16])
    return dict(C=r * rng.choice([4, 6, 8, 12, 16, 24, 32, 64]), r=r)


se_block_params.mistake("one-layer", "W = C^2/r", "There are two dense layers: one down to C/r and one back up to C.")
se_block_params.mistake("divided-twice", "W = 2*C^2/r^2", "Only one side of each matrix is reduced: C times C/r.")
se_block_params.mistake("no-reduction", "W = 2*C^2", "The middle has C/r values, not C.")
se_block_params.mistake("biases-left-out", "P = W", "Each neuron of both layers has a bias: C/r and C of them.")
se_block_params.mistake("biases-of-one-layer", "P = W + C", "The first layer has biases too: C/r of them.")
se_block_params.mistake("biases-as-wide", "P = W + 2*C", "The first layer has C/r neurons, and so many biases.")
se_block_params.torch(
    """
from torchvision.ops import SqueezeExcitation

block = SqueezeExcitation(C, C // r).to("meta")  # its 1 x 1 convolutions on one pixel are dense layers
W = sum(w.numel() for w in block.parameters() if w.dim() > 1)
P = sum(w.numel() for w in block.parameters())
"""
)


@drill(
    COMPOUND_SCALING,
    tier=1,
    asks="D W R M",
    prompt="A network is scaled by EfficientNet's rule with the bases alpha = {alpha} for the depth, beta = {beta} for "
    "the width and gamma = {gamma} for the resolution. By which factors do depth (D), width (W) and resolution (R) "
    "grow at phi = {phi}, and by which factor the multiply-accumulates (M), when those of a network are proportional "
    "to depth x width^2 x resolution^2 (nothing is rounded to whole layers)?",
    hint="phi is an exponent; width counts in the channels that come in and in those that go out.",
)
def compound_scaling(rng: Random) -> dict[str, Any]:
    """Compound scaling"""
    bases = [
        (1.2, 1.1, 1.15),
        (1.3, 1.1, 1.12),
        (1.1, 1.2, 1.12),
        (1.4, 1.1, 1.08),
        (1.25, 1.15, 1.1),
        (1.5, 1.05, 1.1),
    ]
    alpha, beta, gamma = rng.choice([bases[0], *bases])
    return dict(phi=rng.randint(2, 7), alpha=alpha, beta=beta, gamma=gamma)


compound_scaling.mistake(
    "phi-as-factor",
    "D = alpha*phi; W = beta*phi; R = gamma*phi; M = alpha*beta^2*gamma^2*phi",
    "phi is an exponent: each step of it multiplies once more.",
)
compound_scaling.mistake(
    "not-squared",
    "M = (alpha*beta*gamma)^phi",
    "Width acts on the channels in and out, resolution on height and width: both count squared.",
)
compound_scaling.mistake(
    "depth-squared", "M = (alpha^2*beta^2*gamma^2)^phi", "Twice the layers are twice the work: the depth counts once."
)
compound_scaling.mistake("factors-added", "M = D + W^2 + R^2", "The three multiply one another: D times W^2 times R^2.")
compound_scaling.torch(
    """
D, W, R = (torch.cumprod(torch.full((phi,), base), dim=0)[-1] for base in (alpha, beta, gamma))
M = torch.stack([D, W, W, R, R]).prod()
"""
)
