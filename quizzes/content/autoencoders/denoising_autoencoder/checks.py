"""Checks of the drills about denoising autoencoders."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def psnr(MSE: float, MAX: float) -> float:
    # An image that is everywhere off by sqrt(MSE).
    reconstruction = torch.full((4, 4), float(MSE)).sqrt()
    mse = F.mse_loss(reconstruction, torch.zeros(4, 4))
    return float(20 * torch.log10(MAX / mse.sqrt()))


def psnr_images(X: Tensor, Y: Tensor, MAX: float) -> dict[str, Any]:
    mse = F.mse_loss(Y, X)
    return dict(MSE=mse, PSNR=20 * torch.log10(torch.as_tensor(MAX) / mse.sqrt()))


def psnr_gain(a: float, b: float) -> float:
    before, after = (-10 * torch.log10(torch.tensor(float(error))) for error in (a, b))
    return float(after - before)


def psnr_noise_types(x: float, sigma: float, p: float) -> dict[str, Any]:
    gaussian = torch.distributions.Normal(0.0, torch.tensor(float(sigma))).variance
    # The values that a pixel can have, with their probabilities.
    values, masking, salt_pepper = (
        torch.tensor(row) for row in ([x, 0.0, 1.0], [1 - p, p, 0.0], [1 - p, p / 2, p / 2])
    )
    errors = F.mse_loss(values, torch.full((3,), float(x)), reduction="none")
    return dict(gaussian=gaussian, masking=errors @ masking, salt_pepper=errors @ salt_pepper)
