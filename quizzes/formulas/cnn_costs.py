"""Convolutional networks: parameters and MACs, compared with dense layers."""

from quizzes.formulas import formula
from quizzes.formulas.cnn import IN_CHANNELS, INPUT_SIZE, KERNEL_SIZE, OUT_CHANNELS, OUTPUT_SIZE, PADDING, STRIDE

PARAMETERS = "int 1..; number of parameters, weights and biases"

CONV_PARAMS = formula(
    "conv-params",
    "P = (k^2*C_in/g + 1)*C_out",
    topic="convolution",
    title="Parameters of a convolution with bias",
    source="derivation: each of the C_out filters has k^2 weights for each of its C_in/g input channels, and one bias",
    integer_constraints="C_in/g, C_out/g",
    P=PARAMETERS,
    k=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    g="int 1..100000 = 1; number of groups, each with C_in/g input channels",
)

CONV_MACS = formula(
    "conv-macs-flops",
    """
    o = floor((n + 2p - f)/s) + 1
    MACs = f^2*C_in*C_out*o^2
    FLOPs = 2*MACs
    """,
    topic="convolution",
    title="MACs and FLOPs of a convolution",
    source="derivation: each of the C_out o^2 output values takes f^2 C_in multiplications and additions; one MAC is "
    "two operations",
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    p=PADDING,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    o=OUTPUT_SIZE,
    MACs="int 1..; multiply-accumulate operations per image, without biases",
    FLOPs="int 1..; floating-point operations per image, two per MAC",
)

GROUPED_CONV = formula(
    "grouped-conv",
    "W = f^2*C_in/g*C_out",
    topic="convolution",
    title="Weights of a grouped convolution",
    source="derivation: each of the C_out filters spans only the C_in/g input channels of its group",
    integer_constraints="C_in/g, C_out/g",
    f=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    g="int 1..100000; number of groups",
    W="int 1..; number of weights, without biases",
)

CONV_3D = formula(
    "conv3d-params",
    "P = (f_t*f^2*C_in + 1)*C_out",
    topic="convolution",
    title="Parameters of a 3-D convolution with bias",
    source="derivation: a filter has f_t f^2 weights per input channel, and one bias",
    f_t="int 1..1000; kernel size in time [frames]",
    f="int 1..100; kernel size in space [px]",
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    P=PARAMETERS,
)

CONV_1D = formula(
    "conv1d-params",
    "P = (f*C_in + 1)*C_out",
    topic="convolution",
    title="Parameters of a 1-D convolution with bias",
    source="derivation: a filter has f weights per input channel, and one bias",
    f="int 1..1000; kernel size [steps]",
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    P=PARAMETERS,
)

GAP_HEAD = formula(
    "gap-head",
    """
    P = (C + 1)*K
    D = (n^2*C + 1)*K
    """,
    topic="pooling",
    title="Linear classifier after global average pooling or flattening",
    source="derivation: pooling leaves one value per channel, flattening n^2; every class has one weight per value "
    "and one bias",
    n="int 1..10000; size of the last feature map [px]",
    C="int 1..100000; number of channels of the last feature map",
    K="int 1..100000; number of classes",
    P="int 1..; number of parameters of the linear layer after global average pooling",
    D="int 1..; number of parameters of the linear layer after flattening",
)

FC_AFTER_FLATTEN = formula(
    "fc-after-flatten",
    "P = (H*W*C + 1)*u",
    topic="fc-vs-cnn",
    title="Parameters of a dense layer after flattening",
    source="derivation: each of the u neurons has one weight for each of the H W C values, and one bias",
    H="int 1..10000; height of the feature map [px]",
    W="int 1..10000; width of the feature map [px]",
    C="int 1..; number of channels of the feature map",
    u="int 1..; number of neurons of the dense layer",
    P=PARAMETERS,
)

FC_VS_CONV = formula(
    "fc-vs-conv-params",
    """
    D = (H*W*C + 1)*u
    P = (f^2*C + 1)*u
    """,
    topic="fc-vs-cnn",
    title="Parameters of a dense and a convolutional layer for the same image",
    source="derivation: a neuron has one weight for every value of the image, a filter one for every value in its "
    "window",
    H="int 1..10000; height of the image [px]",
    W="int 1..10000; width of the image [px]",
    C="int 1..1000; number of channels of the image",
    f=KERNEL_SIZE,
    u="int 1..100000; number of neurons, and of filters",
    D="int 1..; number of parameters of the dense layer, with biases",
    P="int 1..; number of parameters of the convolution, with biases",
)

SMALL_FILTERS = formula(
    "stack-3x3-vs-5x5",
    """
    r = 2*L + 1
    W = 9*L*C^2
    B = r^2*C^2
    q = 100*(1 - W/B)
    """,
    topic="small-filters",
    title="Stack of 3x3 convolutions compared with one large kernel",
    source="Simonyan & Zisserman, Very deep convolutional networks, 2015 (arXiv:1409.1556)",
    L="int 1..100; number of 3x3 layers, all at stride 1",
    C="int 1..10000; number of input and output channels of every layer",
    r="int 1..; receptive field size of the stack [px]",
    W="int 1..; number of weights of the stack, without biases",
    B="int 1..; number of weights of one layer with kernel size r, without biases",
    q="real; weight saving of the stack [%]",
)
