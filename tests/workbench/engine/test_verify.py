"""Scripts in a warm worker: their values, their errors, and that none is left behind."""

import os

import pytest
import torch

from workbench.engine import ScriptError, Verifier
from workbench.engine.worker import answer, script_values

CONV = "import torch\ny = torch.nn.functional.conv2d(torch.zeros(1, 1, 224, 224), torch.zeros(1, 1, 3, 3))\n"


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("x = 3", 3),
        ("import torch\nx = torch.tensor(0.1) + 0.2", 0.1 + 0.2),  # float64: no rounding to float32
        ("import torch\nx = torch.tensor(2.0, requires_grad=True) / 3", 2 / 3),
        ("import torch\nx = torch.eye(2)", [[1.0, 0.0], [0.0, 1.0]]),
        (CONV + "x = y.shape", [1, 1, 222, 222]),
        (CONV + "x = y.shape[-1]", 222),
        ("import torch\nx = (torch.ones(2), torch.tensor([True]))", [[1.0, 1.0], [True]]),
        ("import numpy\nx = {'a': numpy.float32(0.5)}", {"a": 0.5}),
        ("x = 'A, C'", "A, C"),
        ("def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nx = f(5)", 120),  # a function sees itself
    ],
)
def test_values_are_plain_data(script, value):
    assert script_values(script, ["x"]) == {"x": value}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("x = (", "SyntaxError"),
        ("import sys\nsys.exit(3)", "SystemExit"),
        ("y = 1", "no x"),
        ("x = object()", "no plain data"),
        ("raise ValueError('two\\nlines')", "two lines"),
    ],
)
def test_an_error_is_one_line(script, said):
    with pytest.raises(ScriptError) as error:
        script_values(script, ["x"])
    assert said in str(error.value) and "\n" not in str(error.value)


def test_the_default_type_is_restored_and_scripts_share_nothing():
    with pytest.raises(ScriptError, match="ValueError"):
        script_values("shared = 1\nraise ValueError", [])
    assert torch.get_default_dtype() == torch.float32
    with pytest.raises(ScriptError, match="NameError"):
        script_values("x = shared", ["x"])


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", '{"job": "verify"}', '{"job": "sing"}', '{"job": "verify", "script": 1, "names": []}']
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
        assert verifier.values(CONV + "print('noise')\no = y.shape", ["o"]) == {"o": [1, 1, 222, 222]}
        first = verifier._worker.pid
        with pytest.raises(ScriptError, match="ZeroDivisionError"):
            verifier.values("1 / 0", [])
        assert verifier.values("x = float('inf')", ["x"]) == {"x": float("inf")}
        assert verifier._worker.pid == first
        verifier._worker.kill()
        assert verifier.values("x = 1", ["x"]) == {"x": 1}
        second = verifier._worker.pid
        with pytest.raises(ScriptError, match=r"longer than 0\.2 seconds"):
            verifier.values("while True: pass", [], timeout=0.2)
        assert not exists(first) and not exists(second)
        verifier.warm()
        third = verifier._worker.pid
    assert not exists(third)
