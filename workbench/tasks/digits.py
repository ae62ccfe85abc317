"""Classification of real handwritten digits of 8x8 pixels."""

from workbench.tasks.image_classification import ImageClassification

TASK = ImageClassification(data="digits", title="read handwritten digits")
