"""Classification of wines by grower, from thirteen features of very different scales."""

from workbench.tasks.classification import Classification

TASK = Classification(data="wine", title="tell three growers of wine apart")
