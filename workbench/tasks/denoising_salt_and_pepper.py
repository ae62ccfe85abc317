"""Denoising of images in which pixels at random are black or white."""

from workbench.tasks.denoising import Denoising

TASK = Denoising(
    data="digits",
    title="remove salt-and-pepper noise from digits",
    outputs=dict(reconstruction="float32[channels, height, width]"),
    metrics=dict(mse="min", psnr="max"),
    noise="salt-and-pepper",
    level=0.3,
)
