"""Which digit is it? Ten classes, real handwriting of 28x28 pixels."""

from workbench.tasks.picture_classification import PictureClassification

TASK = PictureClassification(data="mnist-5k", title="read handwritten digits of full size")
