"""Classification of irises into three species, two of which overlap."""

from workbench.tasks.classification import Classification

TASK = Classification(data="iris", title="tell three species of iris apart")
