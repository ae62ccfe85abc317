"""Optimisers, one step at a time."""

from typing import Any

from quizzes.formulas import formula
from quizzes.trace import trace

ADAM_STEP = formula(
    "adam-step",
    """
    m = beta1*m_prior + (1 - beta1)*g
    v = beta2*v_prior + (1 - beta2)*g^2
    mhat = m/(1 - beta1^t)
    vhat = v/(1 - beta2^t)
    theta = theta_prior - eta*mhat/(sqrt(vhat) + epsilon)
    """,
    topic="adam",
    title="One step of Adam",
    source="Kingma & Ba, Adam, 2015 (arXiv:1412.6980)",
    theta_prior="real; parameter before the step",
    g="real; gradient",
    t="int 1..10000; number of the step, from 1",
    m_prior="real = 0; first moment before the step",
    v_prior="real 0.. = 0; second moment before the step",
    eta="real 0.. = 0.001; learning rate",
    beta1="real 0..1 = 0.9; decay of the first moment",
    beta2="real 0..1 = 0.999; decay of the second moment",
    epsilon="real 0.. = 1e-8; guard against dividing by zero",
    m="real; first moment",
    v="real; second moment",
    mhat="real; first moment, bias corrected",
    vhat="real; second moment, bias corrected",
    theta="real; parameter",
)

ADAM_TWO_STEPS = trace(
    ADAM_STEP, steps=2, carried={"theta": "theta_prior", "m": "m_prior", "v": "v_prior"}, fresh="g", counter="t"
)

MOMENTUM_STEP = formula(
    "momentum-step",
    """
    v = beta*v_prior + g
    theta = theta_prior - eta*v
    """,
    topic="momentum",
    title="One step of SGD with momentum, as PyTorch does it",
    source="PyTorch documentation, torch.optim.SGD (dampening 0); Polyak's heavy ball, with the learning rate outside "
    "the velocity",
    theta_prior="real; parameter before the step",
    g="real; gradient",
    v_prior="real = 0; velocity before the step",
    eta="real 0.. = 0.01; learning rate",
    beta="real 0..1 = 0.9; momentum",
    v="real; velocity",
    theta="real; parameter",
)

MOMENTUM_TWO_STEPS = trace(MOMENTUM_STEP, steps=2, carried={"theta": "theta_prior", "v": "v_prior"}, fresh="g")

MOMENTUM_CLASSICAL_STEP = formula(
    "momentum-classical-step",
    """
    v = gamma*v_prior + eta*g
    theta = theta_prior - v
    """,
    topic="momentum",
    title="One step of classical momentum, learning rate inside the velocity",
    source="Sutskever, Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning, "
    "2013, with the sign of v turned",
    theta_prior="real; parameter before the step",
    g="real; gradient",
    v_prior="real = 0; velocity before the step",
    eta="real 0.. = 0.01; learning rate",
    gamma="real 0..1 = 0.9; momentum",
    v="real; velocity",
    theta="real; parameter",
)

MOMENTUM_CLASSICAL_TWO_STEPS = trace(
    MOMENTUM_CLASSICAL_STEP, steps=2, carried={"theta": "theta_prior", "v": "v_prior"}, fresh="g eta"
)

NESTEROV_STEP = formula(
    "nesterov-step",
    """
    v = beta*v_prior + g
    theta = theta_prior - eta*(g + beta*v)
    """,
    topic="momentum",
    title="One step of Nesterov momentum, as PyTorch does it",
    source="PyTorch documentation, torch.optim.SGD (nesterov=True, dampening 0)",
    theta_prior="real; parameter before the step",
    g="real; gradient at the parameter",
    v_prior="real = 0; velocity before the step",
    eta="real 0.. = 0.01; learning rate",
    beta="real 0..1 = 0.9; momentum",
    v="real; velocity",
    theta="real; parameter",
)

NESTEROV_TWO_STEPS = trace(NESTEROV_STEP, steps=2, carried={"theta": "theta_prior", "v": "v_prior"}, fresh="g")

NESTEROV_LOOK_AHEAD_STEP = formula(
    "nesterov-look-ahead-step",
    """
    g = c*(theta_prior + mu*v_prior)
    v = mu*v_prior - eta*g
    theta = theta_prior + v
    """,
    topic="momentum",
    title="One step of Nesterov momentum on L = c theta^2/2, gradient at the look-ahead point",
    source="Sutskever, Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning, "
    "2013; the gradient of c theta^2/2 is c theta",
    theta_prior="real; parameter before the step",
    v_prior="real = 0; velocity before the step",
    c="real 0..; curvature of the loss",
    eta="real 0.. = 0.01; learning rate",
    mu="real 0..1 = 0.9; momentum",
    g="real; gradient at the look-ahead point",
    v="real; velocity",
    theta="real; parameter",
)

NESTEROV_LOOK_AHEAD_TWO_STEPS = trace(
    NESTEROV_LOOK_AHEAD_STEP, steps=2, carried={"theta": "theta_prior", "v": "v_prior"}, fresh=""
)

ADAGRAD_STEP = formula(
    "adagrad-step",
    """
    s = s_prior + g^2
    theta = theta_prior - eta*g/(sqrt(s) + epsilon)
    """,
    topic="adam",
    title="One step of AdaGrad",
    source="Duchi, Hazan & Singer, Adaptive subgradient methods, JMLR 2011, in its diagonal form; epsilon outside the "
    "root, as in torch.optim.Adagrad",
    theta_prior="real; parameter before the step",
    g="real; gradient",
    s_prior="real 0.. = 0; sum of the squared gradients before the step",
    eta="real 0.. = 0.01; learning rate",
    epsilon="real 0.. = 1e-10; guard against dividing by zero",
    s="real; sum of the squared gradients",
    theta="real; parameter",
)

ADAGRAD_TWO_STEPS = trace(ADAGRAD_STEP, steps=2, carried={"theta": "theta_prior", "s": "s_prior"}, fresh="g")

RMSPROP_STEP = formula(
    "rmsprop-step",
    """
    s = rho*s_prior + (1 - rho)*g^2
    theta = theta_prior - eta*g/(sqrt(s) + epsilon)
    """,
    topic="adam",
    title="One step of RMSProp",
    source="Tieleman & Hinton, Neural networks for machine learning, lecture 6.5, 2012; epsilon outside the root, as "
    "in torch.optim.RMSprop",
    theta_prior="real; parameter before the step",
    g="real; gradient",
    s_prior="real 0.. = 0; mean of the squared gradients before the step",
    eta="real 0.. = 0.01; learning rate",
    rho="real 0..1 = 0.99; decay of the mean of squares",
    epsilon="real 0.. = 1e-8; guard against dividing by zero",
    s="real; decaying mean of the squared gradients",
    theta="real; parameter",
)

RMSPROP_TWO_STEPS = trace(
    RMSPROP_STEP, steps=2, carried={"theta": "theta_prior", "s": "s_prior"}, fresh="g", counter="t"
)

_ADAM_SYMBOLS: dict[str, Any] = dict(
    theta_prior="real; parameter before the step",
    g="real; gradient of the loss, without the penalty",
    t="int 1..10000; number of the step, from 1",
    m_prior="real = 0; first moment before the step",
    v_prior="real 0.. = 0; second moment before the step",
    eta="real 0.. = 0.001; learning rate",
    lam="real 0.. = 0.01; weight decay",
    beta1="real 0..1 = 0.9; decay of the first moment",
    beta2="real 0..1 = 0.999; decay of the second moment",
    epsilon="real 0.. = 1e-8; guard against dividing by zero",
    m="real; first moment",
    v="real; second moment",
    mhat="real; first moment, bias corrected",
    vhat="real; second moment, bias corrected",
    theta="real; parameter",
)

ADAMW_STEP = formula(
    "adamw-step",
    """
    m = beta1*m_prior + (1 - beta1)*g
    v = beta2*v_prior + (1 - beta2)*g^2
    mhat = m/(1 - beta1^t)
    vhat = v/(1 - beta2^t)
    theta = (1 - eta*lam)*theta_prior - eta*mhat/(sqrt(vhat) + epsilon)
    """,
    topic="adam",
    title="One step of AdamW, as PyTorch does it: decay beside the step",
    source="Loshchilov & Hutter, Decoupled weight decay regularization, 2019 (arXiv:1711.05101), with the "
    "decay times the learning rate, as in torch.optim.AdamW",
    **_ADAM_SYMBOLS,
)

ADAM_L2_STEP = formula(
    "adam-l2-step",
    """
    gl = g + lam*theta_prior
    m = beta1*m_prior + (1 - beta1)*gl
    v = beta2*v_prior + (1 - beta2)*gl^2
    mhat = m/(1 - beta1^t)
    vhat = v/(1 - beta2^t)
    theta = theta_prior - eta*mhat/(sqrt(vhat) + epsilon)
    """,
    topic="adam",
    title="One step of Adam with an L2 penalty, as PyTorch does it: decay inside the gradient",
    source="Loshchilov & Hutter, Decoupled weight decay regularization, 2019 (arXiv:1711.05101); "
    "torch.optim.Adam with weight_decay",
    gl="real; gradient with that of lam theta^2/2",
    **_ADAM_SYMBOLS,
)

_CARRIED = {"theta": "theta_prior", "m": "m_prior", "v": "v_prior"}
ADAMW_TWO_STEPS = trace(ADAMW_STEP, steps=2, carried=_CARRIED, fresh="g", counter="t")
ADAM_L2_TWO_STEPS = trace(ADAM_L2_STEP, steps=2, carried=_CARRIED, fresh="g", counter="t")
