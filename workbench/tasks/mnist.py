"""Which digit is it? Ten classes, all 70,000 of MNIST."""

from workbench.tasks.image_classification import ImageClassification

TASK = ImageClassification(data="mnist", title="read handwritten digits, all of MNIST")
