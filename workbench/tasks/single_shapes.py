"""Detection of the only shape of an image, of four kinds, in images made by code."""

from workbench.tasks.detection import Detection

TASK = Detection(
    data="single-shapes",
    title="detect the only shape of an image",
    inputs=dict(image="float32[3, 64, 64]"),
    outputs=dict(grid="float32[rows, columns, values]"),
    metrics=dict(ap50="max", ap="max"),
)
