"""Scripts in a warm worker: their values, their errors, and that none is left behind."""

import os
import sys
from dataclasses import replace
from types import ModuleType

import numpy
import pytest
import torch
from torch import Tensor

from quizzes.question import Check
from workbench.engine import ScriptError, Verifier
from workbench.engine.worker import answer, check_values

CONV = Check("quizzes.content.cnn.convolution.checks", "conv_out_size", dict(n=224, f=3, p=0, s=1, d=1))

ENDLESS = Check("quizzes.content.optimization.batch_size.checks", "effective_batch", dict(B=1, k=10**6, G=10**6))


@pytest.fixture
def define(monkeypatch):
    """Return a function that makes a check of a Python function."""

    def define(function, **arguments):
        module = ModuleType("quizzes.content.example.checks")
        setattr(module, function.__name__, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return Check(module.__name__, function.__name__, arguments)

    return define


def add_tensors(x: Tensor, y: Tensor | None, n: int):
    assert x.dtype == torch.float64 and y is None
    return dict(sum=x.sum() + n, twice=2 * x)


@pytest.mark.parametrize(
    ("compute", "value"),
    [
        (lambda: 3, 3),
        (lambda: torch.tensor(0.1) + 0.2, 0.1 + 0.2),  # float64: no rounding to float32
        (lambda: torch.tensor(2.0, requires_grad=True) / 3, 2 / 3),
        (lambda: torch.eye(2), [[1.0, 0.0], [0.0, 1.0]]),
        (lambda: torch.zeros(1, 2).shape, [1, 2]),
        (lambda: (torch.ones(2), torch.tensor([True])), [[1.0, 1.0], [True]]),
        (lambda: {"x": {"a": numpy.float32(0.5)}}, {"a": 0.5}),
        (lambda: "A, C", "A, C"),
    ],
)
def test_values_are_json_data(define, compute, value):
    assert check_values(define(compute), ["x"]) == {"x": value}


def test_lists_become_tensors_where_the_function_takes_tensors(define):
    check = define(add_tensors, x=[1, 2.5], y=None, n=3)
    assert check_values(check, ["twice", "sum"]) == {"twice": [2.0, 5.0], "sum": 6.5}


def exit_now():
    sys.exit(3)


def fail():
    raise ValueError("two\nlines")


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (exit_now, "SystemExit"),
        (lambda: {"y": 1}, "no x"),
        (object, "not plain data"),
        (fail, "two lines"),
    ],
)
def test_an_error_is_one_line(define, compute, message):
    with pytest.raises(ScriptError) as error:
        check_values(define(compute), ["x"])
    assert message in str(error.value) and "\n" not in str(error.value)
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("module", ["os", "quizzes.bank", "quizzes.content.nowhere.checks", "a.checks"])
def test_only_modules_of_checks_are_loaded(module):
    with pytest.raises(ScriptError):
        check_values(Check(module, "system", {"command": "true"}), ["x"])


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", '{"job": "verify"}', '{"job": "sing"}', '{"job": "verify", "module": 1, "names": []}']
)
def test_a_request_that_is_none_is_answered_with_an_error(line):
    assert "error" in answer(line)


def exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_worker_stays_warm_comes_back_and_goes():
    with Verifier() as verifier:
        assert verifier.values(CONV, ["o"]) == {"o": 222}
        first = verifier._worker.pid
        with pytest.raises(ScriptError, match="TypeError"):
            verifier.values(replace(CONV, arguments={}), ["o"])
        assert verifier.values(CONV, ["o"]) == {"o": 222}
        assert verifier._worker.pid == first
        verifier._worker.kill()
        assert verifier.values(CONV, ["o"]) == {"o": 222}
        second = verifier._worker.pid
        with pytest.raises(ScriptError, match=r"longer than 0\.2 seconds"):
            verifier.values(ENDLESS, ["E"], timeout=0.2)
        assert not exists(first) and not exists(second)
        verifier.warm()
        third = verifier._worker.pid
    assert not exists(third)
