"""Neocognitron to GoogLeNet: formulas."""

from typing import Any

from quizzes.content.shared import IN_CHANNELS, KERNEL_SIZE, OUT_CHANNELS
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Shape, Vector
from workbench.errors import UserError

LENET = Formula(
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
    title="Sizes and parameters of a LeNet-style network",
    source="LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998, section "
    "II.B, in the modern form: pooling without parameters, every filter spans all channels, a linear output layer",
    n=Int(1, 10000, "image size", unit="px"),
    c=Int(1, 1000, "number of image channels"),
    p=Int(0, 100, "padding of the first convolution", unit="px", default=0),
    f1=Int(1, 100, "kernel size of the first convolution", unit="px"),
    c1=Int(1, 10000, "number of filters of the first convolution"),
    f2=Int(1, 100, "kernel size of the second convolution", unit="px"),
    c2=Int(1, 10000, "number of filters of the second convolution"),
    u1=Int(1, 100000, "number of neurons of the first dense layer"),
    u2=Int(1, 100000, "number of neurons of the second dense layer"),
    K=Int(1, 100000, "number of classes"),
    n1=Int(1, meaning="size after the first convolution", unit="px"),
    m1=Int(1, meaning="size after the first pooling", unit="px"),
    n2=Int(1, meaning="size after the second convolution", unit="px"),
    m2=Int(1, meaning="size after the second pooling", unit="px"),
    v=Int(1, meaning="number of values after flattening"),
    P1=Int(1, meaning="number of parameters of the first convolution"),
    P2=Int(1, meaning="number of parameters of the second convolution"),
    P3=Int(1, meaning="number of parameters of the first dense layer"),
    P4=Int(1, meaning="number of parameters of the second dense layer"),
    P5=Int(1, meaning="number of parameters of the output layer"),
    P=Int(1, meaning="number of parameters of the network"),
)


LAYER_TABLE = Formula(
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
    title="Layer table of a network: missing sizes and parameters",
    source="Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016; parameters: derivation, each "
    "filter has f^2 weights per input channel and one bias",
    n=Int(1, 10000, "image size", unit="px"),
    c=Int(1, 1000, "number of image channels"),
    f1=Int(1, 100, "kernel size of the first convolution", unit="px"),
    s=Int(1, 10, "stride of the first convolution", unit="px", default=1),
    p=Int(0, 100, "padding of the first convolution", unit="px", default=0),
    c1=Int(1, 10000, "number of filters of the first convolution"),
    f2=Int(1, 100, "kernel size of the second convolution", unit="px"),
    P2=Int(1, meaning="number of parameters of the second convolution"),
    P3=Int(1, meaning="number of parameters of the dense layer"),
    n1=Int(1, meaning="size after the first convolution", unit="px"),
    P1=Int(1, meaning="number of parameters of the first convolution"),
    m1=Int(1, meaning="size after the first pooling", unit="px"),
    n2=Int(1, meaning="size after the second convolution", unit="px"),
    c2=Int(1, meaning="number of filters of the second convolution"),
    m2=Int(1, meaning="size after the second pooling", unit="px"),
    v=Int(1, meaning="number of values after flattening"),
    K=Int(1, meaning="number of neurons of the dense layer"),
    P=Int(1, meaning="number of parameters of the network"),
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


VGG = Formula(
    "vgg-layer",
    """
    P = (9*C_in + 1)*C_out
    D = (512*m^2 + 1)*4096
    """,
    title="Shape and parameters of a VGG layer",
    source="Simonyan & Zisserman, Very deep convolutional networks, 2015 (arXiv:1409.1556)",
    procedure=_vgg_layer,
    procedure_outputs="S C_in C_out m",
    n=Int(32, 2048, "size of the RGB image", unit="px", default=224),
    stages=Vector(1, 9, "number of 3x3 convolutions in each of the five stages"),
    stage=Int(1, 5, "stage of the layer, from 1"),
    i=Int(1, 9, "number of the convolution within its stage, from 1"),
    S=Shape(meaning="output shape of the convolution, as HxWxC"),
    C_in=Int(1, meaning="number of input channels of the convolution"),
    C_out=Int(1, meaning="number of filters of the convolution"),
    m=Int(1, meaning="size after the last pooling", unit="px"),
    P=Int(1, meaning="number of parameters of the convolution, with biases"),
    D=Int(1, meaning="number of parameters of the first dense layer, with biases"),
)


INCEPTION_BOTTLENECK = Formula(
    "inception-bottleneck",
    """
    A = n^2*f^2*C_in*C_out
    B = n^2*C_in*r + n^2*f^2*r*C_out
    q = A/B
    """,
    title="MACs of a convolution with and without a 1x1 reduction",
    source="Szegedy et al., Going deeper with convolutions, 2015 (arXiv:1409.4842); counts: derivation, C_in r MACs "
    "per position for the reduction, f^2 r C_out for the convolution after it",
    n=Int(1, 10000, "input and output size", unit="px"),
    f=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    r=Int(1, 100000, "number of filters of the 1x1 reduction"),
    C_out=OUT_CHANNELS,
    A=Int(1, meaning="MACs of the direct convolution"),
    B=Int(1, meaning="MACs with the 1x1 reduction, both layers"),
    q=Real(meaning="ratio A/B of the MACs"),
)


INCEPTION = Formula(
    "inception-concat",
    """
    C = n1 + n3 + n5 + n_p
    W = C_in*n1 + C_in*r3 + 9*r3*n3 + C_in*r5 + 25*r5*n5 + C_in*n_p
    """,
    title="Output channels and weights of an inception module",
    source="Szegedy et al., Going deeper with convolutions, 2015 (arXiv:1409.4842)",
    C_in=Int(1, 10000, "number of input channels"),
    n1=Int(1, 10000, "number of filters of the 1x1 branch"),
    r3=Int(1, 10000, "number of 1x1 filters before the 3x3 convolution"),
    n3=Int(1, 10000, "number of 3x3 filters"),
    r5=Int(1, 10000, "number of 1x1 filters before the 5x5 convolution"),
    n5=Int(1, 10000, "number of 5x5 filters"),
    n_p=Int(1, 10000, "number of 1x1 filters after the pooling"),
    C=Int(1, meaning="number of output channels of the module"),
    W=Int(1, meaning="number of weights of the module, without biases"),
)
