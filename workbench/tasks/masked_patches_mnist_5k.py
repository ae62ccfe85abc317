"""Masked patches of real handwritten digits of 28x28 pixels."""

from workbench.tasks.masked_patches import MaskedPatches

TASK = MaskedPatches(
    data="mnist-5k",
    title="predict masked patches of handwritten digits of full size",
    outputs=dict(patches="float32[patches, pixels]", mask="float32[patches]"),
    metrics=dict(masked_mse="min"),
)
