"""LoRA, rotary positions, mixtures of experts, quantization, adversarial examples: formulas."""

from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber, Order
from quizzes.content.beyond.large_models.rounding import affine, clip, quantize
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector, Word
from workbench.errors import UserError

LORA = "Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021 (arXiv:2106.09685)"

ROFORMER = "Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021 (arXiv:2104.09864)"

SWITCH = "Fedus, Zoph & Shazeer, Switch Transformers, 2021 (arXiv:2101.03961)"

SPARSE = "Shazeer et al., Outrageously Large Neural Networks, 2017 (arXiv:1701.06538)"

JACOB = "Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, "
JACOB += "2018 (arXiv:1712.05877)"

FGSM = "Goodfellow, Shlens & Szegedy, Explaining and Harnessing Adversarial Examples, 2015 (arXiv:1412.6572)"

PGD = "Madry, Makelov, Schmidt, Tsipras & Vladu, 2018 (arXiv:1706.06083)"

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
        signatures=("nn.Linear(in_features, out_features, bias=True)", "nn.Parameter(data, requires_grad=True)"),
    ),
    printed=Int(meaning="number that the program prints"),
    correct=Int(meaning="number that the corrected program prints"),
)


BASE = Real(2, 10**9, "base of the wavelengths", default=10000)

POSITION = Int(0, 10**7, "position of the token, from 0")

ROPE_CONVENTIONS = "Radians. A pair is rotated counterclockwise by theta = pos base^(-2i/d), i counted from 0."


ROPE_PAIR = Formula(
    "rope-rotation",
    """
    theta = pos*base^(-2*i/d)
    y1 = x1*cos(theta) - x2*sin(theta)
    y2 = x1*sin(theta) + x2*cos(theta)
    """,
    title="Rotary position embedding (RoPE) of one pair",
    source=f"{ROFORMER}, section 3.2.2",
    conventions=ROPE_CONVENTIONS,
    x1=Real(-1000, 1000, "first entry of the pair"),
    x2=Real(-1000, 1000, "second entry of the pair"),
    pos=POSITION,
    i=Int(0, 100000, "number of the pair, from 0"),
    d=Int(2, 100000, "size of the vector"),
    base=BASE,
    theta=Real(meaning="angle", unit="rad"),
    y1=Real(meaning="first entry after the rotation"),
    y2=Real(meaning="second entry after the rotation"),
)


def rotate(x: list[Value], pos: int, base: Value, pairing: str) -> list[float]:
    """Return a vector whose pairs are rotated by RoPE.

    Raises:
        UserError: If its size is odd.
    """
    from math import cos, sin

    d = len(x)
    if d % 2:
        raise UserError(f"x must have an even number of entries, not {d}.")
    result = [0.0] * d
    for i in range(d // 2):
        first, second = (2 * i, 2 * i + 1) if pairing == "adjacent" else (i, i + d // 2)
        theta = pos * float(base) ** (-2 * i / d)
        a, b = float(x[first]), float(x[second])
        result[first], result[second] = a * cos(theta) - b * sin(theta), a * sin(theta) + b * cos(theta)
    return result


def _rotate(x: list[Value], pos: int, base: Value, pairing: str) -> dict[str, Any]:
    return {"y": rotate(x, pos, base, pairing)}


ROPE_VECTOR = Formula(
    "rope-vector",
    """
    d = len(x)
    h = d/2
    theta[i] = pos*base^(-2*(i - 1)/d) for i = 1..h
    """,
    title="Rotary position embedding (RoPE) of a vector",
    source=f"{ROFORMER}, section 3.2.2 (adjacent pairs); implementations such as LLaMA's in transformers pair the two "
    "halves",
    conventions=f"""
{ROPE_CONVENTIONS}

adjacent: pairs (x1, x2), (x3, x4), ... halves: pairs (x1, x_(d/2+1)), (x2, x_(d/2+2)), ...
""",
    procedure=_rotate,
    procedure_outputs="y",
    x=Vector(meaning="vector (query or key)"),
    pos=POSITION,
    base=BASE,
    pairing=Word(words=("adjacent", "halves"), meaning="which entries form a pair", default="adjacent"),
    d=Int(meaning="size of the vector"),
    h=Int(meaning="number of pairs"),
    theta=Vector(meaning="angles of the pairs, in radians"),
    y=Vector(meaning="rotated vector"),
)


ROPE_WAVELENGTH = Formula(
    "rope-wavelength",
    "n = 2*pi*base^(2*i/d)",
    title="Wavelength of a pair of RoPE",
    source="derivation: theta = pos base^(-2i/d) grows by 2 pi when pos grows by 2 pi base^(2i/d)",
    i=Int(0, 100000, "number of the pair, from 0"),
    d=Int(2, 100000, "size of the vector"),
    base=Real(2, 10**9, "base of the wavelengths"),
    n=Real(0, meaning="positions after which the pair has turned once"),
)


ROPE_SCORE = Formula(
    "rope-score",
    """
    theta_q = m*f
    theta_k = n*f
    a1 = q[1]*cos(theta_q) - q[2]*sin(theta_q)
    a2 = q[1]*sin(theta_q) + q[2]*cos(theta_q)
    b1 = k[1]*cos(theta_k) - k[2]*sin(theta_k)
    b2 = k[1]*sin(theta_k) + k[2]*cos(theta_k)
    s = a1*b1 + a2*b2
    u = q[1]*k[1] + q[2]*k[2]
    """,
    title="Attention score of a rotated query and key",
    source=f"{ROFORMER}, section 3.2.1: the score depends on the relative position only",
    shapes="q[2]; k[2]",
    q=Vector(meaning="query, one pair"),
    k=Vector(meaning="key, one pair"),
    m=Int(0, 100000, "position of the query"),
    n=Int(0, 100000, "position of the key"),
    f=Real(0, 10, "angle per position", unit="rad"),
    theta_q=Real(meaning="angle of the query", unit="rad"),
    theta_k=Real(meaning="angle of the key", unit="rad"),
    a1=Real(meaning="first entry of the rotated query"),
    a2=Real(meaning="second entry of the rotated query"),
    b1=Real(meaning="first entry of the rotated key"),
    b2=Real(meaning="second entry of the rotated key"),
    s=Real(meaning="dot product of the rotated query and key"),
    u=Real(meaning="dot product if both have the same position"),
)


ROPE_BUGS = dict(
    correct="it is correct",
    sign="it rotates clockwise",
    degrees="it takes the angle for degrees",
    frequency="it uses pos base^(-i/d), so half the exponent",
)


def rope_outputs(x: list[Value], pos: int, i: int, d: int) -> dict[str, list[float]]:
    """Return the rotated pair of a correct program and of each wrong one, with the base 10000."""
    from math import cos, radians, sin

    def turn(theta: float) -> list[float]:
        a, b = map(float, x)
        return [a * cos(theta) - b * sin(theta), a * sin(theta) + b * cos(theta)]

    theta = pos * 10000 ** (-2 * i / d)
    angles = dict(correct=theta, sign=-theta, degrees=radians(theta), frequency=pos * 10000 ** (-i / d))
    return {bug: turn(angle) for bug, angle in angles.items()}


def _diagnose_rope(x: list[Value], pos: int, i: int, d: int, out: list[Value]) -> dict[str, str]:
    if len(x) != 2 or len(out) != 2:
        raise UserError("rope-diagnosis takes x and out of one pair, so 2 values each.")

    def distance(value: list[float]) -> float:
        return sum(abs(a - float(b)) for a, b in zip(value, out, strict=True))

    outputs = rope_outputs(x, pos, i, d)
    return {"bug": min(outputs, key=lambda bug: distance(outputs[bug]))}


ROPE_DIAGNOSIS = Formula(
    "rope-diagnosis",
    """
    theta = pos*10000^(-2*i/d)
    y[j] = where(j = 1, x[1]*cos(theta) - x[2]*sin(theta), x[1]*sin(theta) + x[2]*cos(theta)) for j = 1..2
    """,
    title="A pair rotated by a program, and what it does wrong",
    source=f"{ROFORMER}, section 3.2.2",
    conventions=ROPE_CONVENTIONS,
    procedure=_diagnose_rope,
    procedure_outputs="bug",
    x=Vector(meaning="pair before the rotation"),
    pos=POSITION,
    i=Int(0, 100000, "number of the pair, from 0"),
    d=Int(2, 100000, "size of the vector"),
    out=Vector(meaning="pair that the program returns"),
    theta=Real(meaning="correct angle", unit="rad"),
    y=Vector(meaning="pair after the correct rotation"),
    bug=Choice(meaning="what the program does", options=ROPE_BUGS, supported_by="y"),
)


def _run_rope(x: list[Value], pos: int, bug: str, **_: Any) -> dict[str, list[float]]:
    from math import cos, sin

    d = len(x)
    correct = rotate(x, pos, 10000, "halves")
    if bug == "exponent":
        angles = [pos * 10000.0 ** (2 * i / d) for i in range(d // 2)]
    else:
        angles = [pos * 10000.0 ** (-2 * i / d) for i in range(d // 2)]
    a, b = ([float(v) for v in half] for half in (x[: d // 2], x[d // 2 :]))
    first, second = ([-v for v in b], a) if bug == "exponent" else (b, a)
    printed = [v * cos(t) + w * sin(t) for v, w, t in zip([*a, *b], [*first, *second], [*angles, *angles], strict=True)]
    return {"printed": printed, "correct": correct}


ROPE_PROGRAM = Formula(
    "rope-wrong-line",
    "",
    title="A rotary position embedding with a wrong line",
    source=f"{ROFORMER}, section 3.4.2; rotate_half of transformers' LLaMA: (-x2, x1) for the halves x1, x2",
    procedure=_run_rope,
    procedure_outputs="printed correct",
    x=Vector(meaning="vector"),
    pos=POSITION,
    bug=Word(words=("sign", "exponent"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected", signatures=("torch.cat(tensors, dim=0)",)),
    printed=Vector(meaning="vector that the program prints"),
    correct=Vector(meaning="vector that the corrected program prints"),
)


EXPERTS = Int(1, 100000, "number of experts")

TOP = Int(1, 1000, "number of experts per token")


def _check_top(E: int, k: int, **_: Any) -> dict[str, Any]:
    if k > E:
        raise UserError(f"k must be at most the number of experts, {E}, not {k}.")
    return {"idle": E - k}


MOE_ACTIVE = Formula(
    "moe-active",
    """
    A = S + k*P
    T = S + E*P
    share = 100*A/T
    """,
    title="Active and total parameters of a mixture of experts",
    source=f"{SPARSE}, section 2: a token uses k of E experts",
    procedure=_check_top,
    procedure_outputs="idle",
    E=EXPERTS,
    k=TOP,
    P=Real(0, 100000, "parameters of one expert, over all layers", unit="billions"),
    S=Real(0, 100000, "parameters that every token uses", unit="billions"),
    idle=Int(meaning="experts that a token does not use"),
    A=Real(0, meaning="active parameters per token", unit="billions"),
    T=Real(0, meaning="total parameters", unit="billions"),
    share=Real(0, 100, meaning="share of the parameters that is active", unit="%"),
)


MOE_TOTAL = Formula(
    "moe-total",
    "T = S + E*P",
    title="Total parameters of a mixture of experts",
    source=f"{SPARSE}, section 2",
    E=EXPERTS,
    P=Real(0, 100000, "parameters of one expert, over all layers", unit="billions"),
    S=Real(0, 100000, "parameters that every token uses", unit="billions"),
    T=Real(0, meaning="total parameters", unit="billions"),
)


MOE_LAYERS = Formula(
    "moe-layers",
    """
    P = 2*d*f
    S = N*(4*d^2 + E*d)
    A = S + N*k*P
    T = S + N*E*P
    """,
    title="Parameters of a Transformer with mixtures of experts",
    source=f"derivation: attention has 4 d^2 weights, the router E d, and an expert 2 d f; {SWITCH}, section 2",
    conventions="No biases, normalization or embeddings. Every layer has its experts; an expert is two dense layers.",
    N=Int(1, 10000, "number of layers"),
    d=Int(1, 100000, "width"),
    f=Int(1, 1000000, "hidden size of an expert"),
    E=EXPERTS,
    k=TOP,
    P=Int(meaning="weights of one expert in one layer"),
    S=Int(meaning="weights that every token uses"),
    A=Int(meaning="weights that one token uses"),
    T=Int(meaning="all weights"),
)


def _route(z: list[Value], k: int, **_: Any) -> dict[str, Any]:
    if k > len(z):
        raise UserError(f"k must be at most the number of experts, {len(z)}, not {k}.")
    ordered = sorted(range(len(z)), key=lambda e: (-z[e], e))
    return {"used": [int(e in ordered[:k]) for e in range(len(z))]}


MOE_ROUTING = Formula(
    "moe-routing",
    """
    w[j] = used[j]*exp(z[j])/sum(m, used[m]*exp(z[m]))
    o = sum(j, w[j]*y[j])
    """,
    title="Routing of a token to its top-k experts",
    source=f"{SPARSE}, section 2.1: softmax of the k largest logits, the others are minus infinity; without noise",
    conventions="The softmax runs over the k selected experts. Of equal logits, the first is selected.",
    procedure=_route,
    procedure_outputs="used",
    z=Vector(meaning="logits of the router, one per expert"),
    y=Vector(meaning="output of each expert for the token"),
    k=TOP,
    used=Vector(0, 1, "1 for an expert that is used"),
    w=Vector(0, 1, meaning="weight of each expert"),
    o=Real(meaning="output of the layer"),
)


def _count_routed(R: list[list[Value]], **_: Any) -> dict[str, Any]:
    experts = range(len(R[0]))
    for t, row in enumerate(R, 1):
        if abs(sum(row) - 1) > Fraction(1, 10**6):
            raise UserError(f"Row {t} of R must add up to 1, not to {float(sum(row)):g}.")
    best = [max(experts, key=lambda e: row[e]) for row in R]
    return {"f": [Fraction(best.count(e), len(R)) for e in experts]}


MOE_BALANCE = Formula(
    "moe-balance",
    """
    P[j] = mean(t, R[t, j])
    L = len(P)*sum(j, f[j]*P[j])
    """,
    title="Load-balancing loss of a mixture of experts",
    source=f"{SWITCH}, section 2.2, equations 4 to 6, without the factor alpha",
    conventions="Top-1 routing; of equal probabilities, the first expert is used. L is 1 if all f and P are equal.",
    procedure=_count_routed,
    procedure_outputs="f",
    R=Matrix(0, 1, "probabilities of the router, a row per token and a column per expert"),
    f=Vector(0, 1, "fraction of the tokens that each expert gets"),
    P=Vector(0, 1, meaning="mean probability of each expert"),
    L=Real(0, meaning="load-balancing loss, E sum f_j P_j"),
)


MOE_TWO_EXPERTS = Formula(
    "moe-balance-two",
    """
    L = 2*(f*p + (1 - f)*(1 - p))
    g = 2*(2*f - 1)
    """,
    title="Load-balancing loss of two experts, and its derivative",
    source=f"derivation: E sum f_j P_j with E = 2, f = (f, 1 - f) and P = (p, 1 - p); {SWITCH}, section 2.2: only P is "
    "differentiable",
    f=Real(0.01, 0.99, "fraction of the tokens that expert 1 gets"),
    p=Real(0.05, 0.95, "mean probability of expert 1"),
    L=Real(0, meaning="load-balancing loss"),
    g=Real(meaning="derivative of the loss with respect to p, with a constant f"),
)


def _drop(n: list[Value], c: Value) -> dict[str, Any]:
    if len(n) < 2 or any(count < 0 or count != int(count) for count in n) or not sum(n):
        raise UserError("n must have at least 2 counts of tokens, which are integers from 0 up, not all of them 0.")
    capacity = int(c * sum(n) / len(n))
    dropped = sum(max(0, int(count) - capacity) for count in n)
    largest = Fraction(max(n)) / sum(n)
    if not dropped:
        problem = "none"
    else:
        problem = "collapse" if largest >= Fraction(3, 4) else "capacity"
    return {"C": capacity, "dropped": dropped, "problem": problem}


MOE_CAPACITY = Formula(
    "moe-capacity",
    "",
    title="Expert capacity and dropped tokens",
    source=f"{SWITCH}, section 2.2: capacity = tokens/experts x capacity factor",
    conventions="Top-1 routing. The capacity is rounded down. An expert drops the tokens beyond its capacity.",
    procedure=_drop,
    procedure_outputs="C dropped problem",
    n=Vector(0, 10**9, "number of tokens that the router sends to each expert"),
    c=Real(0.1, 100, "capacity factor"),
    C=Int(meaning="capacity of each expert"),
    dropped=Int(meaning="number of dropped tokens"),
    problem=Choice(
        meaning="problem, and what to change",
        options=dict(
            none="nothing is dropped: keep the settings",
            capacity="moderate imbalance: use a larger capacity factor",
            collapse="one expert gets nearly all tokens: use a stronger load-balancing loss",
        ),
        supported_by="C dropped",
    ),
)


def _decide_experts(S: Value, P: Value, k: int, M: Value) -> dict[str, int]:
    return {"E": int((M / 2 - S) // P)}


MOE_DECISION = Formula(
    "moe-decision",
    """
    T = S + E*P
    A = S + k*P
    F = 2*A
    ratio = T/A
    """,
    title="Number of experts that fit into a memory",
    source="derivation: fp16 weights take 2 bytes each; a forward pass takes about 2 FLOPs per active parameter and "
    "token (Kaplan et al., Scaling Laws for Neural Language Models, 2020, arXiv:2001.08361, section 2.1)",
    conventions="GB = 10^9 bytes; 2 bytes per weight, weights only.",
    procedure=_decide_experts,
    procedure_outputs="E",
    S=Real(0, 100000, "parameters that every token uses", unit="billions"),
    P=Real(0.001, 100000, "parameters of one expert", unit="billions"),
    k=TOP,
    M=Real(0.001, 10**6, "memory for the weights", unit="GB"),
    E=Int(meaning="largest number of experts that fit"),
    T=Real(0, meaning="total parameters", unit="billions"),
    A=Real(0, meaning="active parameters per token", unit="billions"),
    F=Real(0, meaning="compute of a forward pass per token", unit="GFLOPs"),
    ratio=Real(0, meaning="how many times cheaper a token is than with a dense model of the same total"),
)


LOW = Real(-(10**6), 0, "smallest value of the range")

HIGH = Real(0, 10**6, "largest value of the range")

SCALE = Real(0, meaning="scale, the distance of two neighboring values")

QUANTIZATION_CONVENTIONS = """
Rounding half to even, as in PyTorch. z = round(-lo/s), and q = clip(round(x/s) + z, 0, 255).
The range contains 0, so that 0 is represented exactly.
"""


def _quantize(lo: Value, hi: Value, x: Value) -> dict[str, int]:
    scale, zero_point = affine(lo, hi)
    return {"z": zero_point, "q": quantize(x, scale, zero_point)}


QUANTIZE_UINT8 = Formula(
    "quantize-uint8",
    """
    s = (hi - lo)/255
    x_hat = s*(q - z)
    error = abs(x - x_hat)
    """,
    title="Affine quantization to 8 bits (uint8)",
    source=f"{JACOB}, section 2.1 and equation 1: r = S(q - Z)",
    conventions=QUANTIZATION_CONVENTIONS,
    procedure=_quantize,
    procedure_outputs="z q",
    lo=LOW,
    hi=HIGH,
    x=Real(-(10**6), 10**6, "value"),
    z=Int(0, 255, "zero point, the integer that stands for 0"),
    q=Int(0, 255, "integer that stands for x"),
    s=SCALE,
    x_hat=Real(meaning="value that q stands for"),
    error=Real(0, meaning="distance of x and x_hat"),
)


QUANTIZE_SCALE = Formula(
    "quantize-scale",
    "s = (hi - lo)/(2^b - 1)",
    title="Scale of affine quantization",
    source=f"{JACOB}, section 3: 2^b levels have 2^b - 1 gaps",
    lo=LOW,
    hi=HIGH,
    b=Int(1, 32, "number of bits"),
    s=SCALE,
)


def _quantize_symmetric(x: list[Value], b: int) -> dict[str, Any]:
    if not any(x):
        raise UserError("x must have a value other than 0.")
    largest = 2 ** (b - 1) - 1
    scale = max(map(abs, x)) / Fraction(largest)
    return {"q": [quantize(v, scale, 0, -largest, largest) for v in x]}


QUANTIZE_INT8 = Formula(
    "quantize-int8",
    """
    a[i] = abs(x[i])
    s = max(a)/(2^(b - 1) - 1)
    x_hat[i] = s*q[i]
    error[i] = abs(x[i] - x_hat[i])
    E = max(error)
    """,
    title="Symmetric quantization (int8)",
    source=f"{JACOB}, section 3, on weights: the integers run from -127 to 127; derivation: with the zero point 0, "
    "the largest absolute value gets 127",
    conventions="Rounding half to even, as in PyTorch. The zero point is 0, and the integers run from -127 to 127.",
    procedure=_quantize_symmetric,
    procedure_outputs="q",
    x=Vector(-(10**6), 10**6, "values"),
    b=Int(2, 16, "number of bits", default=8),
    q=Vector(meaning="integers that stand for the values"),
    a=Vector(0, meaning="absolute values"),
    s=SCALE,
    x_hat=Vector(meaning="values that the integers stand for"),
    error=Vector(0, meaning="distance of each value and what its integer stands for"),
    E=Real(0, meaning="largest error"),
)


def _decide_bits(P: Value, M: Value) -> dict[str, str]:
    for b in (16, 8, 4):
        if P * b / 8 <= M:
            return {"best": f"b{b}"}
    return {"best": "none"}


QUANTIZE_MEMORY = Formula(
    "quantize-memory",
    """
    m16 = 2*P
    m8 = P
    m4 = P/2
    """,
    title="Memory of weights with 16, 8 and 4 bits",
    source="derivation: b bits are b/8 bytes",
    conventions="GB = 10^9 bytes. Weights only, without scales, activations or caches.",
    procedure=_decide_bits,
    procedure_outputs="best",
    P=Real(0.001, 10000, "parameters", unit="billions"),
    M=Real(0.001, 100000, "memory for the weights", unit="GB"),
    m16=Real(0, meaning="memory with 16 bits per weight", unit="GB"),
    m8=Real(0, meaning="memory with 8 bits per weight", unit="GB"),
    m4=Real(0, meaning="memory with 4 bits per weight", unit="GB"),
    best=Choice(
        meaning="largest precision that fits",
        options=dict(b16="16 bits", b8="8 bits", b4="4 bits", none="none of the three"),
        supported_by="m16 m8 m4",
    ),
)


QUANTIZE_MATMUL = Formula(
    "quantize-dot",
    """
    acc = sum(i, (w[i] - z_w)*(x[i] - z_x))
    y = s_w*s_x*acc
    q = max(0, min(255, floor(y/s_y + 1/2) + z_y))
    """,
    title="Dot product of quantized vectors",
    source=f"{JACOB}, section 2.2, equations 2 to 4",
    conventions="The sum is an integer (int32). A tie in the last rounding does not occur here.",
    w=Vector(0, 255, "integers of the weights"),
    x=Vector(0, 255, "integers of the inputs"),
    z_w=Int(0, 255, "zero point of the weights"),
    z_x=Int(0, 255, "zero point of the inputs"),
    s_w=Real(0, 1000, "scale of the weights"),
    s_x=Real(0, 1000, "scale of the inputs"),
    s_y=Real(0.000001, 1000, "scale of the output"),
    z_y=Int(0, 255, "zero point of the output"),
    acc=Int(meaning="sum of the integer products"),
    y=Real(meaning="output as a real number"),
    q=Int(meaning="integer of the output"),
)


def _diagnose_outlier(x: list[Value], outlier: Value) -> dict[str, Any]:
    def zeros(largest: Value) -> int:
        return sum(quantize(v, Fraction(largest) / 127, 0, -127, 127) == 0 for v in x)

    if not any(x):
        raise UserError("x must have a value other than 0.")
    lost = zeros(max(map(abs, [*x, outlier])))
    problem = "outlier" if 2 * lost >= len(x) else "fine"
    return {"own": zeros(max(map(abs, x))), "lost": lost, "problem": problem}


QUANTIZE_OUTLIER = Formula(
    "quantize-outlier",
    """
    a[i] = abs(x[i])
    s1 = max(a)/127
    s2 = max(max(a), abs(outlier))/127
    """,
    title="What an outlier does to symmetric quantization",
    source="derivation: a value below half the scale in magnitude is rounded to 0; Dettmers et al., LLM.int8(), 2022 "
    "(arXiv:2208.07339), on outliers of activations",
    conventions="Symmetric int8: s = max |x|/127, rounding half to even.",
    procedure=_diagnose_outlier,
    procedure_outputs="own lost problem",
    x=Vector(-(10**6), 10**6, "values of one channel"),
    outlier=Real(-(10**6), 10**6, "value of another channel"),
    a=Vector(0, meaning="absolute values"),
    s1=Real(0, meaning="scale of the channel alone"),
    s2=Real(0, meaning="scale if both channels share it"),
    own=Int(meaning="values of the channel that become 0 with its own scale"),
    lost=Int(meaning="values of the channel that become 0 with the shared scale"),
    problem=Choice(
        meaning="conclusion",
        options=dict(
            outlier="the shared scale loses most of the channel: use a scale per channel",
            fine="the shared scale keeps most of the channel: one scale is enough",
        ),
        supported_by="s2 lost",
    ),
)


def _run_quantizer(lo: Value, hi: Value, x: Value, bug: str, **_: Any) -> dict[str, int]:
    scale, zero_point = affine(lo, hi)
    levels = round(Fraction(x) / scale)
    wrong = {
        "clipped-early": clip(levels, 0, 255) + zero_point,
        "sign": clip(levels - zero_point, 0, 255),
        "not-clipped": levels + zero_point,
    }
    return {"printed": wrong[bug], "correct": quantize(x, scale, zero_point)}


QUANTIZE_PROGRAM = Formula(
    "quantize-wrong-line",
    "",
    title="A quantizer with a wrong line",
    source=f"{JACOB}, section 2.1; PyTorch documentation, torch.round rounds half to even",
    procedure=_run_quantizer,
    procedure_outputs="printed correct",
    lo=LOW,
    hi=HIGH,
    x=Real(-(10**6), 10**6, "value"),
    bug=Word(words=("clipped-early", "sign", "not-clipped"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected", signatures=("torch.clamp(input, min, max)",)),
    printed=Int(meaning="integer that the program prints"),
    correct=Int(meaning="integer that the corrected program prints"),
)


QUANTIZE_ORDER = Formula(
    "quantize-order",
    "",
    title="Steps of quantization and dequantization",
    source=f"{JACOB}, section 2.1",
    conventions=QUANTIZATION_CONVENTIONS,
    procedure=lambda lo, hi, x, **_: _quantize(lo, hi, x),
    procedure_outputs="z q",
    lo=LOW,
    hi=HIGH,
    x=Real(-(10**6), 10**6, "value"),
    z=Int(0, 255, "zero point"),
    q=Int(0, 255, "integer that stands for x"),
    steps=Order(
        meaning="steps from x to the value that its integer stands for",
        items=dict(
            divide="divide by the scale",
            round="round to an integer",
            shift="add the zero point",
            clip="clip to the interval from 0 to 255",
            back="subtract the zero point",
            multiply="multiply by the scale",
        ),
        distractors=dict(inverse="divide by the zero point"),
        after=dict(
            round="divide",
            shift="round",
            clip="shift",
            back="clip",
            multiply="back",
        ),
    ),
)


LIMIT = Real(0.0001, 100, "largest change epsilon of each value")

CLIPPED = "Every value is clipped to the interval from 0 to 1. sign(0) = 0."


FGSM_STEP = Formula(
    "fgsm-step",
    "x_adv[i] = max(0, min(1, x[i] + eps*sign(g[i])))",
    title="Fast gradient sign method (FGSM), untargeted",
    source=f"{FGSM}, section 4",
    conventions=CLIPPED,
    x=Vector(0, 1, "input, values from 0 to 1"),
    g=Vector(meaning="gradient of the loss with respect to the input"),
    eps=LIMIT,
    x_adv=Vector(0, 1, meaning="adversarial input"),
)


FGSM_TARGETED = Formula(
    "fgsm-targeted",
    "x_adv[i] = max(0, min(1, x[i] - eps*sign(g[i])))",
    title="Fast gradient sign method (FGSM), targeted",
    source="Kurakin, Goodfellow & Bengio, Adversarial Machine Learning at Scale, 2017 (arXiv:1611.01236): a step "
    "against the gradient of the loss of the target class",
    conventions=CLIPPED,
    x=Vector(0, 1, "input, values from 0 to 1"),
    g=Vector(meaning="gradient of the loss of the target class with respect to the input"),
    eps=LIMIT,
    x_adv=Vector(0, 1, meaning="adversarial input"),
)


FGSM_LOGISTIC = Formula(
    "fgsm-logistic",
    """
    p = sigmoid(sum(i, w[i]*x[i]) + b)
    g[i] = (p - y)*w[i]
    x_adv[i] = max(0, min(1, x[i] + eps*sign(g[i])))
    p_adv = sigmoid(sum(i, w[i]*x_adv[i]) + b)
    """,
    title="FGSM against logistic regression",
    source=f"{FGSM}, section 5; derivation: binary cross-entropy has the derivative p - y with respect to the logit",
    conventions=CLIPPED,
    w=Vector(meaning="weights"),
    b=Real(-1000, 1000, "bias"),
    x=Vector(0, 1, "input, values from 0 to 1"),
    y=Int(0, 1, "true class"),
    eps=LIMIT,
    p=Real(0, 1, meaning="probability of class 1 before the attack"),
    g=Vector(meaning="gradient of the cross-entropy with respect to the input"),
    x_adv=Vector(0, 1, meaning="adversarial input"),
    p_adv=Real(0, 1, meaning="probability of class 1 after the attack"),
)


FGSM_FLIP = Formula(
    "fgsm-flip",
    "eps = z/n1",
    title="Smallest change that flips a linear classifier",
    source=f"derivation: changing each input by eps against its weight lowers the logit by eps times the sum of the "
    f"absolute weights; {FGSM}, section 3",
    conventions="Without clipping.",
    z=Real(0.0001, 10000, "logit of the predicted class, above 0"),
    n1=Real(0.0001, 100000, "sum of the absolute weights"),
    eps=Real(0, meaning="change of each input at which the logit is 0"),
)


FGSM_LINEAR = Formula(
    "fgsm-linear",
    """
    d = n*m*eps
    c = sqrt(n)*m*eps
    """,
    title="Change of a linear score by small changes of many inputs",
    source=f"{FGSM}, section 3: with n weights of mean magnitude m, the sign direction changes w . x by eps m n; "
    "derivation: a random direction of signs changes it by eps m sqrt(n) (standard deviation) for equal magnitudes",
    n=Real(1, 1000000, "number of inputs"),
    m=Real(0.001, 10, "magnitude of each weight"),
    eps=Real(0.001, 10, "change of each input"),
    d=Real(0, meaning="change of the score along the signs of the weights"),
    c=Real(0, meaning="standard deviation of the change along random signs"),
)


def _attack(x: list[Value], G: list[list[Value]], eps: Value, step: Value) -> dict[str, Any]:
    if any(len(row) != len(x) for row in G):
        raise UserError(f"Each row of G must have {len(x)} values, one per value of x.")
    rows, current = [], list(x)
    for gradient in G:
        moved = [v + step * ((g > 0) - (g < 0)) for v, g in zip(current, gradient, strict=True)]
        current = [clip(clip(v, start - eps, start + eps), 0, 1) for v, start in zip(moved, x, strict=True)]
        rows.append(current)
    return {"X": rows, "x_adv": current, "changes": [abs(a - b) for a, b in zip(current, x, strict=True)]}


PGD_STEPS = Formula(
    "pgd-steps",
    "r = max(changes)",
    title="Projected gradient descent (PGD): FGSM in several steps",
    source=f"{PGD}, section 2.1",
    conventions="After each step, every value is projected to within eps of its start, then clipped to the interval "
    "from 0 to 1. sign(0) = 0. No random start.",
    procedure=_attack,
    procedure_outputs="X x_adv changes",
    x=Vector(0, 1, "input, values from 0 to 1"),
    G=Matrix(meaning="gradients of the loss with respect to the input, a row per step"),
    eps=LIMIT,
    step=Real(0.0001, 100, "step size"),
    X=Matrix(0, 1, "input after each step"),
    x_adv=Vector(0, 1, "adversarial input"),
    changes=Vector(0, 1, "change of each value"),
    r=Real(0, meaning="largest change of a value"),
)


ATTACKS = dict(
    correct="it is correct",
    gradient="it adds eps times the gradient, not its sign",
    descent="it goes against the gradient, which lowers the loss",
    unclipped="it does not clip to the interval from 0 to 1",
)


def attack_outputs(x: list[Value], g: list[Value], eps: Value) -> dict[str, list[Value]]:
    """Return the adversarial input of a correct program and of each wrong one."""
    signs = [(v > 0) - (v < 0) for v in g]
    moves = dict(correct=signs, gradient=g, descent=[-s for s in signs])
    outputs = {bug: [clip(v + eps * m, 0, 1) for v, m in zip(x, move, strict=True)] for bug, move in moves.items()}
    return outputs | {"unclipped": [v + eps * s for v, s in zip(x, signs, strict=True)]}


def _diagnose_attack(x: list[Value], g: list[Value], eps: Value, out: list[Value]) -> dict[str, str]:
    def distance(values: list[Value]) -> float:
        return sum(abs(float(a - b)) for a, b in zip(values, out, strict=True))

    outputs = attack_outputs(x, g, eps)
    return {"bug": min(outputs, key=lambda bug: distance(outputs[bug]))}


FGSM_DIAGNOSIS = Formula(
    "fgsm-diagnosis",
    """
    x_adv[i] = max(0, min(1, x[i] + eps*sign(g[i])))
    change[i] = abs(out[i] - x[i])
    r = max(change)
    """,
    title="The output of an attack, and what it does wrong",
    source=f"{FGSM}, section 4",
    conventions=CLIPPED,
    procedure=_diagnose_attack,
    procedure_outputs="bug",
    x=Vector(0, 1, "input, values from 0 to 1"),
    g=Vector(meaning="gradient of the loss with respect to the input"),
    eps=LIMIT,
    out=Vector(meaning="what the program returns"),
    x_adv=Vector(0, 1, meaning="correct adversarial input"),
    change=Vector(0, meaning="change of each value by the program"),
    r=Real(0, meaning="largest change of a value by the program"),
    bug=Choice(meaning="what the program does", options=ATTACKS, supported_by="x_adv"),
)


def _run_attack(w: list[Value], x: list[Value], y: int, eps: Value, bug: str, **_: Any) -> dict[str, list[float]]:
    from math import exp

    p = 1 / (1 + exp(-sum(float(a * b) for a, b in zip(w, x, strict=True))))
    gradient = [(p - y) * float(v) for v in w]
    outputs = attack_outputs([float(v) for v in x], gradient, float(eps))
    return {"printed": outputs[bug], "correct": outputs["correct"]}


FGSM_PROGRAM = Formula(
    "fgsm-wrong-line",
    "",
    title="An attack by FGSM with a wrong line",
    source=f"{FGSM}, section 4; PyTorch documentation, torch.sign and torch.clamp",
    procedure=_run_attack,
    procedure_outputs="printed correct",
    w=Vector(meaning="weights of the classifier"),
    x=Vector(0, 1, "input, values from 0 to 1"),
    y=Int(0, 1, "true class"),
    eps=LIMIT,
    bug=Word(words=("gradient", "descent", "unclipped"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected", signatures=("torch.clamp(input, min, max)",)),
    printed=Vector(meaning="what the program prints"),
    correct=Vector(meaning="what the corrected program prints"),
)
