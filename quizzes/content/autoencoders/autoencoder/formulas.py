"""Encoder, latent space, decoder: formulas."""

from quizzes.answer_symbols import Choice
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector
from workbench.errors import UserError

WIDTHS = Vector(1, meaning="widths of all layers, from the input through the code to the output")

PARAMETERS = Int(meaning="number of parameters, with biases")


AE_PARAMS = Formula(
    "ae-params",
    """
    P = sum(l = 1..len(n) - 1, (n[l] + 1)*n[l + 1])
    r = n[1]/min(n)
    """,
    title="Parameters and compression of an autoencoder",
    source="derivation: a dense layer from a to b units has a b weights and b biases; the code is the narrowest layer",
    n=WIDTHS,
    P=PARAMETERS,
    r=Real(meaning="input size divided by code size"),
)


def _count_encoder_layers(n: list[int]) -> dict[str, int]:
    if len(n) % 2 == 0 or n != n[::-1]:
        raise UserError("Tied weights need a decoder that mirrors the encoder: write n as [784, 128, 32, 128, 784].")
    return {"k": len(n) // 2}


AE_PARAMS_TIED = Formula(
    "ae-params-tied",
    """
    W = sum(l = 1..k, n[l]*n[l + 1])
    b = sum(l = 2..len(n), n[l])
    P = 2W + b
    P_tied = W + b
    """,
    title="Parameters of an autoencoder with tied weights",
    source="derivation: a decoder layer with tied weights uses the transposed weights of an encoder layer, and has "
    "biases that are not shared",
    procedure=_count_encoder_layers,
    procedure_outputs="k",
    n=WIDTHS,
    k=Int(meaning="number of encoder layers"),
    W=Int(meaning="number of weights of the encoder"),
    b=Int(meaning="number of biases of all layers"),
    P=PARAMETERS,
    P_tied=Int(meaning="number of parameters if the decoder uses the transposed weights of the encoder"),
)


AE_CODE_BUDGET = Formula(
    "ae-code-budget",
    """
    c = floor((M - n)/(2n + 1))
    P = (2n + 1)*c + n
    """,
    title="Largest code of an autoencoder with one hidden layer and a parameter budget",
    source="derivation: the encoder has n c weights and c biases, the decoder c n weights and n biases, so the number "
    "of parameters is (2n + 1) c + n",
    n=Int(1, 100000, "input size"),
    M=Int(1, 1000000000, "parameter budget"),
    c=Int(0, meaning="largest code size within the budget"),
    P=PARAMETERS,
)


TIED_LINEAR = Formula(
    "tied-linear-ae",
    """
    z = a*x1 + b*x2
    r1 = x1 - a*z
    r2 = x2 - b*z
    g_a = -2*z*r1 - 2*x1*(a*r1 + b*r2)
    g_b = -2*z*r2 - 2*x2*(a*r1 + b*r2)
    """,
    title="Gradient of a linear autoencoder with tied weights",
    source="derivation: each weight occurs in the decoder (x_hat = w z) and in the encoder (z = w . x), and its "
    "gradient is the sum over both",
    x1=Int(-9, 9, "first input"),
    x2=Int(-9, 9, "second input"),
    a=Real(-2, 2, "weight of x1"),
    b=Real(-2, 2, "weight of x2"),
    z=Real(meaning="code"),
    r1=Real(meaning="first residual x1 - x_hat1"),
    r2=Real(meaning="second residual x2 - x_hat2"),
    g_a=Real(meaning="derivative of the loss with respect to a"),
    g_b=Real(meaning="derivative of the loss with respect to b"),
)


BOTTLENECK_CHOICE = Formula(
    "bottleneck-choice",
    """
    R[j] = sum(i, lam[i]*[i > j]) for j = 1..len(lam)
    k = 1 + sum(j, [R[j] > e])
    err = R[k]
    shorter = where(m < k, 1, where(m = k, 3, 2))
    """,
    title="Code size of a linear and a nonlinear autoencoder",
    source="derivation: the best linear autoencoder projects on the first principal components (Eckart-Young), so its "
    "squared error per sample is the sum of the remaining eigenvalues; Baldi & Hornik, Neural Networks 1989",
    conventions="The eigenvalues are sorted from the largest to the smallest, and their sum is above e.",
    lam=Vector(0, meaning="eigenvalues of the covariance matrix, the largest first"),
    e=Real(0, meaning="squared error per sample of the nonlinear autoencoder"),
    m=Int(1, 1000, "code size of the nonlinear autoencoder"),
    R=Vector(meaning="squared error per sample of the best linear autoencoder with code size 1, 2, ..."),
    k=Int(meaning="smallest code size of a linear autoencoder with an error of at most e"),
    err=Real(meaning="squared error per sample of that linear autoencoder"),
    shorter=Choice(
        meaning="autoencoder with the shorter code",
        options=dict(nonlinear="the nonlinear one", linear="the linear one", neither="both codes have the same size"),
        supported_by="k",
    ),
)


ANOMALY_AUC = Formula(
    "anomaly-auc",
    """
    A1 = sum(i, sum(j, [f1[i] > n1[j]] + [f1[i] = n1[j]]/2))/(len(f1)*len(n1))
    A2 = sum(i, sum(j, [f2[i] > n2[j]] + [f2[i] = n2[j]]/2))/(len(f2)*len(n2))
    better = where(A1 > A2, 1, 2)
    """,
    title="Fault detection by the reconstruction errors of two autoencoders",
    source="derivation: the AUC is the fraction of pairs of a faulty and a normal part in which the faulty one has the "
    "larger error, with a tie counted as one half",
    c1=Int(1, 1000, "code size of the first autoencoder"),
    c2=Int(1, 1000, "code size of the second autoencoder"),
    n1=Vector(0, meaning="errors of the first autoencoder on normal parts"),
    f1=Vector(0, meaning="errors of the first autoencoder on faulty parts"),
    n2=Vector(0, meaning="errors of the second autoencoder on normal parts"),
    f2=Vector(0, meaning="errors of the second autoencoder on faulty parts"),
    A1=Real(0, 1, "AUC of the first autoencoder"),
    A2=Real(0, 1, "AUC of the second autoencoder"),
    better=Choice(
        meaning="better fault detector",
        options=dict(
            small="code size {c1}: the code of size {c2} also reconstructs faults",
            large="code size {c2}: the code of size {c1} fails on normal parts too",
        ),
        supported_by="A1 A2",
    ),
)


CONV_AUTOENCODER = Formula(
    "conv-autoencoder",
    """
    F = c2*(n/4)^2
    P = 10*c1 + (9*c1 + 1)*c2 + (F + 1)*d + (d + 1)*F + (9*c2 + 1)*c1 + 9*c1 + 1
    o0 = 2*(2*(n/4 - 1) - 2 + 3 - 1) - 2 + 3
    o1 = 2*(2*(n/4 - 1) - 2 + 3 + 1 - 1) - 2 + 3 + 1
    r = n^2/d
    M = B*c1*(n/2)^2*4/1024
    """,
    title="Convolutional autoencoder with two strided convolutions",
    source="derivation: a 3x3 convolution with stride 2 and padding 1 halves an even size; the transposed one has the "
    "output size 2(n - 1) - 2 + 3 + output padding (PyTorch documentation, torch.nn.ConvTranspose2d)",
    conventions="""
Encoder on 1 x n x n: 3x3 convolutions to c1 and c2 channels (stride 2, padding
1), flatten, linear to d. Decoder: linear back, then 3x3 transposed convolutions
to c1 channels and 1 channel (stride 2, padding 1). All layers have biases.
""",
    integer_constraints="n/4",
    n=Int(4, 1024, "input size", unit="px"),
    c1=Int(1, 512, "channels after the first convolution"),
    c2=Int(1, 512, "channels after the second convolution"),
    d=Int(1, 4096, "code size"),
    B=Int(1, 4096, "batch size", default=1),
    F=Int(meaning="flattened size"),
    P=Int(meaning="number of parameters of encoder and decoder"),
    o0=Int(meaning="output size with output padding 0 in both transposed convolutions", unit="px"),
    o1=Int(meaning="output size with output padding 1 in both transposed convolutions", unit="px"),
    r=Real(meaning="input size over code size"),
    M=Real(meaning="memory of the first feature map for the batch, in float32", unit="KiB"),
)
