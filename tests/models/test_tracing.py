"""Hooks are called around every module and are gone afterward."""

import pytest
import torch
from torch import nn

from models.tracing import hooked


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 2)))


def test_functions_are_called_in_the_order_in_which_modules_run():
    model, calls = network(), []
    with hooked(
        model,
        after=lambda name, module, args, output: calls.append(("after", name, output.shape)),
        before=lambda name, module, args, kwargs: calls.append(("before", name, args[0].shape)),
    ):
        model(torch.zeros(5, 3))
    assert calls == [
        ("before", "", (5, 3)),
        ("before", "0", (5, 3)),
        ("after", "0", (5, 4)),
        ("before", "1", (5, 4)),
        ("before", "1.0", (5, 4)),
        ("after", "1.0", (5, 4)),
        ("before", "1.1", (5, 4)),
        ("after", "1.1", (5, 2)),
        ("after", "1", (5, 2)),
        ("after", "", (5, 2)),
    ]


def test_hooks_are_removed_also_after_an_error():
    model, calls = network(), []
    with pytest.raises(RuntimeError), hooked(model, after=lambda name, *_: calls.append(name)):
        model(torch.zeros(5, 7))
    model(torch.zeros(5, 3))
    assert calls == [] and not any(module._forward_hooks for module in model.modules())


def test_keyword_arguments_reach_the_function_before():
    class Scaled(nn.Module):
        def forward(self, x, scale=1):
            return scale * x

    records = []
    with hooked(Scaled(), before=lambda *record: records.append(record)):
        pass
    model = Scaled()
    with hooked(model, before=lambda *record: records.append(record)):
        model(2, scale=3)
    assert records == [("", model, (2,), {"scale": 3})]
