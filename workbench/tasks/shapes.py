"""Which shape is it? Eight classes, in colour, made by code."""

from workbench.tasks.picture_classification import PictureClassification

TASK = PictureClassification(data="shapes", title="tell eight shapes apart")
