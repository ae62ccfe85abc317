"""Panoptic segmentation of shapes on sky, grass, water and sand, in images made by code."""

from workbench.tasks.panoptic_segmentation import PanopticSegmentation

TASK = PanopticSegmentation(
    data="panoptic-scenes",
    title="assign each pixel to a shape, or to the sky, grass, water or sand",
    inputs=dict(image="float32[3, 64, 64]"),
    outputs=dict(stuff="float32[stuff+1, 64, 64]"),
    metrics=dict(pq="max", sq="max", rq="max", pq_things="max", pq_stuff="max", ap50="max"),
)
