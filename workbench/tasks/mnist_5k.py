"""Classification of real handwritten digits of 28x28 pixels."""

from workbench.tasks.image_classification import ImageClassification

TASK = ImageClassification(data="mnist-5k", title="read handwritten digits of full size")
