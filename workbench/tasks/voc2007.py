"""Pascal VOC 2007: detection of 20 classes in photographs."""

from workbench.tasks.detection import Detection

TASK = Detection(
    data="voc2007",
    title="detect the objects in a photograph",
    outputs=dict(grid="float32[rows, columns, values]"),
    metrics=dict(ap50="max", ap="max"),
)
