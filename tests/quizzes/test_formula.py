"""Formulas against published values, SymPy's evaluation of the same equations, PyTorch, and brute-force inverses."""

import math
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from quizzes import bank, procedures
from quizzes.content.optimization.adam.formulas import ADAM_STEP, ADAM_TWO_STEPS
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import evaluate_equations
from quizzes.formulas import all_formulas, get
from quizzes.symbols import Distribution, Distributions
from workbench.errors import UserError

DATA = {
    "softmax": dict(z=[2, 1, 0.1]),
    "categorical-cross-entropy": dict(Z=[[2, 1, 0.1], [2, 1, 0.1]], Y=[[1, 0, 0], [0, 0, 1]]),
    "binary-cross-entropy": dict(y=[1, 0, 1], p=[0.9, 0.2, 0.6]),
}
GOLDEN = [  # computed by hand, from papers, or by PyTorch
    ("conv-out-size", dict(n=224, f=7, s=2, p=3), {"o": 112}),
    ("conv-out-size", dict(n=63, f=7, s=2), {"o": 29}),
    ("conv-out-size", dict(n=224, f=7, s=2, p=3, d=2), {"o": 109}),
    ("conv-params", dict(k=3, C_in=64, C_out=128), {"P": 73_856}),
    ("conv-params", dict(k=5, C_in=3, C_out=100), {"P": 7_600}),
    ("conv-params", dict(k=3, C_in=64, C_out=128, g=4), {"P": 18_432 + 128}),
    ("softmax", DATA["softmax"], {"p": [0.6590, 0.2424, 0.0986]}),
    ("categorical-cross-entropy", DATA["categorical-cross-entropy"], {"l": [0.4170, 2.3170], "L": 1.3670}),
    ("binary-cross-entropy", DATA["binary-cross-entropy"], {"L": 0.2798}),
    ("activation-derivatives", dict(z=1), {"dsigmoid": 0.1966, "dtanh": 0.4200, "dsoftplus": 0.7311, "dsilu": 0.9277}),
    (
        "backprop-2layer-scalar",
        dict(x=1.5, w1=0.8, b1=0.1, w2=-0.6, b2=0.2, t=1),
        {"g_w2": -0.10945, "g_w1": 0.02110, "delta2": -0.13928, "delta1": 0.01406},
    ),
    ("iou", dict(A=[10, 10, 50, 50], B=[30, 30, 70, 70]), {"I": 400, "U": 2800, "iou": Fraction(1, 7)}),
    ("iou", dict(A=[0, 0, 10, 10], B=[20, 20, 30, 30]), {"I": 0, "U": 200, "iou": 0}),
    (
        "nms",
        dict(boxes=[[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 10, 12]], scores=[0.9, 0.8, 0.7, 0.6]),
        {"keep": ["A", "C"]},
    ),
    (
        "nms",
        dict(boxes=[[0, 0, 10, 10], [3, 0, 13, 10], [6, 0, 16, 10]], scores=[0.9, 0.8, 0.7]),
        {"keep": ["A", "C"]},
    ),
    ("adam-step", dict(theta_prior=1, g=0.5, t=1, eta=0.1), {"theta": 0.9}),
    (
        "self-attention",
        dict(Q=[[1, 0], [0, 1], [1, 1]], K=[[1, 0], [1, 1], [0, 1]], V=[[1, 0], [0, 2], [3, 1]], d_k=2),
        {"first row of A": [0.4011, 0.4011, 0.1978], "first row of O": [0.9944, 1.0000]},
    ),
    (
        "bleu",
        dict(
            candidate="the the the the the the the", references=["the cat is on the mat", "there is a cat on the mat"]
        ),
        {"p1": Fraction(2, 7), "c": 7, "r": 7, "BP": 1},
    ),
    ("bleu-from-precisions", dict(p=[0.8, 0.5, 0.3, 0.2], c=12, r=15), {"BP": 0.7788, "BLEU": 0.3065}),
    ("gd-step", dict(theta_prior=3, g=6, eta=0.1), {"theta": 2.4}),
    # those below are compared with PyTorch and scikit-learn in test_layers, test_optimizer_steps and test_procedures
    ("optimizer-steps", dict(f="w^2", start=[3], lr=0.1, steps=2), {"theta": [1.92], "L": [9, 5.76, 3.6864]}),
    ("network-size", dict(layers="conv3-8,fc10", input=[4, 4, 1]), {"P": 80 + 330, "MACs": 288 + 320, "M": 1640}),
    ("batch-norm", dict(X=[[1], [3]], epsilon=0), {"mu": [2], "v": [1], "R_mean": [0.2], "R_var": [1.1]}),
    ("confusion-matrix", dict(truth=["a", "b"], predicted=["a", "a"]), {"accuracy": 0.5, "macro_F1": Fraction(1, 3)}),
    ("confusion-report", dict(C=[[1, 0], [1, 0]]), {"accuracy": 0.5, "macro_F1": Fraction(1, 3)}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    results = get(name).solve(**inputs)
    results |= {f"first row of {key}": value[0] for key, value in results.items() if isinstance(value, list)}
    for key, value in expected.items():
        if key == "keep" or isinstance(value, Fraction):
            assert results[key] == value
        else:
            assert results[key] == pytest.approx(value, abs=6e-5 if not isinstance(value, int) else 1e-12)


def test_every_formula_has_a_golden_value_or_a_drill():
    with_drill = {drill.formula.id for drill in bank.all_drills().values()}  # a drill has a second computation
    with_steps = set(procedures.entries())  # compared with other libraries in test_stepped_procedures
    golden = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("golden/test_*.py"))
    rest = {id for id in set(all_formulas()) - with_drill - with_steps if f'"{id}"' not in golden}
    assert rest <= {case[0] for case in GOLDEN}


def test_bleu_from_its_counts():
    equations = get("bleu").equations
    counts = dict(p1="9/12", p2="6/11", p3="4/10", p4="2/9", c=12, r=15)
    results = evaluate_equations(equations, counts)
    assert (results["BP"], results["BLEU"]) == pytest.approx((0.7788, 0.3401), abs=5e-5)
    assert evaluate_equations(equations, counts | {"c": 16})["BP"] == 1


def test_bleu_uses_the_closest_reference_length_and_the_shorter_of_two():
    results = get("bleu").solve(candidate="a b c d", references=["a b c d e", "a b c"])
    assert results["r"] == 3
    assert get("bleu").solve(candidate="a b c d", references=["a b c d e", "a b"])["r"] == 5


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "silu"])
def test_scaled_activation_against_a_difference_quotient(activation):
    from quizzes.expressions.parser import parse
    from quizzes.expressions.tree import evaluate

    function = {
        "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
        "tanh": math.tanh,
        "softplus": lambda u: math.log1p(math.exp(u)),
        "silu": lambda u: u / (1 + math.exp(-u)),
    }[activation]
    a, b, h = -3, 2, 1e-5
    df = parse(get("scaled-activation").solve(activation=activation, a=a, b=b)["df"])
    for z in (-1.5, -0.2, 0.0, 0.7, 2.0):
        slope = (function(a * (z + h) + b) - function(a * (z - h) + b)) / (2 * h)
        assert float(evaluate(df, {"z": z})) == pytest.approx(slope, abs=1e-8)


# --- against SymPy

RANDOM = {
    "int": lambda rng, s: rng.randint(int(s.low or 1), int(min(s.high or 9, 9))),
    "real": lambda rng, s: rng.randint(1, 9) / 10 if s.low is not None else rng.randint(-20, 20) / 10,
}


def random_inputs(formula, rng):
    values = {}
    for name in formula.inputs:
        symbol = formula.symbols[name]
        if symbol.kind in RANDOM:
            values[name] = RANDOM[symbol.kind](rng, symbol)
        elif symbol.kind == "vector":
            values[name] = [rng.randint(1, 9) / 10 for _ in range(4)]
        else:
            values[name] = [[rng.randint(1, 9) / 10 for _ in range(2)] for _ in range(2)]
        if isinstance(symbol, Distribution):
            values[name] = [value / sum(values[name]) for value in values[name]]
        if isinstance(symbol, Distributions):
            values[name] = [[value / sum(row) for value in row] for row in values[name]]
    if formula.id == "iou":
        values = {name: [x := rng.randint(0, 9), y := rng.randint(0, 9), x + 5, y + 7] for name in ("A", "B")}
    return values | ({"C_in": 4, "C_out": 8, "g": 2} if formula.id == "conv-params" else {})


def flat(value):
    return [x for v in value for x in flat(v)] if isinstance(value, list) else [float(value)]


@pytest.mark.parametrize("name", sorted({case[0] for case in GOLDEN if not get(case[0]).procedure}))
def test_sympy_agrees(name):
    from quizzes.expressions.symbolic import compute
    from quizzes.expressions.tree import index_range

    def evaluate_equation(eq, values, index):
        if not index:
            return compute(eq.tree, values)
        first, *others = index
        return [evaluate_equation(eq, {**values, first: k}, others) for k in index_range(eq.tree, first, values)]

    formula, rng = get(name), Random(1)
    for _ in range(5):
        values = formula.complete(random_inputs(formula, rng))
        try:
            results = formula.evaluate(values)
        except ArithmeticError:
            assert name == "conv-out-size"  # a kernel that doesn't fit
            continue
        for eq in formula.equations:
            values[eq.name] = evaluate_equation(eq, values, eq.index)
            assert flat(results[eq.name]) == pytest.approx(flat(values[eq.name]), rel=1e-9)


def test_two_steps_of_adam_agree_with_pytorch():
    torch = pytest.importorskip("torch")
    rng = Random(2)
    for _ in range(5):
        theta0, g1, g2 = (rng.uniform(-2, 2) for _ in range(3))
        inputs = dict(theta0=theta0, g1=g1, g2=g2, eta=0.1, beta1=0.9, beta2=0.999, epsilon=1e-8)
        values = ADAM_TWO_STEPS.evaluate(ADAM_TWO_STEPS.complete(inputs))
        theta = torch.tensor(theta0, dtype=torch.float64, requires_grad=True)
        adam = torch.optim.Adam([theta], lr=0.1, betas=(0.9, 0.999), eps=1e-8)
        for k, gradient in enumerate((g1, g2), 1):
            theta.grad = torch.tensor(gradient, dtype=torch.float64)
            adam.step()
            assert float(values[f"theta{k}"]) == pytest.approx(theta.item(), rel=1e-12)


def test_two_steps_of_adam_golden():
    inputs = dict(theta0=1, g1=0.5, g2=0.3, eta=0.1)
    values = ADAM_TWO_STEPS.evaluate(ADAM_TWO_STEPS.complete(inputs))
    assert (float(values["theta1"]), float(values["theta2"])) == pytest.approx((0.9, 0.8043), abs=5e-5)


def test_a_trace_repeats_its_step():
    first = ADAM_STEP.solve(theta_prior=0.3, g=-0.7, t=1, eta=0.05)
    second = ADAM_STEP.solve(theta_prior=first["theta"], m_prior=first["m"], v_prior=first["v"], g=0.2, t=2, eta=0.05)
    traced = ADAM_TWO_STEPS.solve(theta0=0.3, g1=-0.7, g2=0.2, eta=0.05)
    assert float(traced["theta2"]) == pytest.approx(float(second["theta"]), rel=1e-12)


# --- softmax of logits too large for exp


def _by_torch(name, v):
    """Compute the outputs of a formula with softmax by PyTorch."""
    import torch
    import torch.nn.functional as F

    t = {key: torch.tensor(value, dtype=torch.float64) for key, value in v.items()}
    match name:
        case "softmax":
            return {"p": (t["z"] / t["T"]).softmax(-1)}
        case "log-softmax":
            return {"p": t["z"].softmax(-1), "y": t["z"].log_softmax(-1)}
        case "softmax-jacobian":
            return {"J": torch.autograd.functional.jacobian(lambda z: z.softmax(-1), t["z"])}
        case "categorical-cross-entropy":
            return {"q": t["Z"].softmax(-1), "L": F.cross_entropy(t["Z"], t["Y"])}
        case "pixel-ce-logits":
            return {"L": F.cross_entropy(t["Z"], torch.tensor(v["y"]))}
        case "weighted-cross-entropy":
            return {"L": F.cross_entropy(t["Z"], t["Y"].argmax(-1), weight=t["w"])}
        case "label-smoothing":
            loss = F.cross_entropy(t["z"], t["y"].argmax(), label_smoothing=v["epsilon"])
            return {"q": t["z"].softmax(-1), "L": loss}
        case "softmax-ce-gradient":
            Z = t["Z"].requires_grad_()
            return {"G": torch.autograd.grad(F.cross_entropy(Z, t["Y"]), Z)[0]}
        case "self-attention":
            Q, K, V = t["Q"][None], t["K"][None], t["V"][None]
            return {"O": F.scaled_dot_product_attention(Q, K, V)[0]}
        case "backprop-2layer-softmax":
            W1, W2 = t["W1"].requires_grad_(), t["W2"].requires_grad_()
            z2 = W2 @ (W1 @ t["x"]).relu()
            G1, G2 = torch.autograd.grad(-(t["t"] * z2.log_softmax(-1)).sum(), (W1, W2))
            return {"p": z2.softmax(-1), "G1": G1, "G2": G2}
        case "dot-attention":
            return {"c": _attend(t["H"] @ t["s"], t["H"])}
        case "general-attention":
            return {"c": _attend(t["H"] @ t["W"].T @ t["s"], t["H"])}
        case "additive-attention":
            hidden = torch.tanh(t["W_s"] @ t["s"] + t["H"] @ t["W_h"].T)
            return {"c": _attend(hidden @ t["v"], t["H"])}
        case "attention-query-gradient":
            q = t["q"].requires_grad_()
            c = _attend(q * t["k"], t["v"])
            return {"c": c, "g_q": torch.autograd.grad(c, q)[0]}
        case "attention-step":
            scores = (t["H"] @ t["s"]).requires_grad_()
            c = _attend(scores, t["H"])
            loss = F.cross_entropy(c, torch.tensor(0))
            g_c, g_e = torch.autograd.grad(loss, (c, scores))
            return {"c": c, "L": loss, "g_c": g_c, "g_e": g_e}
        case "attention-from-x":
            Q, K, V = (t["X"] @ t[name] for name in ("W_q", "W_k", "W_v"))
            return {"O": F.scaled_dot_product_attention(Q[None], K[None], V[None])[0]}
        case "rnn-vector-step":
            h = torch.tanh(t["W_x"] @ t["x"] + t["W_h"] @ t["h_prior"] + t["b"])
            return {"h": h, "p": (t["W_y"] @ h).softmax(-1)}


def _attend(scores, values):
    return scores.softmax(-1) @ values


def _large_logits(name, rng, size):
    def vector(n=3):
        return [round(rng.uniform(-size, size), 3) for _ in range(n)]

    one_hot = rng.choice([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    matrix, labels = [vector(), vector()], [one_hot, [0, 1, 0]]
    root = size**0.5
    return {
        "softmax": lambda: dict(z=vector(), T=rng.choice([0.5, 1, 2])),
        "log-softmax": lambda: dict(z=vector()),
        "softmax-jacobian": lambda: dict(z=vector()),
        "categorical-cross-entropy": lambda: dict(Z=matrix, Y=labels),
        "pixel-ce-logits": lambda: dict(Z=matrix, y=[one_hot.index(1), 1]),
        "weighted-cross-entropy": lambda: dict(Z=matrix, Y=labels, w=[1, 2, 0.5]),
        "label-smoothing": lambda: dict(z=vector(), y=one_hot, epsilon=0.1, K=3),
        "softmax-ce-gradient": lambda: dict(Z=matrix, Y=labels, N=2),
        "self-attention": lambda: {
            "d_k": 2,
            **{key: [[round(rng.uniform(-root, root), 3) for _ in range(2)] for _ in range(3)] for key in "QKV"},
        },
        "backprop-2layer-softmax": lambda: dict(
            x=[1, -2], W1=[[0.5, -1], [1, 0.3]], W2=[vector(2), vector(2), vector(2)], t=one_hot
        ),
        "dot-attention": lambda: dict(s=vector(2), H=[[1, 0], [0, 1], [1, 1]]),
        "general-attention": lambda: dict(s=vector(2), H=[[1, 0], [0, 1], [1, 1]], W=[[1, 2], [0, -1]]),
        "additive-attention": lambda: dict(
            s=[0.3, -1], H=[[1, 0], [0, 1], [1, 1]], W_s=[[1, 0.5], [0, -1]], W_h=[[0.2, 1], [1, 0]], v=vector(2)
        ),
        "attention-query-gradient": lambda: dict(q=1, k=vector(), v=[1, 3, -2]),
        "attention-step": lambda: dict(s=vector(2), H=[[1, 0], [0, 1], [1, 1]]),
        "attention-from-x": lambda: dict(
            X=[[1, 0], [0, 1], [1, 1]],
            **{name: [[round(rng.uniform(-root, root), 3) for _ in range(2)] for _ in range(2)] for name in WEIGHTS},
        ),
        "rnn-vector-step": lambda: dict(
            x=[1, -1], h_prior=[0.2], W_x=[[0.5, 0.1]], W_h=[[-0.3]], b=[0.1], W_y=[[value] for value in vector()]
        ),
    }[name]()


WEIGHTS = ("W_q", "W_k", "W_v")
WITH_SOFTMAX = {
    formula.id
    for formula in all_formulas().values()
    for eq in formula.equations
    if "exp(" in eq.text and "sum(" in eq.text
} - {
    "vae-loss",  # its exp turns log-variances into variances
    *("clip-gradient", "clip-loss-embeddings"),  # of the same terms as clip-loss
    # Compared below.
    *("clip-loss", "clip-zero-shot"),
    *("causal-attention", "masked-attention", "padded-attention", "two-head-attention", "top-k-top-p", "moe-routing"),
    *("infonce", "infonce-gradient", "distillation-gradient", "distillation-logits"),
}


@pytest.mark.parametrize("name", sorted(WITH_SOFTMAX))
def test_formulas_with_softmax_agree_with_pytorch_for_logits_of_any_size(name):
    rng = Random(4)
    for size in (5, 100, 300, 1000, 10_000):
        for _ in range(4):
            inputs = _large_logits(name, rng, size)
            results = get(name).solve(**inputs)
            for key, expected in _by_torch(name, inputs).items():
                assert flat(results[key]) == pytest.approx(flat(expected.tolist()), rel=1e-9, abs=1e-12), (inputs, key)


LARGE = torch.tensor([[3000.0, -4000, 2990], [2500, 9000, 8995], [-7000, -7001, 100]], dtype=torch.double)
Q = torch.tensor([[90.0, -80], [70, 95], [-60, 3]], dtype=torch.double)
SCORES = Q @ Q.T / 2**0.5
CAUSAL = torch.ones(3, 3, dtype=torch.bool).tril()
SELF = dict.fromkeys("QKV", Q.tolist())
HEADS = dict.fromkeys("QKV", torch.cat([Q, Q.flip(0)], dim=1).tolist())
PAIRS = torch.tensor([[0.9, 0.1], [0.95, 0.8]], dtype=torch.double)
LOGITS = PAIRS / 1e-3  # a small temperature makes similarities large
SOFTMAXES = {  # formula -> inputs with large logits, an output, and what PyTorch computes
    "causal-attention": (SELF | {"d_k": 2}, "A", SCORES.masked_fill(~CAUSAL, -torch.inf).softmax(1)),
    "masked-attention": (SELF, "A", SCORES.softmax(1)),
    "padded-attention": (dict(S=LARGE.tolist(), n=3), "A", LARGE.masked_fill(~CAUSAL, -torch.inf).softmax(1)),
    "two-head-attention": (HEADS, "A1", SCORES.softmax(1)),
    "top-k-top-p": (dict(z=LARGE[0].tolist(), T=0.5, k=3, c=0.9), "p", (LARGE[0] / 0.5).softmax(0)),
    "moe-routing": (dict(z=LARGE[1].tolist(), y=[1, 2, 3], k=3), "w", LARGE[1].softmax(0)),
    "clip-loss": (
        dict(S=PAIRS.tolist(), tau=1e-3),
        "L",
        (F.cross_entropy(LOGITS, torch.arange(2)) + F.cross_entropy(LOGITS.T, torch.arange(2)))[None] / 2,
    ),
    "clip-zero-shot": (
        dict(s=[0.9, -0.3, 0.2], scale=1000),
        "p",
        (1000 * torch.tensor([0.9, -0.3, 0.2]).double()).softmax(0),
    ),
    "infonce": (dict(s=LARGE[0].tolist(), tau=1), "q", LARGE[0].softmax(0)),
    "infonce-gradient": (dict(s=LARGE[0].tolist(), t=1, q=0.5, tau=1), "r", LARGE[0].softmax(0)),
    "distillation-logits": (
        dict(z_t=LARGE[0].tolist(), z_s=LARGE[1].tolist(), T=1, alpha=0.5, y=1),
        "p",
        LARGE[0].softmax(0),
    ),
    "distillation-gradient": (
        dict(a=LARGE[0].tolist(), b=LARGE[1].tolist(), t=2, p=0.5, q=0.5, T=1),
        "u",
        (LARGE[0] / 2).softmax(0),
    ),
}


@pytest.mark.parametrize("name", sorted(SOFTMAXES))
def test_softmax_of_large_logits_agrees_with_pytorch(name):
    inputs, output, expected = SOFTMAXES[name]
    results, undefined = get(name).results(inputs, [output])
    assert not undefined
    value = results[output]
    assert flat(value if isinstance(value, list) else [value]) == pytest.approx(
        flat(expected.tolist()), rel=1e-9, abs=1e-12
    )


# --- solving for an input


@pytest.mark.parametrize("unknown", [pytest.param("n", marks=pytest.mark.full), "f", "p", "s", "d"])
def test_solutions_are_those_of_brute_force(unknown):
    rng, formula = Random(3), get("conv-out-size")
    symbol = formula.symbols[unknown]
    for _ in range(5):
        inputs = dict(n=rng.randint(20, 60), f=rng.choice([3, 5]), p=rng.randint(0, 2), s=rng.randint(1, 3), d=1)
        o = formula.solve(**inputs)["o"]
        rest = {k: v for k, v in inputs.items() if k != unknown}
        expected = []
        for value in range(int(symbol.low), int(symbol.high) + 1):
            n, f, p, s, d = (({**rest, unknown: value})[k] for k in "nfpsd")
            if math.floor((n + 2 * p - d * (f - 1) - 1) / s) + 1 == o:
                expected.append(value)
        assert formula.solutions(unknown, {**rest, "o": o}) == expected
        assert inputs[unknown] in expected


def test_rounding_down_has_several_solutions():
    assert get("conv-out-size").solutions("n", dict(o=112, f=3, p=1, s=2)) == [223, 224]
    assert get("conv-params").solutions("k", dict(P=73_856, C_in=64, C_out=128)) == [3]
    assert get("conv-params").solutions("k", dict(P=73_857, C_in=64, C_out=128)) == []


def test_real_symbols_have_exact_solutions():
    formula = get("adam-step")
    theta = formula.solve(theta_prior=2, g=0.5, t=3, eta=0.1)["theta"]
    results = formula.solutions("eta", dict(theta_prior=2, g=0.5, t=3, theta=theta))
    assert [float(v) for v in results] == pytest.approx([0.1])
    slopes = get("activation-derivatives").solutions("z", dict(dsigmoid=0.2))
    assert len(slopes) == 2
    for z in slopes:
        s = 1 / (1 + math.exp(-z))
        assert s * (1 - s) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("conv-out-size", dict(f=3), r"needs n \(input size\)"),
        ("conv-out-size", dict(n=0, f=3), "an integer from 1 to"),
        ("conv-out-size", dict(n=2.5, f=3), "an integer"),
        ("conv-out-size", dict(n=[5], f=3), "an integer"),
        ("conv-out-size", dict(n="5 px", f=3), "an integer"),
        ("conv-out-size", dict(n=5, f=3, q=1), "no symbol 'q': its symbols are"),
        ("conv-out-size", dict(n=1, f=11), "o .* would be -9"),
        ("softmax", dict(z=[1, 2], T=0), "a number from 0.01 up"),
        ("softmax", dict(z=5), r"\[1, 2\]"),
        ("softmax", dict(z=[[1]]), "a vector"),
        ("softmax", dict(z=[]), r"\[1, 2\]"),
        ("binary-cross-entropy", dict(y=[1], p=[1.5]), "from 0 to 1"),
        ("iou", dict(A=[1, 2], B=[0, 0, 1, 1]), "A has 2 values, and a box has 4"),
        ("nms", dict(boxes=[[0, 0, 1, 1]], scores=[0.5, 0.6]), "one number per box: 1, not 2"),
        ("nms", dict(boxes=[[0, 0, 1], [0, 0, 1]], scores=[0.5, 0.6]), "x1 < x2"),
        ("nms", dict(boxes=[[0, 0, 0, 0], [0, 0, 0, 0]], scores=[0.5, 0.6]), "x1 < x2"),
        ("scaled-activation", dict(activation="tan", a=1, b=2), "Did you mean 'tanh"),
        ("self-attention", dict(Q=[[1, 2], [3]], K=[[1, 2]], V=[[1]], d_k=2), "rows of different lengths"),
        ("bleu", dict(candidate="", references=["a"]), "The candidate has no words"),
    ],
)
def test_unusable_inputs_are_rejected(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence):
        get(name).solve(**inputs)


UNEQUAL = [
    ("mse-mae-rmse", dict(y=[1, 2, 3], yhat=[1, 2]), "y has 3 values and yhat has 2: give both the same length."),
    ("r2-score", dict(y=[1, 2, 3], yhat=[1, 2, 3, 9]), "y has 3 values and yhat has 4"),
    ("least-squares-line", dict(x=[1, 2], y=[1, 2, 9]), "x has 2 values and y has 3"),
    ("gd-step-linreg", dict(x=[1, 2], y=[1, 2, 9], w0=0, b0=0, eta=0.1), "x has 2 values and y has 3"),
    ("logistic-regression-step", dict(x=[1, 2], y=[1], w=0, b=0, eta=0.1), "x has 2 values and y has 1"),
    ("categorical-cross-entropy", dict(Z=[[1, 2, 3]], Y=[[0, 1]]), "Z has 3 columns and Y has 2"),
    (
        "self-attention",
        dict(Q=[[1, 0]], K=[[1, 0], [0, 1]], V=[[1], [2], [3]], d_k=2),
        "K has 2 rows and V has 3: give both the same number of rows.",
    ),
    (
        "bn-batch",
        dict(X=[[1, 2, 3], [4, 5, 6]], gamma=[1, 1], beta=[0, 0, 0]),
        "X has 3 columns and gamma has 2 values: both numbers must be the same.",
    ),
    (
        "macro-micro-f1",
        dict(C=[[1, 2, 3], [4, 5, 6]]),
        "C has 2 rows and 3 columns: give it as many rows as columns.",
    ),
    ("iou", dict(A=[0, 0, 2, 2, 9], B=[0, 0, 1, 1]), "A has 5 values, and a box has 4."),
    ("layer-norm", dict(X=[[1, 2], [3, 4, 9]]), "X .* has rows of different lengths"),
]


@pytest.mark.parametrize(("name", "inputs", "sentence"), UNEQUAL)
def test_arrays_of_unequal_lengths_are_rejected(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence):
        get(name).solve(**inputs)


# Arrays whose length may differ from the others' of their formula.
FREE = {
    *((id, "H") for id in ("dot-attention", "general-attention", "additive-attention", "attention-step")),  # any source
    *(("anomaly-auc", name) for name in ("n1", "f1", "n2", "f2")),  # any number of parts of each kind
    ("attention-wrong-axis", "u"),  # a state of any size
    ("neg-sampling-vectors", "U"),  # any number of negative samples
    ("rnn-vector-step", "W_y"),  # any number of outputs
    ("bn-batch", "X"),  # rows: the batch may have any size
    ("conv-values", "X"),
    ("conv-values", "K"),  # a kernel of any size up to the map's
    ("min-max-split", "train"),
    ("min-max-split", "test"),
    ("pool-backprop", "X"),  # a row outside every window
    ("roc-auc", "pos"),
    ("roc-auc", "neg"),
    ("self-attention", "Q"),  # any number of queries
    ("self-attention", "V"),  # columns: values of any width
    ("standardise", "X"),
    ("standardise", "T"),
    ("causal-attention", "Q"),  # the last queries
    ("causal-attention", "V"),
    ("gan-losses-batch", "real"),  # both batches may have any size
    ("gan-losses-batch", "fake"),
    ("mlm-labels", "at"),  # any positions of any sequence
    ("mlm-labels", "ids"),
    ("pgd-steps", "G"),  # any number of steps
    ("detr-set-loss", "u"),  # any number of queries without an object
    ("iou-code", "b"),  # any number of boxes, as in the next ones
    ("kmeans-anchors", "boxes"),
    ("kmeans-anchors", "anchors"),
    ("nms-variants", "objects"),
    ("nms-per-class", "taus"),  # also of classes without boxes
    ("pr-matching", "iou"),  # columns: any number of objects
    ("roi-pool", "X"),  # a map of any size that has the region
    ("roi-align", "X"),
    ("max-unpool", "X"),
    ("transposed-conv", "X"),  # a map and a kernel of any size, as in the next ones
    ("transposed-conv", "K"),
    ("transposed-conv-1d", "x"),
    ("transposed-conv-1d", "w"),
    ("transposed-conv-matrix", "y"),
    ("transposed-conv-matrix", "w"),
    ("pixel-ce-weighted", "w"),  # also of classes without pixels
    ("pixel-ce-logits", "Z"),  # columns: any number of classes
    ("mask-loss", "Z"),  # rows: any number of classes
    ("panoptic-quality-classes", "t"),  # any number of classes of each kind
    ("panoptic-quality-classes", "s"),
    ("pq-instances", "M"),  # rows: any number of predictions
}


def draw_inputs(generate):
    """Return the first inputs of a generator that it does not reject."""
    for seed in range(1, 100):
        with suppress(UndefinedValue):
            return generate(Random(seed))
    raise AssertionError(f"{generate.__name__} rejects everything")


def test_an_array_with_one_element_more_or_less_is_rejected():
    generators = {drill.formula.id: drill.generate for drill in reversed(bank.all_drills().values())}
    accepted, tries = set(), 0
    for name, formula in all_formulas().items():
        arrays = [s for s in formula.inputs if formula.symbols[s].kind in ("vector", "matrix")]
        if len(arrays) < 2 or name not in generators:
            continue
        values = {key: value for key, value in draw_inputs(generators[name]).items() if key in formula.symbols}
        if set(formula.inputs) - set(values) - {s for s in formula.inputs if not formula.symbols[s].is_required}:
            continue  # a derivation, whose answer is an expression in the other symbols
        formula.solve(**values)
        for array in arrays:
            value, tries = values[array], tries + 1
            others = [value[:-1], [*value, value[-1]]]
            if isinstance(value[0], list):
                others += [[row[:-1] for row in value], [[*row, row[-1]] for row in value]]
            for other in others:
                try:
                    formula.solve(**values | {array: other})
                    accepted.add((name, array))
                except UserError:
                    pass
    assert accepted == FREE
    assert tries > 50


TYPED = [
    "1",
    "0",
    "-1",
    "1/3",
    "1e59",
    "2.5",
    "",
    "[",
    "[[]]",
    "[1, 2]",
    "[[1, 2], [3]]",
    "[[0, 0, 1, 1]]",
    "a, b",
    "tanh",
]


@given(data=st.data())
def test_any_values_give_values_or_an_error(data):
    formula = get(data.draw(st.sampled_from(sorted(all_formulas()))))
    typed = data.draw(
        st.dictionaries(st.sampled_from(sorted(formula.symbols)), st.sampled_from(TYPED) | st.text(max_size=9))
    )
    try:
        values = {name: formula.symbols[name].read(text) for name, text in typed.items()}
        formula.solve(**values)
    except UserError as error:
        assert str(error)


def test_unknown_formulas_and_formulas_that_cannot_be_solved():
    with pytest.raises(UserError, match="Did you mean 'conv-out-size"):
        get("conv-out-siz")
    with pytest.raises(UserError, match="give an output: add o="):
        get("conv-out-size").solutions("n", dict(f=3))
    with pytest.raises(UserError, match="computed by a procedure"):
        get("bleu").solutions("candidate", dict(BLEU=0.5, references=["a"]))
    with pytest.raises(UserError, match=r"only be solved for numbers"):
        get("softmax").solutions("T", dict(z=[1, 2], p=[0.5, 0.5]))
