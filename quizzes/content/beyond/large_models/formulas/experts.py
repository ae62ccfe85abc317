"""Mixtures of experts: formulas."""

from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector
from workbench.errors import UserError

SWITCH = "Fedus, Zoph & Shazeer, Switch Transformers, 2021 (arXiv:2101.03961)"

SPARSE = "Shazeer et al., Outrageously Large Neural Networks, 2017 (arXiv:1701.06538)"

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
        problem = "collapse" if largest >= Fraction(2, 3) else "capacity"
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
