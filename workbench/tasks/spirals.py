"""Classification of points on two spirals: the boundary has to wind as they do."""

from workbench.tasks.classification import Classification

TASK = Classification(data="spirals", title="separate two spirals")
