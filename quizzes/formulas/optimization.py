"""Optimisers, one step at a time."""

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
    source="Kingma & Ba, Adam, 2015 (arXiv:1412.6980), algorithm 1",
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
