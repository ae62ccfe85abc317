"""LoRA: drills."""

from random import Random
from typing import Any

from quizzes.content.beyond.large_models.formulas.lora import (
    LORA_BUDGET,
    LORA_GRADIENT,
    LORA_MEMORY,
    LORA_MERGE,
    LORA_MODEL,
    LORA_PARAMS,
    LORA_PROGRAM,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

WIDTHS = [256, 512, 768, 1024, 2048, 3072, 4096, 5120, 8192]


@drill(
    LORA_PARAMS,
    tier=1,
    asks=one_of("P", "r", "d_in"),
    prompt="A weight matrix has d_in = {d_in} inputs and d_out = {d_out} outputs. LoRA freezes it and trains an update "
    "of rank r = {r}, with P = {P} parameters.\n"
    "Conventions: no biases.",
    hint="The update is a product of two thin matrices. Which sizes do they have?",
    mistakes=[
        Mistake("product-of-the-sizes", "P = r*d_in*d_out", "You multiplied the sizes. The factors have r d_in and r "
                "d_out parameters; add them."),
        Mistake("rank-squared", "P = r^2*(d_in + d_out)", "Each factor contains the rank once, not squared."),
        Mistake("one-factor", "P = r*d_in", "You counted one factor. The update is a product of two."),
        Mistake("core-added", "P = r*(d_in + d_out) + r^2", "There is no r x r matrix between the two factors."),
    ],
)  # fmt: skip
def lora_params(rng: Random) -> Inputs:
    """Parameters of LoRA"""
    return dict(d_in=rng.choice(WIDTHS), d_out=rng.choice(WIDTHS), r=rng.choice([1, 2, 4, 8, 16, 32, 64]))


@drill(
    LORA_MODEL,
    id="lora-params:model",
    tier=2,
    asks=("P", "W", "share"),
    prompt="A model has {N} layers. In each, {m} matrices with {d_in} inputs and {d_out} outputs get a LoRA update of "
    "rank {r}.\n"
    "How many parameters are trained (P)? How many do these matrices have themselves (W)? What percentage of W is P "
    "(share)?\n"
    "Conventions: no biases.",
    hint="Count one matrix first: its own parameters, and those of the two factors.",
    mistakes=[
        Mistake(
            "one-matrix-per-layer",
            "P = N*r*(d_in + d_out)",
            "You counted one matrix per layer. Multiply by their number.",
        ),
        Mistake("one-layer", "P = m*r*(d_in + d_out)", "You counted one layer. Multiply by the number of layers."),
        Mistake(
            "product-of-the-sizes",
            "P = N*m*r*d_in*d_out",
            "You multiplied the sizes. The factors have r d_in and r d_out parameters; add them.",
        ),
        Mistake("fraction", "share = r*(d_in + d_out)/(d_in*d_out)", "That is a fraction. Multiply by 100."),
        Mistake("rank-share", "share = 100*r/(d_in + d_out)", "Divide the trained parameters by those of the matrix."),
    ],
)  # fmt: skip
def lora_model(rng: Random) -> Inputs:
    """Parameters of LoRA in a model"""
    d_in, d_out = rng.choice(WIDTHS), rng.choice(WIDTHS)
    return dict(N=rng.choice([12, 24, 32, 40, 48, 80]), m=rng.choice([2, 3, 4]), d_in=d_in, d_out=d_out,
                r=rng.choice([2, 4, 8, 16, 32]))  # fmt: skip


@drill(
    LORA_MERGE,
    id="lora-params:merge",
    tier=2,
    asks=("M", "y"),
    visualization="matrices W B A",
    prompt="After training, a LoRA update is merged into its matrix. The frozen matrix is W = {W}, the factors are "
    "B = {B} and A = {A}, the rank is r = {r}, and the scale is alpha = {alpha}.\n"
    "What is the merged matrix M, and its output y for x = {x}?\n"
    "Conventions: W + (alpha/r) BA; exact values.",
    hint="Which factor multiplies the product of the two matrices? Does BA have the size of W?",
    mistakes=[
        Mistake(
            "scale-left-out",
            "M[i, j] = W[i, j] + sum(k, B[i, k]*A[k, j])",
            "You left out the factor alpha/r.",
        ),
        Mistake(
            "not-divided-by-rank",
            "M[i, j] = W[i, j] + alpha*sum(k, B[i, k]*A[k, j])",
            "You multiplied by alpha. The factor is alpha/r.",
        ),
        Mistake(
            "update-only",
            "M[i, j] = alpha/r*sum(k, B[i, k]*A[k, j])",
            "That is the update. Add the frozen matrix.",
        ),
        Mistake(
            "frozen-output",
            "y[i] = sum(j, W[i, j]*x[j])",
            "That is the output of the frozen matrix. Multiply x by the merged one.",
        ),
        Mistake(
            "transposed",
            "y[j] = sum(i, M[i, j]*x[i])",
            "You multiplied by the columns. Each output is a row of M times x.",
        ),
    ],
    decimals=None,
)
def lora_merge(rng: Random) -> Inputs:
    """Merging of a LoRA update"""
    r = rng.choice([1, 1, 2])

    def matrix(rows: int, columns: int) -> list[list[int]]:
        return [[rng.choice([-2, -1, 0, 1, 2]) for _ in range(columns)] for _ in range(rows)]

    B, A = matrix(2, r), matrix(r, 2)
    if not any(map(any, B)) or not any(map(any, A)):
        raise UndefinedValue("no update")
    return dict(W=matrix(2, 2), B=B, A=A, alpha=rng.choice([4, 6, 8]), r=r, x=[rng.choice([-1, 1, 2, 3]) for _ in "ab"])


@drill(
    LORA_BUDGET,
    id="lora-params:budget",
    tier=2,
    asks=("r", "P", "even"),
    prompt="A model has {N} layers. In each, {m} matrices of {d} x {d} get a LoRA update, all of the same rank. At "
    "most {B} parameters may be trained.\n"
    "What is the largest rank r, and how many parameters are trained then (P)? At which rank does LoRA train as many "
    "parameters as these matrices have (even)?\n"
    "Conventions: no biases; the rank is an integer.",
    hint="How many parameters does one unit of rank cost in the whole model?",
    mistakes=[
        Mistake("one-factor", "r = floor(B/(N*m*d))", "You counted one factor. One unit of rank costs 2d per matrix."),
        Mistake("rounded-up", "r = ceil(B/(N*m*2*d))", "You rounded up, which exceeds the budget. Round down."),
        Mistake("one-matrix-per-layer", "r = floor(B/(N*2*d))", "You counted one matrix per layer."),
        Mistake("whole-budget", "P = B", "Insert the rank. An integer rank rarely uses the whole budget."),
        Mistake("full-rank", "even = d", "At r = d, two factors have 2 d^2 parameters, twice those of the matrix."),
    ],
)
def lora_budget(rng: Random) -> Inputs:
    """Largest rank of LoRA within a budget"""
    N, m, d = rng.choice([12, 24, 32, 40, 48]), rng.choice([2, 3, 4]), rng.choice(WIDTHS[:-1])
    per_rank = N * m * 2 * d
    B = round(per_rank * rng.randint(25, 400) / 10, -4)
    if B % per_rank == 0 or B // per_rank == 0:
        raise UndefinedValue("the budget is used up exactly, or too small")
    return dict(N=N, m=m, d=d, B=int(B))


def _another_method(P: Any, share: Any, M: Any) -> str:
    full, lora = 16 * P, 2 * P + 16 * P * share / 100
    return "lora" if full <= M else "neither" if lora <= M else "lora"


def _memory_steps(P: float, share: float, M: float, full: float, lora: float, **_: Any) -> list[Step]:
    return [
        Step("Every parameter is trained: 16 bytes each.", [f"full = 16*{P:g}", f"full = {full:g}"]),
        Step(
            "The model is frozen: 2 bytes per parameter. The added ones take 16 bytes each.",
            [f"lora = 2*{P:g} + 16*{P:g}*{share:g}/100", f"lora = {lora:g}"],
        ),
        Step(f"Compare both with {M:g} GB."),
    ]


@drill(
    LORA_MEMORY,
    id="lora-params:memory",
    tier=3,
    asks=("full", "lora", "method"),
    steps=_memory_steps,
    prompt="A model of {P} billion parameters is to be fine-tuned on GPUs with {M} GB of memory for weights, gradients "
    "and optimizer. LoRA would add {share}% of trained parameters to a frozen fp16 model.\n"
    "How many GB does full fine-tuning take (full), and how many LoRA (lora)? What fits (method)?\n"
    "Conventions: Adam in mixed precision takes 16 bytes per trained parameter (weight, gradient, fp32 copy, two "
    "moments); a frozen one takes 2; GB = 10^9 bytes; activations are not counted.",
    hint="Which parameters need a gradient and two moments, and which ones only a weight?",
    mistakes=[
        Mistake("weights-only", "full = 2*P", "You counted the weights only. Gradients and Adam take 14 bytes more."),
        Mistake(
            "frozen-model-left-out",
            "lora = 16*P*share/100",
            "You left out the frozen model. It must be in memory, too.",
        ),
        Mistake(
            "frozen-model-trained",
            "lora = 16*P + 16*P*share/100",
            "You counted gradients and moments for the frozen model. It takes 2 bytes per parameter.",
        ),
        Mistake(
            "percent-as-fraction",
            "lora = 2*P + 16*P*share",
            "The share is in percent. Divide it by 100.",
        ),
        Mistake("another-method", {"method": _another_method}, "Compare both amounts with the memory."),
    ],
)
def lora_memory(rng: Random) -> Inputs:
    """Memory of full fine-tuning and of LoRA"""
    P, share = rng.choice([0.5, 1, 1.5, 3, 6, 7, 8, 13, 30, 65, 70]), rng.choice([0.1, 0.2, 0.25, 0.4, 0.5, 1, 2])
    full, lora = 16 * P, 2 * P + 16 * P * share / 100
    M = rng.choice([12, 16, 24, 32, 40, 48, 80, 160, 320, 640])
    if min(abs(full - M), abs(lora - M)) < 0.03 * M or full < M / 8 or lora > 4 * M:
        raise UndefinedValue("too close to the memory, or far too small or large")
    return dict(P=P, share=share, M=M)


@drill(
    LORA_GRADIENT,
    id="lora-params:gradient",
    tier=3,
    asks=one_of(derive("g_b"), derive("g_a")),
    prompt="On single numbers, LoRA predicts (w + s b a) x with the frozen weight w = {w}, the scale s = {s} and the "
    "factors a and b. For the input x = {x} and the target y = {y}, the loss is L = (prediction - y)^2/2.\n"
    "Derive the derivative of L that is asked for below, in terms of a and b.",
    hints=(
        "What is the derivative of the loss with respect to the prediction?",
        "dL/d(prediction) = prediction - y. The prediction has the derivative s a x with respect to b, and s b x with "
        "respect to a.",
        "First step: insert the numbers into the prediction.",
    ),
    mistakes=[
        Mistake(
            "scale-left-out",
            "g_b = a*x*((w + s*b*a)*x - y); g_a = b*x*((w + s*b*a)*x - y)",
            "You left out the scale s of the inner derivative.",
        ),
        Mistake(
            "factors-swapped",
            "g_b = s*b*x*((w + s*b*a)*x - y); g_a = s*a*x*((w + s*b*a)*x - y)",
            "You swapped the factors. The derivative of b a with respect to b is a.",
        ),
        Mistake(
            "frozen-weight-left-out",
            "g_b = s*a*x*(s*b*a*x - y); g_a = s*b*x*(s*b*a*x - y)",
            "You left out w. It is not trained, but it is a part of the prediction.",
        ),
        Mistake(
            "sign-reversed",
            "g_b = s*a*x*(y - (w + s*b*a)*x); g_a = s*b*x*(y - (w + s*b*a)*x)",
            "The sign is reversed. The residual is the prediction minus the target.",
        ),
        Mistake(
            "inner-derivative-left-out",
            "g_b = (w + s*b*a)*x - y; g_a = (w + s*b*a)*x - y",
            "That is the derivative with respect to the prediction. Multiply by the inner derivative.",
        ),
    ],
)
def lora_gradient(rng: Random) -> Inputs:
    """Gradients of the factors of LoRA"""
    return dict(
        s=rng.choice([0.5, 2, 3, 4]),
        w=rng.choice([-2, -1, 1, 2, 3]),
        x=rng.choice([-2, -1, 2, 3]),
        y=rng.choice([-3, -1, 1, 4, 5]),
        variables={"a": [-3, 3], "b": [-3, 3]},
    )


def _program_steps(d_in: int, d_out: int, r: int, bug: str, line: int, **_: Any) -> list[Step]:
    if bug == "not-frozen":
        reason = "does not freeze the base layer, so its weights are trained, too."
        wrong = f"printed = {d_in}*{d_out} + {r}*({d_in} + {d_out})"
    else:
        reason = "makes B a plain tensor, so it needs no gradient and never changes."
        wrong = f"printed = {r}*{d_in}"
    return [
        Step(f"Line {line} {reason}"),
        Step("Count what the program trains.", [wrong]),
        Step("Both factors are trained, and the base layer is frozen.", [f"correct = {r}*({d_in} + {d_out})"]),
    ]


@drill(
    LORA_PROGRAM,
    id="lora-params:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_program_steps,
    prompt="This program prepares a linear layer for LoRA, and prints how many parameters are trained. It runs, but "
    "one line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? What does the program print as it is (printed), "
    "and what does the corrected one print (correct)?",
    hints=(
        "Which of the three tensors should need a gradient?",
        "The base layer is frozen by requires_grad_(False). A tensor is trained if it is an nn.Parameter.",
        "First step: list the shapes of the three tensors, and requires_grad of each.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 4 - line},
            "That line is correct. Compare the tensors that LoRA trains with those that the program trains.",
        ),
        Mistake(
            "first-factor",
            {"line": 2},
            "That factor is a parameter with the shape rank x inputs, as it should be.",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda d_in, d_out, r, bug, **_: r * (d_in + d_out)},
            "That is the correct number. Count what the program trains as it is.",
        ),
        Mistake(
            "product-of-the-sizes",
            {"correct": lambda d_in, d_out, r, bug, **_: r * d_in * d_out},
            "You multiplied the sizes. The factors have r d_in and r d_out parameters.",
        ),
        Mistake(
            "everything",
            {"correct": lambda d_in, d_out, r, bug, **_: r * (d_in + d_out) + d_in * d_out},
            "You counted the base layer. LoRA freezes it.",
        ),
    ],
)
def lora_debug(rng: Random) -> Inputs:
    """A LoRA layer with a wrong line"""
    d_in, d_out, r = rng.choice([16, 32, 64, 128]), rng.choice([10, 24, 48, 96]), rng.choice([2, 4, 8])
    bug = rng.choice(["not-frozen", "no-parameter"])
    base, factor = f"base = nn.Linear({d_in}, {d_out}, bias=False)", f"torch.zeros({d_out}, {r})"
    correct = {1: f"{base}.requires_grad_(False)", 3: f"B = nn.Parameter({factor})"}
    line, wrong = (1, base) if bug == "not-frozen" else (3, f"B = {factor}")
    lines = {**correct, line: wrong}
    program = f"""
{lines[1]}
A = nn.Parameter(torch.randn({r}, {d_in}))
{lines[3]}
tensors = [base.weight, A, B]
print(sum(t.numel() for t in tensors if t.requires_grad))
""".strip()
    fix = [correct[line]]
    if line == 3:
        fix.append(f"B = torch.zeros({d_out}, {r}, requires_grad=True)")
        fix.append(f"B = nn.Parameter(torch.zeros(({d_out}, {r})))")
    return dict(d_in=d_in, d_out=d_out, r=r, bug=bug, line=line, fix=fix, program=program)
