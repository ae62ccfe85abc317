"""Graphs and their gradients on random expressions, against difference quotients to 50 digits, PyTorch and SymPy."""

import re
from fractions import Fraction

import mpmath
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from quizzes.expressions.graph import build_graph, describe_nodes, read_value, run_passes
from quizzes.expressions.parser import FormatError
from workbench.engine.autograd import gradients
from workbench.errors import UserError

SMOOTH = ["exp", "sin", "cos", "tanh", "sigmoid", "softplus", "erf", "gelu"]
ONE = [*SMOOTH, "relu", "abs"]
numbers = st.sampled_from(["0.5", "2", "3", "1.25", "10"])
operands = st.sampled_from(["x", "y", "z", "x", "y"]) | numbers
texts = st.recursive(
    operands,
    lambda inside: (
        st.tuples(inside, st.sampled_from("+-*/"), inside).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        | st.tuples(st.sampled_from(ONE), inside).map(lambda t: f"{t[0]}({t[1]})")
        | st.tuples(st.sampled_from(["max", "min"]), inside, inside).map(lambda t: f"{t[0]}({t[1]}, {t[2]})")
        | st.tuples(inside, st.sampled_from(["2", "3", "-1"])).map(lambda t: f"({t[0]})^{t[1]}")
        | inside.map(lambda a: f"ln(1 + ({a})^2)")
        | st.tuples(inside, st.sampled_from(["<", ">="]), inside, inside, inside).map(
            lambda t: f"where({t[0]} {t[1]} {t[2]}, {t[3]}, {t[4]})"
        )
        | st.tuples(operands, operands, inside, inside).map(
            lambda t: f"where({t[0]} > 1 or {t[1]} <= 2, {t[2]}, {t[3]})"
        )
        | inside.map(lambda a: f"sqrt(2 + sin({a}))")
        | inside.map(lambda a: f"(-({a}))")
    ),
    max_leaves=7,
)
points = st.fixed_dictionaries({name: st.integers(-16, 16).map(lambda k: Fraction(k, 8)) for name in "xyz"})

MPMATH = dict(  # the functions of an expression, independently of the program: by mpmath, and by PyTorch
    exp=mpmath.exp, sin=mpmath.sin, cos=mpmath.cos, tanh=mpmath.tanh, ln=mpmath.log, sqrt=mpmath.sqrt, abs=abs,
    sigmoid=lambda x: 1 / (1 + mpmath.exp(-x)), softplus=lambda x: mpmath.log(1 + mpmath.exp(x)),
    relu=lambda x: max(x, mpmath.mpf(0)), max=max, min=min, where=lambda c, a, b: a if c else b,
    erf=mpmath.erf, gelu=lambda x: x * mpmath.ncdf(x),
)  # fmt: skip
TORCH = dict(
    exp=torch.exp, sin=torch.sin, cos=torch.cos, tanh=torch.tanh, ln=torch.log, sqrt=torch.sqrt, abs=torch.abs,
    sigmoid=torch.sigmoid, softplus=torch.nn.functional.softplus, relu=torch.relu,
    max=torch.maximum, min=torch.minimum, erf=torch.erf, gelu=torch.nn.functional.gelu,
    where=lambda c, a, b: torch.where(torch.as_tensor(c), a, b),
)  # fmt: skip


def by_python(text, functions, values, number):
    """Evaluate an expression with Python's own parser."""
    code = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)", r"N(\1)", text.replace("^", "**"))
    return eval(code, {**functions, **values, "N": number})


def graph_with_passes(text, values):
    """Return the graph and its passes; skip the example if the expression has no value or no gradient there."""
    try:
        graph = build_graph(text)
        return graph, run_passes(graph, {name: values[name] for name in graph.leaves})
    except UserError:
        assume(False)


@given(texts, points)
def test_gradients_are_limits_of_difference_quotients(text, values):
    graph, passes = graph_with_passes(text, values)
    assume(not passes.kinks)
    with mpmath.workdps(50):
        at = {name: mpmath.mpf(v.numerator) / v.denominator for name, v in values.items()}
        step = mpmath.mpf(10) ** -18
        for leaf in graph.leaves:
            above, below = (by_python(text, MPMATH, at | {leaf: at[leaf] + h}, mpmath.mpf) for h in (step, -step))
            expected = float((above - below) / (2 * step))
            assert float(passes.gradients[leaf]) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(texts, points)
def test_gradients_are_those_of_pytorch(text, values):
    graph, passes = graph_with_passes(text, values)
    assume(not passes.kinks)
    at = {name: torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for name, v in values.items()}
    root = by_python(text, TORCH, at, lambda v: torch.tensor(float(v), dtype=torch.float64))
    root.backward()
    assert float(passes.values[graph.root]) == pytest.approx(root.item(), rel=1e-9, abs=1e-12)
    for leaf in graph.leaves:
        gradient = 0 if at[leaf].grad is None else at[leaf].grad.item()  # None of a leaf in conditions alone
        assert float(passes.gradients[leaf]) == pytest.approx(gradient, rel=1e-6, abs=1e-9)


@given(texts, points)
def test_sympy_and_pytorch_agree_with_the_graph(text, values):
    from quizzes.expressions.gradients import compare_gradients, differentiate

    graph, passes = graph_with_passes(text, values)
    assume(not passes.kinks)
    verdict = compare_gradients(graph, passes, differentiate(graph, passes), gradients(describe_nodes(graph, passes)))
    assert verdict["agree"], verdict


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("relu(x)", dict(x=0)),
        ("abs(x)*y", dict(x=0, y=3)),
        ("max(x, y)", dict(x=2, y=2)),
        ("min(x, 2)", dict(x=2)),
        ("max(x, 0)", dict(x=0)),  # one half; relu has 0
        ("max(x, y, z)", dict(x=1, y=1, z=1)),  # max(max(x, y), z): 1/4, 1/4, 1/2
        ("max(x, x)", dict(x=1)),
        ("x^0", dict(x=0)),
        ("x^1.5", dict(x=0)),
        ("(x*y)^2.5", dict(x=0, y=2)),
        ("sqrt(x^2)", dict(x=-3)),
        ("x^y", dict(x=2, y=3)),
        ("2^x + e^x + 10^x", dict(x=1.5)),
        ("log2(x) + log10(x) - pi*x", dict(x=5)),
        ("softplus(x) + sigmoid(x) + tanh(x)", dict(x=30)),
        ("abs(ln(x) - 1)", dict(x=2)),
        ("((x^99)^99)^99", dict(x=0.99999)),  # too long to be exact
        ("b^t", dict(b=1.0000001, t=10**9)),
        ("x*((0.99999^99)^99)^2", dict(x=2)),
        ("x", dict(x=7)),
        ("where(x > 0, x^2, 3x)", dict(x=0)),  # the gradient of the case that holds
        ("where(x = y, x*y, x)", dict(x=2, y=2)),
        ("where(not (x > 0 and y > 0), x, y)", dict(x=1, y=1)),
        ("where(x*y > 5, 1, x)*t", dict(x=1, y=2, t=4)),  # y has the gradient 0
        ("u = x*y; where(u > 1, u, where(u > 0, u^2, 0))", dict(x=0.5, y=0.5)),
        ("where(1 < 2, x, y)", dict(x=3, y=4)),
        ("gelu(x) - erf(x)", dict(x=-30)),
    ],
)
def test_gradients_at_kinks_and_special_points_agree(text, values):
    from quizzes.expressions.gradients import compare_gradients, differentiate

    graph = build_graph(text)
    passes = run_passes(graph, {name: read_value(str(value)) for name, value in values.items()})
    verdict = compare_gradients(graph, passes, differentiate(graph, passes), gradients(describe_nodes(graph, passes)))
    assert verdict["agree"], verdict


def test_kinks_are_reported_only_at_kinks():
    assert ["x = 0" in sentence for sentence in run_passes(build_graph("relu(x)"), {"x": 0}).kinks] == [True]
    assert len(run_passes(build_graph("max(x, y) + min(x, y)"), {"x": 2, "y": 2}).kinks) == 2
    assert run_passes(build_graph("max(x, x) + relu(x) + abs(x)"), {"x": 2}).kinks == []


def test_a_condition_that_changes_is_reported_and_takes_no_gradient():
    graph = build_graph("where(x > 0, x, 2x)")
    passes = run_passes(graph, {"x": 0})
    assert passes.kinks == ["v1 = x > 0 changes at x = 0: the gradient of the case that holds is used, as in PyTorch."]
    assert passes.gradients == {"x": 2, "v2": 1, "v3": 1} and passes.values["v1"] == 0
    assert [(n.name, n.kind, n.text) for n in graph.nodes.values() if n.operation] == [
        ("v1", "condition", "x > 0"),
        ("v2", "intermediate", "2 * x"),
        ("v3", "root", "where(v1, x, v2)"),
    ]
    with pytest.raises(UserError, match="v2 = ln"):  # PyTorch computes both cases, too
        run_passes(build_graph("where(x > 0, ln(x), x)"), {"x": -1})


def test_compare_gradients_reports_disagreement():
    from quizzes.expressions.gradients import compare_gradients, differentiate

    graph = build_graph("x*y")
    passes = run_passes(graph, {"x": 2, "y": 3})
    sympy, torch_nodes = differentiate(graph, passes), gradients(describe_nodes(graph, passes))
    for name, row in (("x", "gradient"), ("v1", "value")):
        wrong = torch_nodes | {name: torch_nodes[name] | {row: 2.5}}
        assert not compare_gradients(graph, passes, sympy, wrong)["agree"]
    other = differentiate(graph, run_passes(graph, {"x": 2, "y": 4}))
    verdict = compare_gradients(graph, passes, other, torch_nodes)
    assert [leaf["agree"] for leaf in verdict["leaves"].values()] == [False, True] and not verdict["agree"]


def test_gradients_are_exact_and_summed_over_paths():
    graph = build_graph("u = x*y; v = u + x; f = u*v")
    passes = run_passes(graph, {"x": Fraction(1, 3), "y": 2})
    assert passes.values["f"] == Fraction(2, 3)  # f = (x y)^2 + x^2 y, df/dx = 2x y^2 + 2x y, df/dy = 2x^2 y + x^2
    assert passes.gradients == {
        "x": 4,
        "y": Fraction(5, 9),
        "u": Fraction(5, 3),
        "v": Fraction(2, 3),
        "f": 1,
    }
    assert passes.local_derivatives["u"] == [2, Fraction(1, 3)]


def test_nodes_of_a_sigmoid_neuron():
    graph = build_graph("sigmoid(w*x + b)")
    assert [(n.name, n.kind, n.operation, n.operands) for n in graph.nodes.values()] == [
        ("w", "leaf", "", ()),
        ("x", "leaf", "", ()),
        ("b", "leaf", "", ()),
        ("v1", "intermediate", "*", ("w", "x")),
        ("v2", "intermediate", "+", ("v1", "b")),
        ("v3", "root", "sigmoid", ("v2",)),
    ]
    assert graph.nodes["v3"].rules == ["v3 * (1 - v3)"]


@pytest.mark.parametrize(
    ("text", "variables", "read_as"),
    [
        ("wx", "w x", "w * x"),
        ("wx", "", "wx"),
        ("sigma(z)", "", "sigmoid(z)"),
        ("σ(z) + α²", "", "sigmoid(z) + alpha^2"),
        ("sigma*x", "", "sigma * x"),
        ("d(f - 1)", "", "d * (f - 1)"),
        ("L = (y - t)^2;", "", "L = (y - t)^2"),
        ("c = 2; c*x", "", "c = 2; c * x"),
        ("v1 + 2v1*x", "", "v1 + 2 * v1 * x"),
    ],
)
def test_names_are_functions_variables_or_products(text, variables, read_as):
    assert build_graph(text, variables.split()).read_as == read_as


def test_names_of_operations_differ_from_those_of_variables():
    assert list(build_graph("v1*v2 + 1").nodes) == ["v1", "v2", "1", "v3", "v4"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "enter an expression"),
        ("x +", "missing at the end"),
        ("softmax(x)", "Did you mean"),
        ("log(x)", "write ln"),
        ("x[1]", "write out every term"),
        ("sum(i, x[i])", "write out every term"),
        ("[1, 2]*x", "not a list"),
        ("floor(x)", "No gradient goes through floor"),
        ("sign(x) + x", "derivative is 0 between its jumps"),
        ("2 + 3", "has no variable"),
        ("1/0*x", "divides by zero"),
        ("x; y", "x is not used"),
        ("u = x; u = y; u", "defined twice"),
        ("f = u*x; u = 2*x; f*u", "used before it is defined"),
        ("pi = x; pi", "pi is reserved"),
        ("2x = 3", "one name"),
        ("x*" * 160 + "x", "the limit is 300"),
        ("+".join("x" * 90), "more than 150"),
        ("x @ y", "write * for a product"),
        ("[x > 0]*x", "No gradient goes through [x > 0]"),
        ("where(x > 0, 1, 2)*x", "No gradient goes through where(x > 0, 1, 2)"),
        ("where(x, 1, y)", "a condition is needed"),
        ("x > 0", "without a comparison"),
        ("argmax(x, y)", "write out every term"),
        ("where = x; where*x", "where is reserved"),
        ("__import__('os')", "leave out the quotation mark"),
    ],
)
def test_build_graph_rejects_what_is_not_a_graph(text, sentence):
    with pytest.raises(UserError) as error:
        build_graph(text)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("text", "values", "sentence"),
    [
        ("x + y", dict(x=1), "y has no value: add y=..."),
        ("x", dict(x=1, z=2), "Unknown variable 'z'"),
        ("ln(x - 1)", dict(x=0), "v2 = ln(v1) has no value at v1 = -1"),
        ("1/x", dict(x=0), "divides by zero"),
        ("exp(x)", dict(x=200), "too large"),
        ("sqrt(x)", dict(x=0), "no derivative with respect to x at x = 0: 1 / (2 * v1)"),
        ("x^0.5", dict(x=0), "no derivative with respect to x at x = 0"),
        ("x^y", dict(x=-2, y=2), "no derivative with respect to y at x = -2, y = 2: v1 * ln(x)"),
        ("10^40*x", dict(x=10**30), "too large"),
        ("x^3*(10^20*y)", dict(x=10**15, y=10**-30 * 1e10), "gradient at"),
    ],
)
def test_run_passes_rejects_points_without_value_or_gradient(text, values, sentence):
    with pytest.raises(UserError) as error:
        run_passes(build_graph(text), values)
    assert sentence in str(error.value)


@pytest.mark.parametrize("text", ["[1, 2]", "1, 2", "", "x", "1/0", "1 2"])
def test_read_value_takes_one_number(text):
    with pytest.raises(FormatError):
        read_value(text)
    assert read_value(" 1/3 ") == Fraction(1, 3)
