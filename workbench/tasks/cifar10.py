"""Classification of small color photographs into ten classes."""

from workbench.tasks.image_classification import ImageClassification

TASK = ImageClassification(data="cifar10", title="tell ten kinds of thing apart in small photographs")
