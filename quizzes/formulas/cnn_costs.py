"""Convolutional networks: parameters, multiplications, and what dense layers cost beside them."""

from quizzes.formulas import formula

CONV_PARAMS = formula(
    "conv-params",
    "P = (k^2*C_in/g + 1)*C_out",
    topic="convolution",
    title="Parameters of a convolution with bias",
    source="derivation: each of the C_out filters has k^2 weights for each of the C_in/g channels it sees, and "
    "one bias",
    integer_constraints="C_in/g, C_out/g",
    P="int 1..; parameters, weights and biases",
    k="int 1..100; filter side [px]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; filters, which is the number of output channels",
    g="int 1..100000 = 1; groups, each of which sees C_in/g of the input channels",
)

CONV_MACS = formula(
    "conv-macs-flops",
    """
    o = floor((n + 2p - f)/s) + 1
    MACs = f^2*C_in*C_out*o^2
    FLOPs = 2*MACs
    """,
    topic="convolution",
    title="Multiplications of a convolution",
    source="derivation: each of the C_out o^2 outputs multiplies and adds f^2 C_in times; a MAC is two operations",
    n="int 1..100000; input side [px]",
    f="int 1..100; filter side [px]",
    s="int 1..100 = 1; stride",
    p="int 0..100 = 0; padding on each side [px]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; filters",
    o="int 1..; output side [px]",
    MACs="int 1..; multiply-accumulates of one image, biases not counted",
    FLOPs="int 1..; floating-point operations of one image, two for each MAC",
)

GROUPED_CONV = formula(
    "grouped-conv",
    "W = f^2*C_in/g*C_out",
    topic="convolution",
    title="Weights of a grouped convolution",
    source="derivation: each of the C_out filters sees the C_in/g channels of its own group only",
    integer_constraints="C_in/g, C_out/g",
    f="int 1..100; filter side [px]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; filters",
    g="int 1..100000; groups",
    W="int 1..; weights, without biases",
)

CONV_3D = formula(
    "conv3d-params",
    "P = (f_t*f^2*C_in + 1)*C_out",
    topic="convolution",
    title="Parameters of a 3-D convolution with bias",
    source="derivation: a filter has f_t f^2 weights for each input channel, and one bias",
    f_t="int 1..1000; filter length in time [frames]",
    f="int 1..100; filter side in space [px]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; filters",
    P="int 1..; parameters, weights and biases",
)

CONV_1D = formula(
    "conv1d-params",
    "P = (f*C_in + 1)*C_out",
    topic="convolution",
    title="Parameters of a 1-D convolution with bias",
    source="derivation: a filter has f weights for each input channel, and one bias",
    f="int 1..1000; filter length [steps]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; filters",
    P="int 1..; parameters, weights and biases",
)

GAP_HEAD = formula(
    "gap-head",
    """
    P = (C + 1)*K
    D = (n^2*C + 1)*K
    """,
    topic="pooling",
    title="A classifier on global average pooling, and on the flattened map",
    source="derivation: pooling leaves one value a channel, flattening n^2 of them; every class has a weight for "
    "each value and one bias",
    n="int 1..10000; side of the last map [px]",
    C="int 1..100000; channels of the last map",
    K="int 1..100000; classes",
    P="int 1..; parameters of the linear layer after global average pooling",
    D="int 1..; parameters of a linear layer on the flattened map instead",
)

FC_AFTER_FLATTEN = formula(
    "fc-after-flatten",
    "P = (H*W*C + 1)*u",
    topic="fc-vs-cnn",
    title="Parameters of a dense layer on a flattened map",
    source="derivation: each of the u neurons has a weight for each of the H W C values, and one bias",
    H="int 1..10000; height of the map [px]",
    W="int 1..10000; width of the map [px]",
    C="int 1..; channels of the map",
    u="int 1..; neurons of the dense layer",
    P="int 1..; parameters, weights and biases",
)

FC_VS_CONV = formula(
    "fc-vs-conv-params",
    """
    D = (H*W*C + 1)*u
    P = (f^2*C + 1)*u
    """,
    topic="fc-vs-cnn",
    title="Parameters of a dense and of a convolutional layer on one image",
    source="derivation: a neuron has a weight for every value of the image, a filter one for every value of its window",
    H="int 1..10000; height of the image [px]",
    W="int 1..10000; width of the image [px]",
    C="int 1..1000; channels of the image",
    f="int 1..100; filter side [px]",
    u="int 1..100000; neurons, and as many filters",
    D="int 1..; parameters of the dense layer, with biases",
    P="int 1..; parameters of the convolution, with biases",
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
    title="A stack of 3 x 3 layers against one large filter",
    source="Simonyan & Zisserman, Very deep convolutional networks, 2015 (arXiv:1409.1556)",
    L="int 1..100; 3 x 3 layers, all at stride 1",
    C="int 1..10000; channels in and out of every layer",
    r="int 1..; side of the stack's receptive field [px]",
    W="int 1..; weights of the stack, without biases",
    B="int 1..; weights of one layer of r x r filters, without biases",
    q="real; what the stack saves of the single layer's weights [%]",
)
