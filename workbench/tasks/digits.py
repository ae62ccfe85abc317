"""Which digit is it? Ten classes, real handwriting of 8x8 pixels."""

from workbench.tasks.image_classification import ImageClassification

TASK = ImageClassification(data="digits", title="read handwritten digits")
