"""Person or animal? Two features, two classes: the sigmoid's example."""

from workbench.tasks.classification import Classification

TASK = Classification(data="height-weight", title="tell a person from an animal by height and weight")
