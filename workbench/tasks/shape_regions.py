"""Detection of one to three shapes among the proposals of selective search."""

from workbench.tasks.region_detection import RegionDetection

TASK = RegionDetection(
    data="region-scenes",
    title="detect the shapes in an image among proposed regions",
    inputs=dict(image="float32[3, 64, 64]", proposals="float32[proposals, 4]", proposals_mask="bool[proposals]"),
    outputs=dict(logits="float32[proposals, values]"),
    metrics=dict(ap50="max", ap="max"),
)
