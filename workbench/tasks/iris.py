"""Which species of iris is it? One stands apart, two overlap."""

from workbench.tasks.classification import Classification

TASK = Classification(data="iris", title="tell three species of iris apart")
