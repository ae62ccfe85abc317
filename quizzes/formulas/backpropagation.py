"""Backpropagation by hand.

In the equations, max(0, sign(z)) is the derivative of ReLU: 1 if z > 0, else 0, as in PyTorch.
"""

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
    title="Forward and backward pass through two sigmoid neurons",
    source="derivation: chain rule on L = (y - t)^2/2, with sigmoid' = s(1 - s)",
    x="real; input",
    w1="real; weight of the first neuron",
    b1="real = 0; bias of the first neuron",
    w2="real; weight of the second neuron",
    b2="real = 0; bias of the second neuron",
    t="real; target",
    h="real; output of the first neuron",
    y="real; output of the second neuron, the prediction",
    delta2="real; error dL/dz2 of the second neuron",
    g_w2="real; gradient dL/dw2",
    delta1="real; error dL/dz1 of the first neuron",
    g_w1="real; gradient dL/dw1",
)

TWO_LAYER_SOFTMAX = formula(
    "backprop-2layer-softmax",
    """
    z1[i] = sum(j, W1[i, j]*x[j])
    h[i] = relu(z1[i])
    z2[k] = sum(i, W2[k, i]*h[i])
    p[k] = exp(z2[k])/sum(m, exp(z2[m]))
    delta2[k] = p[k] - t[k]
    G2[k, i] = delta2[k]*h[i]
    delta1[i] = max(0, sign(z1[i]))*sum(k, W2[k, i]*delta2[k])
    G1[i, j] = delta1[i]*x[j]
    """,
    topic="backprop",
    title="Forward and backward pass through a ReLU layer and a softmax",
    source="derivation: softmax with cross-entropy has dL/dz2 = p - t; then the chain rule, layer by layer",
    x="vector; inputs",
    W1="matrix; weights of the hidden layer, one row per neuron",
    W2="matrix; weights of the output layer, one row per class",
    t="vector 0..1; one-hot target",
    z1="vector; pre-activations of the hidden layer",
    h="vector; outputs of the hidden layer",
    z2="vector; logits",
    p="vector; class probabilities",
    delta2="vector; errors dL/dz2 of the output layer",
    G2="matrix; gradient dL/dW2",
    delta1="vector; errors dL/dz1 of the hidden layer",
    G1="matrix; gradient dL/dW1",
)

MATMUL_GRADS = formula(
    "matmul-grads",
    """
    dX[n, j] = sum(k, dY[n, k]*W[j, k])
    dW[j, k] = sum(n, X[n, j]*dY[n, k])
    db[k] = sum(n, dY[n, k])
    """,
    topic="backprop",
    title="Gradients of a linear layer Y = XW + b",
    source="derivation: Y[n, k] = sum(j, X[n, j] W[j, k]) + b[k]; by the chain rule dX = dY W^T and dW = X^T dY; db is "
    "summed over the batch, because b is added to every row",
    shapes="X[n, j]; W[j, k]; dY[n, k]",
    X="matrix; input, one row per sample",
    W="matrix; weights, one column per output feature",
    dY="matrix; upstream gradient dL/dY",
    dX="matrix; gradient dL/dX",
    dW="matrix; gradient dL/dW",
    db="vector; gradient dL/db",
)


def _gradient_shapes(N: int, d: int, m: int) -> dict[str, list[int]]:
    return {"dX": [N, d], "dW": [d, m], "db": [m]}


MATMUL_GRAD_SHAPES = formula(
    "matmul-grad-shapes",
    "",
    topic="backprop",
    title="Shapes of the gradients of Y = XW + b",
    source="derivation: a scalar loss has one partial derivative per entry, so a gradient has the shape of its tensor",
    procedure=_gradient_shapes,
    procedure_outputs="dX dW db",
    N="int 1..100000; batch size",
    d="int 1..100000; number of input features",
    m="int 1..100000; number of output features",
    dX="shape; shape of dL/dX",
    dW="shape; shape of dL/dW",
    db="shape; shape of dL/db",
)

GRADIENT_CHECK = formula(
    "gradient-check",
    """
    f_plus = a*(x + h)^3 + b*(x + h)^2
    f_minus = a*(x - h)^3 + b*(x - h)^2
    n = (f_plus - f_minus)/(2h)
    g = 3a*x^2 + 2b*x
    r = abs(g - n)/max(abs(g), abs(n))
    """,
    topic="backprop",
    title="Gradient check of f(x) = a x^3 + b x^2 by a central difference",
    source="derivation: Taylor: (f(x + h) - f(x - h))/(2h) = f'(x) + h^2 f'''(x)/6 + ...; here it is f'(x) + a h^2",
    a="real; coefficient of x^3",
    b="real = 0; coefficient of x^2",
    x="real; point at which the gradient is checked",
    h="real; step size",
    f_plus="real; value of f at x + h",
    f_minus="real; value of f at x - h",
    n="real; central difference",
    g="real; analytical derivative",
    r="real; relative error",
)

SUM_TIMES_MAXIMUM = formula(
    "autograd-sum-times-maximum",
    """
    a = x + y
    m = max(y, z)
    f = a*m
    da = m
    dm = a
    dx = da
    dy = da + dm*(1 + sign(y - z))/2
    dz = dm*(1 + sign(z - y))/2
    """,
    topic="autograd",
    title="Backward pass through f = (x + y) max(y, z)",
    source="derivation: chain rule, backward from f; a sum passes its gradient to both inputs, a product multiplies it "
    "by the other factor, a max passes it to the larger input, and the gradients of several paths add up",
    conventions="If y = z, each of them receives half of the gradient of the max, as in PyTorch.",
    x="int; first input",
    y="int; second input, which is used twice",
    z="int; third input",
    a="int; the sum x + y",
    m="int; the maximum of y and z",
    f="int; output of the graph",
    da="int; df/da",
    dm="int; df/dm",
    dx="int; df/dx",
    dy="int; df/dy",
    dz="int; df/dz",
)

SHARED_NODE = formula(
    "autograd-shared-node",
    """
    u = x*y
    v = u + x
    f = u*v
    dv = u
    du = v + dv
    dx = du*y + dv
    dy = du*x
    """,
    topic="autograd",
    title="Backward pass through f = u v with u = x y and v = u + x",
    source="derivation: chain rule, backward from f; u and x are used twice, so the gradients of two paths add up",
    x="int; first input, which is used twice",
    y="int; second input",
    u="int; the product x y, which is used twice",
    v="int; the sum u + x",
    f="int; output of the graph",
    dv="int; df/dv",
    du="int; total derivative df/du",
    dx="int; total derivative df/dx",
    dy="int; total derivative df/dy",
)

ACCUMULATED_GRADIENT = formula(
    "accumulated-gradient",
    """
    grad = sum(i, g[i])
    avg = mean(i, g[i])
    """,
    topic="autograd",
    title="Gradients of several backward passes without zero_grad",
    source="PyTorch documentation, torch.Tensor.backward: gradients accumulate in the leaves",
    k="int 1..100000; number of backward passes",
    g="vector; gradient of each pass",
    grad="real; .grad after the last pass",
    avg="real; .grad after the last pass if each loss is divided by the number of passes",
)

TRAINING_STEP = formula(
    "training-step",
    """
    z1[i] = sum(j, W1[i, j]*x[j]) + b1[i]
    h[i] = relu(z1[i])
    z2 = sum(i, w2[i]*h[i]) + b2
    y = sigmoid(z2)
    L = -(t*ln(y) + (1 - t)*ln(1 - y))
    delta2 = y - t
    g2[i] = delta2*h[i]
    delta1[i] = delta2*w2[i]*max(0, sign(z1[i]))
    G1[i, j] = delta1[i]*x[j]
    w2_new[i] = w2[i] - eta*g2[i]
    b2_new = b2 - eta*delta2
    W1_new[i, j] = W1[i, j] - eta*G1[i, j]
    b1_new[i] = b1[i] - eta*delta1[i]
    """,
    topic="backprop",
    title="One training step of a two-layer binary classifier",
    source="derivation: sigmoid with binary cross-entropy has dL/dz2 = y - t; then the chain rule, and gradient "
    "descent",
    x="vector; inputs",
    W1="matrix; weights of the hidden layer, one row per neuron",
    b1="vector; biases of the hidden layer",
    w2="vector; weights of the output neuron",
    b2="real = 0; bias of the output neuron",
    t="int 0..1; target",
    eta="real 0..; learning rate",
    z1="vector; pre-activations of the hidden layer",
    h="vector; outputs of the hidden layer",
    z2="real; pre-activation of the output neuron",
    y="real; prediction",
    L="real; loss",
    delta2="real; error dL/dz2 of the output neuron",
    g2="vector; gradient dL/dw2",
    delta1="vector; errors dL/dz1 of the hidden layer",
    G1="matrix; gradient dL/dW1",
    w2_new="vector; weights of the output neuron after the step",
    b2_new="real; bias of the output neuron after the step",
    W1_new="matrix; weights of the hidden layer after the step",
    b1_new="vector; biases of the hidden layer after the step",
)
