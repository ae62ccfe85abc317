"""Analytical solution: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
from torch import Tensor


def normal_equation_matrix(X: Tensor, y: Tensor) -> dict[str, Any]:
    A, c = (X.T @ X).tolist(), (X.T @ y).tolist()
    theta1, theta2 = torch.linalg.lstsq(X, y[:, None]).solution.flatten().tolist()
    return dict(A=A, c=c, theta1=theta1, theta2=theta2)
