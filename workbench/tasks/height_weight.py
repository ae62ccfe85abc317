"""Classification of persons and animals by two features: the example of the sigmoid."""

from workbench.tasks.classification import Classification

TASK = Classification(data="height-weight", title="tell a person from an animal by height and weight")
