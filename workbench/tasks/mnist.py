"""Classification of all 70,000 digits of MNIST."""

from workbench.tasks.image_classification import ImageClassification

TASK = ImageClassification(data="mnist", title="read handwritten digits, all of MNIST")
