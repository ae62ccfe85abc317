"""Proposals for one to three shapes of any class in images made by code."""

from workbench.tasks.region_proposals import RegionProposals

TASK = RegionProposals(
    data="shape-scenes",
    title="propose boxes around the shapes in an image",
    inputs=dict(image="float32[3, 64, 64]"),
    outputs=dict(boxes="float32[proposals, 4]"),
    metrics=dict(recall_10="max"),
)
