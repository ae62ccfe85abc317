"""LoRA: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector, Word

LORA = "Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021 (arXiv:2106.09685)"

D_IN = Int(1, meaning="number of inputs of the matrix")

D_OUT = Int(1, meaning="number of outputs of the matrix")

RANK = Int(1, 100000, "rank of the update")


LORA_PARAMS = Formula(
    "lora-params",
    "P = r*(d_in + d_out)",
    title="Parameters of LoRA for one matrix",
    source=f"{LORA}, section 4.1: W + BA with B of size d_out x r and A of size r x d_in",
    d_in=D_IN,
    d_out=D_OUT,
    r=RANK,
    P=Int(meaning="number of trained parameters"),
)


LORA_MODEL = Formula(
    "lora-model",
    """
    P = N*m*r*(d_in + d_out)
    W = N*m*d_in*d_out
    share = 100*r*(d_in + d_out)/(d_in*d_out)
    """,
    title="Parameters of LoRA in a whole model",
    source=f"{LORA}, section 4.2",
    conventions="No biases. share compares with the matrices that get an update, not with the whole model.",
    N=Int(1, 10000, "number of layers"),
    m=Int(1, 100, "number of matrices per layer that get an update"),
    d_in=D_IN,
    d_out=D_OUT,
    r=RANK,
    P=Int(meaning="number of trained parameters"),
    W=Int(meaning="number of parameters of these matrices"),
    share=Real(0, meaning="trained parameters relative to these matrices", unit="%"),
)


LORA_MERGE = Formula(
    "lora-merge",
    """
    M[i, j] = W[i, j] + alpha/r*sum(k, B[i, k]*A[k, j])
    y[i] = sum(j, M[i, j]*x[j])
    """,
    title="Merging a LoRA update into its matrix",
    source=f"{LORA}, section 4.1: W + (alpha/r) BA",
    shapes="W[o, i]; B[o, r]; A[r, i]; x[i]",
    W=Matrix(meaning="frozen matrix, a row per output"),
    B=Matrix(meaning="left factor of the update, zero at the start"),
    A=Matrix(meaning="right factor of the update, random at the start"),
    alpha=Real(0, 10000, "scale alpha"),
    r=Int(1, 10000, "rank, the number of rows of A"),
    x=Vector(meaning="input"),
    M=Matrix(meaning="merged matrix"),
    y=Vector(meaning="output of the merged matrix"),
)


LORA_BUDGET = Formula(
    "lora-budget",
    """
    r = floor(B/(N*m*2*d))
    P = N*m*2*d*r
    even = d/2
    """,
    title="Largest rank of LoRA within a budget",
    source="derivation: a d x d matrix gets 2 d r parameters, which is the full d^2 at r = d/2",
    N=Int(1, 10000, "number of layers"),
    m=Int(1, 100, "number of matrices per layer that get an update"),
    d=Int(1, 1000000, "width: the matrices are d x d"),
    B=Int(1, 10**13, "largest number of trained parameters"),
    r=Int(meaning="largest rank within the budget"),
    P=Int(meaning="number of trained parameters at this rank"),
    even=Real(0, meaning="rank at which LoRA trains as many parameters as the full matrices have"),
)


BYTES_PER_TRAINED = 16  # fp16 weight and gradient, fp32 copy and both moments of Adam


def _decide_memory(P: Value, share: Value, M: Value) -> dict[str, str]:
    full = BYTES_PER_TRAINED * P
    lora = 2 * P + BYTES_PER_TRAINED * P * share / 100
    return {"method": "full" if full <= M else "lora" if lora <= M else "neither"}


LORA_MEMORY = Formula(
    "lora-memory",
    """
    full = 16*P
    lora = 2*P + 16*P*share/100
    """,
    title="Memory of full fine-tuning and of LoRA",
    source="Rajbhandari et al., ZeRO, 2020 (arXiv:1910.02054), section 3.1: 16 bytes per trained parameter with Adam "
    "in mixed precision; derivation: a frozen parameter in fp16 takes 2 bytes",
    conventions="GB = 10^9 bytes. Weights, gradients and states of Adam; activations are not counted.",
    procedure=_decide_memory,
    procedure_outputs="method",
    P=Real(0.001, 10000, "parameters of the model", unit="billions"),
    share=Real(0, 100, "parameters that LoRA adds, relative to the model", unit="%"),
    M=Real(0.001, 100000, "memory", unit="GB"),
    full=Real(0, meaning="memory of full fine-tuning", unit="GB"),
    lora=Real(0, meaning="memory of LoRA on a frozen fp16 model", unit="GB"),
    method=Choice(
        meaning="what fits into the memory",
        options=dict(
            full="full fine-tuning fits", lora="LoRA fits, full fine-tuning does not", neither="neither of them fits"
        ),
        supported_by="full lora",
    ),
)


LORA_GRADIENT = Formula(
    "lora-gradient",
    """
    g_b = s*a*x*((w + s*b*a)*x - y)
    g_a = s*b*x*((w + s*b*a)*x - y)
    """,
    title="Gradients of the factors of LoRA, on numbers",
    source="derivation: L = ((w + s b a) x - y)^2/2 has dL/d(prediction) = prediction - y, and the prediction has the "
    "derivatives s a x and s b x",
    s=Real(0.1, 10, "scale alpha/r"),
    w=Real(-5, 5, "frozen weight"),
    x=Real(-5, 5, "input"),
    y=Real(-10, 10, "target"),
    a=Real(-3, 3, "right factor"),
    b=Real(-3, 3, "left factor"),
    g_b=Real(meaning="derivative of the loss with respect to b"),
    g_a=Real(meaning="derivative of the loss with respect to a"),
)


def _count_trained(d_in: int, d_out: int, r: int, bug: str, **_: Any) -> dict[str, int]:
    correct = r * (d_in + d_out)
    return {"printed": correct + d_in * d_out if bug == "not-frozen" else correct - r * d_out, "correct": correct}


LORA_PROGRAM = Formula(
    "lora-wrong-line",
    "",
    title="A LoRA layer with a wrong line",
    source=f"{LORA}, section 4.1; PyTorch documentation, torch.nn.Module.requires_grad_ and torch.nn.Parameter",
    procedure=_count_trained,
    procedure_outputs="printed correct",
    d_in=D_IN,
    d_out=D_OUT,
    r=RANK,
    bug=Word(words=("not-frozen", "no-parameter"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(
        meaning="that line, corrected",
        signatures=("nn.Linear(in_features, out_features, bias=True)",),
    ),
    printed=Int(meaning="number that the program prints"),
    correct=Int(meaning="number that the corrected program prints"),
)
