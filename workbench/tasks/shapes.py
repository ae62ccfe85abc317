"""Which shape is it? Eight classes, in colour, made by code."""

from workbench.tasks.image_classification import ImageClassification

TASK = ImageClassification(data="shapes", title="tell eight shapes apart")
