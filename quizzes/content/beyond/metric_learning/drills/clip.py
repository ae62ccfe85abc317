"""CLIP: drills."""

from math import exp, log
from random import Random
from typing import Any

from quizzes.content.beyond.metric_learning.formulas import (
    CLIP_EMBEDDINGS,
    CLIP_GRADIENT,
    CLIP_LOSS,
    CLIP_PAIR,
    CLIP_PROGRAM,
    CLIP_RETRIEVAL,
    CLIP_ZERO_SHOT,
    recalls,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step
from workbench.errors import UserError

CONVENTIONS = (
    "Conventions: natural logarithm; the similarities are divided by tau; mean over the rows or columns; L is the mean "
    "of both directions."
)

MULTIPLIED = Mistake(
    "multiplied-by-tau",
    "L_rows = mean(i, ln(sum(j, exp(S[i, j]*tau))) - S[i, i]*tau); "
    "L_columns = mean(j, ln(sum(i, exp(S[i, j]*tau))) - S[j, j]*tau)",
    "You multiplied by the temperature. Divide by it: a small tau makes the softmax sharper.",
)

DIRECTIONS_SWAPPED = Mistake(
    "rows-and-columns-swapped",
    "L_rows = mean(j, ln(sum(i, exp(S[i, j]/tau))) - S[j, j]/tau); "
    "L_columns = mean(i, ln(sum(j, exp(S[i, j]/tau))) - S[i, i]/tau)",
    "You swapped the directions. From image to text, the softmax runs over the texts, so over a row.",
)

ONE_DIRECTION = Mistake(
    "one-direction", "L = L_rows", "That is the direction from image to text. Average it with the other one."
)

SUM_OF_DIRECTIONS = Mistake(
    "sum-of-directions", "L = L_rows + L_columns", "You added the two directions. CLIP's loss is their mean."
)


def _similarities(rng: Random, size: int) -> list[list[float]]:
    """Return similarities that are mostly larger on the diagonal."""
    S = [[rng.randint(-4, 12) / 20 for _ in range(size)] for _ in range(size)]
    for i in range(size):
        S[i][i] = rng.randint(6, 19) / 20
    return S


@drill(
    CLIP_LOSS,
    tier=2,
    asks=("L_rows", "L_columns", "L"),
    visualization="matrices S",
    prompt="A batch of images (rows) and texts (columns) has these cosine similarities:\n  S = {S}\n"
    "The temperature is tau = {tau}. What are the cross-entropies from image to text (L_rows) and from text to image "
    f"(L_columns), and CLIP's loss L?\n{CONVENTIONS}",
    hint="Each row is a classification: which class is correct in row i? And in column j?",
    mistakes=[MULTIPLIED, DIRECTIONS_SWAPPED, ONE_DIRECTION, SUM_OF_DIRECTIONS],
)
def clip_loss(rng: Random) -> Inputs:
    """Loss of CLIP"""
    return dict(S=_similarities(rng, rng.choice([2, 2, 2, 3])), tau=rng.choice([0.2, 0.25, 0.4, 0.5]))


@drill(
    CLIP_PAIR,
    id="clip-loss:two-pairs",
    tier=1,
    asks=one_of("L", "tau", "s", "n"),
    prompt="A batch of two images and their texts has the cosine similarity s = {s} in both pairs, and n = {n} between "
    "each image and the other text. With the temperature tau = {tau}, CLIP's loss is L = {L}.\n"
    "Conventions: natural logarithm; the similarities are divided by tau; mean over both pairs and both directions.",
    hint="All rows and columns have the same cross-entropy. Write it for two logits.",
    mistakes=[
        Mistake("multiplied-by-tau", "L = ln(1 + exp((n - s)*tau))", "You multiplied by the temperature. Divide."),
        Mistake("similarities-swapped", "L = ln(1 + exp((s - n)/tau))", "You swapped s and n. A large s is good."),
        Mistake("directions-added", "L = 2*ln(1 + exp((n - s)/tau))", "You added the two directions. Take the mean."),
        Mistake(
            "pair-left-out",
            "L = (n - s)/tau",
            "You left the pair itself out of the sum below. The softmax is over both texts.",
        ),
    ],
)  # fmt: skip
def clip_two_pairs(rng: Random) -> Inputs:
    """CLIP's loss of two pairs"""
    s, n = rng.randint(4, 19) / 20, rng.randint(-6, 12) / 20
    tau = rng.choice([0.1, 0.2, 0.25, 0.4, 0.5])
    if not 0.3 < abs(s - n) / tau < 5:
        raise UndefinedValue("the loss is too close to ln 2 or to 0")
    return dict(s=s, n=n, tau=tau)


@drill(
    CLIP_EMBEDDINGS,
    id="clip-loss:embeddings",
    tier=3,
    asks=("S", "L_rows", "L_columns", "L"),
    visualization="matrices X Y",
    prompt="Two images have the embeddings X = {X}, their texts have Y = {Y}, one per row. CLIP compares them by "
    "cosine similarity, with the temperature tau = {tau}.\n"
    "What are the similarities S (rows: images), the cross-entropies of the rows (L_rows) and columns (L_columns), and "
    f"CLIP's loss L?\n{CONVENTIONS}",
    hint="Divide each embedding by its length before you multiply. What is the largest possible cosine?",
    mistakes=[
        Mistake(
            "not-normalized",
            "S[i, j] = sum(k, X[i, k]*Y[j, k])",
            "You did not divide by the lengths. The cosine is the dot product of unit vectors.",
        ),
        Mistake(
            "transposed",
            "S[i, j] = sum(k, X[j, k]*Y[i, k])/(sqrt(sum(k, X[j, k]^2))*sqrt(sum(k, Y[i, k]^2)))",
            "You put the texts into the rows. Rows are images.",
        ),
        MULTIPLIED,
        ONE_DIRECTION,
        SUM_OF_DIRECTIONS,
    ],
)
def clip_embeddings(rng: Random) -> Inputs:
    """CLIP's loss from embeddings"""
    vectors = [(3, 4), (4, 3), (1, 0), (0, 2), (5, 12), (-3, 4), (8, 6), (1, 1), (2, 1), (1, 2), (0, 1), (-1, 2)]
    X, Y = ([list(v) for v in rng.sample(vectors, 2)] for _ in range(2))
    if any(x[0] * y[1] == x[1] * y[0] for x in X for y in Y):
        raise UndefinedValue("parallel embeddings")
    return dict(X=X, Y=Y, tau=rng.choice([0.25, 0.4, 0.5]))


@drill(
    CLIP_ZERO_SHOT,
    id="clip-loss:zero-shot",
    tier=1,
    asks=("p", "label"),
    prompt="CLIP classifies an image without training: its cosine similarities with the texts of the classes are "
    "s = {s}. The learned scale is {scale}.\n"
    "What are the probabilities p of the classes, and which class is predicted (label)?\n"
    "Conventions: classes numbered from 1; the scale multiplies the similarities (it is 1/tau).",
    hint="Cosines differ little. What does the scale do to the logits of the softmax?",
    mistakes=[
        Mistake(
            "scale-left-out",
            "p[j] = exp(s[j])/sum(m, exp(s[m]))",
            "You left out the scale. Without it, all probabilities are nearly equal.",
        ),
        Mistake(
            "divided-by-scale",
            "p[j] = exp(s[j]/scale)/sum(m, exp(s[m]/scale))",
            "You divided by the scale. It is 1/tau, so multiply.",
        ),
        Mistake("no-softmax", "p[j] = s[j]/sum(m, s[m])", "You divided by the sum. Apply softmax to scale times s."),
        Mistake("counted-from-0", "label = argmax(s) - 1", "You counted the classes from 0. Count from 1 here."),
    ],
)
def clip_zero_shot(rng: Random) -> Inputs:
    """Zero-shot classification by CLIP"""
    s = [k / 100 for k in rng.sample(range(16, 34), rng.choice([3, 3, 4]))]
    return dict(s=s, scale=rng.choice([10, 14, 20, 25, 30, 50]))


@drill(
    CLIP_GRADIENT,
    id="clip-loss:gradient",
    tier=3,
    asks=("R", "C", "G"),
    visualization="matrices S",
    prompt="A batch of two images (rows) and two texts (columns) has the cosine similarities S = {S}, and the "
    "temperature is tau = {tau}.\n"
    "What are the softmax of each row (R) and of each column (C), and the derivatives G of CLIP's loss with respect to "
    f"the similarities?\n{CONVENTIONS}",
    hints=(
        "The loss is a mean of four cross-entropies. What is the derivative of one of them with respect to its logits?",
        "G = (R + C - 2 I)/(2 N tau), where I is the identity and N the number of pairs.",
        "First step: compute both softmaxes of S/tau.",
    ),
    mistakes=[
        Mistake(
            "one-direction",
            "G[i, j] = (R[i, j] - [i = j])/(tau*N)",
            "You used the rows only. The columns are classified, too; take the mean of both.",
        ),
        Mistake(
            "temperature-left-out",
            "G[i, j] = (R[i, j] + C[i, j] - 2*[i = j])/(2*N)",
            "You left out the factor 1/tau. The logits are the similarities divided by tau.",
        ),
        Mistake(
            "batch-mean-left-out",
            "G[i, j] = (R[i, j] + C[i, j] - 2*[i = j])/(2*tau)",
            "You left out the mean over the batch. Divide by the number of pairs.",
        ),
        Mistake(
            "targets-left-out",
            "G[i, j] = (R[i, j] + C[i, j])/(2*tau*N)",
            "You left out the targets. Subtract 1 on the diagonal in both directions.",
        ),
        Mistake(
            "softmaxes-swapped",
            "R[i, j] = exp(S[i, j]/tau)/sum(m, exp(S[m, j]/tau)); C[i, j] = exp(S[i, j]/tau)/sum(m, exp(S[i, m]/tau))",
            "You swapped the two. The softmax of a row adds up to 1 in each row.",
        ),
    ],
)
def clip_gradient(rng: Random) -> Inputs:
    """Gradient of CLIP's loss"""
    return dict(S=_similarities(rng, 2), tau=rng.choice([0.2, 0.25, 0.4, 0.5]))


def _program_steps(line: int, bug: str, printed: float, correct: float, **_: Any) -> list[Step]:
    reasons = {
        "one-direction": "It classifies the rows again. The other direction needs the transposed logits.",
        "multiplied": "It multiplies by the temperature. Divide by it.",
        "sum": "It adds the two directions. CLIP's loss is their mean.",
    }
    return [
        Step(f"Line {line} is wrong. {reasons[bug]}"),
        Step("Insert the numbers as the program has them.", [f"printed = {printed:.4f}"]),
        Step("Average the cross-entropies of the rows and of the columns of S/tau.", [f"correct = {correct:.4f}"]),
    ]


def _direction(rows: Any, tau: Any) -> float:
    """Return the mean cross-entropy of the rows with targets on the diagonal."""
    logits = [[float(x / tau) for x in row] for row in rows]
    return sum(log(sum(map(exp, row))) - row[i] for i, row in enumerate(logits)) / len(logits)


def _both_directions(S: Any, tau: Any) -> float:
    return (_direction(S, tau) + _direction(zip(*S, strict=True), tau)) / 2


@drill(
    CLIP_PROGRAM,
    id="clip-loss:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_program_steps,
    prompt="This program should print CLIP's symmetric loss for the cosine similarities S, with a row per image and a "
    "column per text. It runs, but one line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? What does the program print as it is (printed), "
    "and what does the corrected one print (correct)?\n"
    "Conventions: natural logarithm; the similarities are divided by the temperature.",
    hints=(
        "What are the logits? Over which dimension does each call of cross_entropy classify?",
        "CLIP's loss is (cross-entropy of the rows + cross-entropy of the columns)/2, with the logits S/tau.",
        "First step: compute the logits by hand.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 4 if line == 5 else 5},
            "That line is correct. Compare each line with the mean of both directions of S/tau.",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda S, tau, bug, **_: _both_directions(S, tau)},
            "That is the correct loss. Insert the numbers as the program has them.",
        ),
        Mistake(
            "columns-only",
            {"correct": lambda S, tau, bug, **_: _direction(zip(*S, strict=True), tau)},
            "That is one direction. Average both.",
        ),
        Mistake(
            "temperature-ignored",
            {"correct": lambda S, tau, bug, **_: _both_directions(S, 1)},
            "You left out the temperature. Divide the similarities by it.",
        ),
    ],
)
def clip_debug(rng: Random) -> Inputs:
    """A wrong line in CLIP's loss"""
    S, tau = _similarities(rng, 2), rng.choice([0.2, 0.25, 0.4, 0.5])
    correct = {
        2: f"logits = S / {tau}",
        5: "texts = F.cross_entropy(logits.T, labels)",
        6: "loss = (images + texts) / 2",
    }
    line, wrong, bug = rng.choice(
        [
            (2, f"logits = S * {tau}", "multiplied"),
            (5, "texts = F.cross_entropy(logits, labels)", "one-direction"),
            (6, "loss = images + texts", "sum"),
        ]
    )
    lines = {**correct, line: wrong}
    program = f"""
S = torch.tensor({S})  # images x texts
{lines[2]}
labels = torch.arange(len(S))
images = F.cross_entropy(logits, labels)
{lines[5]}
{lines[6]}
print(loss.item())
""".strip()
    others = {
        2: [],
        5: ["texts = F.cross_entropy(logits.t(), labels)", "texts = F.cross_entropy(logits.mT, labels)"],
        6: ["loss = 0.5 * (images + texts)", "loss = (texts + images) / 2"],
    }
    return dict(S=S, tau=tau, bug=bug, line=line, fix=[correct[line], *others[line]], program=program)


def _retrieval_steps(S: list[list[float]], R_i: float, R_t: float, **_: Any) -> list[Step]:
    rows, columns = S, [list(column) for column in zip(*S, strict=True)]
    best = [row.index(max(row)) + 1 for row in rows], [column.index(max(column)) + 1 for column in columns]
    return [
        Step(
            f"The largest entries of the rows are in the columns {', '.join(map(str, best[0]))}. Count those on the "
            "diagonal.",
            [f"R_i = {float(R_i):.4f}"],
        ),
        Step(f"The largest entries of the columns are in the rows {', '.join(map(str, best[1]))}.",
             [f"R_t = {float(R_t):.4f}"]),
        Step("A column that several rows choose is a hub: its text attracts images that belong to other texts."),
    ]  # fmt: skip


def _swapped(S: list[list[Any]]) -> dict[str, float]:
    images, texts = recalls(S)
    return {"R_i": sum(texts) / len(texts), "R_t": sum(images) / len(images)}


@drill(
    CLIP_RETRIEVAL,
    id="clip-loss:diagnose",
    tier=2,
    asks=("R_i", "R_t", "problem"),
    visualization="matrices S",
    steps=_retrieval_steps,
    prompt="A test set of four images (rows) and their texts (columns) has these cosine similarities:\n  S = {S}\n"
    "What is the recall at 1 from image to text (R_i) and from text to image (R_t), as a share from 0 to 1? What does "
    "the matrix show (problem)?\n"
    "Conventions: pairs are on the diagonal.",
    hints=(
        "Find the largest entry of each row. Is it on the diagonal? Then do the same for the columns.",
        "Recall at 1 is the share of rows, or of columns, whose largest entry is on the diagonal.",
        "First step: mark the largest entry of the first row.",
    ),
    mistakes=[
        Mistake(
            "directions-swapped",
            {"R_i": lambda S: _swapped(S)["R_i"], "R_t": lambda S: _swapped(S)["R_t"]},
            "You swapped the directions. From image to text, look for the largest entry of each row.",
        ),
        Mistake(
            "errors-counted",
            {"R_i": lambda S: 1 - _swapped(S)["R_t"], "R_t": lambda S: 1 - _swapped(S)["R_i"]},
            "You counted the errors. Recall is the share of correct retrievals.",
        ),
        Mistake(
            "other-direction",
            {"problem": lambda S: "image-hub" if _swapped(S)["R_t"] < _swapped(S)["R_i"] else "text-hub"},
            "Compare the two recalls. A text that attracts several images is the largest entry of several rows.",
        ),
    ],
)
def clip_diagnose(rng: Random) -> Inputs:
    """Recall of CLIP in both directions"""
    size = 4
    S = [[rng.randint(2, 10) / 20 for _ in range(size)] for _ in range(size)]
    for i in range(size):
        S[i][i] = rng.randint(9, 15) / 20
    case, hub = rng.choice(["text", "image", "none", "both"]), rng.randrange(size)
    for i in range(size):
        if case == "text" and i != hub:
            S[i][hub] = rng.choice([S[i][hub], round(S[i][i] + 0.05, 2)])
        if case == "image" and i != hub:
            S[hub][i] = rng.choice([S[hub][i], round(S[i][i] + 0.05, 2)])
    if case == "both":
        S[hub][hub - 1] = round(max(S[hub][hub], S[hub - 1][hub - 1]) + 0.05, 2)
    try:
        images, texts = recalls(S)
    except UserError as error:
        raise UndefinedValue(str(error)) from None
    if not any(images) or not any(texts):
        raise UndefinedValue("nothing is retrieved correctly")
    return dict(S=S)
