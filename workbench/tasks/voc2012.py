"""Pascal VOC 2012: semantic segmentation of photographs into 20 classes and background."""

from workbench.tasks.semantic_segmentation import SemanticSegmentation

TASK = SemanticSegmentation(
    data="voc2012",
    title="classify every pixel of a photograph",
    outputs=dict(logits="float32[classes, rows, columns]"),
    metrics=dict(miou="max", pixel_accuracy="max", dice="max", boundary_error="min"),
    options=("class_weights", "pixel_loss"),
)
