"""Standardization (z-score): the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def standardize_z_score(x: float, mu: float, sigma: float) -> float:
    return F.batch_norm(
        torch.tensor([[float(x)]]), torch.tensor([float(mu)]), torch.tensor([float(sigma) ** 2]), eps=0
    ).item()


def standardize_z(X: Tensor, T: Tensor, ddof: int) -> dict[str, Any]:
    from scipy.stats import zmap

    mu = X.mean().item()
    sigma = X.std(correction=ddof).item()
    z = zmap(T.numpy(), X.numpy(), ddof=ddof).tolist()
    return dict(mu=mu, sigma=sigma, z=z)


def img_normalize(u: int, mu: float, s: float) -> float:
    import numpy as np
    from torchvision.transforms.functional import normalize, to_tensor

    return normalize(to_tensor(np.array([[[u]]], dtype=np.uint8)), [mu], [s]).item()


def img_normalize_bgr(u: Tensor, mu: Tensor, s: Tensor) -> Tensor:
    import numpy as np
    from torchvision.transforms.functional import normalize, to_tensor

    rgb = np.array([[u.tolist()]], dtype=np.uint8)[:, :, ::-1].copy()
    return normalize(to_tensor(rgb), mu.tolist(), s.tolist()).flatten().tolist()
