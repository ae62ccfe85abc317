"""PyTorch's walk through a graph that came as plain data."""

import json

import pytest
import torch

from quizzes.expressions.arithmetic import COMPARISONS
from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.graph import build_graph, describe_nodes, run_passes
from quizzes.expressions.local_derivatives import DERIVATIVES
from quizzes.question import Check
from workbench.engine import Verifier
from workbench.engine.autograd import OPERATIONS, gradients
from workbench.engine.worker import answer

CONV = Check("quizzes.content.cnn.convolution.checks", "conv_out_size", dict(n=224, f=3, p=0, s=1, d=1))


def leaf(name, value):
    return dict(node=name, kind="leaf", operation="", operands=[], value=value)


def operation(name, key, *operands):
    return dict(node=name, kind="intermediate", operation=key, operands=list(operands), value=None)


def test_every_operation_that_a_graph_may_have_is_pytorch_s_own():
    assert set(OPERATIONS) >= {*DERIVATIVES, *COMPARISONS, *FUNCTIONS, "and", "or", "not", "where"}
    assert {function.__module__ for name, function in OPERATIONS.items() if name != "where"} <= {
        None,
        "torch",
        "torch._C._nn",
        "torch.functional",
    }


def test_a_leaf_that_is_used_twice_adds_up_and_a_constant_takes_none():
    two = leaf("2", 2) | {"kind": "constant"}
    found = gradients([leaf("x", 3), two, operation("u", "*", "2", "x"), operation("f", "*", "u", "x")])
    assert found == {
        "x": {"value": 3.0, "gradient": 12.0},  # of 2x^2
        "2": {"value": 2.0, "gradient": None},
        "u": {"value": 6.0, "gradient": 3.0},
        "f": {"value": 18.0, "gradient": 1.0},
    }


def test_numbers_are_64_bits_and_what_is_not_finite_is_none():
    found = gradients([leaf("x", 1 / 3), operation("f", "neg", "x")])
    assert found["f"]["value"] == -1 / 3 and torch.get_default_dtype() == torch.float32
    assert gradients([leaf("x", 0), operation("f", "sqrt", "x")])["x"] == {"value": 0.0, "gradient": None}


def test_the_worker_takes_the_job_and_stays_warm():
    graph = build_graph("sigmoid(w*x + b)")
    nodes = describe_nodes(graph, run_passes(graph, {"w": 2, "x": -1, "b": 0.5}))
    w, x, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2.0, -1.0, 0.5))
    torch.sigmoid(w * x + b).backward()
    with Verifier() as verifier:
        found = verifier.gradients(nodes)
        assert [found[name]["gradient"] for name in "wxb"] == pytest.approx([t.grad.item() for t in (w, x, b)])
        assert verifier.values(CONV, ["o"]) == {"o": 222}


@pytest.mark.parametrize(
    "nodes", [[], [{}], 3, [leaf("2", 2) | {"kind": "constant"}], [operation("f", "exec", "x")], [leaf("x", "a")]]
)
def test_what_is_no_graph_is_answered_with_an_error(nodes):
    assert "error" in answer(json.dumps({"job": "autograd", "nodes": nodes}))
