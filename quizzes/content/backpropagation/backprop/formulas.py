"""Forward and backward pass, chain rule: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Distribution, Int, Matrix, Real, Shape, Vector

TWO_LAYER_SCALAR = Formula(
    "backprop-2layer-scalar",
    """
    h = sigmoid(w1*x + b1)
    y = sigmoid(w2*h + b2)
    delta2 = (y - t)*y*(1 - y)
    g_w2 = delta2*h
    delta1 = delta2*w2*h*(1 - h)
    g_w1 = delta1*x
    """,
    statement="L = (y - t)²/2",
    title="Forward and backward pass through two sigmoid neurons",
    source="derivation: chain rule on L = (y - t)^2/2, with sigmoid' = s(1 - s)",
    x=Real(meaning="input"),
    w1=Real(meaning="weight of the first neuron"),
    b1=Real(meaning="bias of the first neuron", default=0),
    w2=Real(meaning="weight of the second neuron"),
    b2=Real(meaning="bias of the second neuron", default=0),
    t=Real(meaning="target"),
    h=Real(meaning="output of the first neuron"),
    y=Real(meaning="output of the second neuron, the prediction"),
    delta2=Real(meaning="error dL/dz2 of the second neuron"),
    g_w2=Real(meaning="gradient dL/dw2"),
    delta1=Real(meaning="error dL/dz1 of the first neuron"),
    g_w1=Real(meaning="gradient dL/dw1"),
)


TWO_LAYER_SOFTMAX = Formula(
    "backprop-2layer-softmax",
    """
    z1[i] = sum(j, W1[i, j]*x[j])
    h[i] = relu(z1[i])
    z2[k] = sum(i, W2[k, i]*h[i])
    p[k] = exp(z2[k])/sum(m, exp(z2[m]))
    delta2[k] = p[k] - t[k]
    G2[k, i] = delta2[k]*h[i]
    delta1[i] = [z1[i] > 0]*sum(k, W2[k, i]*delta2[k])
    G1[i, j] = delta1[i]*x[j]
    """,
    title="Forward and backward pass through a ReLU layer and a softmax",
    source="derivation: softmax with cross-entropy has dL/dz2 = p - t; then the chain rule, layer by layer",
    x=Vector(meaning="inputs"),
    W1=Matrix(meaning="weights of the hidden layer, one row per neuron"),
    W2=Matrix(meaning="weights of the output layer, one row per class"),
    t=Distribution(0, 1, "one-hot target"),
    z1=Vector(meaning="pre-activations of the hidden layer"),
    h=Vector(meaning="outputs of the hidden layer"),
    z2=Vector(meaning="logits"),
    p=Vector(meaning="class probabilities"),
    delta2=Vector(meaning="errors dL/dz2 of the output layer"),
    G2=Matrix(meaning="gradient dL/dW2"),
    delta1=Vector(meaning="errors dL/dz1 of the hidden layer"),
    G1=Matrix(meaning="gradient dL/dW1"),
)


MATMUL_GRADS = Formula(
    "matmul-grads",
    """
    dX[n, j] = sum(k, dY[n, k]*W[j, k])
    dW[j, k] = sum(n, X[n, j]*dY[n, k])
    db[k] = sum(n, dY[n, k])
    """,
    title="Gradients of a linear layer Y = XW + b",
    source="derivation: Y[n, k] = sum(j, X[n, j] W[j, k]) + b[k]; by the chain rule dX = dY W^T and dW = X^T dY; db is "
    "summed over the batch, because b is added to every row",
    shapes="X[n, j]; W[j, k]; dY[n, k]",
    X=Matrix(meaning="input, one row per sample"),
    W=Matrix(meaning="weights, one column per output feature"),
    dY=Matrix(meaning="upstream gradient dL/dY"),
    dX=Matrix(meaning="gradient dL/dX"),
    dW=Matrix(meaning="gradient dL/dW"),
    db=Vector(meaning="gradient dL/db"),
)


def _gradient_shapes(N: int, d: int, m: int) -> dict[str, list[int]]:
    return {"dX": [N, d], "dW": [d, m], "db": [m]}


MATMUL_GRAD_SHAPES = Formula(
    "matmul-grad-shapes",
    "",
    title="Shapes of the gradients of Y = XW + b",
    source="derivation: a scalar loss has one partial derivative per entry, so a gradient has the shape of its tensor",
    procedure=_gradient_shapes,
    procedure_outputs="dX dW db",
    N=Int(1, 100000, "batch size"),
    d=Int(1, 100000, "number of input features"),
    m=Int(1, 100000, "number of output features"),
    dX=Shape(meaning="shape of dL/dX"),
    dW=Shape(meaning="shape of dL/dW"),
    db=Shape(meaning="shape of dL/db"),
)


GRADIENT_CHECK = Formula(
    "gradient-check",
    """
    f_plus = a*(x + h)^3 + b*(x + h)^2
    f_minus = a*(x - h)^3 + b*(x - h)^2
    n = (f_plus - f_minus)/(2h)
    g = 3a*x^2 + 2b*x
    r = abs(g - n)/max(abs(g), abs(n))
    """,
    title="Gradient check of f(x) = a x^3 + b x^2 by a central difference",
    source="derivation: Taylor: (f(x + h) - f(x - h))/(2h) = f'(x) + h^2 f'''(x)/6 + ...; here it is f'(x) + a h^2",
    a=Real(meaning="coefficient of x^3"),
    b=Real(meaning="coefficient of x^2", default=0),
    x=Real(meaning="point at which the gradient is checked"),
    h=Real(meaning="step size"),
    f_plus=Real(meaning="value of f at x + h"),
    f_minus=Real(meaning="value of f at x - h"),
    n=Real(meaning="central difference"),
    g=Real(meaning="analytical derivative"),
    r=Real(meaning="relative error"),
)


TRAINING_STEP = Formula(
    "training-step",
    """
    z1[i] = sum(j, W1[i, j]*x[j]) + b1[i]
    h[i] = relu(z1[i])
    z2 = sum(i, w2[i]*h[i]) + b2
    y = sigmoid(z2)
    L = -(t*ln(y) + (1 - t)*ln(1 - y))
    delta2 = y - t
    g2[i] = delta2*h[i]
    delta1[i] = delta2*w2[i]*[z1[i] > 0]
    G1[i, j] = delta1[i]*x[j]
    w2_new[i] = w2[i] - eta*g2[i]
    b2_new = b2 - eta*delta2
    W1_new[i, j] = W1[i, j] - eta*G1[i, j]
    b1_new[i] = b1[i] - eta*delta1[i]
    """,
    title="One training step of a two-layer binary classifier",
    source="derivation: sigmoid with binary cross-entropy has dL/dz2 = y - t; then the chain rule, and gradient "
    "descent",
    x=Vector(meaning="inputs"),
    W1=Matrix(meaning="weights of the hidden layer, one row per neuron"),
    b1=Vector(meaning="biases of the hidden layer"),
    w2=Vector(meaning="weights of the output neuron"),
    b2=Real(meaning="bias of the output neuron", default=0),
    t=Int(0, 1, "target"),
    eta=Real(0, meaning="learning rate"),
    z1=Vector(meaning="pre-activations of the hidden layer"),
    h=Vector(meaning="outputs of the hidden layer"),
    z2=Real(meaning="pre-activation of the output neuron"),
    y=Real(meaning="prediction"),
    L=Real(meaning="loss"),
    delta2=Real(meaning="error dL/dz2 of the output neuron"),
    g2=Vector(meaning="gradient dL/dw2"),
    delta1=Vector(meaning="errors dL/dz1 of the hidden layer"),
    G1=Matrix(meaning="gradient dL/dW1"),
    w2_new=Vector(meaning="weights of the output neuron after the step"),
    b2_new=Real(meaning="bias of the output neuron after the step"),
    W1_new=Matrix(meaning="weights of the hidden layer after the step"),
    b1_new=Vector(meaning="biases of the hidden layer after the step"),
)
