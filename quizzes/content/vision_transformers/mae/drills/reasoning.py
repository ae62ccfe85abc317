"""Masked autoencoder: drills that derive, debug and decide."""

from random import Random
from typing import Any

from quizzes.content.vision_transformers.mae.formulas import (
    MAE_LOSS_CODE,
    MAE_RATIO,
    MAE_SPEEDUP,
    MASK_LINE,
    MEAN_LINE,
)
from quizzes.drill import Inputs, Mistake, derive, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    MAE_SPEEDUP,
    id="derive-mae-speedup",
    tier=3,
    asks=(derive("S"), "S_3"),
    prompt="An encoder block of width d = {d} costs 12nd^2 + 2n^2 d MACs for n tokens. A masked autoencoder has N = "
    "{N} "
    "patches, and its encoder processes the share 1 - r of them that is visible (no class token).\n"
    "Derive how many times cheaper a block becomes by masking, as a function of r (S). What is that number for r = 3/4 "
    "(S_3)?",
    hints=(
        "Which part of the cost shrinks with 1 - r, and which with its square?",
        "S = (12Nd^2 + 2N^2 d)/(12vd^2 + 2v^2 d), with v = (1 - r) N visible patches.",
        "First step: insert v = (1 - r) N, and divide the numerator and the denominator by 2Nd.",
    ),
    mistakes=[
        Mistake(
            "linear-part-only",
            "S = 1/(1 - r); S_3 = 4",
            "You left out attention. Its cost shrinks with the square of the share.",
        ),
        Mistake(
            "attention-only",
            "S = 1/(1 - r)^2; S_3 = 16",
            "You left out projections and MLP. Their cost shrinks with the share, not with its square.",
        ),
        Mistake(
            "masked-for-visible",
            "S = (6*d + N)/(r*(6*d + r*N)); S_3 = (6*d + N)/(3/4*(6*d + 3*N/4))",
            "You used the masked patches. The encoder processes the visible ones.",
        ),
        Mistake(
            "share-once",
            "S = (6*d + N)/(6*d + (1 - r)*N); S_3 = (6*d + N)/(6*d + N/4)",
            "Both parts have the factor 1 - r, and attention has it twice.",
        ),
    ],
)
def derive_mae_speedup(rng: Random) -> Inputs:
    """Speedup by masking"""
    N, d = rng.choice([64, 144, 196, 256, 400, 576, 784]), rng.choice([32, 48, 64, 96, 128, 192, 256, 384, 768])
    return dict(N=N, d=d, variables={"r": [0.1, 0.9]})


def _loss_steps(err: list[float], mask: list[int], line: int, printed: float, fixed: float, **_: Any) -> list[Step]:
    masked = [f"{float(x):g}" for x, bit in zip(err, mask, strict=True) if bit]
    visible = [f"{float(x):g}" for x, bit in zip(err, mask, strict=True) if not bit]
    reasons = {
        MEAN_LINE: (f"Line {line} divides by all {len(err)} patches, also by visible ones.", masked, len(err)),
        MASK_LINE: (f"Line {line} adds up the visible patches: its mask is inverted.", visible, len(masked)),
    }
    text, terms, count = reasons[line]
    return [
        Step(text, [f"printed = ({' + '.join(terms)})/{count}", f"printed = {float(printed):.4f}"]),
        Step(
            "The loss is the mean over masked patches.",
            [f"fixed = ({' + '.join(masked)})/{len(masked)}", f"fixed = {float(fixed):.4f}"],
        ),
    ]


@drill(
    MAE_LOSS_CODE,
    id="debug-mae-loss",
    tier=2,
    asks=("line", "printed", "fixed"),
    visualization="code program",
    prompt="This is the loss of a masked autoencoder, for patches with the squared errors e; 1 in mask means masked.\n"
    "Which line is incorrect (line)? What does the program print (printed), and what does the corrected one print "
    "(fixed)?",
    hints=(
        "Over which patches does the loss of a masked autoencoder average?",
        "L = sum of mask[i] e[i], divided by the number of masked patches.",
        "First step: list the errors of the masked patches.",
    ),
    steps=_loss_steps,
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: MEAN_LINE if line == MASK_LINE else MASK_LINE},
            "That line is correct. Check over which patches the program adds up, and by which number it divides.",
        ),
        Mistake("blames-data", {"line": 2}, "That line only holds the mask."),
        Mistake(
            "all-patches",
            {"fixed": lambda err, mask, line: sum(err) / len(err)},
            "You averaged over all patches. Visible ones are the input.",
        ),
        Mistake(
            "sum-for-mean",
            {"fixed": lambda err, mask, line: sum(x * bit for x, bit in zip(err, mask, strict=True))},
            "You added up the errors. The loss is their mean.",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda err, mask, line: sum(x * b for x, b in zip(err, mask, strict=True)) / sum(mask)},
            "That is the correct loss. The program computes another number.",
        ),
    ],
)
def debug_mae_loss(rng: Random) -> Inputs:
    """Loss of a masked autoencoder"""
    n = rng.choice([4, 5, 6])
    masked = rng.choice([k for k in range(2, n) if 2 * k != n])
    mask = [1] * masked + [0] * (n - masked)
    rng.shuffle(mask)
    e = [rng.randint(2, 30) / 10 for _ in mask]
    line = rng.choice([MEAN_LINE, MASK_LINE])
    count = "len(e)" if line == MEAN_LINE else "mask.sum()"
    terms = "e * mask" if line == MEAN_LINE else "e * (1 - mask)"
    program = f"""
e = torch.tensor({e})
mask = torch.tensor({mask})
def loss(e, mask):
    count = {count}
    return ({terms}).sum() / count
print(loss(e, mask).item())
""".strip()
    return dict(err=e, mask=mask, line=line, program=program)


def _ratio_steps(N: int, d: int, L: int, d_dec: int, L_dec: int, budget: float, **values: Any) -> list[Step]:
    steps = []
    for k, share in ((1, 25), (2, 50), (3, 75)):
        v, cost = N * (4 - k) // 4, float(values[f"M{k}"])
        fits = "fits" if cost <= budget else "is too expensive"
        math = f"M{k} = ({L}*(12*{v}*{d}^2 + 2*{v}^2*{d}) + {L_dec}*(12*{N}*{d_dec}^2 + 2*{N}^2*{d_dec}))/10^9"
        steps.append(Step(f"With {share}% masked, {v} patches are visible. It {fits}.", [math, f"M{k} = {cost:.4f}"]))
    cost, speedup = float(values["cost"]), float(values["speedup"])
    return [
        *steps,
        Step(
            "Compare with the encoder alone on all patches.",
            [f"speedup = {L}*(12*{N}*{d}^2 + 2*{N}^2*{d})/(10^9*{cost:.6g})", f"speedup = {speedup:.4f}"],
        ),
    ]


@drill(
    MAE_RATIO,
    id="decide-mae-ratio",
    tier=2,
    asks=("best", "cost", "speedup"),
    prompt="A masked autoencoder has {N} patches, an encoder of {L} blocks of width {d} on the visible ones, and a "
    "decoder of {L_dec} blocks of width {d_dec} on all of them. A block costs 12 n d^2 + 2 n^2 d MACs for n tokens (no "
    "class token). It may mask 25%, 50% or 75% of the patches.\n"
    "Which is the smallest share that stays within {budget} GMACs (best)? What does it cost in GMACs (cost), and how "
    "many times cheaper is it than the encoder alone on all patches (speedup)?",
    hint="How many patches does the encoder process for each of the three shares?",
    steps=_ratio_steps,
    mistakes=[
        Mistake(
            "too-cautious",
            "best = where(M1 <= budget, 2, 3)",
            "A smaller share fits as well. Compute its cost.",
        ),
        Mistake(
            "decoder-left-out",
            "cost = where(M1 <= budget, L*(12*(N*3/4)*d^2 + 2*(N*3/4)^2*d), where(M2 <= budget, L*(12*(N/2)*d^2 + "
            "2*(N/2)^2*d), L*(12*(N/4)*d^2 + 2*(N/4)^2*d)))/10^9",
            "You left out the decoder.",
        ),
        Mistake(
            "masked-for-visible",
            "best = where(M3 <= budget, 1, 2); cost = where(M1 <= budget, M3, where(M2 <= budget, M2, M1))",
            "You counted the masked patches. The encoder processes the visible ones.",
        ),
        Mistake(
            "inverse-share",
            "speedup = where(M1 <= budget, 4/3, where(M2 <= budget, 2, 4))",
            "That is 1/(1 - r). The decoder costs something too, and attention shrinks with the square.",
        ),
        Mistake(
            "decoder-on-visible",
            "cost = where(M1 <= budget, L*(12*(N*3/4)*d^2 + 2*(N*3/4)^2*d) + L_dec*(12*(N*3/4)*d_dec^2 + "
            "2*(N*3/4)^2*d_dec), where(M2 <= budget, L*(12*(N/2)*d^2 + 2*(N/2)^2*d) + L_dec*(12*(N/2)*d_dec^2 + "
            "2*(N/2)^2*d_dec), L*(12*(N/4)*d^2 + 2*(N/4)^2*d) + L_dec*(12*(N/4)*d_dec^2 + 2*(N/4)^2*d_dec)))/10^9",
            "The decoder has a token for every patch, masked ones included.",
        ),
    ],
)
def decide_mae_ratio(rng: Random) -> Inputs:
    """Mask ratio within a budget"""
    N = rng.choice([64, 144, 196, 256, 400])
    d, L = rng.choice([256, 384, 512, 768]), rng.choice([6, 8, 12])
    d_dec, L_dec = rng.choice([128, 192, 256]), rng.choice([1, 2, 4])

    def cost(n: float, d: int, L: int) -> float:
        return L * (12 * n * d * d + 2 * n * n * d) / 1e9

    costs = [cost(N * (4 - k) / 4, d, L) + cost(N, d_dec, L_dec) for k in (1, 2, 3)]
    best = rng.choice([0, 1, 2])
    low, high = costs[best], costs[best - 1] if best else costs[0] * 1.3
    budget = round(low + (high - low) * rng.uniform(0.15, 0.85), 2)
    if not low * 1.005 < budget < high * 0.995:
        raise UndefinedValue("the budget must be apart from the costs")
    return dict(N=N, d=d, L=L, d_dec=d_dec, L_dec=L_dec, budget=budget)
