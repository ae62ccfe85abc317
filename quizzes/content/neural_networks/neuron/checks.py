"""Neuron, layers, deep networks: the drills' answers computed by PyTorch or another library."""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def neuron_forward(w: Tensor, x: Tensor, b: float) -> dict[str, Any]:
    z = F.linear(x, w.unsqueeze(0), torch.tensor([float(b)]))[0]
    y_relu, y_sigmoid, y_tanh = F.relu(z), F.sigmoid(z), F.tanh(z)
    return dict(z=z, y_relu=y_relu, y_sigmoid=y_sigmoid, y_tanh=y_tanh)


def neuron_bias(w: Tensor, x: Tensor, b: float) -> dict[str, Any]:
    z = F.linear(x, w.unsqueeze(0), torch.tensor([float(b)]))[0]
    y_relu, y_sigmoid, y_tanh = F.relu(z), F.sigmoid(z), F.tanh(z)
    return dict(z=z, y_relu=y_relu, y_sigmoid=y_sigmoid, y_tanh=y_tanh)


def mlp_params(n0: int, n1: int, n2: int, n3: int) -> int:
    sizes = [n0, n1, n2, n3]
    layers = [torch.nn.Linear(a, b, device="meta") for a, b in pairwise(sizes)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def mlp_params_budget(B: int, d: int, c: int) -> int:
    from bisect import bisect_right

    def num_parameters(width):
        net = torch.nn.Sequential(torch.nn.Linear(d, width, device="meta"), torch.nn.Linear(width, c, device="meta"))
        return sum(p.numel() for p in net.parameters())

    return bisect_right(range(1, B), B, key=num_parameters)  # the number of widths within the budget


def mlp_shapes(B: int, n_in: int, n_out: int) -> dict[str, Any]:
    layer = torch.nn.Linear(n_in, n_out, device="meta")
    weight, bias = list(layer.weight.shape), list(layer.bias.shape)
    output = list(layer(torch.zeros(B, n_in, device="meta")).shape)
    return dict(weight=weight, bias=bias, output=output)


def perceptron_update(w: Tensor, b: float, x: Tensor, y: int, eta: float) -> dict[str, Any]:
    from sklearn.linear_model import Perceptron

    s = F.linear(x, w) + b
    model = Perceptron(eta0=eta, shuffle=False).partial_fit(torch.zeros(1, len(x)).numpy(), [-1], classes=[-1, 1])
    model.coef_, model.intercept_ = w.clone().numpy().reshape(1, -1), torch.tensor([float(b)]).numpy()
    model.partial_fit(x.numpy().reshape(1, -1), [y])
    w_new, b_new = model.coef_[0].tolist(), model.intercept_[0].item()
    return dict(s=s, w_new=w_new, b_new=b_new)


def perceptron_update_zero_one(w: Tensor, b: float, x: Tensor, y: int, eta: float) -> dict[str, Any]:
    from sklearn.linear_model import Perceptron

    model = Perceptron(eta0=eta, shuffle=False).partial_fit(torch.zeros(1, len(x)).numpy(), [0], classes=[0, 1])
    model.coef_, model.intercept_ = w.clone().numpy().reshape(1, -1), torch.tensor([float(b)]).numpy()
    yhat = int(model.predict(x.numpy().reshape(1, -1))[0])
    model.partial_fit(x.numpy().reshape(1, -1), [y])
    w_new, b_new = model.coef_[0].tolist(), model.intercept_[0].item()
    return dict(yhat=yhat, w_new=w_new, b_new=b_new)
