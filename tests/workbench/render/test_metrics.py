"""Number formats of metrics and shapes."""

import pytest
import torch

from workbench.render.metrics import format_metric, format_metrics
from workbench.render.shape import format_shape


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy", 0.975, "0.9750"),
        ("accuracy", 1, "1.0000"),
        ("loss", 0, "0.0000"),
        ("loss", -2.71828, "-2.7183"),
        ("loss", 0.001, "0.0010"),
        ("loss", 0.00012345, "0.000123"),
        ("loss", 0.000012345, "1.23e-5"),
        ("loss", 1234567.8, "1.235e6"),
        ("loss", 1e12, "1e12"),
        ("loss", None, "none"),
        ("lr", 0.01, "0.01"),
        ("lr", 0.00001, "1e-5"),
    ],
)
def test_format_metric(name, value, text):
    assert format_metric(name, value) == text


def test_format_metrics_names_each_value():
    assert format_metrics({"loss": 0.07123, "accuracy": None}) == "loss 0.0712  accuracy none"
    assert format_metrics({}) == ""


def test_format_shape():
    assert format_shape((28, 28, 1)) == format_shape(torch.zeros(28, 28, 1).shape) == "28x28x1"
    assert format_shape([]) == ""
