"""Checks of the drills about the normal equation."""

from typing import Any

import torch
from torch import Tensor


def normal_equation_matrix(X: Tensor, y: Tensor) -> dict[str, Any]:
    theta1, theta2 = torch.linalg.lstsq(X, y[:, None]).solution[:, 0]
    return dict(A=X.T @ X, c=X.T @ y, theta1=theta1, theta2=theta2)


def normal_or_gd(n: int, d: int, T: int) -> dict[str, Any]:
    from torch.utils.flop_counter import FlopCounterMode

    def count(*products: tuple[Tensor, Tensor]) -> int:
        with FlopCounterMode(display=False) as counter:
            for left, right in products:
                left @ right
        return int(counter.get_total_flops()) // 2  # a multiplication and an addition are two operations

    X = torch.empty(n, d, device="meta")
    w, r = (torch.empty(size, 1, device="meta") for size in (d, n))
    c_ne = count((X.T, X)) + d * count((X.new_empty(d, d), w))  # d products of a d x d matrix are d^3 multiplications
    step = count((X, w), (X.T, r))
    T_max = 0
    while (T_max + 1) * step <= c_ne:
        T_max += 1
    return dict(c_ne=c_ne, c_gd=T * step, cheaper=1 if c_ne < T * step else 2, T_max=T_max)
