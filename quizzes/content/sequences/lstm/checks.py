"""Checks of the drills about LSTMs."""

from typing import Any

import torch
from torch import Tensor, nn

from quizzes.content.sequences.checks import num_recurrent_parameters, with_values


def lstm_step(x: float, h_prior: float, c_prior: float, w_x: Tensor, w_h: Tensor, b: Tensor) -> dict[str, Any]:
    cell = with_values(nn.LSTMCell(1, 1), weight_ih=w_x, weight_hh=w_h, bias_ih=b)
    step, h0, c0 = (torch.tensor([float(value)]) for value in (x, h_prior, c_prior))
    h, c = cell(step, (h0, c0))
    z = nn.functional.linear(step, cell.weight_ih, cell.bias_ih) + nn.functional.linear(h0, cell.weight_hh)
    i, f, g, o = z.chunk(4)
    return dict(i=i.sigmoid()[0], f=f.sigmoid()[0], g=g.tanh()[0], o=o.sigmoid()[0], c=c[0], h=h[0])


def lstm_two_steps(x1: float, x2: float, h0: float, c0: float, w_x: Tensor, w_h: Tensor, b: Tensor) -> dict[str, Any]:
    lstm = with_values(nn.LSTM(1, 1), weight_ih=w_x, weight_hh=w_h, bias_ih=b)
    state = (torch.tensor([[float(h0)]]), torch.tensor([[float(c0)]]))
    values: dict[str, Tensor] = {}
    for step, x in ((1, x1), (2, x2)):
        _, state = lstm(torch.tensor([[float(x)]]), state)
        values |= {f"h{step}": state[0][0, 0], f"c{step}": state[1][0, 0]}
    return values


def lstm_state(i: float, f: float, g: float, o: float, c_prior: float) -> dict[str, Any]:
    # Biases that lead to the gates: the weights are 0.
    gates = [torch.logit(torch.tensor(float(gate))) for gate in (i, f, o)]
    gates.insert(2, torch.atanh(torch.tensor(float(g))))
    cell = with_values(nn.LSTMCell(1, 1), bias_ih=torch.stack(gates))
    h, c = cell(torch.zeros(1), (torch.zeros(1), torch.tensor([float(c_prior)])))
    return dict(c=c[0], h=h[0])


def lstm_gate(i: float, f: float, g: float, o: float, c_prior: float) -> dict[str, Any]:
    gates = [torch.logit(torch.tensor(float(gate))) for gate in (i, f, o)]
    gates.insert(2, torch.atanh(torch.tensor(float(g))))
    cell = with_values(nn.LSTMCell(1, 1), bias_ih=torch.stack(gates))
    h, c = cell(torch.zeros(1), (torch.zeros(1), torch.tensor([float(c_prior)])))
    return dict(c=c[0], h=h[0])


def lstm_forget_bias(b: float, n: int) -> dict[str, Any]:
    cell = with_values(nn.LSTMCell(1, 1), bias_ih=torch.tensor([0.0, float(b), 0.0, 0.0]))
    first = c = torch.ones(1, requires_grad=True)
    one_step = cell(torch.zeros(1), (torch.zeros(1), first))[1]
    for _ in range(n):
        _, c = cell(torch.zeros(1), (torch.zeros(1), c))
    return dict(f=torch.autograd.grad(one_step, first)[0][0], r=torch.autograd.grad(c, first)[0][0])


def lstm_gru_params(cell: str, i: int, h: int, q: int) -> int:
    return num_recurrent_parameters(cell, i, h, q, blocks={"LSTM": 4, "GRU": 3}[cell])


def lstm_gru_input_size(cell: str, h: int, q: int, P: int) -> int:
    blocks = {"LSTM": 4, "GRU": 3}[cell]
    return next(i for i in range(1, 1000) if num_recurrent_parameters(cell, i, h, q, blocks) == P)


def decide_cell_budget(i: int, B: int, a_rnn: float, a_gru: float, b_f: float, n: int) -> dict[str, Any]:
    def largest(cell: str) -> int:
        def fits(h: int) -> bool:
            count: int = sum(p.numel() for p in getattr(nn, cell)(i, h, device="meta").parameters())
            return count <= B

        low, high = 1, 2048
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(middle) else (low, middle - 1)
        return low

    factors = (a_rnn, a_gru, torch.sigmoid(torch.tensor(float(b_f))).item())
    (cell,) = [k for k, factor in enumerate(factors) if factor**n > 0.05]
    sizes = {f"h_{name.lower()}": largest(name) for name in ("RNN", "GRU", "LSTM")}
    return dict(**sizes, cell=cell + 1, fraction=factors[cell] ** n)


def debug_lstm_layout(program: str, B: int, T: int, features: int, h: int, N: int) -> dict[str, Any]:
    x = torch.zeros(B, T, features)

    def state(batch_first: bool) -> Tensor:
        h_n: Tensor = nn.LSTM(features, h, num_layers=N, batch_first=batch_first)(x)[1][0]
        return h_n

    is_correct = "batch_first=True" in program
    states = nn.LSTM(features, h, batch_first=is_correct)(x)[0].unbind(1 if is_correct else 0)
    lines = program.splitlines()
    line = next(k for k, text in enumerate(lines, 1) if ("out[:, 0]" if is_correct else "nn.LSTM(") in text)
    return dict(line=line, now=[*state(is_correct).shape], fixed=[*state(True).shape], steps=len(states))
