"""Classification of points on two circles, one inside the other: the boundary has to be closed."""

from workbench.tasks.classification import Classification

TASK = Classification(data="circles", title="separate a circle from one inside it")
