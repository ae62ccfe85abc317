"""Checks of the drills about RNNs and BPTT."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from quizzes.content.sequences.checks import linear_rnn_gradient, num_recurrent_parameters, with_values


def rnn_step(x1: float, x2: float, h0: float, w_x: float, w_h: float, b: float) -> dict[str, Any]:
    cell = with_values(nn.RNNCell(1, 1), weight_ih=w_x, weight_hh=w_h, bias_ih=b)
    h1 = cell(torch.tensor([float(x1)]), torch.tensor([float(h0)]))
    return dict(h1=h1[0], h2=cell(torch.tensor([float(x2)]), h1)[0])


def rnn_step_unknown(x: float, h_prior: float, w_x: float, w_h: float, b: float) -> float:
    cell = with_values(nn.RNNCell(1, 1), weight_ih=w_x, weight_hh=w_h, bias_ih=b)
    return float(cell(torch.tensor([float(x)]), torch.tensor([float(h_prior)])).item())


def rnn_step_vector(x: Tensor, h_prior: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor, W_y: Tensor) -> dict[str, Any]:
    cell = with_values(nn.RNNCell(2, 2), weight_ih=W_x, weight_hh=W_h, bias_ih=b)
    h = cell(x, h_prior)
    return dict(h=h, p=F.softmax(F.linear(h, W_y), dim=0))


def chain_char_rnn(text: str, first: str, second: str, w_x: float, w_h: float, u: float) -> dict[str, Any]:
    embedding = nn.Embedding.from_pretrained(torch.tensor([[1.0], [-1.0]]))
    ids, targets = (torch.tensor(["ab".index(letter) for letter in letters]) for letters in (text, first + second))
    h = with_values(nn.RNN(1, 1), weight_ih=w_x, weight_hh=w_h)(embedding(ids))[0]
    weight = torch.tensor(float(u), requires_grad=True)
    loss = F.cross_entropy(torch.cat([weight * h, -h], dim=1), targets)
    perplexity = loss.exp().item()
    (g,) = torch.autograd.grad(loss, weight)
    return dict(h1=h[0, 0], h2=h[1, 0], L=loss, PP=perplexity, better=1 if perplexity < 2 else 2, g=g)


def bptt_product(w_h: float, h: Tensor, k: int) -> Tensor:
    first = state = h[k - 1].clone().requires_grad_()
    for value in h[k:]:
        z = w_h * state
        state = torch.tanh(z - z.detach() + torch.atanh(value))  # an input that leads to the next state
    return torch.autograd.grad(state, first)[0]


def bptt_bound(w_h: float, s: float, n: int) -> Tensor:
    first = state = torch.tensor(0.3, requires_grad=True)
    activation = torch.tanh if s == 1 else torch.sigmoid
    for _ in range(n):
        z = w_h * state
        state = activation(z - z.detach())  # at a pre-activation of 0, where the slope is largest
    return torch.autograd.grad(state, first)[0].abs()


def bptt_jacobian(W_h: Tensor, h2: Tensor, h3: Tensor) -> Tensor:
    def last_state(h1: Tensor) -> Tensor:
        h = torch.tanh(W_h @ h1 + torch.atanh(h2))  # h1 is 0, so the input alone leads to h2
        return torch.tanh(W_h @ h + torch.atanh(h3) - W_h @ h2)

    jacobian: Tensor = torch.autograd.functional.jacobian(last_state, torch.zeros(2))
    return jacobian


def bptt_weights(x1: float, x2: float, h0: float, w_x: float, w_h: float, b: float, y: float) -> dict[str, Any]:
    weights = [torch.tensor(float(w), requires_grad=True) for w in (w_x, w_h)]
    z1 = weights[0] * x1 + weights[1] * h0 + b
    h1 = torch.tanh(z1)
    z2 = weights[0] * x2 + weights[1] * h1 + b
    h2 = torch.tanh(z2)
    loss = F.mse_loss(h2, torch.tensor(float(y))) / 2
    delta2, delta1, g_x, g_h = torch.autograd.grad(loss, (z2, z1, *weights))
    return dict(h1=h1, h2=h2, delta2=delta2, delta1=delta1, g_h=g_h, g_x=g_x)


def bptt_linear_rnn(x: Tensor) -> dict[str, Tensor]:
    return linear_rnn_gradient(x)


def bptt_linear_rnn_4(x: Tensor) -> dict[str, Tensor]:
    return linear_rnn_gradient(x)


def rnn_gradient_log(g: list[float], m: int) -> dict[str, Any]:
    factor = round(g[1] / g[0], 2)
    norm, n = 1.0, 0
    while 1 / m <= norm <= m:
        norm, n = norm * factor, n + 1
    return dict(factor=factor, n=n, remedy=1 if g[3] < g[0] else 2)


def rnn_params(i: int, h: int, q: int, o: int) -> dict[str, int]:
    P_y = sum(p.numel() for p in nn.Linear(h, o, device="meta").parameters())
    return dict(P=num_recurrent_parameters("RNN", i, h, q, blocks=1), P_y=P_y)


def rnn_params_input(i: int, h: int, q: int, o: int) -> dict[str, int]:
    P_y = sum(p.numel() for p in nn.Linear(h, o, device="meta").parameters())
    return dict(P=num_recurrent_parameters("RNN", i, h, q, blocks=1), P_y=P_y)


def birnn_stacked_params(cell: str, i: int, h: int, L: int, D: int) -> dict[str, int]:
    layers = getattr(nn, cell)(i, h, num_layers=L, bidirectional=D == 2, device="meta")
    sizes = [sum(p.numel() for name, p in layers.named_parameters() if f"_l{k}" in name) for k in range(L)]
    return dict(P1=sizes[0], P2=sizes[1], P=sum(sizes))


def birnn_shapes(B: int, T: int, i: int, h: int, L: int, D: int) -> dict[str, list[int]]:
    gru = nn.GRU(i, h, num_layers=L, bidirectional=D == 2, batch_first=True)
    output, h_n = gru(torch.zeros(B, T, i))
    return dict(output=[*output.shape], h_n=[*h_n.shape])
