"""Encoder, z, decoder: drills about training and evaluation."""

from random import Random
from typing import Any

from quizzes.content.seq2seq.seq2seq.formulas import BLEU_OF_TWO_SETS, CLASS_DIMENSION, TEACHER_FORCING
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    BLEU_OF_TWO_SETS,
    id="bleu-short-outputs",
    tier=3,
    asks=("B1", "B2", "problem"),
    joins=("bleu",),
    prompt="A translator is tested on short and on long sentences. The n-gram precisions p1 to p4, the number of "
    "output words c and the number of reference words r are:\n"
    "  short: precisions {p}, c = {c1}, r = {r1}\n"
    "  long: precisions {q}, c = {c2}, r = {r2}\n"
    "What is BLEU-4 on the short (B1) and on the long sentences (B2), from 0 to 1? What is the problem on the long "
    "sentences?",
    hint="Which part of BLEU differs between the two sets: the precisions or the brevity penalty?",
    mistakes=[
        Mistake(
            "penalty-inverted",
            "B1 = exp(1 - c1/r1)*prod(n, p[n])^(1/4); B2 = exp(1 - c2/r2)*prod(n, q[n])^(1/4)",
            "You inverted the ratio. The brevity penalty is exp(1 - r/c) for outputs that are too short.",
        ),
        Mistake(
            "ratio-as-penalty",
            "B1 = min(1, c1/r1)*prod(n, p[n])^(1/4); B2 = min(1, c2/r2)*prod(n, q[n])^(1/4)",
            "You used c/r as penalty. It is exp(1 - r/c).",
        ),
        Mistake(
            "no-penalty",
            "B1 = prod(n, p[n])^(1/4); B2 = prod(n, q[n])^(1/4)",
            "You left out the brevity penalty of outputs that are too short.",
        ),
        Mistake(
            "arithmetic-mean",
            "B1 = BP1*mean(n, p[n]); B2 = BP2*mean(n, q[n])",
            "You used the arithmetic mean. BLEU uses the geometric mean of the precisions.",
        ),
        Mistake(
            "another-problem",
            "problem = where(c2 > r2, 2, where(c2 < 9/10*r2, 2, 1))",
            "Compare the sets: a small penalty means short outputs; smaller p3 and p4 alone mean a wrong word order.",
        ),
    ],
)
def bleu_short_outputs(rng: Random) -> Inputs:
    """BLEU on short and on long sentences"""
    p = [round(first - drop, 2) for first, drop in ((0.75, 0), (0.6, 0.0), (0.5, 0.0), (0.4, 0.0))]
    p = [round(value + rng.randint(-4, 8) / 100, 2) for value in p]
    r1, r2 = rng.choice([100, 120, 150, 200]), rng.choice([100, 200, 250, 300])
    c1 = r1 - rng.choice([2, 3, 4])
    case = rng.choice(["early", "order", "repeated"])
    if case == "early":
        q, c2 = p, r2 * rng.choice([50, 60, 65, 70, 75]) // 100
    elif case == "order":
        q, c2 = (
            [p[0], round(p[1] - 0.04, 2), round(p[2] / 2.5, 2), round(p[3] / 4, 2)],
            r2 * rng.choice([97, 98]) // 100,
        )
    else:
        q, c2 = [round(value * 0.6, 2) for value in p], r2 * rng.choice([120, 130, 140, 150]) // 100
    return dict(p=p, c1=c1, r1=r1, q=q, c2=c2, r2=r2)


def _forcing_steps(
    ids: list[int], V: int, g: float, line: int, printed: float, count: int, fixed: float, fixed_count: int, **_: Any
) -> list[Step]:
    return [
        Step(
            f"Line {line} gives the decoder the token that it has to predict. Shift them: tgt[:, :-1] and tgt[:, 1:]."
        ),
        Step(
            "Copying is then always correct: the correct token has the logit g, and the others have 0.",
            [f"printed = ln(1 + ({V} - 1)*exp(-{g:g}))", f"printed = {printed:.4f}"],
        ),
        Step("Padding is ignored, so all other tokens count.", [f"count = {count}"]),
        Step(
            "After the shift, the copied token is never the next one: the correct token has the logit 0.",
            [f"fixed = ln(exp({g:g}) + {V} - 1)", f"fixed = {fixed:.4f}"],
        ),
        Step("The first token is no longer a target.", [f"fixed_count = {fixed_count}"]),
    ]


def _ids(rng: Random, V: int) -> list[int]:
    """Return token ids: the start 1, words, the end 2, and padding 0."""
    words = rng.sample(range(3, V), rng.choice([2, 3, 4]))
    return [1, *words, 2, *[0] * rng.choice([1, 1, 2])]


@drill(
    TEACHER_FORCING,
    id="debug-teacher-forcing",
    tier=3,
    asks=("line", "printed", "count", "fixed", "fixed_count"),
    visualization="code program",
    prompt="With this code, training reaches a small loss, but the translations are useless. To see why, it is run "
    "with a decoder that copies its input. The ids are 0 for padding, 1 for the start, and 2 for the end.\n"
    "Which line is incorrect (line)? Which loss (printed) and which number of tokens (count) does the program print? "
    "What does the corrected program print (fixed, fixed_count)?",
    hints=(
        "Which token does the decoder see when it has to predict a token?",
        "With teacher forcing, the input is the target without its last token, and what is predicted is the target "
        "without its first token. The cross-entropy is ln(sum of exp(logits)) minus the logit of the correct token.",
        "First step: write the logit of the correct token at each position, before and after the shift.",
    ),
    steps=_forcing_steps,
    mistakes=[
        Mistake(
            "blames-padding",
            {"line": 4},
            "Ignoring the padding is correct. Look at what the decoder sees and what it has to predict.",
        ),
        Mistake("blames-decoder", {"line": 3}, "This decoder only shows the problem. Look at its input and target."),
        Mistake(
            "padding-counted",
            {"count": lambda ids, V, g, line: len(ids), "fixed_count": lambda ids, V, g, line: len(ids) - 1},
            "You counted the padding. It is ignored by the loss and by the count.",
        ),
        Mistake(
            "end-dropped",
            {"fixed_count": lambda ids, V, g, line: sum(k > 0 for k in ids) - 2},
            "You dropped the end too. The decoder must predict it; only the start is not predicted.",
        ),
        Mistake(
            "same-loss", "fixed = ln(1 + (V - 1)*exp(-g))", "After the shift, copying predicts the previous token."
        ),
        Mistake(
            "logit-for-loss",
            "fixed = g",
            "That is the difference of the logits. The loss is ln(sum of exp(logits)), which is larger.",
        ),
    ],
)
def debug_teacher_forcing(rng: Random) -> Inputs:
    """Teacher forcing without a shift"""
    V, g = rng.choice([8, 10, 12, 16, 20]), rng.choice([2.0, 3.0, 4.0, 5.0])
    ids = _ids(rng, V)
    program = f"""
tgt = torch.tensor([{ids}])
dec_in, gold = tgt, tgt
logits = {g} * F.one_hot(dec_in, {V}).float()
loss = F.cross_entropy(logits.transpose(1, 2), gold, ignore_index=0)
print(loss.item(), (gold != 0).sum().item())
""".strip()
    return dict(ids=ids, V=V, g=g, line=2, program=program)


def _shape_steps(B: int, T: int, V: int, line: int, **_: Any) -> list[Step]:
    return [
        Step(f"After the shift, there are {T} - 1 positions: the logits are {B}x{T - 1}x{V}, gold is {B}x{T - 1}."),
        Step(
            f"Line {line} takes dimension 1 for the classes, so it expects a target without it.", [f"expects = {B}x{V}"]
        ),
        Step("It gets the ids, one per position.", [f"gets = {B}x{T - 1}"]),
    ]


@drill(
    CLASS_DIMENSION,
    id="debug-teacher-forcing:transpose",
    tier=2,
    asks=("line", "expects", "gets"),
    visualization="code program",
    prompt="This program stops with an error about the shape of the target.\n"
    "Which line raises it (line)? Which shape of the target does that call expect (expects), and which does it get "
    "(gets)? Answer as NxM.",
    hints=(
        "Which dimension of its input does F.cross_entropy take for the classes?",
        "F.cross_entropy takes an input of shape (N, C, d1) and a target of shape (N, d1): dimension 1 has the "
        "classes.",
        "First step: write the shapes of dec_in, gold and logits.",
    ),
    steps=_shape_steps,
    mistakes=[
        Mistake(
            "blames-shift", {"line": 2}, "The shift is correct. The shapes of logits and gold do not fit the loss."
        ),
        Mistake("blames-one-hot", {"line": 3}, "F.one_hot adds the classes as the last dimension and raises nothing."),
        Mistake(
            "classes-last",
            {"expects": lambda B, T, V, line: [B, T]},
            "The call takes dimension 1 for the classes, which is the time here. Transpose the logits.",
        ),
        Mistake(
            "shift-forgotten",
            {"gets": lambda B, T, V, line: [B, T]},
            "You forgot the shift. It removes one position.",
        ),
        Mistake(
            "three-dimensions",
            {"gets": lambda B, T, V, line: [B, T - 1, V]},
            "Those are the logits. The target has one id per position.",
        ),
    ],
)
def debug_class_dimension(rng: Random) -> Inputs:
    """Classes in the wrong dimension"""
    V, B = rng.choice([8, 10, 12, 16, 20, 30]), rng.choice([1, 2, 4, 8])
    T = rng.choice([5, 6, 7, 9, 12])
    if T - 1 == V:
        raise UndefinedValue("the call would not raise")
    program = f"""
tgt = torch.randint(3, {V}, ({B}, {T}))
dec_in, gold = tgt[:, :-1], tgt[:, 1:]
logits = 5.0 * F.one_hot(dec_in, {V}).float()
loss = F.cross_entropy(logits, gold, ignore_index=0)
print(loss.item())
""".strip()
    return dict(B=B, T=T, V=V, line=4, program=program)
