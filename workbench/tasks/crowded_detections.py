"""Suppression of duplicates among simulated detections of crowds."""

from workbench.tasks.suppression import Suppression

TASK = Suppression(
    data="crowded-shapes",
    title="suppress the duplicates among detections in a crowd",
    inputs=dict(detections="float32[detections, 4]", scores="float32[detections]", labels="int64[detections]"),
    outputs=dict(logits="float32[detections]"),
    metrics=dict(ap50="max", ap="max"),
)
