"""Checks of the drills about GRUs."""

from typing import Any

import torch
from torch import Tensor, nn

from quizzes.content.sequences.checks import with_values


def gru_step(x: float, h_prior: float, w_x: Tensor, w_h: Tensor) -> dict[str, Any]:
    step, old = torch.tensor([float(x)]), torch.tensor([float(h_prior)])

    def new_state(w_x: Tensor, w_h: Tensor, b: Tensor) -> Tensor:
        state: Tensor = with_values(nn.GRUCell(1, 1), weight_ih=w_x, weight_hh=w_h, bias_ih=b)(step, old)[0]
        return state

    gates, recurrent = torch.tensor([1.0, 1.0, 0.0]), torch.tensor([0.0, 0.0, 1.0])
    z = new_state(w_x * gates, w_h * gates, torch.zeros(3)) / h_prior  # the candidate is 0
    is_new = torch.tensor([0.0, -1e9, 0.0])  # an update gate of 0: the new state is the candidate
    r = torch.atanh(new_state(w_x * gates, w_h * gates + recurrent, is_new)) / h_prior
    return dict(r=r, z=z, n=new_state(w_x, w_h, is_new), h=new_state(w_x, w_h, torch.zeros(3)))


def gru_two_steps(x1: float, x2: float, h0: float, w_x: Tensor, w_h: Tensor) -> dict[str, Any]:
    gru = with_values(nn.GRU(1, 1), weight_ih=w_x, weight_hh=w_h)
    h = gru(torch.tensor([[float(x1)], [float(x2)]]), torch.tensor([[float(h0)]]))[0]
    return dict(h1=h[0, 0], h2=h[1, 0])


def gru_update(z: float, n: float, h_prior: float) -> Tensor:
    # Biases that lead to the gates: the weights are 0.
    biases = torch.stack([torch.tensor(0.0), torch.logit(torch.tensor(float(z))), torch.atanh(torch.tensor(float(n)))])
    cell = with_values(nn.GRUCell(1, 1), bias_ih=biases)
    new: Tensor = cell(torch.zeros(1), torch.tensor([float(h_prior)]))[0]
    return new


def gru_reset(u: Tensor, r: Tensor, h_prior: Tensor, W_h: Tensor) -> dict[str, Any]:
    # A cell whose update gate is 0, so that its new state is the candidate.
    biases = torch.cat([torch.logit(r), torch.full((2,), -1e9), u])
    cell = with_values(nn.GRUCell(1, 2), bias_ih=biases, weight_hh=torch.cat([torch.zeros(4, 2), W_h]))
    return dict(a=cell(torch.zeros(1), h_prior), c=torch.tanh(torch.addmv(u, W_h, r * h_prior)))
