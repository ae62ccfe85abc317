"""Checks of the drills about standardization."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def standardize_z_score(x: float, mu: float, sigma: float) -> Tensor:
    mean, variance = torch.tensor([float(mu)]), torch.tensor([float(sigma) ** 2])
    return F.batch_norm(torch.tensor([[float(x)]]), mean, variance, eps=0)[0, 0]


def standardize_z(X: Tensor, T: Tensor, ddof: int) -> dict[str, Any]:
    from scipy.stats import zmap

    return dict(mu=X.mean(), sigma=X.std(correction=ddof), z=zmap(T.numpy(), X.numpy(), ddof=ddof))


def img_normalize(u: int, mu: float, s: float) -> Tensor:
    from torchvision.transforms.functional import convert_image_dtype, normalize

    pixel = torch.tensor([[[u]]], dtype=torch.uint8)
    image: Tensor = normalize(convert_image_dtype(pixel, torch.float64), [mu], [s])
    return image[0, 0, 0]


def img_normalize_bgr(u: Tensor, mu: Tensor, s: Tensor) -> Tensor:
    from torchvision.transforms.functional import convert_image_dtype, normalize

    rgb = u.flip(0).to(torch.uint8)[:, None, None]
    image: Tensor = normalize(convert_image_dtype(rgb, torch.float64), mu.tolist(), s.tolist())
    return image[:, 0, 0]
