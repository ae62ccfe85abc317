"""CNN architectures: shapes, parameters and MACs of their blocks."""

from typing import Any

from quizzes.formulas import formula
from quizzes.formulas.cnn import IN_CHANNELS, KERNEL_SIZE, OUT_CHANNELS
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
    title="Sizes and parameters of a LeNet-style network",
    source="LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998, section "
    "II.B, in the modern form: pooling without parameters, every filter spans all channels, a linear output layer",
    n="int 1..10000; image size [px]",
    c="int 1..1000; number of image channels",
    p="int 0..100 = 0; padding of the first convolution [px]",
    f1="int 1..100; kernel size of the first convolution [px]",
    c1="int 1..10000; number of filters of the first convolution",
    f2="int 1..100; kernel size of the second convolution [px]",
    c2="int 1..10000; number of filters of the second convolution",
    u1="int 1..100000; number of neurons of the first dense layer",
    u2="int 1..100000; number of neurons of the second dense layer",
    K="int 1..100000; number of classes",
    n1="int 1..; size after the first convolution [px]",
    m1="int 1..; size after the first pooling [px]",
    n2="int 1..; size after the second convolution [px]",
    m2="int 1..; size after the second pooling [px]",
    v="int 1..; number of values after flattening",
    P1="int 1..; number of parameters of the first convolution",
    P2="int 1..; number of parameters of the second convolution",
    P3="int 1..; number of parameters of the first dense layer",
    P4="int 1..; number of parameters of the second dense layer",
    P5="int 1..; number of parameters of the output layer",
    P="int 1..; number of parameters of the network",
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
    title="Layer table of a network: missing sizes and parameters",
    source="Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016; parameters: derivation, each "
    "filter has f^2 weights per input channel and one bias",
    n="int 1..10000; image size [px]",
    c="int 1..1000; number of image channels",
    f1="int 1..100; kernel size of the first convolution [px]",
    s="int 1..10 = 1; stride of the first convolution [px]",
    p="int 0..100 = 0; padding of the first convolution [px]",
    c1="int 1..10000; number of filters of the first convolution",
    f2="int 1..100; kernel size of the second convolution [px]",
    P2="int 1..; number of parameters of the second convolution",
    P3="int 1..; number of parameters of the dense layer",
    n1="int 1..; size after the first convolution [px]",
    P1="int 1..; number of parameters of the first convolution",
    m1="int 1..; size after the first pooling [px]",
    n2="int 1..; size after the second convolution [px]",
    c2="int 1..; number of filters of the second convolution",
    m2="int 1..; size after the second pooling [px]",
    v="int 1..; number of values after flattening",
    K="int 1..; number of neurons of the dense layer",
    P="int 1..; number of parameters of the network",
)

VGG_WIDTHS = [64, 128, 256, 512, 512]


def _vgg_layer(n: int, stages: list[int], stage: int, i: int) -> dict[str, Any]:
    if len(stages) != 5 or any(k != int(k) for k in stages):
        raise UserError("stages must have five integers: the number of convolutions in each stage.")
    if i > stages[stage - 1]:
        raise UserError(f"i must be at most {stages[stage - 1]}, the number of convolutions in stage {stage}, not {i}.")
    size = n // 2 ** (stage - 1)
    C_out = VGG_WIDTHS[stage - 1]
    C_in = C_out if i > 1 else [3, *VGG_WIDTHS][stage - 1]
    return {"S": [size, size, C_out], "C_in": C_in, "C_out": C_out, "m": n // 2**5}


VGG = formula(
    "vgg-layer",
    """
    P = (9*C_in + 1)*C_out
    D = (512*m^2 + 1)*4096
    """,
    topic="milestones",
    title="Shape and parameters of a VGG layer",
    source="Simonyan & Zisserman, Very deep convolutional networks, 2015 (arXiv:1409.1556)",
    procedure=_vgg_layer,
    procedure_outputs="S C_in C_out m",
    n="int 32..2048 = 224; size of the RGB image [px]",
    stages="vector 1..9; number of 3x3 convolutions in each of the five stages",
    stage="int 1..5; stage of the layer, from 1",
    i="int 1..9; number of the convolution within its stage, from 1",
    S="shape; output shape of the convolution, as HxWxC",
    C_in="int 1..; number of input channels of the convolution",
    C_out="int 1..; number of filters of the convolution",
    m="int 1..; size after the last pooling [px]",
    P="int 1..; number of parameters of the convolution, with biases",
    D="int 1..; number of parameters of the first dense layer, with biases",
)

INCEPTION_BOTTLENECK = formula(
    "inception-bottleneck",
    """
    A = n^2*f^2*C_in*C_out
    B = n^2*C_in*r + n^2*f^2*r*C_out
    q = A/B
    """,
    topic="milestones",
    title="MACs of a convolution with and without a 1x1 reduction",
    source="Szegedy et al., Going deeper with convolutions, 2015 (arXiv:1409.4842); counts: derivation, C_in r MACs "
    "per position for the reduction, f^2 r C_out for the convolution after it",
    n="int 1..10000; input and output size [px]",
    f=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    r="int 1..100000; number of filters of the 1x1 reduction",
    C_out=OUT_CHANNELS,
    A="int 1..; MACs of the direct convolution",
    B="int 1..; MACs with the 1x1 reduction, both layers",
    q="real; ratio A/B of the MACs",
)

INCEPTION = formula(
    "inception-concat",
    """
    C = n1 + n3 + n5 + n_p
    W = C_in*n1 + C_in*r3 + 9*r3*n3 + C_in*r5 + 25*r5*n5 + C_in*n_p
    """,
    topic="milestones",
    title="Output channels and weights of an inception module",
    source="Szegedy et al., Going deeper with convolutions, 2015 (arXiv:1409.4842)",
    C_in="int 1..10000; number of input channels",
    n1="int 1..10000; number of filters of the 1x1 branch",
    r3="int 1..10000; number of 1x1 filters before the 3x3 convolution",
    n3="int 1..10000; number of 3x3 filters",
    r5="int 1..10000; number of 1x1 filters before the 5x5 convolution",
    n5="int 1..10000; number of 5x5 filters",
    n_p="int 1..10000; number of 1x1 filters after the pooling",
    C="int 1..; number of output channels of the module",
    W="int 1..; number of weights of the module, without biases",
)


def _residual_shape(n: int, C_in: int, C_out: int, s: int) -> dict[str, Any]:
    size = (n - 1) // s + 1
    return {"S": [size, size, C_out]}


RESNET_BLOCK = formula(
    "resnet-block",
    """
    P = min(1, abs(C_in - C_out) + s - 1)*C_in*C_out
    W = 9*C_in*C_out + 9*C_out^2
    """,
    topic="resnet",
    title="Shape and weights of a residual block with a projection shortcut",
    source="He, Zhang, Ren & Sun, Deep residual learning for image recognition, 2016 (arXiv:1512.03385): projection "
    "shortcuts where the shape changes",
    conventions="""
The shortcut is the identity, without weights, if input and output have the same
shape. Otherwise it is a 1x1 convolution with stride s.
""",
    procedure=_residual_shape,
    procedure_outputs="S",
    n="int 1..10000; input size [px]",
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    s="int 1..4 = 1; stride of the first convolution and of the shortcut",
    S="shape; output shape of the block, as HxWxC",
    P="int 0..; number of weights of the shortcut",
    W="int 1..; number of weights of the two 3x3 convolutions",
)

RESNET_BOTTLENECK = formula(
    "resnet-bottleneck",
    """
    B = C*c + 9*c^2 + c*C
    A = 2*9*C^2
    q = A/B
    """,
    topic="resnet",
    title="Weights of a bottleneck block and a basic block",
    source="He, Zhang, Ren & Sun, Deep residual learning for image recognition, 2016 (arXiv:1512.03385)",
    C="int 1..100000; number of input and output channels of the block",
    c="int 1..100000; number of channels inside the bottleneck",
    B="int 1..; number of weights of the bottleneck block: 1x1, 3x3, 1x1",
    A="int 1..; number of weights of the basic block: two 3x3 convolutions with C channels",
    q="real; ratio A/B of the weights",
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
    title="Two scalar residual blocks, forward and backward pass",
    source="derivation: d(F(x) + x)/dx = F'(x) + 1, here with F(x) = a x^2 and F(y) = b y^2; the chain rule "
    "multiplies the derivatives",
    x="real; input",
    a="real; coefficient of the first block",
    b="real; coefficient of the second block",
    y1="real; output of the first block",
    y2="real; output of the second block",
    g1="real; derivative dy1/dx of the first block",
    g2="real; derivative dy2/dy1 of the second block",
    g="real; derivative dy2/dx",
)

RESIDUAL_DEPTH = formula(
    "residual-depth",
    """
    Q = prod(i, d[i])
    R = prod(i, 1 + d[i])
    """,
    topic="resnet",
    title="Gradient through several layers, without and with shortcuts",
    source="derivation: d(F(x) + x)/dx = F'(x) + 1 for each block; the chain rule multiplies the derivatives",
    d="vector; derivative of F in each layer",
    Q="real; gradient through the plain layers y = F(x)",
    R="real; gradient through the residual blocks y = F(x) + x",
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
    k0="int 1..10000; number of input channels of the block",
    k="int 1..1000; growth rate, the number of channels that each layer adds",
    L="int 1..1000; number of layers in the block",
    l="int 1..1000; layer number, from 1",
    theta="real 0.01..1 = 0.5; compression of the transition layer",
    I="int 1..; number of input channels of layer l",
    B="int 1..; number of output channels of the block",
    T="int 1..; number of channels after the transition layer",
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
    title="Depthwise separable convolution compared with a standard convolution",
    source="Howard et al., MobileNets, 2017 (arXiv:1704.04861)",
    n="int 1..10000; input and output size [px]",
    f=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    W="int 1..; number of weights of the depthwise and pointwise convolutions together",
    A="int 1..; number of weights of the standard convolution",
    M="int 1..; MACs of the separable convolution",
    q="real; ratio W/A of the weights",
)

MOBILENET_V2 = formula(
    "mobilenetv2-block",
    """
    E = t*C
    W = C*E + 9*E + E*D
    r = 1 - min(1, abs(C - D) + s - 1)
    """,
    topic="modern-cnn",
    title="Inverted residual block of MobileNetV2",
    source="Sandler, Howard, Zhu, Zhmoginov & Chen, MobileNetV2, 2018 (arXiv:1801.04381)",
    C="int 1..10000; number of input channels",
    D="int 1..10000; number of output channels",
    t="int 2..100 = 6; expansion factor",
    s="int 1..2 = 1; stride of the depthwise convolution",
    E="int 1..; number of channels after the expansion",
    W="int 1..; number of weights of the three convolutions",
    r="int 0..1; shortcut: 1 if the block adds its input to its output, 0 if not",
)

SQUEEZE_EXCITATION = formula(
    "se-block",
    """
    W = 2*C^2/r
    P = W + C/r + C
    """,
    topic="modern-cnn",
    title="Parameters of a squeeze-and-excitation block",
    source="Hu, Shen & Sun, Squeeze-and-excitation networks, 2018 (arXiv:1709.01507): two dense layers, from C to C/r "
    "and back",
    integer_constraints="C/r",
    C="int 1..100000; number of channels of the feature map",
    r="int 1..1000 = 16; reduction ratio",
    W="int 1..; number of weights of the two dense layers",
    P="int 1..; number of parameters, weights and biases",
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
    alpha="real 1..10 = 1.2; base for depth",
    beta="real 1..10 = 1.1; base for width",
    gamma="real 1..10 = 1.15; base for resolution",
    D="real; scaling factor for depth",
    W="real; scaling factor for width",
    R="real; scaling factor for resolution",
    M="real; scaling factor for MACs",
)
