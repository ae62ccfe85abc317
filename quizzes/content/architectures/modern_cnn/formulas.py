"""DenseNet, MobileNet v1/v2, EfficientNet, ConvNeXt: formulas."""

from quizzes.content.shared import IN_CHANNELS, KERNEL_SIZE, OUT_CHANNELS
from quizzes.formula import Formula
from quizzes.symbols import Int, Real

DENSENET = Formula(
    "densenet-channels",
    """
    I = k0 + k*(l - 1)
    B = k0 + k*L
    T = floor(theta*B)
    """,
    title="Channels in a dense block",
    source="Huang, Liu, van der Maaten & Weinberger, Densely connected convolutional networks, 2017 "
    "(arXiv:1608.06993), growth rate and compression",
    k0=Int(1, 10000, "number of input channels of the block"),
    k=Int(1, 1000, "growth rate, the number of channels that each layer adds"),
    L=Int(1, 1000, "number of layers in the block"),
    l=Int(1, 1000, "layer number, from 1"),
    theta=Real(0.01, 1, "compression of the transition layer", default=0.5),
    I=Int(1, meaning="number of input channels of layer l"),
    B=Int(1, meaning="number of output channels of the block"),
    T=Int(1, meaning="number of channels after the transition layer"),
)


SEPARABLE = Formula(
    "depthwise-separable",
    """
    W = f^2*C_in + C_in*C_out
    A = f^2*C_in*C_out
    M = W*n^2
    q = W/A
    """,
    title="Depthwise separable convolution compared with a standard convolution",
    source="Howard et al., MobileNets, 2017 (arXiv:1704.04861)",
    n=Int(1, 10000, "input and output size", unit="px"),
    f=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    W=Int(1, meaning="number of weights of the depthwise and pointwise convolutions together"),
    A=Int(1, meaning="number of weights of the standard convolution"),
    M=Int(1, meaning="MACs of the separable convolution"),
    q=Real(meaning="ratio W/A of the weights"),
)


MOBILENET_V2 = Formula(
    "mobilenetv2-block",
    """
    E = t*C
    W = C*E + 9*E + E*D
    r = where(C = D and s = 1, 1, 0)
    """,
    title="Inverted residual block of MobileNetV2",
    source="Sandler, Howard, Zhu, Zhmoginov & Chen, MobileNetV2, 2018 (arXiv:1801.04381)",
    C=Int(1, 10000, "number of input channels"),
    D=Int(1, 10000, "number of output channels"),
    t=Int(2, 100, "expansion factor", default=6),
    s=Int(1, 2, "stride of the depthwise convolution", default=1),
    E=Int(1, meaning="number of channels after the expansion"),
    W=Int(1, meaning="number of weights of the three convolutions"),
    r=Int(0, 1, "shortcut: 1 if the block adds its input to its output, 0 if not"),
)


SQUEEZE_EXCITATION = Formula(
    "se-block",
    """
    W = 2*C^2/r
    P = W + C/r + C
    """,
    title="Parameters of a squeeze-and-excitation block",
    source="Hu, Shen & Sun, Squeeze-and-excitation networks, 2018 (arXiv:1709.01507): two dense layers, from C to C/r "
    "and back",
    integer_constraints="C/r",
    C=Int(1, 100000, "number of channels of the feature map"),
    r=Int(1, 1000, "reduction ratio", default=16),
    W=Int(1, meaning="number of weights of the two dense layers"),
    P=Int(1, meaning="number of parameters, weights and biases"),
)


COMPOUND_SCALING = Formula(
    "compound-scaling",
    """
    D = alpha^phi
    W = beta^phi
    R = gamma^phi
    M = (alpha*beta^2*gamma^2)^phi
    """,
    title="EfficientNet's compound scaling",
    source="Tan & Le, EfficientNet, 2019 (arXiv:1905.11946)",
    phi=Int(0, 20, "compound coefficient"),
    alpha=Real(1, 10, "base for depth", default=1.2),
    beta=Real(1, 10, "base for width", default=1.1),
    gamma=Real(1, 10, "base for resolution", default=1.15),
    D=Real(meaning="scaling factor for depth"),
    W=Real(meaning="scaling factor for width"),
    R=Real(meaning="scaling factor for resolution"),
    M=Real(meaning="scaling factor for MACs"),
)
