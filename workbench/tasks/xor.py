"""Is just one of two inputs on? What a single neuron can't compute."""

from workbench.tasks.classification import Classification

TASK = Classification(data="xor", title="compute the exclusive or")
