"""Adam: formulas."""

from typing import Any

from quizzes.content.optimization.shared import GRADIENT_STEP
from quizzes.formula import Formula
from quizzes.symbols import Int, Real
from quizzes.trace import Trace

MOMENTS: dict[str, Any] = dict(
    t=Int(1, 10000, "number of the step, counted from 1"),
    m_prior=Real(meaning="first moment before the step", default=0),
    v_prior=Real(0, meaning="second moment before the step", default=0),
    beta1=Real(0, 1, "decay rate of the first moment", default=0.9),
    beta2=Real(0, 1, "decay rate of the second moment", default=0.999),
    epsilon=Real(0, meaning="small constant that prevents division by zero", default=1e-8),
    m=Real(meaning="updated first moment"),
    v=Real(meaning="updated second moment"),
    mhat=Real(meaning="bias-corrected first moment"),
    vhat=Real(meaning="bias-corrected second moment"),
)


ADAM: dict[str, Any] = GRADIENT_STEP | MOMENTS | dict(eta=Real(0, meaning="learning rate", default=0.001))


ADAM_WITH_DECAY: dict[str, Any] = ADAM | dict(
    g=Real(meaning="gradient of the loss, without the penalty"),
    lam=Real(0, meaning="weight decay", default=0.01),
)


PARAMETER_AND_SQUARES = {"theta": "theta_prior", "s": "s_prior"}


PARAMETER_AND_MOMENTS = {"theta": "theta_prior", "m": "m_prior", "v": "v_prior"}


ADAM_STEP = Formula(
    "adam-step",
    """
    m = beta1*m_prior + (1 - beta1)*g
    v = beta2*v_prior + (1 - beta2)*g^2
    mhat = m/(1 - beta1^t)
    vhat = v/(1 - beta2^t)
    theta = theta_prior - eta*mhat/(sqrt(vhat) + epsilon)
    """,
    title="One step of Adam",
    source="Kingma & Ba, Adam, 2015 (arXiv:1412.6980)",
    **ADAM,
)


ADAM_TWO_STEPS = Trace(ADAM_STEP, steps=2, carried=PARAMETER_AND_MOMENTS, fresh="g", counter="t")


ADAGRAD_STEP = Formula(
    "adagrad-step",
    """
    s = s_prior + g^2
    theta = theta_prior - eta*g/(sqrt(s) + epsilon)
    """,
    title="One step of AdaGrad",
    source="Duchi, Hazan & Singer, Adaptive subgradient methods, JMLR 2011, in its diagonal form; epsilon outside the "
    "square root, as in torch.optim.Adagrad",
    **GRADIENT_STEP,
    s_prior=Real(0, meaning="sum of squared gradients before the step", default=0),
    epsilon=Real(0, meaning="small constant that prevents division by zero", default=1e-10),
    s=Real(meaning="updated sum of squared gradients"),
)


ADAGRAD_TWO_STEPS = Trace(ADAGRAD_STEP, steps=2, carried=PARAMETER_AND_SQUARES, fresh="g")


RMSPROP_STEP = Formula(
    "rmsprop-step",
    """
    s = rho*s_prior + (1 - rho)*g^2
    theta = theta_prior - eta*g/(sqrt(s) + epsilon)
    """,
    title="One step of RMSProp",
    source="Tieleman & Hinton, Neural networks for machine learning, lecture 6.5, 2012; epsilon outside the square "
    "root, as in torch.optim.RMSprop",
    **GRADIENT_STEP,
    s_prior=Real(0, meaning="moving average of squared gradients before the step", default=0),
    rho=Real(0, 1, "decay rate of the moving average", default=0.99),
    epsilon=MOMENTS["epsilon"],
    s=Real(meaning="updated moving average of squared gradients"),
)


RMSPROP_TWO_STEPS = Trace(RMSPROP_STEP, steps=2, carried=PARAMETER_AND_SQUARES, fresh="g", counter="t")


ADAMW_STEP = Formula(
    "adamw-step",
    """
    m = beta1*m_prior + (1 - beta1)*g
    v = beta2*v_prior + (1 - beta2)*g^2
    mhat = m/(1 - beta1^t)
    vhat = v/(1 - beta2^t)
    theta = (1 - eta*lam)*theta_prior - eta*mhat/(sqrt(vhat) + epsilon)
    """,
    title="One step of AdamW, as in PyTorch: decoupled weight decay",
    source="Loshchilov & Hutter, Decoupled weight decay regularization, 2019 (arXiv:1711.05101), with the "
    "decay multiplied by the learning rate, as in torch.optim.AdamW",
    **ADAM_WITH_DECAY,
)


ADAM_L2_STEP = Formula(
    "adam-l2-step",
    """
    gl = g + lam*theta_prior
    m = beta1*m_prior + (1 - beta1)*gl
    v = beta2*v_prior + (1 - beta2)*gl^2
    mhat = m/(1 - beta1^t)
    vhat = v/(1 - beta2^t)
    theta = theta_prior - eta*mhat/(sqrt(vhat) + epsilon)
    """,
    title="One step of Adam with an L2 penalty, as in PyTorch: weight decay in the gradient",
    source="Loshchilov & Hutter, Decoupled weight decay regularization, 2019 (arXiv:1711.05101); "
    "torch.optim.Adam with weight_decay",
    gl=Real(meaning="gradient of the loss with the penalty lam theta^2/2"),
    **ADAM_WITH_DECAY,
)


ADAMW_TWO_STEPS = Trace(ADAMW_STEP, steps=2, carried=PARAMETER_AND_MOMENTS, fresh="g", counter="t")


ADAM_L2_TWO_STEPS = Trace(ADAM_L2_STEP, steps=2, carried=PARAMETER_AND_MOMENTS, fresh="g", counter="t")


ADAMAX_STEP = Formula(
    "adamax-step",
    """
    m = beta1*m_prior + (1 - beta1)*g
    u = max(beta2*u_prior, abs(g) + epsilon)
    theta = theta_prior - eta/(1 - beta1^t)*m/u
    """,
    title="One step of AdaMax",
    source="Kingma & Ba, Adam, 2015 (arXiv:1412.6980), algorithm 2; epsilon added to the gradient's size, as in "
    "torch.optim.Adamax",
    **GRADIENT_STEP | dict(eta=Real(0, meaning="learning rate", default=0.002)),
    t=MOMENTS["t"],
    m_prior=MOMENTS["m_prior"],
    beta1=MOMENTS["beta1"],
    beta2=Real(0, 1, "decay rate of the infinity norm", default=0.999),
    epsilon=Real(0, meaning="small constant added to the size of the gradient", default=1e-8),
    m=MOMENTS["m"],
    u_prior=Real(0, meaning="infinity norm before the step", default=0),
    u=Real(meaning="updated infinity norm"),
)


ADADELTA_STEP = Formula(
    "adadelta-step",
    """
    s = rho*s_prior + (1 - rho)*g^2
    delta = sqrt(d_prior + epsilon)/sqrt(s + epsilon)*g
    d = rho*d_prior + (1 - rho)*delta^2
    theta = theta_prior - eta*delta
    """,
    title="One step of Adadelta",
    source="Zeiler, ADADELTA, 2012 (arXiv:1212.5701), algorithm 1; the learning rate (1 in the paper) as in "
    "torch.optim.Adadelta",
    **GRADIENT_STEP | dict(eta=Real(0, meaning="learning rate", default=1)),
    s_prior=Real(0, meaning="moving average of squared gradients before the step", default=0),
    d_prior=Real(0, meaning="moving average of squared updates before the step", default=0),
    rho=Real(0, 1, "decay rate of both moving averages", default=0.9),
    epsilon=Real(0, meaning="small constant inside both square roots", default=1e-6),
    s=Real(meaning="updated moving average of squared gradients"),
    delta=Real(meaning="update, before the learning rate"),
    d=Real(meaning="updated moving average of squared updates"),
)
