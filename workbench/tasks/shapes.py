"""Classification of eight shapes in color images made by code."""

from workbench.tasks.image_classification import ImageClassification

TASK = ImageClassification(data="shapes", title="tell eight shapes apart")
