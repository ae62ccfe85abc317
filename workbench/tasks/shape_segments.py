"""Semantic segmentation of shapes of four kinds in images made by code."""

from workbench.tasks.semantic_segmentation import SemanticSegmentation

TASK = SemanticSegmentation(
    data="shape-segments",
    title="classify every pixel of an image of shapes",
    outputs=dict(logits="float32[classes, rows, columns]"),
    metrics=dict(miou="max", pixel_accuracy="max", dice="max", boundary_error="min"),
    options=("class_weights", "pixel_loss"),
    accepts="segmentation",
)
