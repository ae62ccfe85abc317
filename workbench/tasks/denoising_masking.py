"""Denoising of images in which pixels at random are masked: they are 0."""

from workbench.tasks.denoising import Denoising

TASK = Denoising(
    data="digits",
    title="fill in masked pixels of digits",
    outputs=dict(reconstruction="float32[channels, height, width]"),
    metrics=dict(mse="min", psnr="max"),
    noise="masking",
    level=0.5,
)
