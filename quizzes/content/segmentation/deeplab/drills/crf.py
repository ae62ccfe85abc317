"""DeepLab: drills about the fully connected CRF."""

from random import Random

from quizzes.content.segmentation.deeplab.formulas import CRF_FLIP, CRF_KERNEL, CRF_TWO_PIXELS
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue


@drill(
    CRF_KERNEL,
    tier=1,
    asks=("A", "B", "k"),
    prompt="A fully connected CRF connects two pixels that are {t} px apart and whose intensities differ by {g}. Its "
    "kernel is {w1}*exp(-t^2/(2*{alpha}^2) - g^2/(2*{beta}^2)) + {w2}*exp(-t^2/(2*{gamma}^2)), with the distance t and "
    "the difference g.\n"
    "What are the appearance kernel A and the smoothness kernel B, each with its weight, and their sum k?",
    hint="Which of the two kernels looks at the colors? Is it large for similar pixels, or for different ones?",
    mistakes=[
        Mistake("color-left-out", "A = w1*exp(-t^2/(2*alpha^2))", "The appearance kernel also compares intensities."),
        Mistake(
            "not-squared",
            "A = w1*exp(-t/(2*alpha^2) - abs(g)/(2*beta^2))",
            "The distance and the difference are squared.",
        ),
        Mistake("factor-left-out", "A = w1*exp(-t^2/alpha^2 - g^2/beta^2)", "Divide by 2 times the squared width."),
        Mistake("weight-left-out", "B = exp(-t^2/(2*gamma^2))", "You left out the weight of the smoothness kernel."),
        Mistake("width-not-squared", "B = w2*exp(-t^2/(2*gamma))", "The width is squared, too."),
        Mistake("product", "k = A*B", "The two kernels are added."),
    ],
)
def crf_kernel(rng: Random) -> Inputs:
    """Kernel of two pixels in a CRF"""
    alpha, beta = rng.choice([4, 5, 8, 10]), rng.choice([3, 5, 8, 10])
    return dict(
        t=rng.randint(1, 5), g=rng.randint(2, 12), w1=rng.choice([2, 3, 4, 5]), w2=rng.choice([0.5, 1.5, 2, 3]),
        alpha=alpha, beta=beta, gamma=rng.choice([2, 3, 4]),
    )  # fmt: skip


@drill(
    CRF_TWO_PIXELS,
    tier=2,
    asks=("q1", "q2"),
    prompt="A network predicts foreground with the probabilities p1 = {p1} and p2 = {p2} at two pixels. A fully "
    "connected CRF with the two labels foreground and background has the unary costs -ln(p) and the kernel k = {k} "
    "between the two pixels.\n"
    "What are their foreground probabilities q1 and q2 after one mean field update of both pixels at once?\n"
    "Conventions: Potts model: a label costs k times the probability that the other pixel has the other label; natural "
    "logarithm.",
    hint="What do foreground and background cost at pixel 1, if pixel 2 is foreground with probability p2?",
    mistakes=[
        Mistake(
            "agreement-penalized",
            "a1 = p1*exp(-k*p2); b1 = (1 - p1)*exp(-k*(1 - p2)); a2 = p2*exp(-k*p1); b2 = (1 - p2)*exp(-k*(1 - p1))",
            "You penalized equal labels. The Potts model penalizes different ones.",
        ),
        Mistake(
            "unary-left-out",
            "a1 = exp(-k*(1 - p2)); b1 = exp(-k*p2); a2 = exp(-k*(1 - p1)); b2 = exp(-k*p1)",
            "You left out the network's own probabilities, which are the unary costs.",
        ),
        Mistake("not-normalized", "q1 = a1; q2 = a2", "Divide by the sum over both labels."),
        Mistake(
            "one-after-the-other",
            "a2 = p2*exp(-k*(1 - q1)); b2 = (1 - p2)*exp(-k*q1)",
            "You used the new value of pixel 1. Both are updated at once, from the old values.",
        ),
        Mistake("not-updated", "q1 = p1; q2 = p2", "Those are the probabilities before the update."),
    ],
)
def crf_mean_field(rng: Random) -> Inputs:
    """Mean field update of two pixels"""
    p1, p2 = rng.sample([0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9], 2)
    if abs(p1 + p2 - 1) < 0.01:
        raise UndefinedValue("the answers must differ")
    return dict(p1=p1, p2=p2, k=rng.choice([0.5, 0.8, 1, 1.2, 1.5, 2, 2.5, 3]))


@drill(
    CRF_FLIP,
    id="crf-mean-field:flip",
    tier=3,
    asks=("x1", "m", "k_min"),
    prompt="A network predicts foreground with the probabilities p1 = {p1} and p2 = {p2} at two pixels. A fully "
    "connected CRF with two labels has the unary costs -ln(p) and the kernel k between the pixels. After one mean "
    "field update, the logit of pixel 1 is x1 + m*k.\n"
    "What are its logit x1 before the update and the slope m? At which kernel does the label of pixel 1 change "
    "(k_min)?\n"
    "Conventions: Potts model: a label costs k times the probability that the other pixel has the other label; the "
    "logit is ln(q1/(1 - q1)).",
    hints=(
        "At which logit does the more probable label change?",
        "The logit is the cost of background minus that of foreground: ln(p1/(1 - p1)) + k p2 - k(1 - p2).",
    ),
    mistakes=[
        Mistake("probability-ratio", "x1 = p1/(1 - p1)", "Take the natural logarithm of the ratio."),
        Mistake("logit-inverted", "x1 = ln((1 - p1)/p1)", "You inverted the ratio: that is the logit of background."),
        Mistake("one-cost", "m = p2", "Foreground costs k(1 - p2) as well. Subtract it."),
        Mistake("slope-inverted", "m = 1 - 2*p2", "A neighbor that is foreground makes foreground more probable."),
        Mistake("half", "k_min = (1/2 - x1)/m", "The label changes where the logit is 0, not where it is 1/2."),
        Mistake("sign", "k_min = x1/m", "The two terms must cancel each other: x1 + m k = 0."),
    ],
)
def crf_flip(rng: Random) -> Inputs:
    """Kernel that changes a label"""
    low, high = rng.choice([0.2, 0.25, 0.3, 0.35, 0.4, 0.45]), rng.choice([0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
    p1, p2 = rng.choice([(low, high), (high, low)])
    return dict(p1=p1, p2=p2)
