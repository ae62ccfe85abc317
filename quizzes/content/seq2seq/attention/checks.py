"""Checks of the drills about attention."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def seq2seq_attention(s: Tensor, H: Tensor) -> dict[str, Any]:
    e = H @ s
    c = F.scaled_dot_product_attention(s[None, None], H[None], H[None], scale=1.0)[0, 0]
    return dict(score=e, a=F.softmax(e, dim=0), c=c)


def seq2seq_attention_general(s: Tensor, W: Tensor, H: Tensor) -> dict[str, Any]:
    e = F.bilinear(s.expand(len(H), -1).contiguous(), H, W[None])[:, 0]
    c = F.scaled_dot_product_attention((s @ W)[None, None], H[None], H[None], scale=1.0)[0, 0]
    return dict(score=e, a=F.softmax(e, dim=0), c=c)


def seq2seq_attention_additive(s: Tensor, H: Tensor, W_s: Tensor, W_h: Tensor, v: Tensor) -> dict[str, Any]:
    # As Bahdanau's: one layer on the concatenation of both states.
    pairs = torch.cat([s.expand(len(H), -1), H], dim=1)
    e = torch.tanh(F.linear(pairs, torch.cat([W_s, W_h], dim=1))) @ v
    a = F.softmax(e, dim=0)
    return dict(score=e, a=a, c=a @ H)


def two_states(h1: float, h2: float, d: float) -> Tensor:
    a = F.softmax(torch.tensor([float(d), 0.0]), dim=0)
    return a @ torch.tensor([float(h1), float(h2)])


def attention_score_gradient(al: Tensor, v: Tensor) -> dict[str, Any]:
    def gradient(weights: Tensor, values: Tensor) -> Tensor:
        e = weights.log().requires_grad_()
        context = F.softmax(e, dim=0) @ values
        return torch.autograd.grad(context, e)[0]

    g = gradient(al, v)
    # Three positions give three points of the expression.
    weights, values = torch.tensor([0.2, 0.35, 0.45]), torch.tensor([1.5, -2.0, 3.5])
    context = (weights @ values).expand(3)
    zero = int(g.abs().argmin()) + 1
    return dict(g_j=gradient(weights, values), g=g, zero=zero, alpha_j=weights, v_j=values, c=context)


def attention_query_gradient(q: float, k: Tensor, v: Tensor) -> dict[str, Any]:
    query = torch.tensor(float(q), requires_grad=True)
    c = F.softmax(query * k, dim=0) @ v
    return dict(c=c, g_q=torch.autograd.grad(c, query)[0])


def attention_wrong_axis(A: Tensor, u: Tensor) -> dict[str, Any]:
    H = u.expand(len(A), -1)
    scores = A.log()  # -inf where a weight is 0

    def is_softmax(dim: int) -> bool:
        return torch.allclose(F.softmax(scores, dim=dim), A, atol=1e-6)

    if torch.equal(A, A.tril()):
        bug = "mask"
    elif is_softmax(1):
        bug = "query"
    else:
        bug = "axis" if is_softmax(0) else "exponentials"
    return dict(r=A @ torch.ones(len(A)), bug=bug, x=(A @ H)[1])


def chain_attention_step(s: Tensor, H: Tensor) -> dict[str, Any]:
    e = (H @ s).requires_grad_()
    a = F.softmax(e, dim=0)
    c = a @ H
    loss = F.cross_entropy(c, torch.tensor(0))
    return dict(a=a, c=c, L=loss, g_e=torch.autograd.grad(loss, e)[0])
