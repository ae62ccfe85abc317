"""`workbench autograd` as people and scripts use it."""

import json
import math

import numpy as np
import pytest
import torch


def test_the_course_s_neuron_as_json(cli):
    result = cli("autograd", "sigmoid(w*x+b)", "w=2", "x=-1", "b=0.5", "--check", "--json")
    assert result.code == 0 and result.err == ""
    report = json.loads(result.out)
    assert report["expression"] == "sigmoid(w*x+b)" and report["root"] == "v3" and report["agree"] is True
    slope = math.exp(1.5) / (1 + math.exp(1.5)) ** 2  # of the sigmoid at w x + b = -1.5
    by_hand = {"w": -slope, "x": 2 * slope, "b": slope}
    for name, leaf in report["leaves"].items():
        assert leaf["agree"] is True and leaf["sympy"]
        assert [leaf["sympy_value"], leaf["torch"]] == pytest.approx([by_hand[name]] * 2)
    nodes = {node["node"]: node for node in report["nodes"]}
    assert list(nodes) == ["w", "x", "b", "v1", "v2", "v3"]
    assert {"kind", "operation", "operands", "value", "gradient"} <= set(nodes["w"])
    assert (nodes["v1"]["operation"], nodes["v1"]["operands"], nodes["v1"]["value"]) == ("*", ["w", "x"], -2)
    assert nodes["w"]["gradient"] == pytest.approx(-slope) and nodes["v3"]["gradient"] == 1


def test_the_same_in_words(cli):
    result = cli("autograd", "u = x*y; v = u + x; f = u*v", "x=3", "y=-2", "--check", env={"NO_COLOR": "1"})
    assert result.code == 0 and result.err == "" and "\x1b" not in result.out
    assert "Gradient of x: 18 through u + (-6) through v = 12." in result.out
    assert "✓ SymPy 12, PyTorch 12" in result.out and "agree." in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_an_expression_may_begin_with_a_minus_and_hold_products_of_letters(cli):
    result = cli("autograd", "-wx", "w=3", "x=2", "--check", "--json")
    assert result.code == 0
    assert {name: leaf["torch"] for name, leaf in json.loads(result.out)["leaves"].items()} == {"w": -2, "x": -3}


def test_a_disagreement_is_exit_code_1(cli):
    result = cli(
        "autograd", "max(x + y, z)", "x=0.1", "y=0.2", "z=0.3", "--check"
    )  # 0.1 + 0.2 is more than 0.3 in 64 bits
    assert result.code == 1 and "do not agree" in result.out and "kink" in result.out


def test_values_and_gradients_need_neither_sympy_nor_pytorch(process):
    result = process("autograd", "sigmoid(w*x+b)", "w=2", "x=-1", "b=0.5", "--json")
    slope = math.exp(1.5) / (1 + math.exp(1.5)) ** 2
    leaves = json.loads(result.out)["leaves"]
    assert {name: leaf["gradient"] for name, leaf in leaves.items()} == pytest.approx(
        {"w": -slope, "x": 2 * slope, "b": slope}
    )


def test_derivatives_by_some_of_the_variables(cli):
    result = cli("autograd", "x^2*y", "x=3", "y=2", "--wrt", "x")
    assert "dv2/dx = 12" in result.out and "dv2/dy = 9" not in result.out.split("dv2/dx = 12")[1]
    assert cli("autograd", "x^2*y", "x=3", "y=2", "--wrt", "z").code == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sigmoid(w*x+b)", "w=2", "x=1"], "b has no value: add b=..."),
        (["x", "x=1", "y=2"], "Unknown variable 'y'"),
        (["x", "x"], "as NAME=VALUE"),
        (["x", "x=[1, 2]"], "The last line is an array"),
        (["x", "x=one"], "x: unknown name 'one'"),
        (["x", "x=1", "x=2"], "given twice"),
        (["x", "2=3"], "one name"),
        (["e*x", "e=1", "x=1"], "e is reserved"),
        (["ln(x)", "x=-1"], "no value at x = -1"),
        (["x^99", "x=1e9"], "too large"),
        (["x +", "x=1"], "The expression can't be read: something is missing at the end."),
        (["ceil(x)", "x=1"], "No gradient goes through ceil"),
        ([], "Missing argument"),
    ],
)
def test_errors_are_one_line(cli, words, sentence):
    result = cli("autograd", *words, "--json")
    assert result.code == 2
    assert sentence in result.err and result.err.startswith("Error: ") and len(result.err.splitlines()) == 1


def test_it_is_how_the_syllabus_runs_the_system(cli):
    systems = json.loads(cli("topics", "--systems", "--json").out)
    [system] = [row for row in systems if row["system"] == "autograd-graph"]
    assert system["kind"] == "algorithm" and system["command"].startswith("workbench autograd ")


def random_text(shape, seed):
    values = np.round(np.random.default_rng(seed).normal(size=shape), 2).tolist()
    return json.dumps(values), torch.tensor(values, dtype=torch.double, requires_grad=True)


ARRAYS = [
    (
        "h = relu(W @ x + b); p = softmax(V @ h); -ln(p[2])",
        dict(W=(3, 2), x=(2,), b=(3,), V=(2, 3)),
        lambda W, x, b, V: -(V @ (W @ x + b).relu()).log_softmax(0)[1],
    ),
    (
        "mean((X @ w - y)^2) + 0.1*sum(w^2)",
        dict(X=(4, 3), w=(3,), y=(4,)),
        lambda X, w, y: ((X @ w - y) ** 2).mean() + 0.1 * (w**2).sum(),
    ),
    (
        "A = softmax(Q @ transpose(K)/sqrt(2)); sum(A @ V)",
        dict(Q=(2, 2), K=(3, 2), V=(3, 2)),
        lambda Q, K, V: ((Q @ K.T / 2**0.5).softmax(-1) @ V).sum(),
    ),
    (
        "h = tanh(x @ W + b); sum(sigmoid(h @ v) * [1, -2])",
        dict(x=(2, 3), W=(3, 4), b=(4,), v=(4,)),
        lambda x, W, b, v: (((x @ W + b).tanh() @ v).sigmoid() * torch.tensor([1.0, -2.0]).double()).sum(),
    ),
    ("max(a*b) - min(a/3)", dict(a=(5,), b=(5,)), lambda a, b: (a * b).max() - (a / 3).min()),
    ("a @ b - W[2, 1]*a[2]", dict(a=(2,), b=(2,), W=(2, 2)), lambda a, b, W: a @ b - W[1, 0] * a[1]),
]


@pytest.mark.parametrize(("expression", "shapes", "by_torch"), ARRAYS)
def test_gradients_by_vectors_and_matrices_are_pytorchs(cli, expression, shapes, by_torch):
    texts, tensors = {}, {}
    for seed, (name, shape) in enumerate(shapes.items()):
        texts[name], tensors[name] = random_text(shape, seed)
    loss = by_torch(**tensors)
    loss.backward()
    result = cli("autograd", expression, *(f"{name}={text}" for name, text in texts.items()), "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["nodes"][-1]["value"] == pytest.approx(loss.item())
    for name, tensor in tensors.items():
        torch.testing.assert_close(torch.tensor(report["leaves"][name]["gradient"]).double(), tensor.grad)


def test_sympy_and_pytorch_check_the_elements_of_arrays(cli):
    result = cli("autograd", "sum((x*W)^2)", "x=2", "W=[1, -1]", "--check", "--json")
    report = json.loads(result.out)
    assert (result.code, report["agree"]) == (0, True)
    assert report["leaves"]["W"]["gradient"] == [8, -8] and report["leaves"]["W_2"]["torch"] == -8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["W @ x", "W=[[1, 2]]", "x=[1, 2]"], "is an array"),
        (["sum(W @ x)", "W=[[1, 2]]", "x=[1, 2, 3]"], "(1, 2) @ (3,) don't fit"),
        (["sum(x + y)", "x=[1, 2]", "y=[1, 2, 3]"], "(2,) + (3,) don't fit"),
        (["x[3]", "x=[1, 2]"], "x has no element 3: they are counted from 1 to 2"),
        (["sum(x*y)", "x=[1, 2]"], "y"),
        (["softmax(x)", "x=2"], "softmax takes a vector"),
        (["sum(transpose(x))", "x=[1, 2]"], "transpose takes a matrix"),
        (["sum(x)", "x=[[1], [1, 2]]"], "rows of different lengths"),
    ],
)
def test_arrays_that_do_not_fit_are_rejected(cli, words, message):
    result = cli("autograd", *words)
    assert (result.code, result.out) == (2, "")
    assert message in result.err and result.err.count("\n") == 1


def test_a_value_without_variables(cli):
    assert "0.367879" in cli("autograd", "exp(-1)").out
    assert json.loads(cli("autograd", "exp(-1)", "--json").out)["value"] == pytest.approx(math.exp(-1))
