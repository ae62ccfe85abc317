"""Checks of the drills about neurons, layers and deep networks."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from quizzes.content.neural_networks.checks import make_perceptron


def neuron_forward(w: Tensor, x: Tensor, b: float) -> dict[str, Any]:
    z = F.linear(x, w, torch.tensor(float(b)))
    return dict(z=z, y_relu=F.relu(z), y_sigmoid=F.sigmoid(z), y_tanh=F.tanh(z))


def neuron_bias(w: Tensor, x: Tensor, b: float) -> dict[str, Any]:
    z = F.linear(x, w, torch.tensor(float(b)))
    return dict(z=z, y_relu=F.relu(z), y_sigmoid=F.sigmoid(z), y_tanh=F.tanh(z))


def mlp_params(n0: int, n1: int, n2: int, n3: int) -> int:
    with torch.device("meta"):  # only the shapes are needed
        net = torch.nn.Sequential(torch.nn.Linear(n0, n1), torch.nn.Linear(n1, n2), torch.nn.Linear(n2, n3))
    return sum(p.numel() for p in net.parameters())


def mlp_params_budget(B: int, d: int, c: int) -> int:
    # Brute force: try every width. The parameters are counted without PyTorch, because thousands of networks are slow
    # to make.
    return max(width for width in range(1, B) if (d + 1) * width + (width + 1) * c <= B)


def mlp_shapes(B: int, n_in: int, n_out: int) -> dict[str, Any]:
    layer = torch.nn.Linear(n_in, n_out, device="meta")
    output = layer(torch.empty(B, n_in, device="meta"))
    return dict(weight=layer.weight.shape, bias=layer.bias.shape, output=output.shape)


def perceptron_update(w: Tensor, b: float, x: Tensor, y: int, eta: float) -> dict[str, Any]:
    model = make_perceptron(w, b, eta, labels=[-1, 1])
    sample = x.numpy()[None]
    s = model.decision_function(sample)[0]
    model.partial_fit(sample, [y])
    return dict(s=s, w_new=model.coef_[0], b_new=model.intercept_[0])


def perceptron_update_zero_one(w: Tensor, b: float, x: Tensor, y: int, eta: float) -> dict[str, Any]:
    model = make_perceptron(w, b, eta, labels=[0, 1])
    sample = x.numpy()[None]
    yhat = model.predict(sample)[0]
    model.partial_fit(sample, [y])
    return dict(yhat=yhat, w_new=model.coef_[0], b_new=model.intercept_[0])
