"""Weight initialization: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch


def init_he(k: int, C_in: int, C_out: int) -> dict[str, Any]:
    from torch.nn import init

    def scale(fill, unit):  # ratio of the two for the same random numbers
        torch.manual_seed(0)
        filled = fill(torch.empty(C_out, C_in, k, k), nonlinearity="relu")
        torch.manual_seed(0)
        return (filled / unit(torch.empty(C_out, C_in, k, k))).median()

    fan_in = init._calculate_fan_in_and_fan_out(torch.empty(C_out, C_in, k, k))[0]
    sd = scale(init.kaiming_normal_, torch.Tensor.normal_)
    a = scale(init.kaiming_uniform_, lambda weight: weight.uniform_(-1, 1))
    V = sd**2
    return dict(fan_in=fan_in, V=V, sd=sd, a=a)


def init_xavier(n_in: int, n_out: int) -> dict[str, Any]:
    from torch.nn import init

    def scale(fill, unit):  # ratio of the two for the same random numbers
        torch.manual_seed(0)
        filled = fill(torch.empty(n_out, n_in))
        torch.manual_seed(0)
        return (filled / unit(torch.empty(n_out, n_in))).median()

    sd = scale(init.xavier_normal_, torch.Tensor.normal_)
    a = scale(init.xavier_uniform_, lambda weight: weight.uniform_(-1, 1))
    V = sd**2
    return dict(V=V, sd=sd, a=a)
