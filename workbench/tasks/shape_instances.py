"""Instance segmentation of one to three shapes, of four kinds, in images made by code."""

from workbench.tasks.instance_segmentation import InstanceSegmentation

TASK = InstanceSegmentation(
    data="region-scenes",
    title="detect the shapes in an image, with a mask for each detection",
    inputs=dict(image="float32[3, 64, 64]"),
    outputs=dict(mask_logits="float32[detections, 28, 28]"),
    metrics=dict(mask_iou="max", mask_ap50="max", mask_ap="max", ap50="max", ap="max"),
)
