"""Backpropagation by hand."""

from quizzes.formulas import formula

TWO_LAYER_SCALAR = formula(
    "backprop-2layer-scalar",
    """
    h = sigmoid(w1*x + b1)
    y = sigmoid(w2*h + b2)
    delta2 = (y - t)*y*(1 - y)
    g_w2 = delta2*h
    delta1 = delta2*w2*h*(1 - h)
    g_w1 = delta1*x
    """,
    topic="backprop",
    title="Forward and backward through two sigmoid neurons",
    source="derivation: chain rule on L = (y - t)^2/2, with sigmoid' = s(1 - s)",
    x="real; input",
    w1="real; weight of the first neuron",
    b1="real = 0; bias of the first neuron",
    w2="real; weight of the second neuron",
    b2="real = 0; bias of the second neuron",
    t="real; target",
    h="real; output of the first neuron",
    y="real; output of the second neuron, the prediction",
    delta2="real; dL/dz2, the error at the second weighted sum",
    g_w2="real; gradient dL/dw2",
    delta1="real; dL/dz1, the error at the first weighted sum",
    g_w1="real; gradient dL/dw1",
)
