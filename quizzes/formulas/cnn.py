"""Convolutional networks."""

from quizzes.formulas import formula

CONV_OUT_SIZE = formula(
    "conv-out-size",
    "o = floor((n + 2p - d*(f - 1) - 1)/s) + 1",
    topic="convolution",
    title="Output side of a convolution",
    source="Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016 (arXiv:1603.07285)",
    o="int 1..; output side [px]",
    n="int 1..100000; input side [px]",
    f="int 1..100; filter side [px]",
    p="int 0..100 = 0; padding on each side [px]",
    s="int 1..100 = 1; stride",
    d="int 1..100 = 1; dilation",
)

CONV_PARAMS = formula(
    "conv-params",
    "P = (k^2*C_in/g + 1)*C_out",
    topic="convolution",
    title="Parameters of a convolution with bias",
    source="derivation: each of the C_out filters has k^2 weights for each of the C_in/g channels it sees, and "
    "one bias",
    whole="C_in/g, C_out/g",
    P="int 1..; parameters, weights and biases",
    k="int 1..100; filter side [px]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; filters, which is the number of output channels",
    g="int 1..100000 = 1; groups, each of which sees C_in/g of the input channels",
)
