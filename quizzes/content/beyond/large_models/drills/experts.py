"""Mixtures of experts: drills."""

from fractions import Fraction
from math import ceil
from random import Random
from typing import Any

from quizzes.content.beyond.large_models.formulas.experts import (
    MOE_ACTIVE,
    MOE_BALANCE,
    MOE_CAPACITY,
    MOE_DECISION,
    MOE_LAYERS,
    MOE_ROUTING,
    MOE_TOTAL,
    MOE_TWO_EXPERTS,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    MOE_ACTIVE,
    tier=1,
    asks=("A", "T", "share"),
    prompt="A mixture of experts has {E} experts of {P} billion parameters each (over all layers), and {S} billion "
    "parameters that every token uses. A token is routed to its top {k}.\n"
    "How many billion parameters does a token use (A), and how many does the model have (T)? What percentage is active "
    "(share)?\n"
    "Conventions: the router is among the shared parameters.",
    hint="Which experts does one token pass through? Which ones must be in memory?",
    mistakes=[
        Mistake("total-for-active", "A = S + E*P", "That is the total. A token uses only its top experts."),
        Mistake("shared-left-out", "A = k*P; T = E*P", "You left out the shared parameters. Every token uses them."),
        Mistake("shared-per-expert", "T = E*(S + P)", "You counted the shared parameters once per expert."),
        Mistake("share-of-experts", "share = 100*k/E", "Include the parameters that every token uses."),
        Mistake("fraction", "share = A/T", "That is a fraction. Multiply by 100 for percent."),
    ],
)  # fmt: skip
def moe_active(rng: Random) -> Inputs:
    """Active parameters of a mixture of experts"""
    return dict(
        E=rng.choice([4, 8, 16, 32, 64]),
        k=rng.choice([1, 2, 2, 4]),
        P=rng.choice([0.1, 0.25, 0.5, 1, 1.5, 2, 5]),
        S=rng.choice([0.2, 0.5, 1, 1.5, 2, 3]),
    )


@drill(
    MOE_TOTAL,
    id="moe-active:total",
    tier=1,
    asks=one_of("T", "P", "E"),
    prompt="A mixture of experts has T = {T} billion parameters: S = {S} billion that every token uses, and E = {E} "
    "experts with P = {P} billion each.",
    hint="Subtract what every token uses. What remains belongs to the experts.",
    mistakes=[
        Mistake("shared-left-out", "T = E*P", "You left out the shared parameters."),
        Mistake("shared-per-expert", "T = E*(S + P)", "You counted the shared parameters once per expert."),
        Mistake("shared-as-expert", "T = S + (E + 1)*P", "You counted one expert more. The shared part is extra."),
        Mistake("shared-instead-of-one", "T = S + (E - 1)*P", "All experts count, and the shared part comes on top."),
    ],
)
def moe_total(rng: Random) -> Inputs:
    """Total parameters of a mixture of experts"""
    P = rng.choice([0.1, 0.25, 0.5, 1, 1.5, 2])
    return dict(E=rng.choice([4, 8, 16, 32, 64]), P=P, S=rng.choice([2, 4, 6]) * P)


@drill(
    MOE_LAYERS,
    id="moe-active:layers",
    tier=2,
    asks=("P", "S", "A", "T"),
    prompt="A Transformer has {N} layers of width d = {d}. Each layer has self-attention (four d x d matrices), a "
    "linear router, and {E} experts, each two dense layers with the hidden size {f}. A token uses its top {k}.\n"
    "How many weights does one expert have in one layer (P)? How many weights in all layers does every token use "
    "(S), how "
    "many does one token use (A), and how many are there (T)?\n"
    "Conventions: no biases, normalization or embeddings.",
    hint="Attention and router are used by every token. What is the size of the router's matrix?",
    mistakes=[
        Mistake("one-matrix", "P = d*f", "You counted one matrix. An expert maps d to f and back."),
        Mistake(
            "router-left-out",
            "S = N*4*d^2",
            "You left out the router. It maps the width to one logit per expert.",
        ),
        Mistake("total-for-active", "A = S + N*E*P", "That is the total. A token uses only its top experts."),
        Mistake("one-layer-of-experts", "A = S + k*P; T = S + E*P", "Every layer has its own experts."),
        Mistake("shared-left-out", "A = N*k*P", "You left out attention and router."),
    ],
)
def moe_layers(rng: Random) -> Inputs:
    """Weights of a Transformer with experts"""
    d = rng.choice([64, 128, 256, 512, 1024])
    return dict(N=rng.choice([2, 4, 6, 12]), d=d, f=d * rng.choice([2, 3, 4]), E=rng.choice([4, 8, 16]),
                k=rng.choice([1, 2, 2]))  # fmt: skip


def _softmax_over_all(z: list[Any], y: list[Any], k: int) -> list[float]:
    from math import exp

    total = sum(exp(float(v)) for v in z)
    largest = sorted(z, reverse=True)[:k]
    return [exp(float(v)) / total if v in largest else 0.0 for v in z]


def _routing_steps(z: list[float], used: list[int], w: list[float], o: float, k: int, **_: Any) -> list[Step]:
    experts = ", ".join(str(e) for e, flag in enumerate(used, 1) if flag)
    return [
        Step(f"The {k} largest logits belong to the experts {experts}."),
        Step("Apply softmax to these logits alone; the others get the weight 0.", [f"w = {[round(x, 4) for x in w]}"]),
        Step("Average the outputs of these experts by their weights.", [f"o = {o:.4f}"]),
    ]


@drill(
    MOE_ROUTING,
    id="moe-active:routing",
    tier=2,
    asks=("w", "o"),
    visualization="table z y",
    steps=_routing_steps,
    prompt="For one token, the router of a mixture of experts has the logits z = {z}, one per expert. The experts "
    "would output y = {y} (single numbers). The token uses its top {k}.\n"
    "What are the weights w of all experts, and the output o of the layer?\n"
    "Conventions: softmax over the logits of the selected experts only; no noise.",
    hint="Select first, then apply softmax. What do the weights of the selected experts add up to?",
    mistakes=[
        Mistake(
            "all-experts",
            "w[j] = exp(z[j])/sum(m, exp(z[m]))",
            "You used all experts. Only the top ones have a weight above 0.",
        ),
        Mistake(
            "not-renormalized",
            {"w": _softmax_over_all},
            "You applied softmax before the selection. Here it runs over the selected experts, so their weights add "
            "up to 1.",
        ),
        Mistake("equal-weights", "w[j] = used[j]/sum(m, used[m])", "You weighted the experts equally. Apply softmax."),
        Mistake("sum-of-outputs", "o = sum(j, used[j]*y[j])", "You added the outputs. Multiply each by its weight."),
    ],
)
def moe_routing(rng: Random) -> Inputs:
    """Routing of a token"""
    z = [v / 2 for v in rng.sample(range(-4, 7), 4)]
    return dict(z=z, y=[rng.randint(-4, 6) for _ in range(4)], k=rng.choice([2, 2, 3]))


@drill(
    MOE_BALANCE,
    id="moe-active:balance",
    tier=2,
    asks=("f", "P", "L"),
    visualization="matrices R",
    prompt="The router of a mixture of experts gives {tokens} tokens (rows) these probabilities for {experts} experts "
    "(columns): R = {R}. Each token is sent to its most probable expert.\n"
    "Which fraction of the tokens does each expert get (f)? What is the mean probability of each expert (P), and the "
    "load-balancing loss L = E sum f_j P_j, where E is the number of experts?\n"
    "Conventions: as in the Switch Transformer, without the factor alpha.",
    hint="f counts decisions, P averages probabilities. What is L if both are uniform?",
    steps=lambda R, f, P, L, **_: [
        Step("Find the largest entry of each row, and count per column.", [f"f = {[round(float(v), 4) for v in f]}"]),
        Step("Average each column.", [f"P = {[round(float(v), 4) for v in P]}"]),
        Step("Multiply, add, and multiply by the number of experts.", [f"L = {float(L):.4f}"]),
    ],
    mistakes=[
        Mistake("experts-left-out", "L = sum(j, f[j]*P[j])", "You left out the factor E, the number of experts."),
        Mistake("fractions-squared", "L = len(P)*sum(j, f[j]^2)", "Multiply f by P, which has a gradient."),
        Mistake("probabilities-squared", "L = len(P)*sum(j, P[j]^2)", "Multiply P by f, the fractions of tokens."),
        Mistake("counts", {"f": lambda R: [float(v) for v in _counts(R)]}, "You counted tokens. Divide by all tokens."),
        Mistake("sum-for-mean", "P[j] = sum(t, R[t, j])", "You added the probabilities. Divide by the tokens."),
    ],
)
def moe_balance(rng: Random) -> Inputs:
    """Load-balancing loss"""
    tokens, experts = rng.choice([3, 4]), rng.choice([2, 3])
    R = []
    for _ in range(tokens):
        cuts = sorted(rng.sample(range(1, 10), experts - 1))
        row = [b - a for a, b in zip([0, *cuts], [*cuts, 10], strict=True)]
        if row.count(max(row)) > 1:
            raise UndefinedValue("two experts are equally probable")
        R.append([v / 10 for v in row])
    return dict(R=R, tokens=tokens, experts=experts)


def _counts(R: list[list[Any]]) -> list[int]:
    best = [row.index(max(row)) for row in R]
    return [best.count(e) for e in range(len(R[0]))]


@drill(
    MOE_TWO_EXPERTS,
    id="moe-active:derive",
    tier=3,
    asks=(derive("L", in_terms_of="p"), derive("g", in_terms_of="p")),
    prompt="A mixture of two experts sends the fraction f = {f} of the tokens to expert 1. The mean probability that "
    "the router gives to expert 1 is p.\n"
    "Derive the load-balancing loss L = E sum f_j P_j in terms of p, and its derivative g with respect to p.\n"
    "Conventions: as in the Switch Transformer, without alpha; f is a constant, because counting has no gradient.",
    hints=(
        "What fraction and what mean probability does expert 2 have?",
        "E is 2 here, and the fractions are f and 1 - f, the probabilities p and 1 - p.",
        "First step: insert both experts into the sum.",
    ),
    mistakes=[
        Mistake(
            "experts-left-out",
            "L = f*p + (1 - f)*(1 - p); g = 2*f - 1",
            "You left out the factor E = 2.",
        ),
        Mistake("expert-1-only", "L = 2*f*p; g = 2*f", "You left out expert 2, which has the rest of both."),
        Mistake(
            "experts-crossed",
            "L = 2*(f*(1 - p) + (1 - f)*p); g = 2*(1 - 2*f)",
            "You multiplied the fraction of one expert by the probability of the other.",
        ),
        Mistake(
            "fraction-differentiated",
            "g = 4*(2*p - 1)",
            "You replaced f by p. The loss uses the counted fraction, which is a constant.",
        ),
    ],
)
def moe_derive(rng: Random) -> Inputs:
    """Load-balancing loss of two experts"""
    f = rng.choice([k for k in range(2, 99) if k != 50]) / 100
    return dict(f=f, variables={"p": [0.05, 0.95]})


def _drop_steps(n: list[int], c: float, C: int, dropped: int, **_: Any) -> list[Step]:
    excess = " + ".join(str(max(0, count - C)) for count in n)
    total = sum(n)
    return [
        Step("Divide the tokens by the experts, multiply by the capacity factor, and round down.",
             [f"C = floor({c:g}*{total}/{len(n)})"]),
        Step("Add what each expert gets beyond its capacity.", [f"dropped = {excess}"]),
        Step("Compare the largest count with the others: one expert with nearly all tokens is a collapsed router."),
    ]  # fmt: skip


def _capacity_of(n: list[Any], c: Any) -> int:
    return int(Fraction(c) * sum(n) / len(n))


@drill(
    MOE_CAPACITY,
    id="moe-active:diagnose",
    tier=3,
    asks=("C", "dropped", "problem"),
    steps=_drop_steps,
    prompt="A layer with {experts} experts routes each of {tokens} tokens to one expert. The experts get {n} tokens, "
    "and the capacity factor is {c}.\n"
    "What is the capacity C of each expert? How many tokens are dropped in all (dropped)? What is the problem, if "
    "there is one, and what would you change?\n"
    "Conventions: capacity = capacity factor x tokens/experts, rounded down; an expert drops the tokens beyond it.",
    hints=(
        "What would each expert get if the tokens were spread evenly? How much more may it take?",
        "The capacity is c times the number of tokens over the number of experts. What exceeds it is dropped.",
        "First step: divide the number of tokens by the number of experts.",
    ),
    mistakes=[
        Mistake(
            "factor-left-out",
            {"C": lambda n, c: int(sum(n)) // len(n)},
            "You left out the capacity factor. It leaves room for an uneven spread.",
        ),
        Mistake(
            "rounded-up",
            {"C": lambda n, c: ceil(Fraction(c) * sum(n) / len(n))},
            "You rounded up. The convention here is to round down.",
        ),
        Mistake(
            "all-tokens-of-full-experts",
            {"dropped": lambda n, c: int(sum(count for count in n if count > _capacity_of(n, c)))},
            "You counted all tokens of the full experts. Only those beyond the capacity are dropped.",
        ),
        Mistake(
            "free-places-subtracted",
            {"dropped": lambda n, c: max(0, int(sum(n)) - _capacity_of(n, c) * (len(n) - 1))},
            "Free places of one expert don't help the tokens of another: each was routed to one expert.",
        ),
        Mistake(
            "another-problem",
            {"problem": lambda n, c: "capacity" if 3 * max(n) >= 2 * sum(n) else "collapse"},
            "Look at the counts: one expert may be far above all others, or several a little above the capacity.",
        ),
    ],
)
def moe_diagnose(rng: Random) -> Inputs:
    """Dropped tokens"""
    experts, case = 4, rng.choice(["none", "capacity", "collapse"])
    c = rng.choice([1, 1.1, 1.2, 1.25, 1.5])
    mean = rng.choice([20, 25, 30, 40, 45, 50])
    if case == "collapse":
        n = [rng.randint(0, mean // 4) for _ in range(experts - 1)]
    else:
        spread = 0.08 if case == "none" else 0.6
        n = [round(mean * (1 + rng.uniform(-spread, spread))) for _ in range(experts - 1)]
    n.append(experts * mean - sum(n))
    if min(n) < 0 or (case == "none") != (max(n) <= _capacity_of(n, str(c))):
        raise UndefinedValue("the counts don't fit the case")
    if case == "capacity" and max(n) > 0.6 * sum(n):
        raise UndefinedValue("nearly a collapse")
    return dict(n=rng.sample(n, experts), c=c, experts=experts, tokens=sum(n))


def _decision_steps(S: float, P: float, k: int, M: float, E: int, **_: Any) -> list[Step]:
    return [
        Step("2 bytes per weight: the memory holds half as many billions as GB. Round down.",
             [f"E = floor(({M:g}/2 - {S:g})/{P:g})"]),
        Step("Add up all weights, and those of one token.", [f"T = {S:g} + {E}*{P:g}", f"A = {S:g} + {k}*{P:g}"]),
        Step("A token costs about 2 FLOPs per active weight. A dense model of the same total uses all of them.",
             ["F = 2*A", "ratio = T/A"]),
    ]  # fmt: skip


@drill(
    MOE_DECISION,
    id="moe-active:decide",
    tier=3,
    asks=("E", "T", "F", "ratio"),
    steps=_decision_steps,
    prompt="A mixture of experts has {S} billion parameters that every token uses, and experts of {P} billion each. A "
    "token uses its top {k}. The fp16 weights must fit into {M} GB.\n"
    "How many experts can the model have at most (E)? How many billion parameters does it have then (T)? How many "
    "GFLOPs "
    "does a forward pass take per token (F), and how many times cheaper is it than in a dense model with T parameters "
    "(ratio)?\n"
    "Conventions: 2 bytes per weight, weights only; GB = 10^9 bytes; 2 FLOPs per active parameter and token.",
    hint="Memory depends on all experts, compute on those of one token.",
    mistakes=[
        Mistake(
            "byte-per-weight",
            {"E": lambda S, P, k, M: int((M - S) // P)},
            "You counted one byte per weight. fp16 takes 2.",
        ),
        Mistake(
            "shared-left-out",
            {"E": lambda S, P, k, M: int((M / Fraction(2)) // P)},
            "You left out the shared parameters. They take memory, too.",
        ),
        Mistake(
            "rounded-up",
            {"E": lambda S, P, k, M: ceil((M / Fraction(2) - S) / P)},
            "You rounded up, which exceeds the memory. Round down.",
        ),
        Mistake("total-computed", "F = 2*T", "You counted all experts. A token passes through its top ones only."),
        Mistake("macs", "F = A", "Those are the multiply-accumulates. Each is 2 FLOPs."),
        Mistake("ratio-of-the-experts", "ratio = E/k", "You left out the shared parameters, which every token uses."),
    ],
)
def moe_decide(rng: Random) -> Inputs:
    """Number of experts within a memory"""
    S, P, k = rng.choice([0.5, 1, 1.5, 2, 3]), rng.choice([0.4, 0.7, 1.2, 1.5, 2.4, 5.6]), rng.choice([1, 2, 2])
    M = rng.choice([16, 24, 40, 48, 80, 160])
    fitting = (M / 2 - S) / P
    if fitting < k + 2 or fitting % 1 < 0.01:
        raise UndefinedValue("too few experts, or the memory is used up exactly")
    return dict(S=S, P=P, k=k, M=M)
