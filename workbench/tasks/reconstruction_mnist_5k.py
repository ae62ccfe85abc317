"""Reconstruction of real handwritten digits of 28x28 pixels."""

from workbench.tasks.reconstruction import Reconstruction

TASK = Reconstruction(
    data="mnist-5k",
    title="reproduce handwritten digits of full size from a small code",
    outputs=dict(reconstruction="float32[channels, height, width]"),
    metrics=dict(mse="min", psnr="max"),
)
