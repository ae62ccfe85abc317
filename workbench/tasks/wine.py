"""Whose wine is it? Thirteen features whose units lie far apart."""

from workbench.tasks.classification import Classification

TASK = Classification(data="wine", title="tell three growers of wine apart")
