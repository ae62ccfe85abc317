"""Which digit is it? Ten classes, all 70,000 of MNIST."""

from workbench.tasks.picture_classification import PictureClassification

TASK = PictureClassification(data="mnist", title="read handwritten digits, all of MNIST")
