"""Triplet loss and InfoNCE: drills."""

from random import Random
from typing import Any

from quizzes.content.beyond.metric_learning.formulas import (
    INFONCE,
    INFONCE_BOUND,
    INFONCE_GRADIENT,
    INFONCE_PAIR,
    INFONCE_PROGRAM,
    NEGATIVES,
    TRIPLET,
    TRIPLET_DIAGNOSIS,
    TRIPLET_GRADIENT,
    TRIPLET_MINING,
    TRIPLET_SELECTION,
    TRIPLET_VECTORS,
    kind_of_negative,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

SIGN = "The sign of the distances is reversed. The loss falls when the negative is farther away."

NO_MARGIN = "You left out the margin. The negative must be farther than the positive by at least the margin."


@drill(
    TRIPLET,
    tier=1,
    asks=one_of("L", "d_ap", "d_an", "m"),
    prompt="An anchor has the distance d_ap = {d_ap} to the positive and d_an = {d_an} to the negative. With the "
    "margin m = {m}, the triplet loss is L = {L}.\n"
    "Conventions: the distances are used as they are, not squared.",
    hint="By how much should the negative be farther away than the positive? How much is missing?",
    mistakes=[
        Mistake("distances-swapped", "L = max(0, d_an - d_ap + m)", SIGN),
        Mistake("margin-left-out", "L = max(0, d_ap - d_an)", NO_MARGIN),
        Mistake("margin-subtracted", "L = max(0, d_ap - d_an - m)", "You subtracted the margin. Add it."),
        Mistake(
            "distances-squared",
            "L = max(0, d_ap^2 - d_an^2 + m)",
            "You squared the distances. FaceNet does so; here they are used as they are.",
        ),
    ],
)
def triplet_infonce(rng: Random) -> Inputs:
    """Triplet loss"""
    d_ap, gap, m = rng.randint(4, 24) / 20, rng.randint(-6, 8) / 20, rng.choice([0.2, 0.25, 0.3, 0.5, 0.6])
    if gap == 0 or d_ap + gap <= 0 or gap >= m:
        raise UndefinedValue("equal distances, or an easy triplet")
    return dict(d_ap=d_ap, d_an=round(d_ap + gap, 2), m=m)


@drill(
    TRIPLET_VECTORS,
    id="triplet-infonce:vectors",
    tier=2,
    asks=("d_ap", "d_an", "L"),
    visualization="matrices a p n",
    prompt="Three embeddings are a = {a} (anchor), p = {p} (positive) and n = {n} (negative). The margin is {m}.\n"
    "What are the Euclidean distances d_ap and d_an, and the triplet loss L?\n"
    "Conventions: Euclidean distances, not squared, as in PyTorch.",
    hint="Compute the length of the difference of two vectors. Which of the two distances should be larger?",
    mistakes=[
        Mistake(
            "distances-squared",
            "d_ap = sum(k, (a[k] - p[k])^2); d_an = sum(k, (a[k] - n[k])^2)",
            "You left out the square root. That is FaceNet's form; here the distances are Euclidean.",
        ),
        Mistake(
            "sum-of-absolute-values",
            "d_ap = sum(k, abs(a[k] - p[k])); d_an = sum(k, abs(a[k] - n[k]))",
            "You added the absolute differences. The Euclidean distance is the square root of a sum of squares.",
        ),
        Mistake("distances-swapped", "L = max(0, d_an - d_ap + m)", SIGN),
        Mistake("margin-left-out", "L = max(0, d_ap - d_an)", NO_MARGIN),
        Mistake(
            "positive-to-negative",
            "d_an = sqrt(sum(k, (p[k] - n[k])^2))",
            "That is the distance of positive and negative. Both distances are measured from the anchor.",
        ),
    ],
)
def triplet_vectors(rng: Random) -> Inputs:
    """Triplet loss of three embeddings"""
    size = rng.choice([2, 2, 3])
    a, p, n = ([rng.randint(-2, 3) for _ in range(size)] for _ in range(3))
    m = rng.choice([0.5, 1, 1.5, 2])
    d_ap, d_an = (sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5 for b in (p, n))
    if not d_ap or not d_an or d_ap - d_an + m <= 0:
        raise UndefinedValue("equal embeddings, or an easy triplet")
    return dict(a=a, p=p, n=n, m=m)


def _kinds_by(rule: Any) -> Any:
    """Return the kinds of the negatives by a mistaken rule."""

    def kinds(d_ap: Any, d_an: list[Any], m: Any) -> dict[str, str]:
        return {name: rule(d_ap, d, m) for name, d in zip(NEGATIVES, d_an, strict=True)}

    return kinds


def _margin_ignored(d_ap: Any, d_an: Any, m: Any) -> str:
    return "hard" if d_an < d_ap else "easy"


def _reversed(d_ap: Any, d_an: Any, m: Any) -> str:
    return {"hard": "easy", "easy": "hard", "semihard": "semihard"}[kind_of_negative(d_ap, d_an, m)]


def _mining_steps(d_ap: float, m: float, l: list[float], L: float, **_: Any) -> list[Step]:
    return [
        Step(
            f"Compare each distance with {d_ap:g} and with {d_ap:g} + {m:g}: below the first, the negative is hard, "
            "between both it is semi-hard, above both it is easy."
        ),
        Step("Compute the loss with each negative.", [f"l = {[round(float(x), 4) for x in l]}"]),
        Step("Take the mean, also over the zeros.", [f"L = {L:.4f}"]),
    ]


@drill(
    TRIPLET_MINING,
    id="triplet-infonce:mining",
    tier=2,
    asks=("kinds", "l", "L"),
    steps=_mining_steps,
    prompt="An anchor has the distance {d_ap} to its positive, and {d_an} to three negatives, in this order. The "
    "margin is {m}.\n"
    "Of which kind is each negative (kinds)? What is the triplet loss with each (l), and the mean loss L?\n"
    "Conventions: the distances are used as they are, not squared; mean over all three triplets.",
    hint="Where do the losses begin to be 0? Is a negative nearer or farther than the positive?",
    mistakes=[
        Mistake(
            "margin-ignored",
            {"kinds": _kinds_by(_margin_ignored)},
            "You ignored the margin. Within it, a negative that is farther than the positive still has a loss.",
        ),
        Mistake(
            "near-is-easy",
            {"kinds": _kinds_by(_reversed)},
            "You reversed the order. A negative near the anchor is hard to tell from the positive.",
        ),
        Mistake(
            "no-maximum",
            "l[i] = d_ap - d_an[i] + m",
            "A loss is never negative. Take the maximum with 0, so that easy negatives have the loss 0.",
        ),
        Mistake("distances-swapped", "l[i] = max(0, d_an[i] - d_ap + m)", SIGN),
        Mistake("sum-for-mean", "L = sum(i, l[i])", "You added the losses. Divide by the number of triplets."),
    ],
)
def triplet_mining(rng: Random) -> Inputs:
    """Kinds of negatives"""
    d_ap, m = rng.randint(8, 16) / 20, rng.choice([0.2, 0.25, 0.3, 0.4])
    d_an = [round(d_ap + gap, 2) for gap in rng.sample([-0.3, -0.2, -0.15, -0.1, 0.05, 0.1, 0.15, 0.45, 0.5, 0.6], 3)]
    if len({kind_of_negative(d_ap, d, m) for d in d_an}) < 2:
        raise UndefinedValue("all negatives are of one kind")
    return dict(d_ap=d_ap, d_an=d_an, m=m)


@drill(
    TRIPLET_SELECTION,
    id="triplet-infonce:decide",
    tier=2,
    asks=("selected", "L", "hard"),
    prompt="In a batch, an anchor has the distance d_ap = {d_ap} to its positive, and {d_an} to five negatives. The "
    "margin is m = {m}.\n"
    "What is the distance of the negative that semi-hard mining selects, the nearest one that is farther than the "
    "positive "
    "(selected)? What is the triplet loss with it (L), and with the hardest negative (hard)?\n"
    "Conventions: the distances are used as they are, not squared.",
    hint="Sort the distances. Where does the distance of the positive belong among them?",
    mistakes=[
        Mistake(
            "hardest-selected",
            "selected = nearest; L = max(0, d_ap - nearest + m)",
            "That is the hardest negative. Semi-hard ones are farther than the positive.",
        ),
        Mistake("farthest-selected", "selected = max(d_an)", "That is the easiest negative. Select the nearest one "
                "that is farther than the positive."),
        Mistake(
            "distances-swapped",
            "L = max(0, selected - d_ap + m); hard = max(0, nearest - d_ap + m)",
            SIGN,
        ),
        Mistake("margin-left-out", "L = max(0, d_ap - selected); hard = max(0, d_ap - nearest)", NO_MARGIN),
    ],
)  # fmt: skip
def triplet_decide(rng: Random) -> Inputs:
    """Semi-hard and hardest negative"""
    d_ap, m = rng.randint(8, 18) / 20, rng.choice([0.2, 0.25, 0.3, 0.4])
    gaps = rng.sample([-0.3, -0.25, -0.15, -0.1, -0.05], 2) + rng.sample([0.05, 0.1, 0.15, 0.45, 0.6, 0.7], 3)
    d_an = [round(d_ap + gap, 2) for gap in gaps]
    return dict(d_ap=d_ap, d_an=rng.sample(d_an, 5), m=m)


def _stall_steps(d_ap: list[float], m: float, L: float, active: int, **_: Any) -> list[Step]:
    return [
        Step("Compute the loss of each triplet, and their mean.", [f"L = {L:.4f}"]),
        Step(f"Count the triplets with a positive loss: {active} of {len(d_ap)}.", [f"active = {active}"]),
        Step(
            f"Compare with the margin {m:g}: all distances near 0 mean equal embeddings, no active triplet means easy "
            "ones, and negatives that are mostly nearer than the positives mean swapped labels."
        ),
    ]


def _another_problem(d_ap: list[Any], d_an: list[Any], m: Any) -> str:
    losses = [p - n + m for p, n in zip(d_ap, d_an, strict=True)]
    if max(losses) <= 0:
        return "learning"
    return "easy" if max(d_an) <= m / 10 else "collapse"


@drill(
    TRIPLET_DIAGNOSIS,
    id="triplet-infonce:diagnose",
    tier=3,
    asks=("L", "active", "problem"),
    visualization="table d_ap d_an",
    steps=_stall_steps,
    prompt="A network is trained by the triplet loss with the margin {m}. After some epochs, a batch of four triplets "
    "has the distances d_ap = {d_ap} of anchor and positive, and d_an = {d_an} of anchor and negative.\n"
    "What is the mean loss L? How many triplets have a loss above 0 (active)? What do the distances show (problem)?\n"
    "Conventions: the distances are used as they are, not squared; mean over all triplets.",
    hint="What would the loss be if all embeddings were equal? What if every negative were far away?",
    mistakes=[
        Mistake(
            "mean-of-active",
            "L = sum(i, max(0, d_ap[i] - d_an[i] + m))/max(1, sum(i, [d_ap[i] - d_an[i] + m > 0]))",
            "You divided by the number of active triplets. The mean is over all triplets.",
        ),
        Mistake(
            "no-maximum",
            "L = mean(i, d_ap[i] - d_an[i] + m)",
            "A loss is never negative. Take the maximum with 0 in each triplet before the mean.",
        ),
        Mistake("distances-swapped", "L = mean(i, max(0, d_an[i] - d_ap[i] + m))", SIGN),
        Mistake(
            "hard-only",
            {"active": lambda d_ap, d_an, m: sum(p > n for p, n in zip(d_ap, d_an, strict=True))},
            "You counted the triplets whose negative is nearer. Within the margin, farther ones have a loss, too.",
        ),
        Mistake(
            "another-problem",
            {"problem": _another_problem},
            "Compare all distances with 0 and with each other, then the loss with the margin.",
        ),
    ],
)
def triplet_diagnose(rng: Random) -> Inputs:
    """Triplets that don't train a network"""
    m, case = rng.choice([0.2, 0.3, 0.4, 0.5]), rng.choice(["collapse", "easy", "labels", "learning"])

    def distances(low: int, high: int) -> list[float]:
        return [rng.randint(low, high) / 100 for _ in range(4)]

    if case == "collapse":
        return dict(d_ap=distances(0, 2), d_an=distances(0, 2), m=m)
    if case == "easy":
        d_ap = distances(10, 40)
        return dict(d_ap=d_ap, d_an=[round(d + m + rng.randint(5, 50) / 100, 2) for d in d_ap], m=m)
    near, far = distances(15, 40), distances(70, 120)
    if case == "labels":
        return dict(d_ap=far, d_an=near, m=m)
    gaps = [rng.randint(-10, 30) / 100 for _ in range(3)] + [m + 0.2]
    if m in gaps:
        raise UndefinedValue("a loss is exactly 0")
    d_ap = distances(30, 60)
    return dict(d_ap=d_ap, d_an=[round(d + gap, 2) for d, gap in zip(d_ap, rng.sample(gaps, 4), strict=True)], m=m)


@drill(
    TRIPLET_GRADIENT,
    id="triplet-infonce:gradient",
    tier=3,
    asks=one_of(derive("g_a"), derive("g_p"), derive("g_n")),
    prompt="Embeddings are single numbers: the anchor is {a}, the positive is {p}, and the negative is {n}. The "
    "triplet loss (a - p)^2 - (a - n)^2 + {margin} is above 0 here.\n"
    "Derive its derivative with respect to the embedding that is asked for below. Answer in terms of a, p and n (those "
    "that are letters here).",
    hints=(
        "Which of the two squares contain the embedding?",
        "(x - y)^2 has the derivative 2(x - y) with respect to x, and -2(x - y) with respect to y.",
        "First step: differentiate each square on its own. The margin is a constant.",
    ),
    mistakes=[
        Mistake(
            "negative-left-out",
            "g_a = 2*(a - p)",
            "You left out the distance to the negative. Both distances depend on the anchor.",
        ),
        Mistake(
            "distances-added",
            "g_a = 2*(a - p) + 2*(a - n)",
            "You added the distance to the negative. The loss subtracts it.",
        ),
        Mistake(
            "sign-reversed",
            "g_a = 2*(p - n); g_p = 2*(a - p); g_n = 2*(n - a)",
            "The sign is reversed. (a - p)^2 falls when p moves toward a.",
        ),
        Mistake(
            "factor-left-out",
            "g_a = n - p; g_p = p - a; g_n = a - n",
            "You left out the factor 2 of the squares.",
        ),
    ],
)
def triplet_gradient(rng: Random) -> Inputs:
    """Gradient of the triplet loss"""
    values = {"a": rng.randint(-2, 2) / 2, "p": rng.randint(-6, 6) / 2, "n": rng.randint(-6, 6) / 2}
    number = rng.choice(["a", "p", "n"])  # the others stay letters
    variables = {name: [-3, 3] for name in values if name != number}
    return dict({number: values[number]}, variables=variables, margin=rng.choice([0.2, 0.5, 1, 2]))


@drill(
    INFONCE,
    id="triplet-infonce:infonce",
    tier=2,
    asks=("q", "L"),
    prompt="An anchor has the similarities s = {s} to one positive, the first, and to negatives. The temperature is "
    "tau = {tau}.\n"
    "What is the softmax q of the similarities, and the InfoNCE loss L?\n"
    "Conventions: natural logarithm; the similarities are divided by tau; the sum below includes the positive.",
    hint="InfoNCE is a cross-entropy. What are its logits, and which class is correct?",
    mistakes=[
        Mistake(
            "multiplied-by-tau",
            "q[j] = exp(s[j]*tau)/sum(m, exp(s[m]*tau))",
            "You multiplied by the temperature. Divide by it: a small tau makes the softmax sharper.",
        ),
        Mistake("tau-left-out", "q[j] = exp(s[j])/sum(m, exp(s[m]))", "You left out the temperature."),
        Mistake(
            "positive-left-out",
            "L = -ln(q[1]/(1 - q[1]))",
            "You left the positive out of the sum below. It includes the positive.",
        ),
        Mistake("base-2", "L = -log2(q[1])", "You used the base-2 logarithm. Use the natural one."),
        Mistake("probability-for-loss", "L = 1 - q[1]", "That is the error of the probability. Take -ln of it."),
    ],
)
def infonce(rng: Random) -> Inputs:
    """InfoNCE loss"""
    s = [rng.randint(6, 19) / 20, *(rng.randint(-8, 12) / 20 for _ in range(rng.choice([2, 2, 3])))]
    return dict(s=s, tau=rng.choice([0.2, 0.25, 0.4, 0.5, 0.6]))


@drill(
    INFONCE_PAIR,
    id="triplet-infonce:temperature",
    tier=2,
    asks=one_of("L", "tau", "s_pos"),
    prompt="An anchor has the similarity s_pos = {s_pos} to its positive and s_neg = {s_neg} to its only negative. "
    "With the temperature tau = {tau}, its InfoNCE loss is L = {L}.\n"
    "Conventions: natural logarithm; the similarities are divided by tau; the sum below includes the positive.",
    hint="With two candidates, the softmax is a sigmoid of the difference. Undo the logarithm first.",
    mistakes=[
        Mistake(
            "multiplied-by-tau",
            "L = ln(1 + exp((s_neg - s_pos)*tau))",
            "You multiplied by the temperature. Divide by it.",
        ),
        Mistake(
            "positive-left-out",
            "L = (s_neg - s_pos)/tau",
            "You left the positive out of the sum below. It includes the positive.",
        ),
        Mistake(
            "similarities-swapped",
            "L = ln(1 + exp((s_pos - s_neg)/tau))",
            "You swapped the similarities. A similar positive makes the loss small.",
        ),
        Mistake(
            "tau-left-out", "L = ln(1 + exp(s_neg - s_pos))", "You left out the temperature. Divide by it."
        ),
    ],
)  # fmt: skip
def infonce_temperature(rng: Random) -> Inputs:
    """Temperature of InfoNCE"""
    s_pos, s_neg = rng.randint(4, 19) / 20, rng.randint(-8, 14) / 20
    tau = rng.choice([0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8])
    if not 0.3 < abs(s_pos - s_neg) / tau < 5:
        raise UndefinedValue("the loss is too close to ln 2 or to 0")
    return dict(s_pos=s_pos, s_neg=s_neg, tau=tau)


@drill(
    INFONCE_BOUND,
    id="triplet-infonce:bound",
    tier=1,
    asks=one_of("I", "L"),
    prompt="InfoNCE is computed with N = {N} candidates per anchor, one positive and negatives. The loss is L = {L}, "
    "which gives the lower bound I = {I} of the mutual information.\n"
    "Conventions: natural logarithm, so nats.",
    hint="What is the loss of a model that can't tell the candidates apart? Then the bound must be 0.",
    mistakes=[
        Mistake("negatives-only", "I = ln(N - 1) - L", "You counted the negatives only. The positive counts, too."),
        Mistake("sign-reversed", "I = L - ln(N)", "The sign is reversed. A small loss means much information."),
        Mistake("base-2", "I = log2(N) - L", "You used the base-2 logarithm. Use the natural one."),
        Mistake("loss-not-subtracted", "I = ln(N) + L", "Subtract the loss. The bound is at most ln N."),
    ],
)  # fmt: skip
def infonce_bound(rng: Random) -> Inputs:
    """Mutual information and InfoNCE"""
    N = rng.choice([8, 16, 32, 64, 100, 128, 200, 256, 512, 1024])
    return dict(N=N, L=rng.randint(5, 20 if N < 16 else 27) / 10)


def _infonce_gradient_steps(r: list[float], g: list[float], **_: Any) -> list[Step]:
    return [
        Step(
            "The loss is a cross-entropy of the logits s/tau. With respect to the logits, it has the derivative q - 1 "
            "at the positive and q at a negative. Multiply by d(s/tau)/ds = 1/tau.",
            ["g_pos = (q - 1)/tau", "g_neg = q/tau"],
        ),
        Step("Compute the softmax of the similarities.", [f"r = {[round(x, 4) for x in r]}"]),
        Step("Insert it. The derivatives add up to 0.", [f"g = {[round(x, 4) for x in g]}"]),
    ]


@drill(
    INFONCE_GRADIENT,
    id="triplet-infonce:infonce-gradient",
    tier=3,
    asks=(derive("g_pos"), derive("g_neg"), "g"),
    steps=_infonce_gradient_steps,
    prompt="InfoNCE of an anchor is L = -ln(exp(s_1/tau)/sum_j exp(s_j/tau)), where s_1 is the similarity of the "
    "positive. Let q be the softmax value of a candidate.\n"
    "Derive dL/ds of the positive (g_pos) and of a negative (g_neg), in terms of its own q and of tau. What are the "
    "derivatives g for the similarities {s} and the temperature {t}?\n"
    "Conventions: natural logarithm; the sum includes the positive.",
    hints=(
        "What is the derivative of the cross-entropy with respect to a logit?",
        "It is softmax minus one-hot. The logits are s/tau, so the chain rule gives a factor 1/tau.",
        "First step: write L = ln(sum_j exp(s_j/tau)) - s_1/tau.",
    ),
    mistakes=[
        Mistake(
            "chain-rule-left-out",
            "g_pos = q - 1; g_neg = q; g[j] = r[j] - [j = 1]",
            "You left out the factor 1/tau. The logits are the similarities divided by tau.",
        ),
        Mistake(
            "multiplied-by-tau",
            "g_pos = (q - 1)*tau; g_neg = q*tau; g[j] = (r[j] - [j = 1])*t",
            "You multiplied by tau. The logits are s/tau, so divide.",
        ),
        Mistake(
            "sign-reversed",
            "g_pos = (1 - q)/tau; g_neg = -q/tau; g[j] = ([j = 1] - r[j])/t",
            "The sign is reversed. The loss falls when the positive becomes more similar.",
        ),
        Mistake(
            "positive-as-negative",
            "g_pos = q/tau; g[j] = r[j]/t",
            "You left out the target. At the positive, subtract 1 from the softmax value.",
        ),
    ],
)
def infonce_gradient(rng: Random) -> Inputs:
    """Gradient of InfoNCE"""
    s = [rng.randint(6, 18) / 20, *(rng.randint(-6, 12) / 20 for _ in range(2))]
    return dict(s=s, t=rng.choice([0.2, 0.25, 0.4, 0.5]), variables={"q": [0.05, 0.95], "tau": [0.05, 2]})


def _infonce_program_steps(line: int, bug: str, printed: float, correct: float, **_: Any) -> list[Step]:
    reasons = {
        "multiplied": "It multiplies the similarities by tau. Divide by it.",
        "positive-left-out": "It leaves the positive out of the sum. InfoNCE is the cross-entropy over all candidates.",
        "target": "It takes the last candidate for the positive. The first one is the positive.",
    }
    return [
        Step(f"Line {line} is wrong. {reasons[bug]}"),
        Step("Insert the numbers as the program has them.", [f"printed = {printed:.4f}"]),
        Step("Compute the cross-entropy of s/tau with the first candidate.", [f"correct = {correct:.4f}"]),
    ]


@drill(
    INFONCE_PROGRAM,
    id="triplet-infonce:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_infonce_program_steps,
    prompt="This program should print the InfoNCE loss of an anchor with the similarities s to its candidates. The "
    "first candidate is the positive. It runs, but one line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? What does the program print as it is (printed), "
    "and what does the corrected one print (correct)?\n"
    "Conventions: the similarities are divided by tau; the sum includes the positive.",
    hints=(
        "What are the logits, over which candidates is the sum, and which candidate is subtracted?",
        "InfoNCE is ln(sum of exp(logits)) minus the logit of the positive, with the logits s/tau.",
        "First step: compute the logits by hand and compare each line.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 3 if line == 4 else 4},
            "That line is correct. Compare each line with ln(sum of exp(logits)) minus the logit of the positive.",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda s, tau, bug, **_: _loss([float(x / tau) for x in s], 0)},
            "That is the correct loss. Insert the numbers as the program has them.",
        ),
        Mistake(
            "temperature-ignored",
            {"correct": lambda s, tau, bug, **_: _loss([float(x) for x in s], 0)},
            "You left out the temperature. Divide the similarities by tau.",
        ),
        Mistake(
            "last-as-positive",
            {"correct": lambda s, tau, bug, **_: _loss([float(x / tau) for x in s], -1)},
            "You took the last candidate for the positive. It is the first one.",
        ),
    ],
)
def infonce_debug(rng: Random) -> Inputs:
    """A wrong line in InfoNCE"""
    s = [rng.randint(10, 18) / 20, *(rng.randint(-6, 12) / 20 for _ in range(2))]
    tau = rng.choice([0.2, 0.25, 0.4, 0.5])
    correct = {
        3: "logits = s / tau",
        4: "total = torch.logsumexp(logits, dim=0)",
        5: "loss = total - logits[0]",
    }
    line, wrong, bug = rng.choice(
        [
            (3, "logits = s * tau", "multiplied"),
            (4, "total = torch.logsumexp(logits[1:], dim=0)", "positive-left-out"),
            (5, "loss = total - logits[-1]", "target"),
        ]
    )
    lines = {**correct, line: wrong}
    program = f"""
s = torch.tensor({s})  # the positive is first
tau = {tau}
{lines[3]}
{lines[4]}
{lines[5]}
print(loss.item())
""".strip()
    others = {3: ["logits = torch.div(s, tau)"], 4: ["total = logits.exp().sum().log()"], 5: []}
    return dict(s=s, tau=tau, bug=bug, line=line, fix=[correct[line], *others[line]], program=program)


def _loss(logits: list[float], target: int) -> float:
    """Return the cross-entropy of logits with a target."""
    from math import exp, log

    return log(sum(map(exp, logits))) - logits[target]
