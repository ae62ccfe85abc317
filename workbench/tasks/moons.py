"""Classification of points on two half moons: the boundary has to be curved."""

from workbench.tasks.classification import Classification

TASK = Classification(data="moons", title="separate two half moons")
