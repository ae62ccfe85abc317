"""Masked autoencoder: formulas."""

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.content.vision_transformers.shared import (
    BLOCK_SOURCE,
    CHANNELS,
    IMAGE,
    LAYER_COST_SOURCE,
    LAYERS,
    MAC_COUNTS,
    PATCH,
    WIDTH,
)
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector
from workbench.errors import UserError

MAE_SOURCE = "He et al., Masked Autoencoders Are Scalable Vision Learners, 2021 (arXiv:2111.06377)"

PATCHES = Int(1, 1000000, "number of patches")

RATIO = Real(0, 1, "mask ratio: share of the patches that are masked")


def _check_ratio(r: Value, **_: Value) -> dict[str, int]:
    if not 0 < r < 1:
        raise UserError(
            "The mask ratio r must be between 0 and 1: the encoder needs visible patches, the loss masked ones."
        )
    return {"cls": 1}


MAE_TOKENS = Formula(
    "mae-tokens",
    """
    N = (image/patch)^2
    v = floor(N*(1 - r))
    m = N - v
    enc = v + cls
    dec = N + cls
    """,
    title="Tokens of a masked autoencoder",
    source=f"{MAE_SOURCE}, section 3",
    conventions="The number of visible patches is rounded down. Encoder and decoder also have a class token.",
    procedure=_check_ratio,
    procedure_outputs="cls",
    integer_constraints="image/patch",
    image=IMAGE,
    patch=PATCH,
    r=RATIO,
    cls=Int(meaning="number of class tokens"),
    N=Int(meaning="number of patches"),
    v=Int(meaning="number of visible patches"),
    m=Int(meaning="number of masked patches, which the loss is computed on"),
    enc=Int(meaning="tokens of the encoder"),
    dec=Int(meaning="tokens of the decoder"),
)


MAE_VISIBLE = Formula(
    "mae-visible",
    "v = N*(1 - r)",
    title="Visible patches of a masked autoencoder",
    source=f"{MAE_SOURCE}, section 3",
    N=Int(1, meaning="number of patches"),
    r=Real(0, 1, "mask ratio: share of the patches that are masked"),
    v=Int(meaning="number of visible patches"),
)


MAE_LOSS = Formula(
    "mae-loss",
    """
    count = sum(i, mask[i])
    L = sum(i, mask[i]*err[i])/count
    """,
    title="Loss of a masked autoencoder",
    source=f"{MAE_SOURCE}, section 3: the mean squared error between reconstructed and original pixels of masked "
    f"patches",
    err=Vector(0, meaning="mean squared error of each patch"),
    mask=Vector(0, 1, "1 for a masked patch, 0 for a visible one"),
    count=Int(meaning="number of masked patches"),
    L=Real(0, meaning="loss"),
)


MAE_TARGET = Formula(
    "mae-target",
    """
    mu = mean(i, x[i])
    var = sum(i, (x[i] - mu)^2)/(len(x) - 1)
    t[i] = (x[i] - mu)/sqrt(var + eps)
    L = mean(i, (y[i] - t[i])^2)
    """,
    title="Normalized pixels as the target of a masked autoencoder",
    source=f"{MAE_SOURCE}, section 3: each patch is normalized by its mean and standard deviation; the official code "
    "divides the variance by the number of pixels minus 1, and adds 1e-6",
    x=Vector(meaning="pixels of a masked patch"),
    y=Vector(meaning="output of the decoder for the patch"),
    eps=Real(0, 1, "number that is added to the variance", default=0),
    mu=Real(meaning="mean of the patch"),
    var=Real(meaning="variance of the patch"),
    t=Vector(meaning="normalized pixels"),
    L=Real(0, meaning="loss of the patch"),
)


def _shuffle(noise: list[Value], k: int) -> dict[str, list[int]]:
    if not 0 < k < len(noise):
        raise UserError(f"k must be from 1 to {len(noise) - 1}: at least one patch is visible, and one is masked.")
    order = sorted(range(len(noise)), key=lambda i: noise[i])
    rank = [order.index(i) for i in range(len(noise))]
    return {"keep": order[:k], "restore": rank, "mask": [int(place >= k) for place in rank]}


MAE_SHUFFLE = Formula(
    "mae-shuffle",
    "",
    title="Random masking by sorting noise",
    source=f"{MAE_SOURCE}, section 3, simple implementation: shuffle the tokens, keep the first ones, and unshuffle "
    f"the "
    "list with mask tokens appended; the official code sorts uniform noise",
    conventions="Patches are numbered from 0. The patches with the smallest noise stay visible.",
    procedure=_shuffle,
    procedure_outputs="keep restore mask",
    noise=Vector(0, 1, "noise, one number per patch"),
    k=Int(1, 100000, "number of visible patches"),
    keep=Vector(meaning="visible patches, by increasing noise"),
    restore=Vector(meaning="position of each patch in the shuffled list"),
    mask=Vector(meaning="1 for a masked patch, 0 for a visible one"),
)


MAE_COST = Formula(
    "mae-cost",
    """
    v = floor(N*(1 - r))
    encoder = L*(12*v*d^2 + 2*v^2*d)
    decoder = L_dec*(12*N*d_dec^2 + 2*N^2*d_dec)
    total = encoder + decoder
    full = L*(12*N*d^2 + 2*N^2*d)
    speedup = full/total
    """,
    title="MACs of a masked autoencoder",
    source=f"{MAE_SOURCE}, section 3; {LAYER_COST_SOURCE}",
    conventions=f"{MAC_COUNTS} Blocks with an MLP ratio of 4, without class tokens.",
    N=PATCHES,
    r=RATIO,
    d=Int(1, 100000, "width of the encoder", default=768),
    L=Int(1, 1000, "number of encoder blocks", default=12),
    d_dec=Int(1, 100000, "width of the decoder", default=512),
    L_dec=Int(1, 1000, "number of decoder blocks", default=8),
    v=Int(meaning="number of visible patches"),
    encoder=Int(meaning="MACs of the encoder on visible patches"),
    decoder=Int(meaning="MACs of the decoder on all patches"),
    total=Int(meaning="MACs of encoder and decoder"),
    full=Int(meaning="MACs of the encoder alone on all patches"),
    speedup=Real(meaning="how much cheaper the masked autoencoder is than the encoder on all patches"),
)


MAE_MACS = Formula(
    "mae-macs",
    """
    N = (image/patch)^2
    v = floor(N*(1 - r))
    embedding = N*patch^2*channels*width
    encoder = layers*(12*(v + 1)*width^2 + 2*(v + 1)^2*width)
    embed = (v + 1)*width*width_dec
    decoder = layers_dec*(12*(N + 1)*width_dec^2 + 2*(N + 1)^2*width_dec)
    head = (N + 1)*width_dec*patch^2*channels
    M = embedding + encoder + embed + decoder + head
    FLOPs = 2M
    """,
    title="MACs and FLOPs of a masked autoencoder with class token",
    source=f"{MAE_SOURCE}, section 3; {LAYER_COST_SOURCE}",
    conventions=f"{MAC_COUNTS} All patches are embedded before masking, as in the official code.",
    integer_constraints="image/patch",
    image=IMAGE,
    patch=PATCH,
    width=WIDTH,
    layers=LAYERS,
    r=Real(0, 1, "mask ratio", default=0.75),
    width_dec=Int(1, 100000, "width of the decoder", default=512),
    layers_dec=Int(1, 1000, "number of decoder blocks", default=8),
    channels=CHANNELS,
    N=Int(meaning="number of patches"),
    v=Int(meaning="number of visible patches"),
    embedding=Int(meaning="MACs of the patch embedding"),
    encoder=Int(meaning="MACs of the blocks of the encoder"),
    embed=Int(meaning="MACs of the layer from the encoder's width to the decoder's"),
    decoder=Int(meaning="MACs of the blocks of the decoder"),
    head=Int(meaning="MACs of the layer that outputs the pixels"),
    M=Int(meaning="MACs for one image"),
    FLOPs=Int(meaning="FLOPs for one image"),
)


RATIOS = {"r1": "25% of the patches", "r2": "50% of the patches", "r3": "75% of the patches"}

MAE_RATIO = Formula(
    "mae-ratio",
    """
    M1 = (L*(12*(N*3/4)*d^2 + 2*(N*3/4)^2*d) + L_dec*(12*N*d_dec^2 + 2*N^2*d_dec))/10^9
    M2 = (L*(12*(N*2/4)*d^2 + 2*(N*2/4)^2*d) + L_dec*(12*N*d_dec^2 + 2*N^2*d_dec))/10^9
    M3 = (L*(12*(N*1/4)*d^2 + 2*(N*1/4)^2*d) + L_dec*(12*N*d_dec^2 + 2*N^2*d_dec))/10^9
    best = where(M1 <= budget, 1, where(M2 <= budget, 2, 3))
    cost = where(M1 <= budget, M1, where(M2 <= budget, M2, M3))
    speedup = L*(12*N*d^2 + 2*N^2*d)/(10^9*cost)
    """,
    title="Smallest mask ratio within a budget",
    source=f"{MAE_SOURCE}; {LAYER_COST_SOURCE}",
    conventions="Mask ratios of 25%, 50% and 75%, of which the last fits; blocks with an MLP ratio of 4, no class "
    "token.",
    integer_constraints="N/4",
    N=PATCHES,
    d=Int(1, 10000, "width of the encoder"),
    L=Int(1, 100, "number of encoder blocks"),
    d_dec=Int(1, 10000, "width of the decoder"),
    L_dec=Int(1, 100, "number of decoder blocks"),
    budget=Real(0, meaning="budget", unit="GMACs"),
    M1=Real(meaning="cost with 25%", unit="GMACs"),
    M2=Real(meaning="cost with 50%", unit="GMACs"),
    M3=Real(meaning="cost with 75%", unit="GMACs"),
    best=Choice(meaning="smallest share to mask within the budget", options=RATIOS, supported_by="cost"),
    cost=Real(meaning="its cost", unit="GMACs"),
    speedup=Real(meaning="how much cheaper it is than the encoder alone on all patches"),
)


MAE_SPEEDUP = Formula(
    "mae-speedup",
    """
    S = (6*d + N)/((1 - r)*(6*d + (1 - r)*N))
    S_3 = (6*d + N)/(1/4*(6*d + N/4))
    """,
    title="Speedup of an encoder by masking",
    source=f"{LAYER_COST_SOURCE}; derivation: with v = (1 - r) N visible patches, divide 12 N d^2 + 2 N^2 d by 12 v "
    f"d^2 + "
    "2 v^2 d, and both by 2d",
    N=Int(1, 100000, "number of patches"),
    d=Int(1, 100000, "width of a token"),
    r=Real(0, 0.9, "mask ratio"),
    S=Real(meaning="speedup as a function of r"),
    S_3=Real(meaning="speedup for r = 3/4"),
)


MAE_PARAMS = Formula(
    "mae-params",
    """
    N = (image/patch)^2
    pixels = patch^2*channels
    encoder = pixels*width + width + (N + 2)*width + layers*(12*width^2 + 13*width) + 2*width
    embed = width*width_dec + width_dec
    head = (width_dec + 1)*pixels
    decoder = embed + (N + 2)*width_dec + layers_dec*(12*width_dec^2 + 13*width_dec) + 2*width_dec + head
    P = encoder + decoder
    trained = P - (N + 1)*(width + width_dec)
    """,
    title="Parameters of a masked autoencoder",
    source=f"{MAE_SOURCE}; {BLOCK_SOURCE}",
    conventions="""
MLPs have the ratio 4. The encoder has a class token, the decoder a mask token, and both have a layer normalization at
the end. Positions (sinusoids, with one for the class token) are not trained, but counted in the first three numbers.
""",
    integer_constraints="image/patch",
    image=IMAGE,
    patch=PATCH,
    width=WIDTH,
    layers=LAYERS,
    width_dec=Int(1, 100000, "width of the decoder", default=512),
    layers_dec=Int(1, 1000, "number of decoder blocks", default=8),
    channels=CHANNELS,
    N=Int(meaning="number of patches"),
    pixels=Int(meaning="values of a patch"),
    encoder=Int(meaning="parameters of the encoder"),
    embed=Int(meaning="parameters of the layer from the encoder's width to the decoder's"),
    head=Int(meaning="parameters of the layer that outputs the pixels"),
    decoder=Int(meaning="parameters of the decoder"),
    P=Int(meaning="number of all parameters"),
    trained=Int(meaning="number of trained parameters"),
)


MEAN_LINE, MASK_LINE = 4, 5  # of the program of debug-mae-loss


def _loss_values(err: list[Value], mask: list[Value], line: int | None = None) -> dict[str, Value]:
    masked = [error for error, bit in zip(err, mask, strict=True) if bit]
    visible = [error for error, bit in zip(err, mask, strict=True) if not bit]
    if not masked or not visible:
        raise UserError("mask must have at least one 1 and at least one 0.")
    printed = sum(visible) / len(masked) if line == MASK_LINE else sum(masked) / len(err)
    return {"printed": printed, "fixed": sum(masked) / len(masked)}


MAE_LOSS_CODE = Formula(
    "mae-loss-code",
    "",
    title="An incorrect loss of a masked autoencoder",
    source=f"{MAE_SOURCE}, section 3: the loss is the mean over masked patches only",
    procedure=_loss_values,
    procedure_outputs="printed fixed",
    err=Vector(0, meaning="mean squared error of each patch"),
    mask=Vector(0, 1, "1 for a masked patch, 0 for a visible one"),
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Real(meaning="loss that is printed"),
    fixed=Real(meaning="loss after the correction"),
)
