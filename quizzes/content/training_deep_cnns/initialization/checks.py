"""Checks of the drills about weight initialization."""

from typing import Any

import torch

from quizzes.content.training_deep_cnns.checks import normal_std, uniform_bound


def init_he(k: int, C_in: int, C_out: int) -> dict[str, Any]:
    from functools import partial

    from torch.nn.init import kaiming_normal_, kaiming_uniform_

    shape = torch.nn.Conv2d(C_in, C_out, k, device="meta").weight.shape
    fan_in = shape[1:].numel()  # the weights of one output channel
    sd = normal_std(partial(kaiming_normal_, nonlinearity="relu"), *shape)
    a = uniform_bound(partial(kaiming_uniform_, nonlinearity="relu"), *shape)
    return dict(fan_in=fan_in, V=sd**2, sd=sd, a=a)


def init_xavier(n_in: int, n_out: int) -> dict[str, Any]:
    from torch.nn.init import xavier_normal_, xavier_uniform_

    sd = normal_std(xavier_normal_, n_out, n_in)
    a = uniform_bound(xavier_uniform_, n_out, n_in)
    return dict(V=sd**2, sd=sd, a=a)
