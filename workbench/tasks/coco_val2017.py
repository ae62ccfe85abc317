"""COCO 2017, validation set: detection of 80 classes in photographs."""

from workbench.tasks.detection import Detection

TASK = Detection(
    data="coco-val2017",
    title="detect the objects in a photograph",
    outputs=dict(grid="float32[rows, columns, values]"),
    metrics=dict(ap50="max", ap="max"),
)
