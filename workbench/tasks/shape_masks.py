"""Detection of one to three shapes, of four kinds, with their masks, in images made by code."""

from workbench.tasks.instance_masks import InstanceMasks

TASK = InstanceMasks(
    data="shape-scenes",
    title="detect the shapes in an image, with their masks",
    inputs=dict(image="float32[3, 64, 64]"),
    outputs=dict(masks="float32[queries, rows, columns]"),
    metrics=dict(mask_iou="max", ap50="max", ap="max"),
)
