"""Fully connected against convolutional: formulas."""

from quizzes.content.cnn.shared import PARAMETERS
from quizzes.content.shared import KERNEL_SIZE
from quizzes.formula import Formula
from quizzes.symbols import Int

FC_AFTER_FLATTEN = Formula(
    "fc-after-flatten",
    "P = (H*W*C + 1)*u",
    title="Parameters of a dense layer after flattening",
    source="derivation: each of the u neurons has one weight for each of the H W C values, and one bias",
    H=Int(1, 10000, "height of the feature map", unit="px"),
    W=Int(1, 10000, "width of the feature map", unit="px"),
    C=Int(1, meaning="number of channels of the feature map"),
    u=Int(1, meaning="number of neurons of the dense layer"),
    P=PARAMETERS,
)


FC_VS_CONV = Formula(
    "fc-vs-conv-params",
    """
    D = (H*W*C + 1)*u
    P = (f^2*C + 1)*u
    """,
    title="Parameters of a dense and a convolutional layer for the same image",
    source="derivation: a neuron has one weight for every value of the image, a filter one for every value in its "
    "window",
    H=Int(1, 10000, "height of the image", unit="px"),
    W=Int(1, 10000, "width of the image", unit="px"),
    C=Int(1, 1000, "number of channels of the image"),
    f=KERNEL_SIZE,
    u=Int(1, 100000, "number of neurons, and of filters"),
    D=Int(1, meaning="number of parameters of the dense layer, with biases"),
    P=Int(1, meaning="number of parameters of the convolution, with biases"),
)
