"""Triplet loss, InfoNCE, CLIP and distillation: formulas."""

import math
from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber, Match
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector, Word
from workbench.errors import UserError

FACENET = "Schroff, Kalenichenko & Philbin, FaceNet, 2015 (arXiv:1503.03832)"

CPC = "van den Oord, Li & Vinyals, Representation Learning with Contrastive Predictive Coding, 2018 (arXiv:1807.03748)"

CLIP = "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021 (arXiv:2103.00020)"

DISTILLATION = "Hinton, Vinyals & Dean, Distilling the Knowledge in a Neural Network, 2015 (arXiv:1503.02531)"

MARGIN = Real(0, 1000, "margin")

TAU = Real(0.0001, 1000, "temperature tau, by which similarities are divided")


TRIPLET = Formula(
    "triplet-loss",
    "L = max(0, d_ap - d_an + m)",
    title="Triplet loss",
    source=f"{FACENET}, section 3.1, there with squared distances; PyTorch documentation, torch.nn.TripletMarginLoss",
    conventions="PyTorch's distances are Euclidean, FaceNet's are squared. Insert the distances that are used.",
    d_ap=Real(0, 1000, "distance of anchor and positive"),
    d_an=Real(0, 1000, "distance of anchor and negative"),
    m=MARGIN,
    L=Real(0, meaning="triplet loss"),
)


TRIPLET_VECTORS = Formula(
    "triplet-loss-vectors",
    """
    d_ap = sqrt(sum(k, (a[k] - p[k])^2))
    d_an = sqrt(sum(k, (a[k] - n[k])^2))
    L = max(0, d_ap - d_an + m)
    """,
    title="Triplet loss of three embeddings",
    source="PyTorch documentation, torch.nn.TripletMarginLoss: Euclidean distances",
    a=Vector(meaning="embedding of the anchor"),
    p=Vector(meaning="embedding of the positive"),
    n=Vector(meaning="embedding of the negative"),
    m=MARGIN,
    d_ap=Real(0, meaning="Euclidean distance of anchor and positive"),
    d_an=Real(0, meaning="Euclidean distance of anchor and negative"),
    L=Real(0, meaning="triplet loss"),
)


KINDS = dict(
    easy="easy: the loss is 0",
    semihard="semi-hard: farther than the positive, but within the margin",
    hard="hard: nearer than the positive",
)

NEGATIVES = dict(n1="negative 1", n2="negative 2", n3="negative 3")


def kind_of_negative(d_ap: Value, d_an: Value, m: Value) -> str:
    """Return whether a negative is easy, semi-hard or hard."""
    return "hard" if d_an < d_ap else "semihard" if d_an < d_ap + m else "easy"


def _mine(d_ap: Value, d_an: list[Value], m: Value) -> dict[str, dict[str, str]]:
    if len(d_an) != len(NEGATIVES):
        raise UserError(f"triplet-mining takes d_an of {len(NEGATIVES)} negatives.")
    return {"kinds": {name: kind_of_negative(d_ap, d, m) for name, d in zip(NEGATIVES, d_an, strict=True)}}


TRIPLET_MINING = Formula(
    "triplet-mining",
    """
    l[i] = max(0, d_ap - d_an[i] + m)
    L = mean(i, l[i])
    """,
    title="Easy, semi-hard and hard negatives",
    source=f"{FACENET}, section 3.2",
    procedure=_mine,
    procedure_outputs="kinds",
    d_ap=Real(0, 1000, "distance of anchor and positive"),
    d_an=Vector(0, meaning="distances of anchor and negatives"),
    m=MARGIN,
    l=Vector(0, meaning="loss of the triplet with each negative"),
    L=Real(0, meaning="mean loss"),
    kinds=Match(meaning="kind of each negative", items=NEGATIVES, options=KINDS),
)


TRIPLET_SELECTION = Formula(
    "triplet-selection",
    """
    nearest = min(d_an)
    beyond[i] = where(d_an[i] > d_ap, d_an[i], 10^6)
    selected = min(beyond)
    L = max(0, d_ap - selected + m)
    hard = max(0, d_ap - nearest + m)
    """,
    title="Semi-hard and hardest negative",
    source=f"{FACENET}, section 3.2",
    d_ap=Real(0, 1000, "distance of anchor and positive"),
    d_an=Vector(0, 1000, "distances of anchor and negatives"),
    m=MARGIN,
    nearest=Real(0, meaning="distance of the hardest negative"),
    beyond=Vector(0, meaning="distances of the negatives that are farther than the positive; others 10^6"),
    selected=Real(0, meaning="distance of the nearest negative that is farther than the positive"),
    L=Real(0, meaning="loss with this negative"),
    hard=Real(0, meaning="loss with the hardest negative"),
)


def _diagnose_triplets(d_ap: list[Value], d_an: list[Value], m: Value) -> dict[str, Any]:
    losses = [max(0, p - n + m) for p, n in zip(d_ap, d_an, strict=True)]
    active = sum(loss > 0 for loss in losses)
    mean_gap = sum(n - p for p, n in zip(d_ap, d_an, strict=True)) / len(losses)
    if not active:
        problem = "easy"
    elif max(*d_ap, *d_an) <= m / 10:
        problem = "collapse"
    else:
        problem = "labels" if mean_gap < -m / 2 else "learning"
    return {"active": active, "problem": problem}


TRIPLET_DIAGNOSIS = Formula(
    "triplet-diagnosis",
    "L = mean(i, max(0, d_ap[i] - d_an[i] + m))",
    title="Triplets that don't train a network",
    source=f"derivation: embeddings that are all equal give d_ap = d_an, so the loss of every triplet is m; {FACENET}, "
    "section 3.2, on collapse and the selection of triplets",
    procedure=_diagnose_triplets,
    procedure_outputs="active problem",
    d_ap=Vector(0, 1000, "distances of anchor and positive, one per triplet"),
    d_an=Vector(0, 1000, "distances of anchor and negative, one per triplet"),
    m=MARGIN,
    L=Real(0, meaning="mean triplet loss"),
    active=Int(meaning="number of triplets with a loss above 0"),
    problem=Choice(
        meaning="what the distances show",
        options=dict(
            collapse="all embeddings have become nearly equal: use semi-hard negatives first",
            easy="all triplets are easy: mine harder negatives",
            labels="positives and negatives seem to be swapped: check the labels",
            learning="the triplets train the network: continue",
        ),
        supported_by="L active",
    ),
)


TRIPLET_GRADIENT = Formula(
    "triplet-gradient",
    """
    g_a = 2*(n - p)
    g_p = 2*(p - a)
    g_n = 2*(a - n)
    """,
    title="Gradients of the triplet loss with squared distances",
    source="derivation: with a positive loss, L = (a - p)^2 - (a - n)^2 + m for embeddings of size 1",
    a=Real(-3, 3, "embedding of the anchor"),
    p=Real(-3, 3, "embedding of the positive"),
    n=Real(-3, 3, "embedding of the negative"),
    g_a=Real(meaning="derivative of the loss with respect to the anchor"),
    g_p=Real(meaning="derivative of the loss with respect to the positive"),
    g_n=Real(meaning="derivative of the loss with respect to the negative"),
)


INFONCE = Formula(
    "infonce",
    """
    q[j] = exp(s[j]/tau)/sum(m, exp(s[m]/tau))
    L = -ln(q[1])
    """,
    title="InfoNCE of one anchor",
    source=f"{CPC}, equation 4; the temperature: Wu et al., Unsupervised Feature Learning via Non-Parametric Instance "
    "Discrimination, 2018 (arXiv:1805.01978)",
    conventions="The first similarity is that of the positive. The sum in the denominator includes it. Natural "
    "logarithm.",
    s=Vector(meaning="similarities of the anchor, with the positive first"),
    tau=TAU,
    q=Vector(0, 1, meaning="softmax of the similarities"),
    L=Real(0, meaning="InfoNCE loss"),
)


INFONCE_PAIR = Formula(
    "infonce-one-negative",
    "L = ln(1 + exp((s_neg - s_pos)/tau))",
    title="InfoNCE with one negative",
    source="derivation: -ln(e^a/(e^a + e^b)) = ln(1 + e^(b - a)) with a = s_pos/tau and b = s_neg/tau",
    s_pos=Real(-1, 1, "similarity of anchor and positive"),
    s_neg=Real(-1, 1, "similarity of anchor and negative"),
    tau=Real(0.01, 10, "temperature tau, by which similarities are divided"),
    L=Real(0, meaning="InfoNCE loss"),
)


INFONCE_BOUND = Formula(
    "infonce-bound",
    "I = ln(N) - L",
    title="Lower bound of the mutual information from InfoNCE",
    source=f"{CPC}, section 2.3: I >= ln N - L",
    conventions="N counts all candidates: the positive and N - 1 negatives. Natural logarithm, so nats.",
    N=Int(2, 10000000, "number of candidates, the positive included"),
    L=Real(0, 100, "InfoNCE loss"),
    I=Real(meaning="lower bound of the mutual information", unit="nats"),
)


INFONCE_GRADIENT = Formula(
    "infonce-gradient",
    """
    g_pos = (q - 1)/tau
    g_neg = q/tau
    r[j] = exp(s[j]/t)/sum(m, exp(s[m]/t))
    g[j] = (r[j] - [j = 1])/t
    """,
    title="Gradient of InfoNCE with respect to the similarities",
    source="derivation: the loss is the cross-entropy of the logits s/tau, whose derivative is q - y, times ds/tau",
    q=Real(0.05, 0.95, "softmax value of the candidate"),
    tau=Real(0.05, 2, "temperature"),
    s=Vector(meaning="similarities of the anchor, with the positive first"),
    t=Real(0.0001, 1000, "temperature of the example"),
    g_pos=Real(meaning="derivative with respect to the similarity of the positive, whose softmax value is q"),
    g_neg=Real(meaning="derivative with respect to the similarity of a negative, whose softmax value is q"),
    r=Vector(0, 1, meaning="softmax of the similarities"),
    g=Vector(meaning="derivatives with respect to the similarities"),
)


def _run_infonce(s: list[Value], tau: Value, bug: str, **_: Any) -> dict[str, float]:
    def loss(logits: list[float]) -> float:
        return math.log(sum(map(math.exp, logits))) - logits[0]

    logits = [float(x / tau) for x in s]
    wrong = {
        "multiplied": loss([float(x * tau) for x in s]),
        "positive-left-out": math.log(sum(map(math.exp, logits[1:]))) - logits[0],
        "target": math.log(sum(map(math.exp, logits))) - logits[-1],
    }
    return {"printed": wrong[bug], "correct": loss(logits)}


INFONCE_PROGRAM = Formula(
    "infonce-wrong-line",
    "",
    title="InfoNCE with a wrong line",
    source=f"{CPC}, equation 4; PyTorch documentation, torch.nn.functional.cross_entropy",
    procedure=_run_infonce,
    procedure_outputs="printed correct",
    s=Vector(meaning="similarities of the anchor, with the positive first"),
    tau=TAU,
    bug=Word(words=("multiplied", "positive-left-out", "target"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected", signatures=("torch.logsumexp(input, dim)",)),
    printed=Real(meaning="value that the program prints"),
    correct=Real(meaning="value that the corrected program prints"),
)


SIMILARITIES = Matrix(meaning="similarities, a row per image and a column per text; pairs on the diagonal")

CLIP_CONVENTIONS = """
L is the mean of both directions. The targets are on the diagonal. The similarities are cosines,
divided by the temperature tau (CLIP multiplies by a learned scale, 1/tau). Natural logarithm.
"""

CLIP_LOSSES = """
    L_rows = mean(i, ln(sum(j, exp(S[i, j]/tau))) - S[i, i]/tau)
    L_columns = mean(j, ln(sum(i, exp(S[i, j]/tau))) - S[j, j]/tau)
    L = (L_rows + L_columns)/2
"""

CLIP_OUTPUTS: dict[str, Any] = dict(
    L_rows=Real(0, meaning="mean cross-entropy over the rows, from image to text"),
    L_columns=Real(0, meaning="mean cross-entropy over the columns, from text to image"),
    L=Real(0, meaning="CLIP loss"),
)


CLIP_LOSS = Formula(
    "clip-loss",
    CLIP_LOSSES,
    title="Symmetric loss of CLIP from a matrix of similarities",
    source=f"{CLIP}, figure 3",
    conventions=CLIP_CONVENTIONS,
    shapes="S[n, n]",
    S=SIMILARITIES,
    tau=TAU,
    **CLIP_OUTPUTS,
)


CLIP_PAIR = Formula(
    "clip-loss-two-pairs",
    "L = ln(1 + exp((n - s)/tau))",
    title="CLIP loss of two pairs with equal similarities",
    source="derivation: all rows and columns of [[s, n], [n, s]]/tau have the same cross-entropy, -ln(e^(s/tau)/"
    "(e^(s/tau) + e^(n/tau)))",
    s=Real(-1, 1, "cosine similarity of an image and its text"),
    n=Real(-1, 1, "cosine similarity of an image and the other text"),
    tau=Real(0.01, 10, "temperature"),
    L=Real(0, meaning="CLIP loss"),
)


CLIP_EMBEDDINGS = Formula(
    "clip-loss-embeddings",
    f"""
    S[i, j] = sum(k, X[i, k]*Y[j, k])/(sqrt(sum(k, X[i, k]^2))*sqrt(sum(k, Y[j, k]^2)))
    {CLIP_LOSSES}
    """,
    title="Symmetric loss of CLIP from embeddings",
    source=f"{CLIP}, figure 3",
    conventions=CLIP_CONVENTIONS,
    shapes="X[n, d]; Y[n, d]",
    X=Matrix(meaning="embeddings of the images, one per row"),
    Y=Matrix(meaning="embeddings of the texts, one per row"),
    tau=TAU,
    S=SIMILARITIES,
    **CLIP_OUTPUTS,
)


CLIP_ZERO_SHOT = Formula(
    "clip-zero-shot",
    """
    p[j] = exp(scale*s[j])/sum(m, exp(scale*s[m]))
    label = argmax(s)
    """,
    title="Zero-shot classification by CLIP",
    source=f"{CLIP}, section 3.1.2: softmax over the cosine similarities with one text per class, times the scale",
    conventions="Classes are counted from 1.",
    s=Vector(-1, 1, "cosine similarities of the image and the text of each class"),
    scale=Real(0.01, 1000, "learned scale 1/tau of the similarities"),
    p=Vector(0, 1, meaning="probability of each class"),
    label=Int(meaning="predicted class, from 1"),
)


CLIP_GRADIENT = Formula(
    "clip-gradient",
    """
    R[i, j] = exp(S[i, j]/tau)/sum(m, exp(S[i, m]/tau))
    C[i, j] = exp(S[i, j]/tau)/sum(m, exp(S[m, j]/tau))
    N = len(S)
    G[i, j] = (R[i, j] + C[i, j] - 2*[i = j])/(2*tau*N)
    """,
    title="Gradient of the CLIP loss with respect to the similarities",
    source="derivation: each direction is a mean of N cross-entropies of logits S/tau, with the derivative (softmax - "
    "identity)/(N tau); the loss is the mean of both",
    shapes="S[n, n]",
    S=SIMILARITIES,
    tau=TAU,
    R=Matrix(0, 1, "softmax of each row"),
    C=Matrix(0, 1, "softmax of each column"),
    N=Int(meaning="number of pairs"),
    G=Matrix(meaning="derivatives of the CLIP loss with respect to the similarities"),
)


def _run_clip(S: list[list[Value]], tau: Value, bug: str, **_: Any) -> dict[str, float]:
    def direction(matrix: list[list[Value]], factor: Value) -> float:
        rows = [[float(x * factor) for x in row] for row in matrix]
        return sum(math.log(sum(map(math.exp, row))) - row[i] for i, row in enumerate(rows)) / len(rows)

    columns = [list(column) for column in zip(*S, strict=True)]
    correct = (direction(S, 1 / tau) + direction(columns, 1 / tau)) / 2
    wrong = {
        "one-direction": direction(S, 1 / tau),
        "multiplied": (direction(S, tau) + direction(columns, tau)) / 2,
        "sum": 2 * correct,
    }
    return {"printed": wrong[bug], "correct": correct}


CLIP_PROGRAM = Formula(
    "clip-wrong-line",
    "",
    title="A CLIP loss with a wrong line",
    source=f"{CLIP}, figure 3; PyTorch documentation, torch.nn.functional.cross_entropy",
    procedure=_run_clip,
    procedure_outputs="printed correct",
    S=SIMILARITIES,
    tau=TAU,
    bug=Word(words=("one-direction", "multiplied", "sum"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected"),
    printed=Real(meaning="value that the program prints"),
    correct=Real(meaning="value that the corrected program prints"),
)


def _argmax(values: list[Value]) -> int:
    if values.count(max(values)) > 1:
        raise UserError("A row or column has two equal largest similarities. Change one of them.")
    return values.index(max(values))


def recalls(S: list[list[Value]]) -> tuple[list[bool], list[bool]]:
    """Return for each image whether its text has the largest similarity, and for each text whether its image has.

    Raises:
        UserError: If S isn't square, or two similarities of a row or column are equal and the largest.
    """
    if len(S) != len(S[0]):
        raise UserError("S must be a square matrix, with a row per image and a column per text.")
    columns = list(zip(*S, strict=True))
    return [_argmax(row) == i for i, row in enumerate(S)], [_argmax([*c]) == j for j, c in enumerate(columns)]


def _diagnose_retrieval(S: list[list[Value]]) -> dict[str, Any]:
    images, texts = recalls(S)
    R_i, R_t = Fraction(sum(images), len(images)), Fraction(sum(texts), len(texts))
    problem = "none" if R_i == R_t == 1 else "text-hub" if R_i < R_t else "image-hub" if R_t < R_i else "both"
    return {"R_i": R_i, "R_t": R_t, "problem": problem}


CLIP_RETRIEVAL = Formula(
    "clip-retrieval",
    "",
    title="Retrieval with CLIP: recall at 1 in both directions",
    source=f"{CLIP}, figure 1: pairs are on the diagonal; derivation: recall at 1 is the share of rows (columns) whose "
    "largest entry is on the diagonal",
    procedure=_diagnose_retrieval,
    procedure_outputs="R_i R_t problem",
    S=SIMILARITIES,
    R_i=Real(0, 1, "recall at 1 from image to text, the share of images whose text is the most similar one"),
    R_t=Real(0, 1, "recall at 1 from text to image"),
    problem=Choice(
        meaning="what the matrix shows",
        options={
            "none": "both directions are perfect",
            "text-hub": "a text attracts several images, so image to text is worse",
            "image-hub": "an image attracts several texts, so text to image is worse",
            "both": "both directions fail equally often",
        },
        supported_by="R_i R_t",
    ),
)


ALPHA = Real(0, 1, "weight of the cross-entropy with the true labels")

TEMPERATURE = Real(0.01, 1000, "temperature T, by which the logits are divided")

KL_SOURCE = f"{DISTILLATION}, section 2: the gradients of the soft targets scale as 1/T^2, so multiply by T^2"

KL = Real(0, meaning="KL divergence KL(p || q) of the student's distribution q from the teacher's p")

TOTAL = Real(0, meaning="distillation loss")


DISTILLATION_TERMS = Formula(
    "distillation-terms",
    "L = alpha*CE + (1 - alpha)*T^2*K",
    title="Distillation loss from its two terms",
    source=KL_SOURCE,
    alpha=ALPHA,
    CE=Real(0, 1000, "cross-entropy of the student with the true labels, at temperature 1"),
    K=Real(0, 1000, KL.meaning),
    T=TEMPERATURE,
    L=TOTAL,
)


def _check_sums(p: list[Value], q: list[Value], **_: Any) -> dict[str, int]:
    for name, values in (("p", p), ("q", q)):
        if abs(float(sum(values)) - 1) > 1e-6:
            raise UserError(f"{name} must add up to 1, not to {float(sum(values)):g}.")
    return {"classes": len(p)}


DISTILLATION_LOSS = Formula(
    "distillation-loss",
    """
    K = sum(i, where(p[i] > 0, p[i]*ln(p[i]/q[i]), 0))
    L = alpha*CE + (1 - alpha)*T^2*K
    """,
    title="Distillation loss from softened distributions",
    source=KL_SOURCE,
    conventions="Natural logarithm. p and q are the softmax of the logits divided by T.",
    procedure=_check_sums,
    procedure_outputs="classes",
    p=Vector(0, 1, "softened distribution of the teacher"),
    q=Vector(0, 1, "softened distribution of the student"),
    classes=Int(meaning="number of classes"),
    alpha=ALPHA,
    CE=Real(0, 1000, "cross-entropy of the student with the true labels, at temperature 1"),
    T=TEMPERATURE,
    K=KL,
    L=TOTAL,
)


DISTILLATION_LOGITS = Formula(
    "distillation-logits",
    """
    p[i] = exp(z_t[i]/T)/sum(m, exp(z_t[m]/T))
    q[i] = exp(z_s[i]/T)/sum(m, exp(z_s[m]/T))
    K = sum(i, p[i]*ln(p[i]/q[i]))
    CE = ln(sum(m, exp(z_s[m]))) - z_s[y]
    L = alpha*CE + (1 - alpha)*T^2*K
    """,
    title="Distillation loss from logits",
    source=KL_SOURCE,
    conventions="Natural logarithm. Classes are counted from 1. The cross-entropy with the true class uses "
    "temperature 1.",
    z_t=Vector(meaning="logits of the teacher"),
    z_s=Vector(meaning="logits of the student"),
    y=Int(1, 1000000, "true class, from 1"),
    T=TEMPERATURE,
    alpha=ALPHA,
    p=Vector(0, 1, meaning="softened distribution of the teacher"),
    q=Vector(0, 1, meaning="softened distribution of the student"),
    K=KL,
    CE=Real(0, meaning="cross-entropy of the student with the true class"),
    L=TOTAL,
)


SOFT_TARGET = Formula(
    "distillation-temperature",
    "p = 1/(1 + exp(-g/T))",
    title="Softened probability of the better of two classes",
    source="derivation: the softmax of two logits that differ by g, divided by T, is sigmoid(g/T)",
    g=Real(0.01, 100, "difference of the two logits"),
    T=TEMPERATURE,
    p=Real(0.5, 1, "softened probability of the class with the larger logit"),
)


DISTILLATION_GRADIENT = Formula(
    "distillation-gradient",
    """
    g = T*(q - p)
    u[i] = exp(a[i]/t)/sum(m, exp(a[m]/t))
    w[i] = exp(b[i]/t)/sum(m, exp(b[m]/t))
    v[i] = t*(w[i] - u[i])
    """,
    title="Gradient of the distillation term with respect to the student's logits",
    source="derivation: KL(p || softmax(z/T)) has the derivative (q - p)/T with respect to z, so T^2 times it has "
    f"T (q - p); {DISTILLATION}, section 2",
    p=Real(0.05, 0.95, "softened probability of the class for the teacher"),
    q=Real(0.05, 0.95, "softened probability of the class for the student"),
    T=Real(0.5, 10, "temperature"),
    a=Vector(meaning="logits of the teacher"),
    b=Vector(meaning="logits of the student"),
    t=Real(0.01, 1000, "temperature of the example"),
    g=Real(meaning="derivative of T^2 KL(p || q) with respect to a logit of the student"),
    u=Vector(0, 1, meaning="softened distribution of the teacher"),
    w=Vector(0, 1, meaning="softened distribution of the student"),
    v=Vector(meaning="derivatives with respect to the student's logits"),
)


def _softmax(z: list[Value], T: Value) -> list[float]:
    exponentials = [math.exp(float(x / T)) for x in z]
    return [x / sum(exponentials) for x in exponentials]


def _divergence(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def _run_distillation(z_t: list[Value], z_s: list[Value], T: Value, bug: str, **_: Any) -> dict[str, float]:
    p, q = _softmax(z_t, T), _softmax(z_s, T)
    correct = float(T) ** 2 * _divergence(p, q)
    wrong = {
        "mean": correct / len(p),
        "no-square": correct / float(T) ** 2,
        "student-not-softened": float(T) ** 2 * _divergence(p, _softmax(z_s, 1)),
    }
    return {"printed": wrong[bug], "correct": correct}


DISTILLATION_PROGRAM = Formula(
    "distillation-wrong-line",
    "",
    title="A distillation loss with a wrong line",
    source=f"{DISTILLATION}, section 2; PyTorch documentation, torch.nn.functional.kl_div: reduction 'mean' divides by "
    "all elements, 'batchmean' by the batch size",
    procedure=_run_distillation,
    procedure_outputs="printed correct",
    z_t=Vector(meaning="logits of the teacher"),
    z_s=Vector(meaning="logits of the student"),
    T=TEMPERATURE,
    bug=Word(words=("mean", "no-square", "student-not-softened"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected", signatures=("F.log_softmax(input, dim)",)),
    printed=Real(meaning="value that the program prints"),
    correct=Real(meaning="value that the corrected program prints"),
)
