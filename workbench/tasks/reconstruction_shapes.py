"""Reconstruction of color images of shapes, in which blur is easy to see."""

from workbench.tasks.reconstruction import Reconstruction

TASK = Reconstruction(
    data="shapes",
    title="reproduce color images of shapes",
    outputs=dict(reconstruction="float32[channels, height, width]"),
    metrics=dict(mse="min", psnr="max"),
)
