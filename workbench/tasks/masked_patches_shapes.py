"""Masked patches of color images of shapes."""

from workbench.tasks.masked_patches import MaskedPatches

TASK = MaskedPatches(
    data="shapes",
    title="predict masked patches of color images",
    outputs=dict(patches="float32[patches, pixels]", mask="float32[patches]"),
    metrics=dict(masked_mse="min"),
)
