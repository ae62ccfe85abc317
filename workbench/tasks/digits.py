"""Which digit is it? Ten classes, real handwriting of 8x8 pixels."""

from workbench.tasks.picture_classification import PictureClassification

TASK = PictureClassification(data="digits", title="read handwritten digits")
