"""What is in the picture? Ten classes, small photographs in colour."""

from workbench.tasks.picture_classification import PictureClassification

TASK = PictureClassification(data="cifar10", title="tell ten kinds of thing apart in small photographs")
