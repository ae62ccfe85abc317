"""CNN architectures: the arithmetic of their blocks."""

from typing import Any

from quizzes.formulas import formula
from workbench.errors import UserError

LENET = formula(
    "lenet-trace",
    """
    n1 = n + 2*p - f1 + 1
    m1 = floor(n1/2)
    n2 = m1 - f2 + 1
    m2 = floor(n2/2)
    v = m2^2*c2
    P1 = (f1^2*c + 1)*c1
    P2 = (f2^2*c1 + 1)*c2
    P3 = (v + 1)*u1
    P4 = (u1 + 1)*u2
    P5 = (u2 + 1)*K
    P = P1 + P2 + P3 + P4 + P5
    """,
    topic="milestones",
    title="Sizes and parameters of a network of LeNet's kind",
    source="LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998, section "
    "II.B, in today's form: pooling without parameters, every filter on all channels, a linear output",
    n="int 1..10000; image side [px]",
    c="int 1..1000; image channels",
    p="int 0..100 = 0; padding of the first convolution [px]",
    f1="int 1..100; filter side of the first convolution [px]",
    c1="int 1..10000; filters of the first convolution",
    f2="int 1..100; filter side of the second convolution [px]",
    c2="int 1..10000; filters of the second convolution",
    u1="int 1..100000; neurons of the first dense layer",
    u2="int 1..100000; neurons of the second dense layer",
    K="int 1..100000; classes",
    n1="int 1..; side after the first convolution [px]",
    m1="int 1..; side after the first pooling [px]",
    n2="int 1..; side after the second convolution [px]",
    m2="int 1..; side after the second pooling [px]",
    v="int 1..; values after flattening",
    P1="int 1..; parameters of the first convolution",
    P2="int 1..; parameters of the second convolution",
    P3="int 1..; parameters of the first dense layer",
    P4="int 1..; parameters of the second dense layer",
    P5="int 1..; parameters of the output layer",
    P="int 1..; parameters of the network",
)

LAYER_TABLE = formula(
    "layer-table",
    """
    n1 = floor((n + 2*p - f1)/s) + 1
    P1 = (f1^2*c + 1)*c1
    m1 = floor(n1/2)
    n2 = m1 - f2 + 1
    c2 = P2/(f2^2*c1 + 1)
    m2 = floor(n2/2)
    v = m2^2*c2
    K = P3/(v + 1)
    P = P1 + P2 + P3
    """,
    topic="milestones",
    title="A table of a network's sizes and parameters, from what is given of it",
    source="Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016; parameters: derivation, f^2 "
    "weights for each input channel and a bias, for each filter",
    n="int 1..10000; image side [px]",
    c="int 1..1000; image channels",
    f1="int 1..100; filter side of the first convolution [px]",
    s="int 1..10 = 1; stride of the first convolution [px]",
    p="int 0..100 = 0; padding of the first convolution [px]",
    c1="int 1..10000; filters of the first convolution",
    f2="int 1..100; filter side of the second convolution [px]",
    P2="int 1..; parameters of the second convolution",
    P3="int 1..; parameters of the dense layer",
    n1="int 1..; side after the first convolution [px]",
    P1="int 1..; parameters of the first convolution",
    m1="int 1..; side after the first pooling [px]",
    n2="int 1..; side after the second convolution [px]",
    c2="int 1..; filters of the second convolution",
    m2="int 1..; side after the second pooling [px]",
    v="int 1..; values after flattening",
    K="int 1..; neurons of the dense layer",
    P="int 1..; parameters of the network",
)

VGG_WIDTHS = [64, 128, 256, 512, 512]


def _vgg_layer(n: int, stages: list[int], stage: int, i: int) -> dict[str, Any]:
    if len(stages) != 5 or any(k != int(k) for k in stages):
        raise UserError("stages has five whole numbers: how many convolutions each stage has.")
    if i > stages[stage - 1]:
        raise UserError(f"Stage {stage} has {stages[stage - 1]} convolutions: i is at most that.")
    side = n // 2 ** (stage - 1)
    C_out = VGG_WIDTHS[stage - 1]
    C_in = C_out if i > 1 else [3, *VGG_WIDTHS][stage - 1]
    return {"S": [side, side, C_out], "C_in": C_in, "C_out": C_out, "m": n // 2**5}


VGG = formula(
    "vgg-layer",
    """
    P = (9*C_in + 1)*C_out
    D = (512*m^2 + 1)*4096
    """,
    topic="milestones",
    title="A layer of VGG: its shape and its parameters",
    source="Simonyan & Zisserman, Very deep convolutional networks, 2015 (arXiv:1409.1556)",
    procedure=_vgg_layer,
    procedure_outputs="S C_in C_out m",
    n="int 32..2048 = 224; side of the RGB image [px]",
    stages="vector 1..9; 3 x 3 convolutions in each of the five stages",
    stage="int 1..5; stage of the layer",
    i="int 1..9; the layer's number within its stage",
    S="shape; output of the layer, height x width x depth",
    C_in="int 1..; input channels of the layer",
    C_out="int 1..; filters of the layer",
    m="int 1..; side after the last pooling [px]",
    P="int 1..; parameters of the layer, with biases",
    D="int 1..; parameters of the first dense layer, with biases",
)

INCEPTION_BOTTLENECK = formula(
    "inception-bottleneck",
    """
    A = n^2*f^2*C_in*C_out
    B = n^2*C_in*r + n^2*f^2*r*C_out
    q = A/B
    """,
    topic="milestones",
    title="A convolution with and without a 1 x 1 reduction before it",
    source="Szegedy et al., Going deeper with convolutions, 2015 (arXiv:1409.4842); counts: derivation, "
    "C_in r products a position for the reduction, f^2 r C_out for the filters after it",
    n="int 1..10000; side of the map, which both ways keep [px]",
    f="int 1..100; filter side [px]",
    C_in="int 1..100000; input channels",
    r="int 1..100000; filters of the 1 x 1 reduction",
    C_out="int 1..100000; output channels",
    A="int 1..; multiply-accumulates of the f x f convolution alone",
    B="int 1..; multiply-accumulates with the reduction before it, both layers",
    q="real; how many times fewer they are with the reduction, A over B",
)

INCEPTION = formula(
    "inception-concat",
    """
    C = n1 + n3 + n5 + n_p
    W = C_in*n1 + C_in*r3 + 9*r3*n3 + C_in*r5 + 25*r5*n5 + C_in*n_p
    """,
    topic="milestones",
    title="An inception module: output channels and weights",
    source="Szegedy et al., Going deeper with convolutions, 2015 (arXiv:1409.4842)",
    C_in="int 1..10000; input channels",
    n1="int 1..10000; filters of the 1 x 1 branch",
    r3="int 1..10000; 1 x 1 filters before the 3 x 3",
    n3="int 1..10000; 3 x 3 filters",
    r5="int 1..10000; 1 x 1 filters before the 5 x 5",
    n5="int 1..10000; 5 x 5 filters",
    n_p="int 1..10000; 1 x 1 filters after the pooling of the pooling branch",
    C="int 1..; output channels of the module",
    W="int 1..; weights of the module, without biases",
)


def _residual_shape(n: int, C_in: int, C_out: int, s: int) -> dict[str, Any]:
    side = (n - 1) // s + 1
    return {"S": [side, side, C_out]}


RESNET_BLOCK = formula(
    "resnet-block",
    """
    P = min(1, abs(C_in - C_out) + s - 1)*C_in*C_out
    W = 9*C_in*C_out + 9*C_out^2
    """,
    topic="resnet",
    title="A residual block; its shortcut is a 1 x 1 convolution where the shape changes, and else the identity",
    source="He, Zhang, Ren & Sun, Deep residual learning for image recognition, 2016 (arXiv:1512.03385): "
    "the projection shortcut",
    procedure=_residual_shape,
    procedure_outputs="S",
    n="int 1..10000; side of the input [px]",
    C_in="int 1..100000; channels of the input",
    C_out="int 1..100000; channels of the output",
    s="int 1..4 = 1; stride of the first convolution and of the shortcut",
    S="shape; output of the block, height x width x depth",
    P="int 0..; weights of the shortcut",
    W="int 1..; weights of the two 3 x 3 convolutions",
)

RESNET_BOTTLENECK = formula(
    "resnet-bottleneck",
    """
    B = C*c + 9*c^2 + c*C
    A = 2*9*C^2
    q = A/B
    """,
    topic="resnet",
    title="A bottleneck block against a basic block",
    source="He, Zhang, Ren & Sun, Deep residual learning for image recognition, 2016 (arXiv:1512.03385)",
    C="int 1..100000; channels in and out of the block",
    c="int 1..100000; channels inside the bottleneck",
    B="int 1..; weights of the bottleneck: 1 x 1 down, 3 x 3, 1 x 1 up",
    A="int 1..; weights of a basic block with two 3 x 3 convolutions at C channels",
    q="real; how many times as many weights the basic block has, A over B",
)

RESIDUAL_GRADIENT = formula(
    "residual-gradient",
    """
    y1 = x + a*x^2
    y2 = y1 + b*y1^2
    g1 = 1 + 2*a*x
    g2 = 1 + 2*b*y1
    g = g1*g2
    """,
    topic="resnet",
    title="Two residual blocks of one number, forward and backward",
    source="derivation: d(F(x) + x)/dx = F'(x) + 1, here with F(x) = a x^2 and F(y) = b y^2; the chain rule multiplies",
    x="real; what comes in",
    a="real; factor of the first block",
    b="real; factor of the second block",
    y1="real; output of the first block",
    y2="real; output of the second block",
    g1="real; slope of the first block",
    g2="real; slope of the second block",
    g="real; derivative of y2 with respect to x",
)

RESIDUAL_DEPTH = formula(
    "residual-depth",
    """
    Q = prod(i, d[i])
    R = prod(i, 1 + d[i])
    """,
    topic="resnet",
    title="The gradient through many blocks, without and with shortcuts",
    source="derivation: d(F(x) + x)/dx = F'(x) + 1 at every block, and the chain rule multiplies the blocks",
    d="vector; derivative of each block's F",
    Q="real; gradient through the layers y = F(x)",
    R="real; gradient through the blocks y = F(x) + x",
)

DENSENET = formula(
    "densenet-channels",
    """
    I = k0 + k*(l - 1)
    B = k0 + k*L
    T = floor(theta*B)
    """,
    topic="modern-cnn",
    title="Channels in a dense block",
    source="Huang, Liu, van der Maaten & Weinberger, Densely connected convolutional networks, 2017 "
    "(arXiv:1608.06993), growth rate and compression",
    k0="int 1..10000; channels that enter the block",
    k="int 1..1000; growth rate: channels that every layer adds",
    L="int 1..1000; layers of the block",
    l="int 1..1000; number of a layer, from 1",
    theta="real 0.01..1 = 0.5; compression of the transition",
    I="int 1..; input channels of layer l",
    B="int 1..; channels at the end of the block",
    T="int 1..; channels after the transition",
)

SEPARABLE = formula(
    "depthwise-separable",
    """
    W = f^2*C_in + C_in*C_out
    A = f^2*C_in*C_out
    M = W*n^2
    q = W/A
    """,
    topic="modern-cnn",
    title="A depthwise separable against a full convolution",
    source="Howard et al., MobileNets, 2017 (arXiv:1704.04861)",
    n="int 1..10000; side of the map, which the layer keeps [px]",
    f="int 1..100; filter side [px]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; output channels",
    W="int 1..; weights of the depthwise and the pointwise convolution together",
    A="int 1..; weights of the full convolution",
    M="int 1..; multiply-accumulates of the separable convolution",
    q="real; share of the full convolution's weights that the separable one has",
)

MOBILENET_V2 = formula(
    "mobilenetv2-block",
    """
    E = t*C
    W = C*E + 9*E + E*D
    r = 1 - min(1, abs(C - D) + s - 1)
    """,
    topic="modern-cnn",
    title="An inverted residual block of MobileNet v2",
    source="Sandler, Howard, Zhu, Zhmoginov & Chen, MobileNetV2, 2018 (arXiv:1801.04381)",
    C="int 1..10000; input channels",
    D="int 1..10000; output channels",
    t="int 2..100 = 6; expansion factor",
    s="int 1..2 = 1; stride of the depthwise convolution",
    E="int 1..; channels of the expanded map",
    W="int 1..; weights of the three convolutions",
    r="int 0..1; shortcut: 1 where the block adds its input to its output, 0 where it doesn't",
)

SQUEEZE_EXCITATION = formula(
    "se-block",
    """
    W = 2*C^2/r
    P = W + C/r + C
    """,
    topic="modern-cnn",
    title="Parameters of a squeeze-and-excitation block",
    source="Hu, Shen & Sun, Squeeze-and-excitation networks, 2018 (arXiv:1709.01507): two dense layers, "
    "from C to C/r and back",
    integer_constraints="C/r",
    C="int 1..100000; channels of the map",
    r="int 1..1000 = 16; reduction ratio",
    W="int 1..; weights of its two dense layers",
    P="int 1..; parameters with the biases of both layers",
)

COMPOUND_SCALING = formula(
    "compound-scaling",
    """
    D = alpha^phi
    W = beta^phi
    R = gamma^phi
    M = (alpha*beta^2*gamma^2)^phi
    """,
    topic="modern-cnn",
    title="EfficientNet's compound scaling",
    source="Tan & Le, EfficientNet, 2019 (arXiv:1905.11946)",
    phi="int 0..20; compound coefficient",
    alpha="real 1..10 = 1.2; base of the depth",
    beta="real 1..10 = 1.1; base of the width",
    gamma="real 1..10 = 1.15; base of the resolution",
    D="real; factor of the depth",
    W="real; factor of the width",
    R="real; factor of the resolution",
    M="real; factor of the multiply-accumulates",
)
