"""DenseNet, MobileNet v1/v2, EfficientNet, ConvNeXt: drills."""

from random import Random

from quizzes.content.architectures.modern_cnn.formulas import (
    COMPOUND_SCALING,
    DENSENET,
    MOBILENET_V2,
    SEPARABLE,
    SQUEEZE_EXCITATION,
)
from quizzes.drill import Inputs, Mistake, drill


@drill(
    DENSENET,
    tier=2,
    asks=("I", "B", "T"),
    visualization="flow: {k0} channels > {L} layers, growth {k} > ? channels > transition, theta {theta} > ? channels",
    prompt="A dense block has k0 = {k0} input channels, L = {L} layers and growth rate k = {k}. The input of each "
    "layer is the block's input concatenated with the outputs of all earlier layers of the block. A transition layer "
    "with compression theta = {theta} follows the block.\n"
    "How many input channels I does layer l = {l} have, how many output channels B does the block have, and how many "
    "channels T are left after the transition layer?\n"
    "Conventions: layers are numbered from 1; T is rounded down.",
    hint="Layer 1 has k0 input channels. How many channels does each further layer add to the input of the next?",
    mistakes=[
        Mistake(
            "layer-counted-itself",
            "I = k0 + k*l",
            "You counted layer l itself. Its input contains the outputs of the l - 1 layers before it, so add k (l - "
            "1).",
        ),
        Mistake(
            "added-not-concatenated",
            "I = k; B = k",
            "You added the feature maps. DenseNet concatenates them along channels, so every layer adds k channels.",
        ),
        Mistake(
            "block-input-forgotten",
            "I = k*(l - 1); B = k*L",
            "You left out the block's input. It stays part of the concatenation, so add k0.",
        ),
        Mistake(
            "last-layer-forgotten",
            "B = k0 + k*(L - 1)",
            "You counted only L - 1 layers. All L layers add k channels, so B = k0 + k L.",
        ),
        Mistake(
            "no-compression",
            "T = B",
            "You left out the compression. The transition layer reduces the B channels by the factor theta, so T = "
            "floor(theta B).",
        ),
        Mistake(
            "rounded-up",
            "T = ceil(theta*B)",
            "You rounded up. The convention here is to round down, so T = floor(theta B).",
        ),
    ],
)
def densenet_channels(rng: Random) -> Inputs:
    """Channels in a dense block"""
    L = rng.choice([4, 5, 6, 8, 12, 16, 24])
    return dict(
        k0=rng.choice([16, 24, 32, 48, 64, 65, 96, 128]),
        k=rng.choice([9, 12, 15, 24, 32, 40]),
        L=L,
        l=rng.randint(2, L - 1),
        theta=0.5,
    )


@drill(
    SEPARABLE,
    tier=2,
    asks=("W", "A", "M", "q"),
    visualization="flow: {n}x{n}x{C_in} > depthwise {f}x{f} > {n}x{n}x{C_in} > pointwise 1x1 > {n}x{n}x{C_out}",
    prompt="A depthwise separable convolution maps a feature map of size {n}x{n} from {C_in} to {C_out} channels. It "
    "is a depthwise {f}x{f} convolution (stride 1, padding that keeps the size) followed by a pointwise 1x1 "
    "convolution. W and M are its number of weights and of multiply-accumulate operations (MACs). A is the number of "
    "weights of a standard {f}x{f} convolution with the same channels.\n"
    "What are W, A, M and the ratio q = W/A?\n"
    "Conventions: no biases, no batch norm.",
    hint="A depthwise convolution has one filter per input channel. A pointwise filter has one weight per input "
    "channel.",
    mistakes=[
        Mistake(
            "depthwise-times-outputs",
            "W = f^2*C_in*C_out + C_in*C_out",
            "You multiplied the depthwise weights by the output channels. A depthwise convolution has only one "
            "filter per "
            "input channel.",
        ),
        Mistake(
            "no-pointwise",
            "W = f^2*C_in",
            "You left out the pointwise convolution. It mixes the channels, so add input channels x output channels "
            "weights.",
        ),
        Mistake(
            "no-depthwise",
            "W = C_in*C_out",
            "You left out the depthwise convolution. It has one filter per input channel, so add the weights of "
            "these filters.",
        ),
        Mistake(
            "full-without-channels",
            "A = f^2*C_out",
            "You left out the input channels. Each filter of a standard convolution spans all of them, so multiply "
            "by their "
            "number.",
        ),
        Mistake(
            "positions-left-out",
            "M = W",
            "You counted the weights. Each weight is used at every position, so multiply by height x width.",
        ),
        Mistake(
            "one-side",
            "M = W*n",
            "You multiplied by the width only. Each weight is used at every position, so multiply by height x width.",
        ),
        Mistake(
            "flops-for-macs",
            "M = 2*W*n^2",
            "You counted FLOPs. A multiplication and its addition are one MAC, so do not multiply by 2.",
        ),
        Mistake(
            "ratio-inverted",
            "q = A/W",
            "You inverted the ratio. q = W/A has the separable convolution in the numerator.",
        ),
    ],
)
def depthwise_separable(rng: Random) -> Inputs:
    """Depthwise separable convolution"""
    return dict(
        n=rng.choice([7, 14, 28, 56, 112]),
        f=rng.choice([3, 3, 3, 5]),
        C_in=rng.choice([16, 24, 32, 64, 96, 128, 256]),
        C_out=rng.choice([16, 32, 48, 64, 128, 192, 256, 512]),
    )


@drill(
    MOBILENET_V2,
    tier=2,
    asks=("E", "W", "r"),
    visualization="flow: {C} channels > 1x1 > ? channels > depthwise 3x3, stride {s} > ? channels > 1x1 > {D} channels",
    prompt="An inverted residual block of MobileNetV2 maps {C} channels to {D} with expansion factor t = {t}. It is a "
    "1x1 convolution to E channels, a depthwise 3x3 convolution with stride {s}, and a 1x1 convolution to {D} "
    "channels. Let r = 1 if the block adds its input to its output, and r = 0 if not.\n"
    "What are E, the number of weights W of the three convolutions, and r?\n"
    "Conventions: no biases, no batch norm.",
    hint="Write down input and output channels of each layer. When do the block's input and output have the same "
    "shape?",
    mistakes=[
        Mistake(
            "divided",
            "E = C/t",
            "You divided by t. In an inverted residual block the middle is wider, so multiply the input channels by t.",
        ),
        Mistake(
            "expanded-output",
            "E = t*D",
            "You expanded the output channels. The first 1x1 convolution expands the input channels, so multiply "
            "those by t.",
        ),
        Mistake(
            "depthwise-as-full",
            "W = C*E + 9*E^2 + E*D",
            "You counted a standard convolution in the middle. It is depthwise, with one 3x3 filter per channel, so "
            "it has 9 "
            "E weights.",
        ),
        Mistake(
            "depthwise-times-outputs",
            "W = C*E + 9*E*D + E*D",
            "You multiplied the depthwise weights by the output channels. The depthwise layer keeps the E channels, "
            "so it has "
            "9 E weights.",
        ),
        Mistake(
            "one-pointwise",
            "W = C*E + 9*E",
            "You left out the second 1x1 convolution. It maps the E channels to the output channels, so add its "
            "weights too.",
        ),
        Mistake(
            "shortcut-in-every-block",
            "r = 1",
            "You added a shortcut although the shapes differ. The sum needs stride 1 and equal input and output "
            "channels, so "
            "r = 0 here.",
        ),
        Mistake(
            "shortcut-never",
            "r = 0",
            "You left out the shortcut. At stride 1 with equal input and output channels, the block adds its input, "
            "so r = 1.",
        ),
    ],
)
def mobilenetv2_block(rng: Random) -> Inputs:
    """Inverted residual block of MobileNetV2"""
    C = rng.choice([16, 24, 32, 64, 96, 160])
    D = rng.choice([C, C, *(d for d in (16, 24, 32, 64, 96, 160, 320) if d > C)])
    return dict(C=C, D=D, t=rng.choice([2, 3, 4, 6, 6, 6]), s=rng.choice([1, 1, 2]))


@drill(
    SQUEEZE_EXCITATION,
    id="se-block-params",
    tier=1,
    asks=("W", "P"),
    visualization="flow: {C}xHxW > average > {C} > dense, ReLU > {C}/{r} > dense, sigmoid > {C}",
    prompt="A squeeze-and-excitation block rescales the C = {C} channels of a feature map. It averages each channel, "
    "then applies a dense layer to C/r values with the reduction ratio r = {r}, ReLU, a dense layer back to C values, "
    "and sigmoid.\n"
    "How many weights W do the two dense layers have, and how many parameters P with their biases?",
    hint="How large are the two weight matrices? Each neuron of both layers also has a bias.",
    mistakes=[
        Mistake(
            "one-layer",
            "W = C^2/r",
            "You counted one dense layer. There are two, one from C to C/r and one back, so multiply by 2.",
        ),
        Mistake(
            "divided-twice",
            "W = 2*C^2/r^2",
            "You divided both dimensions by r. Each weight matrix connects C values with C/r values, so it has C^2/r "
            "weights.",
        ),
        Mistake(
            "no-reduction",
            "W = 2*C^2",
            "You left out the reduction. The hidden layer has C/r neurons, so each matrix has C^2/r weights.",
        ),
        Mistake(
            "biases-left-out", "P = W", "You left out the biases. Each neuron of both layers has one, so add C/r + C."
        ),
        Mistake(
            "biases-of-one-layer",
            "P = W + C",
            "You counted the biases of one layer. The first layer has biases too, so add C/r more.",
        ),
        Mistake(
            "biases-as-wide",
            "P = W + 2*C",
            "You counted C biases for the first layer. It has C/r neurons, so it has C/r biases.",
        ),
    ],
)
def se_block_params(rng: Random) -> Inputs:
    """Parameters of a squeeze-and-excitation block"""
    r = rng.choice([2, 4, 8, 16, 16])
    return dict(C=r * rng.choice([4, 6, 8, 12, 16, 24, 32, 64]), r=r)


@drill(
    COMPOUND_SCALING,
    tier=1,
    asks=("D", "W", "R", "M"),
    prompt="A network is scaled by EfficientNet's compound scaling with coefficient phi = {phi}. The bases are alpha "
    "= {alpha} for depth, beta = {beta} for width and gamma = {gamma} for resolution. The MACs of the network are "
    "proportional to depth x width^2 x resolution^2.\n"
    "By which factors do depth (D), width (W), resolution (R) and MACs (M) grow?\n"
    "Conventions: layers, channels and pixels are not rounded to integers.",
    hint="phi is an exponent. Why do width and resolution enter the MACs squared?",
    mistakes=[
        Mistake(
            "phi-as-factor",
            "D = alpha*phi; W = beta*phi; R = gamma*phi; M = alpha*beta^2*gamma^2*phi",
            "You multiplied by phi. phi is an exponent, so raise each base to the power phi.",
        ),
        Mistake(
            "not-squared",
            "M = (alpha*beta*gamma)^phi",
            "You left out the squares. Width scales both input and output channels, and resolution both height and "
            "width, so "
            "square beta and gamma.",
        ),
        Mistake(
            "depth-squared",
            "M = (alpha^2*beta^2*gamma^2)^phi",
            "You squared the depth factor. Twice as many layers take twice as many MACs, so alpha is not squared.",
        ),
        Mistake(
            "factors-added",
            "M = D + W^2 + R^2",
            "You added the factors. MACs are proportional to the product, so M = D W^2 R^2.",
        ),
    ],
)
def compound_scaling(rng: Random) -> Inputs:
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
