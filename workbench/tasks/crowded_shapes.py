"""Detection of shapes in crowds, where objects of one kind overlap, in images made by code."""

from workbench.tasks.detection import Detection

TASK = Detection(
    data="crowded-shapes",
    title="detect the shapes in a crowd",
    inputs=dict(image="float32[3, 64, 64]"),
    outputs=dict(grid="float32[rows, columns, values]"),
    metrics=dict(ap50="max", ap="max"),
)
