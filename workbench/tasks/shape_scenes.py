"""Detection of one to three shapes, of four kinds, in images made by code."""

from workbench.tasks.detection import Detection

TASK = Detection(
    data="shape-scenes",
    title="detect the shapes in an image",
    outputs=dict(grid="float32[rows, columns, values]"),
    metrics=dict(ap50="max", ap="max"),
    accepts="detection",
)
