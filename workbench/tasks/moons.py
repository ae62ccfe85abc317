"""Which half moon is it on? A bent border is needed."""

from workbench.tasks.classification import Classification

TASK = Classification(data="moons", title="part two half moons")
