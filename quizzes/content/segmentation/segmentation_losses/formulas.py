"""Pixel cross-entropy and Dice: formulas."""

from fractions import Fraction
from statistics import median
from typing import Any

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Rational, Real, Vector
from workbench.errors import UserError

PYTORCH_CE = "PyTorch documentation, torch.nn.CrossEntropyLoss"

VNET_SOURCE = "Milletari, Navab & Ahmadi, V-Net, 2016 (arXiv:1606.04797)"

DICE_SOURCE = "Dice, Measures of the amount of ecologic association between species, 1945"

FOCAL_SOURCE = "Lin et al., Focal loss for dense object detection, 2017 (arXiv:1708.02002)"

IGNORED = 255  # the class of void pixels, as in Pascal VOC and Cityscapes

PROBABILITIES = Vector(0, 1, "predicted foreground probability of each pixel")

MASK = Vector(0, 1, "true mask: 1 for a foreground pixel, 0 for the background")

INTERSECTION = Real(0, meaning="soft intersection, the sum of the products")

PIXEL_CE = Formula(
    "pixel-ce",
    """
    n = sum(i, v[i])
    L = -sum(i, v[i]*ln(p[i]))/n
    """,
    title="Cross-entropy of an image, mean over its valid pixels",
    source=f"{PYTORCH_CE}: with ignore_index, the mean is taken over the targets that are not ignored",
    conventions="Natural logarithm.",
    p=Vector(0, 1, "predicted probability of the true class of each pixel"),
    v=Vector(0, 1, "1 for a valid pixel, 0 for an ignored one"),
    n=Int(1, meaning="number of valid pixels"),
    L=Real(meaning="mean cross-entropy"),
)


def _one_hot(Z: list[list[Value]], y: list[Value]) -> dict[str, list[list[int]]]:
    if len(y) != len(Z):
        raise UserError(f"y must have one class per row of Z: {len(Z)}, not {len(y)}.")
    if any(c != int(c) or not (0 <= c < len(Z[0]) or c == IGNORED) for c in y):
        raise UserError(f"y must have classes from 0 to {len(Z[0]) - 1}, or {IGNORED} for an ignored pixel.")
    if all(c == IGNORED for c in y):
        raise UserError("Every pixel is ignored. Give at least one pixel a class.")
    return {"T": [[int(c == k) for k in range(len(Z[0]))] for c in y]}


PIXEL_CE_LOGITS = Formula(
    "pixel-ce-logits",
    """
    l[i] = sum(k, T[i, k]*(ln(sum(j, exp(Z[i, j]))) - Z[i, k]))
    L = sum(i, l[i])/sum(i, sum(k, T[i, k]))
    """,
    title="Cross-entropy of logits per pixel, mean over the valid pixels",
    source=f"{PYTORCH_CE}, with ignore_index=255",
    conventions="Natural logarithm. Classes are numbered from 0, and pixels of class 255 are ignored.",
    procedure=_one_hot,
    procedure_outputs="T",
    Z=Matrix(meaning="logits, a row per pixel, a column per class"),
    y=Vector(0, 255, "true class of each pixel"),
    T=Matrix(meaning="one-hot classes; zeros for an ignored pixel"),
    l=Vector(meaning="cross-entropy of each pixel, 0 if it is ignored"),
    L=Real(meaning="mean cross-entropy"),
)


def _pixel_weights(p: list[Value], y: list[Value], w: list[Value]) -> dict[str, list[Value]]:
    if len(p) != len(y) or any(c != int(c) or c >= len(w) for c in y):
        raise UserError(f"p and y need one value per pixel, and y classes from 0 to {len(w) - 1}.")
    return {"u": [w[int(c)] for c in y]}


PIXEL_CE_WEIGHTED = Formula(
    "pixel-ce-weighted",
    """
    l[i] = -ln(p[i])
    L = sum(i, u[i]*l[i])/sum(i, u[i])
    """,
    title="Cross-entropy of an image with class weights",
    source=f"{PYTORCH_CE}: with class weights the mean divides by the sum of the weights of the true classes",
    conventions="Natural logarithm. Classes are numbered from 0.",
    procedure=_pixel_weights,
    procedure_outputs="u",
    p=Vector(0, 1, "predicted probability of the true class of each pixel"),
    y=Vector(0, meaning="true class of each pixel"),
    w=Vector(0, meaning="weight of each class"),
    u=Vector(meaning="weight of each pixel, that of its true class"),
    l=Vector(meaning="cross-entropy of each pixel, without its weight"),
    L=Real(meaning="weighted mean"),
)


PIXEL_CE_UNIFORM = Formula(
    "pixel-ce-uniform",
    "L = ln(K)",
    title="Cross-entropy of a network that knows nothing yet",
    source="derivation: all K classes have the probability 1/K at every pixel, and -ln(1/K) = ln K, whatever the size "
    "of the image",
    conventions="Natural logarithm, mean over the pixels.",
    K=Int(2, 10000, "number of classes, with the background"),
    L=Real(0, meaning="mean cross-entropy"),
)


CONSTANT_MASK = Formula(
    "constant-mask",
    """
    acc = 1 - f
    mIoU = (1 - f)/2
    L = -f*ln(f) - (1 - f)*ln(1 - f)
    D = f
    """,
    title="Measures of a constant prediction",
    source="derivation: -f ln p - (1 - f) ln(1 - p) is smallest at p = f, below 1/2, so every pixel is predicted as "
    "background; the background has the IoU 1 - f, the foreground 0; soft Dice is 2 f*f/(f + f)",
    conventions="Natural logarithm. Pixels above probability 1/2 are predicted as foreground.",
    f=Real(0, 0.5, "share of the foreground among the pixels"),
    acc=Real(meaning="pixel accuracy"),
    mIoU=Real(meaning="mean IoU of background and foreground"),
    L=Real(meaning="mean binary cross-entropy"),
    D=Real(meaning="soft Dice coefficient of the foreground"),
)


def _median_weights(n: list[Value]) -> dict[str, Value]:
    if any(count <= 0 for count in n):
        raise UserError("Every class needs at least one pixel.")
    middle = Fraction(median(map(Fraction, n)))
    return {"N": sum(n), "m": [middle / Fraction(count) for count in n]}


CLASS_WEIGHTS = Formula(
    "class-weights",
    "w[k] = N/(len(n)*n[k])",
    title="Class weights from pixel counts",
    source="scikit-learn documentation, compute_class_weight (balanced); median frequency balancing: Eigen & Fergus, "
    "2015 (arXiv:1411.4734); Badrinarayanan et al., SegNet, 2015 (arXiv:1511.00561)",
    conventions="Every class occurs in every image, so the frequency of a class is its share of all pixels.",
    procedure=_median_weights,
    procedure_outputs="N m",
    n=Vector(0, meaning="number of pixels of each class"),
    N=Int(1, meaning="number of all pixels"),
    w=Vector(meaning="balanced weights: inverse to the frequency, 1 for equal classes"),
    m=Vector(meaning="median frequency over the frequency of each class"),
)


DICE = Formula(
    "dice",
    """
    D = 2*I/(a + b)
    J = I/(a + b - I)
    L = 1 - D
    """,
    title="Dice and Jaccard of two masks, from areas",
    source=f"{DICE_SOURCE}; derivation: the union is the sum of the areas minus the intersection",
    a=Real(0, meaning="area of the predicted mask", unit="px"),
    b=Real(0, meaning="area of the true mask", unit="px"),
    I=Real(0, meaning="area of the intersection", unit="px"),
    D=Real(0, 1, "Dice coefficient"),
    L=Real(0, 1, "Dice loss"),
    J=Real(0, 1, "Jaccard index, IoU"),
)


DICE_JACCARD = Formula(
    "dice-jaccard",
    "D = 2*J/(1 + J)",
    title="Dice from Jaccard",
    source="derivation: with areas a, b and intersection I, J = I/(a + b - I), so a + b = I(1 + J)/J, and D = 2I/(a + "
    "b)",
    J=Rational(0, 1, "Jaccard index, IoU"),
    D=Rational(0, 1, "Dice coefficient"),
)


DICE_COUNTS = Formula(
    "dice-counts",
    "D = 2*TP/(2*TP + FP + FN)",
    title="Dice from pixel counts",
    source="derivation: the areas are TP + FP and TP + FN, the intersection is TP; the same as the F1 score",
    TP=Int(0, 1000000, "foreground pixels that are predicted as foreground"),
    FP=Int(0, 1000000, "background pixels that are predicted as foreground"),
    FN=Int(0, 1000000, "foreground pixels that are predicted as background"),
    D=Rational(0, 1, "Dice coefficient"),
)


def _areas(A: list[list[Value]], B: list[list[Value]]) -> dict[str, Value]:
    areas = [sum(map(sum, mask)) for mask in (A, B)]
    if not any(areas):
        raise UserError("Both masks are empty, so Dice and Jaccard are 0/0. Give at least one pixel the value 1.")
    return {"a": areas[0], "b": areas[1]}


MASK_DICE = Formula(
    "mask-dice",
    """
    I = sum(i, sum(j, A[i, j]*B[i, j]))
    D = 2*I/(a + b)
    J = I/(a + b - I)
    L = 1 - D
    """,
    title="Dice and Jaccard of two masks",
    source=f"{DICE_SOURCE}; derivation: the union is the sum of the areas minus the intersection",
    conventions="A mask has 1 for a pixel of the object, and 0 for the background.",
    procedure=_areas,
    procedure_outputs="a b",
    A=Matrix(0, 1, "predicted mask"),
    B=Matrix(0, 1, "true mask"),
    I=Int(0, meaning="pixels in both masks"),
    a=Int(0, meaning="pixels of the predicted mask"),
    b=Int(0, meaning="pixels of the true mask"),
    D=Rational(0, 1, "Dice coefficient"),
    J=Rational(0, 1, "Jaccard index, IoU"),
    L=Rational(0, 1, "Dice loss"),
)


SOFT_DICE = Formula(
    "soft-dice",
    """
    I = sum(i, p[i]*g[i])
    S = sum(i, p[i]) + sum(i, g[i])
    L = 1 - (2*I + eps)/(S + eps)
    """,
    title="Soft Dice loss",
    source="Drozdzal et al., The importance of skip connections, 2016 (arXiv:1608.04117), there without eps; "
    f"squares in the denominator instead: {VNET_SOURCE}",
    conventions="The same eps is added to numerator and denominator.",
    p=PROBABILITIES,
    g=MASK,
    eps=Real(0, 1000, "smoothing term", default=0),
    I=INTERSECTION,
    S=Real(0, meaning="sum of both areas"),
    L=Real(meaning="soft Dice loss"),
)


SQUARED_DICE = Formula(
    "soft-dice-squared",
    """
    I = sum(i, p[i]*g[i])
    S = sum(i, p[i]^2) + sum(i, g[i]^2)
    L = 1 - 2*I/S
    """,
    title="Soft Dice loss with squares in the denominator",
    source=VNET_SOURCE,
    p=PROBABILITIES,
    g=MASK,
    I=INTERSECTION,
    S=Real(0, meaning="sum of the squares"),
    L=Real(meaning="soft Dice loss"),
)


DICE_GRADIENT = Formula(
    "dice-gradient",
    """
    fg = 2*(I - S)/S^2
    bg = 2*I/S^2
    I0 = sum(i, p[i]*g[i])
    S0 = sum(i, p[i]) + sum(i, g[i])
    v[i] = 2*(I0 - S0*g[i])/S0^2
    """,
    title="Gradient of the soft Dice loss",
    source="derivation: the quotient rule for 1 - 2I/S, where dI/dp is 1 for a foreground pixel and 0 for a background "
    "pixel, and dS/dp is 1",
    I=INTERSECTION,
    S=Real(0, meaning="sum of both areas"),
    p=PROBABILITIES,
    g=MASK,
    fg=Real(meaning="derivative of the loss by p of a foreground pixel"),
    bg=Real(meaning="derivative of the loss by p of a background pixel"),
    I0=Real(meaning="soft intersection of these pixels"),
    S0=Real(meaning="sum of both areas of these pixels"),
    v=Vector(meaning="gradient of the loss by p"),
)


DICE_GRADIENT_SQUARED = Formula(
    "dice-gradient-squared",
    """
    fg = (4*I*p - 2*S)/S^2
    bg = 4*I*p/S^2
    I0 = sum(i, q[i]*g[i])
    S0 = sum(i, q[i]^2) + sum(i, g[i]^2)
    v[i] = (4*I0*q[i] - 2*S0*g[i])/S0^2
    """,
    title="Gradient of the soft Dice loss with squares in the denominator",
    source=f"{VNET_SOURCE}; derivation: the quotient rule for 1 - 2I/S, where dI/dp is 1 for a foreground pixel and 0 "
    "for a background pixel, and dS/dp is 2p",
    I=INTERSECTION,
    S=Real(0, meaning="sum of the squares"),
    p=Real(0, 1, "probability of the pixel"),
    q=PROBABILITIES,
    g=MASK,
    fg=Real(meaning="derivative of the loss by p of a foreground pixel"),
    bg=Real(meaning="derivative of the loss by p of a background pixel"),
    I0=Real(meaning="soft intersection of these pixels"),
    S0=Real(meaning="sum of the squares of these pixels"),
    v=Vector(meaning="gradient of the loss by q"),
)


CE_DICE = Formula(
    "ce-dice",
    """
    CE = -mean(i, g[i]*ln(p[i]) + (1 - g[i])*ln(1 - p[i]))
    D = 2*sum(i, p[i]*g[i])/(sum(i, p[i]) + sum(i, g[i]))
    L = CE + lam*(1 - D)
    """,
    title="Sum of cross-entropy and Dice loss",
    source="Isensee et al., nnU-Net, 2018 (arXiv:1809.10486): the sum of both",
    conventions="Natural logarithm; the cross-entropy is the mean over the pixels.",
    p=PROBABILITIES,
    g=MASK,
    lam=Real(0, 1000, "weight of the Dice loss", default=1),
    CE=Real(meaning="mean binary cross-entropy"),
    D=Real(meaning="soft Dice coefficient"),
    L=Real(meaning="loss"),
)


PIXEL_FOCAL = Formula(
    "pixel-focal",
    """
    e = -m*ln(p)
    h = -n*ln(q)
    share = e/(e + h)
    ef = -m*(1 - p)^gamma*ln(p)
    hf = -n*(1 - q)^gamma*ln(q)
    focal = ef/(ef + hf)
    """,
    title="Share of easy pixels in cross-entropy and focal loss",
    source=FOCAL_SOURCE,
    conventions="Natural logarithm, without the weight alpha.",
    m=Int(1, 10000000, "number of easy pixels"),
    p=Real(0, 1, "probability of the true class of an easy pixel"),
    n=Int(1, 10000000, "number of hard pixels"),
    q=Real(0, 1, "probability of the true class of a hard pixel"),
    gamma=Real(0, 20, "focusing parameter", default=2),
    e=Real(meaning="summed cross-entropy of the easy pixels"),
    h=Real(meaning="summed cross-entropy of the hard pixels"),
    share=Real(meaning="share of the easy pixels in the cross-entropy"),
    ef=Real(meaning="summed focal loss of the easy pixels"),
    hf=Real(meaning="summed focal loss of the hard pixels"),
    focal=Real(meaning="share of the easy pixels in the focal loss"),
)


TVERSKY = Formula(
    "tversky",
    """
    T = TP/(TP + alpha*FP + beta*FN)
    D = 2*TP/(2*TP + FP + FN)
    J = TP/(TP + FP + FN)
    """,
    title="Tversky index, Dice and Jaccard from pixel counts",
    source="Salehi, Erdogmus & Gholipour, Tversky loss function for image segmentation, 2017 (arXiv:1706.05721)",
    TP=Int(1, 1000000, "foreground pixels that are predicted as foreground"),
    FP=Int(0, 1000000, "background pixels that are predicted as foreground"),
    FN=Int(0, 1000000, "foreground pixels that are predicted as background"),
    alpha=Real(0, 10, "weight of the false positives"),
    beta=Real(0, 10, "weight of the false negatives"),
    T=Real(meaning="Tversky index"),
    D=Real(meaning="Dice coefficient: alpha = beta = 1/2"),
    J=Real(meaning="Jaccard index: alpha = beta = 1"),
)


LOSS_IMBALANCE = Formula(
    "loss-imbalance",
    """
    bce_x = -(f*ln(e) + (N - f)*ln(1 - e))/N
    bce_y = -(f*ln(h) + r*ln(1 - h) + (N - f - r)*ln(1 - e))/N
    d_x = 2*f*e/(N*e + f)
    d_y = 2*f*h/(h*(f + r) + e*(N - f - r) + f)
    pick = where(bce_x < bce_y, where(d_x < d_y, 1, 3), where(d_x < d_y, 2, 4))
    w = r*(ln(1 - e) - ln(1 - h))/(f*(ln(h) - ln(e)))
    """,
    title="Two masks of a small object under cross-entropy and Dice",
    source="derivation: the weighted losses are equal if w f (ln h - ln e) = r (ln(1 - e) - ln(1 - h)); the remaining "
    "pixels have the same loss in both masks",
    conventions="Natural logarithm; the cross-entropy is the mean over the pixels; w multiplies the foreground.",
    N=Int(1, 10000000, "number of pixels"),
    f=Int(1, 10000000, "number of foreground pixels"),
    r=Int(1, 10000000, "number of background pixels with the probability h in mask Y"),
    e=Real(0, 1, "low probability"),
    h=Real(0, 1, "high probability"),
    bce_x=Real(meaning="mean cross-entropy of X"),
    bce_y=Real(meaning="mean cross-entropy of Y"),
    d_x=Real(meaning="soft Dice of X"),
    d_y=Real(meaning="soft Dice of Y"),
    pick=Choice(
        meaning="mask that each criterion prefers",
        options=dict(
            split="cross-entropy prefers X, Dice prefers Y",
            both_y="both prefer Y",
            both_x="both prefer X",
            reverse="cross-entropy prefers Y, Dice prefers X",
        ),
        supported_by="bce_x bce_y d_x d_y",
    ),
    w=Real(meaning="foreground weight above which the weighted cross-entropy prefers Y"),
)


def _print_dice(p: list[Value], g: list[Value], line: int | None = None) -> dict[str, Any]:
    p = [Fraction(value) for value in p]
    inter, total = sum(a * b for a, b in zip(p, g, strict=True)), sum(p) + sum(g)
    fixed = 1 - 2 * inter / total
    hard = [Fraction(int(value > Fraction(1, 2))) for value in p]
    both = sum(a * b for a, b in zip(hard, g, strict=True))
    printed = {2: 1 - 2 * both / (sum(hard) + sum(g)), 4: 1 - 2 * inter / (total - inter), 5: 1 - inter / total}
    return {"printed": printed[int(line or 2)], "fixed": fixed, "effect": "none" if line == 2 else "flows"}


DICE_CODE = Formula(
    "dice-code",
    "",
    title="Incorrect Dice loss in PyTorch",
    source="PyTorch documentation: a comparison has no gradient; derivation: soft Dice is twice the intersection over "
    "the sum of both areas",
    procedure=_print_dice,
    procedure_outputs="printed fixed effect",
    p=PROBABILITIES,
    g=MASK,
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Real(meaning="loss that the program prints"),
    fixed=Real(meaning="loss after the correction"),
    effect=Choice(
        meaning="gradient that the program as it stands gives the logits",
        options=dict(
            none="none: backward() raises an error, because the loss doesn't depend on them differentiably",
            flows="one that is not 0, but that of another function than the Dice loss",
        ),
        supported_by="line",
    ),
)
