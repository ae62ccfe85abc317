"""Which spiral is it on? A border is needed that winds as they do."""

from workbench.tasks.classification import Classification

TASK = Classification(data="spirals", title="part two spirals")
