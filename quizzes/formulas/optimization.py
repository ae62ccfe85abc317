"""Optimizers, one step at a time."""

from typing import Any

from quizzes.formulas import formula
from quizzes.formulas.descent import GRADIENT_STEP
from quizzes.trace import trace

VELOCITY: dict[str, Any] = dict(
    v_prior="real = 0; velocity before the step",
    v="real; updated velocity",
)
MOMENTS: dict[str, Any] = dict(
    t="int 1..10000; number of the step, counted from 1",
    m_prior="real = 0; first moment before the step",
    v_prior="real 0.. = 0; second moment before the step",
    beta1="real 0..1 = 0.9; decay rate of the first moment",
    beta2="real 0..1 = 0.999; decay rate of the second moment",
    epsilon="real 0.. = 1e-8; small constant that prevents division by zero",
    m="real; updated first moment",
    v="real; updated second moment",
    mhat="real; bias-corrected first moment",
    vhat="real; bias-corrected second moment",
)
ADAM: dict[str, Any] = GRADIENT_STEP | MOMENTS | dict(eta="real 0.. = 0.001; learning rate")
ADAM_WITH_DECAY: dict[str, Any] = ADAM | dict(
    g="real; gradient of the loss, without the penalty",
    lam="real 0.. = 0.01; weight decay",
)

# The outputs of a step that are inputs of the next.
PARAMETER_AND_VELOCITY = {"theta": "theta_prior", "v": "v_prior"}
PARAMETER_AND_SQUARES = {"theta": "theta_prior", "s": "s_prior"}
PARAMETER_AND_MOMENTS = {"theta": "theta_prior", "m": "m_prior", "v": "v_prior"}

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
    **ADAM,
)

ADAM_TWO_STEPS = trace(ADAM_STEP, steps=2, carried=PARAMETER_AND_MOMENTS, fresh="g", counter="t")

MOMENTUM_STEP = formula(
    "momentum-step",
    """
    v = beta*v_prior + g
    theta = theta_prior - eta*v
    """,
    topic="momentum",
    title="One step of SGD with momentum, as in PyTorch",
    source="PyTorch documentation, torch.optim.SGD (dampening 0); Polyak's heavy-ball method, with the learning rate "
    "outside the velocity",
    **GRADIENT_STEP,
    **VELOCITY,
    beta="real 0..1 = 0.9; momentum",
)

MOMENTUM_TWO_STEPS = trace(MOMENTUM_STEP, steps=2, carried=PARAMETER_AND_VELOCITY, fresh="g")

MOMENTUM_CLASSICAL_STEP = formula(
    "momentum-classical-step",
    """
    v = gamma*v_prior + eta*g
    theta = theta_prior - v
    """,
    topic="momentum",
    title="One step of classical momentum, with the learning rate inside the velocity",
    source="Sutskever, Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning, "
    "2013, with the opposite sign of v",
    **GRADIENT_STEP,
    **VELOCITY,
    gamma="real 0..1 = 0.9; momentum",
)

MOMENTUM_CLASSICAL_TWO_STEPS = trace(MOMENTUM_CLASSICAL_STEP, steps=2, carried=PARAMETER_AND_VELOCITY, fresh="g eta")

NESTEROV_STEP = formula(
    "nesterov-step",
    """
    v = beta*v_prior + g
    theta = theta_prior - eta*(g + beta*v)
    """,
    topic="momentum",
    title="One step of Nesterov momentum, as in PyTorch",
    source="PyTorch documentation, torch.optim.SGD (nesterov=True, dampening 0)",
    **GRADIENT_STEP,
    **VELOCITY,
    beta="real 0..1 = 0.9; momentum",
)

NESTEROV_TWO_STEPS = trace(NESTEROV_STEP, steps=2, carried=PARAMETER_AND_VELOCITY, fresh="g")

NESTEROV_LOOK_AHEAD_STEP = formula(
    "nesterov-look-ahead-step",
    """
    g = c*(theta_prior + mu*v_prior)
    v = mu*v_prior - eta*g
    theta = theta_prior + v
    """,
    topic="momentum",
    title="One step of Nesterov momentum on L = c theta^2/2, with the gradient at the look-ahead point",
    source="Sutskever, Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning, "
    "2013; the gradient of c theta^2/2 is c theta",
    **GRADIENT_STEP | VELOCITY | dict(g="real; gradient at the look-ahead point"),
    c="real 0..; curvature of the loss",
    mu="real 0..1 = 0.9; momentum",
)

NESTEROV_LOOK_AHEAD_TWO_STEPS = trace(NESTEROV_LOOK_AHEAD_STEP, steps=2, carried=PARAMETER_AND_VELOCITY, fresh="")

ADAGRAD_STEP = formula(
    "adagrad-step",
    """
    s = s_prior + g^2
    theta = theta_prior - eta*g/(sqrt(s) + epsilon)
    """,
    topic="adam",
    title="One step of AdaGrad",
    source="Duchi, Hazan & Singer, Adaptive subgradient methods, JMLR 2011, in its diagonal form; epsilon outside the "
    "square root, as in torch.optim.Adagrad",
    **GRADIENT_STEP,
    s_prior="real 0.. = 0; sum of squared gradients before the step",
    epsilon="real 0.. = 1e-10; small constant that prevents division by zero",
    s="real; updated sum of squared gradients",
)

ADAGRAD_TWO_STEPS = trace(ADAGRAD_STEP, steps=2, carried=PARAMETER_AND_SQUARES, fresh="g")

RMSPROP_STEP = formula(
    "rmsprop-step",
    """
    s = rho*s_prior + (1 - rho)*g^2
    theta = theta_prior - eta*g/(sqrt(s) + epsilon)
    """,
    topic="adam",
    title="One step of RMSProp",
    source="Tieleman & Hinton, Neural networks for machine learning, lecture 6.5, 2012; epsilon outside the square "
    "root, as in torch.optim.RMSprop",
    **GRADIENT_STEP,
    s_prior="real 0.. = 0; moving average of squared gradients before the step",
    rho="real 0..1 = 0.99; decay rate of the moving average",
    epsilon=MOMENTS["epsilon"],
    s="real; updated moving average of squared gradients",
)

RMSPROP_TWO_STEPS = trace(RMSPROP_STEP, steps=2, carried=PARAMETER_AND_SQUARES, fresh="g", counter="t")

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
    title="One step of AdamW, as in PyTorch: decoupled weight decay",
    source="Loshchilov & Hutter, Decoupled weight decay regularization, 2019 (arXiv:1711.05101), with the "
    "decay multiplied by the learning rate, as in torch.optim.AdamW",
    **ADAM_WITH_DECAY,
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
    title="One step of Adam with an L2 penalty, as in PyTorch: weight decay in the gradient",
    source="Loshchilov & Hutter, Decoupled weight decay regularization, 2019 (arXiv:1711.05101); "
    "torch.optim.Adam with weight_decay",
    gl="real; gradient of the loss with the penalty lam theta^2/2",
    **ADAM_WITH_DECAY,
)

ADAMW_TWO_STEPS = trace(ADAMW_STEP, steps=2, carried=PARAMETER_AND_MOMENTS, fresh="g", counter="t")
ADAM_L2_TWO_STEPS = trace(ADAM_L2_STEP, steps=2, carried=PARAMETER_AND_MOMENTS, fresh="g", counter="t")
