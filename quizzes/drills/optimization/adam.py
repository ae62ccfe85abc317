"""Adam."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.optimization import ADAM_TWO_STEPS


@drill(
    ADAM_TWO_STEPS,
    tier=2,
    asks="theta1 theta2",
    prompt="Adam starts at theta = {theta0} with m = v = 0. The gradients of the first two steps are {g1} and {g2}.\n"
    "Learning rate {eta}, beta1 = {beta1}, beta2 = {beta2}, epsilon = {epsilon} (added to the root, outside it). "
    "What is theta after step 1, and after step 2?",
    hint="Divide the moments by 1 - beta^t before you use them; t is 1 in the first step.",
)
def adam_step(rng: Random) -> dict[str, Any]:
    """Two steps of Adam"""
    first = rng.choice([-1, 1]) * rng.randint(1, 20) / 10
    return dict(
        theta0=rng.randint(-20, 20) / 10,
        g1=first,
        g2=rng.choice([first / 2, -first, first * 2, rng.choice([-1, 1]) * rng.randint(1, 20) / 10]),
        eta=rng.choice([0.1, 0.05, 0.2]),
        beta1=0.9,
        beta2=rng.choice([0.99, 0.999]),
        epsilon=1e-8,
    )


adam_step.mistake(
    "no-bias-correction",
    "mhat = m; vhat = v",
    "Both moments start at 0 and are too small at first: divide by 1 - beta^t.",
)
adam_step.mistake(
    "no-root",
    "theta = theta_prior - eta*mhat/(vhat + epsilon)",
    "The step is divided by the root of the second moment, not by the moment itself.",
)
adam_step.mistake(
    "betas-swapped",
    "m = beta2*m_prior + (1 - beta2)*g; v = beta1*v_prior + (1 - beta1)*g^2; mhat = m/(1 - beta2^t); vhat = "
    "v/(1 - beta1^t)",
    "beta1 belongs to the mean of the gradients, beta2 to the mean of their squares.",
)
adam_step.mistake(
    "ascent", "theta = theta_prior + eta*mhat/(sqrt(vhat) + epsilon)", "Descent subtracts the step: theta - eta ..."
)
adam_step.mistake(
    "first-moment-not-carried",
    "m = (1 - beta1)*g",
    "The first moment keeps beta1 of what it was: it does not start anew.",
)
adam_step.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
adam = torch.optim.Adam([theta], lr=eta, betas=(beta1, beta2), eps=epsilon)
trace = []
for gradient in (g1, g2):
    theta.grad = torch.tensor(float(gradient))
    adam.step()
    trace.append(theta.item())
theta1, theta2 = trace
"""
)
