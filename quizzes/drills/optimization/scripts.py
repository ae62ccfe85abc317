"""Check scripts shared by the drills on optimizers and learning rate schedules."""


def optimizer_script(
    optimizer: str, *, grads: str = "g1, g2", values: str = "theta.item()", outputs: str = "theta1, theta2"
) -> str:
    """Return a script that steps a PyTorch optimizer through given gradients, from theta0.

    Args:
        optimizer: The constructor call, over the parameters `[theta]`.
        grads: The gradients of the steps.
        values: What is recorded after each step.
        outputs: The names of the recorded values, in order.
    """
    return f"""
theta = torch.tensor(float(theta0), requires_grad=True)
optimizer = {optimizer}
trace = []
for gradient in ({grads}):
    theta.grad = torch.tensor(float(gradient))
    optimizer.step()
    trace += [{values}]
{outputs} = trace
"""


def scheduler_script(scheduler: str) -> str:
    """Return a script that steps a PyTorch learning rate scheduler from epoch 0, with eta0, to epoch t.

    Args:
        scheduler: The constructor call, over `optimizer`.
    """
    return f"""
optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
scheduler = {scheduler}
for _ in range(t):
    optimizer.step()
    scheduler.step()
eta = scheduler.get_last_lr()[0]
"""
