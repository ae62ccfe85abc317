"""The exclusive or of two inputs, which a single neuron can't compute."""

from workbench.tasks.classification import Classification

TASK = Classification(data="xor", title="compute the exclusive or")
