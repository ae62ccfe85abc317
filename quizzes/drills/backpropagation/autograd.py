"""Autograd by hand: the backward pass through a graph, and gradients that accumulate."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.backpropagation import ACCUMULATED_GRADIENT, SHARED_NODE, SUM_TIMES_MAXIMUM


@drill(
    SUM_TIMES_MAXIMUM,
    tier=2,
    asks="f da dm dx dy dz",
    visualization="graph: a = x + y; m = max(y, z); f = a*m",
    prompt="The graph a = x + y, m = max(y, z), f = a*m is evaluated at x = {x}, y = {y}, z = {z}.\n"
    "Run the forward and the backward pass as autograd does. What are f and the derivatives da = df/da, dm = df/dm, "
    "dx = df/dx, dy = df/dy, and dz = df/dz?",
    hint="A sum passes its gradient to both inputs, a product multiplies it by the other factor, and a max passes it "
    "to the larger input only.",
)
def autograd_dag(rng: Random) -> dict[str, Any]:
    """Backward pass through a sum, a max, and a product"""
    x, *others = rng.sample([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6], 3)
    small, large = sorted(others)
    y, z = (large, small) if rng.random() < 0.7 else (small, large)
    return dict(x=x, y=y, z=z)


autograd_dag.mistake(
    "product-not-swapped",
    "da = a; dm = m",
    "You used each factor as its own derivative. For f = a*m, df/da is m and df/dm is a.",
)
autograd_dag.mistake(
    "fan-out-not-summed",
    "dy = da",
    "You left out the path from y through the max. y is used twice, so add the gradients of both paths.",
)
autograd_dag.mistake(
    "path-through-sum-forgotten",
    "dy = dm*max(0, sign(y - z))",
    "You left out the path from y through the sum. y is used twice, so add the gradients of both paths.",
)
autograd_dag.mistake(
    "maximum-to-both",
    "dy = da + dm; dz = dm",
    "You passed the gradient of the max to both inputs. The smaller input does not affect the max, so pass it to the "
    "larger input only.",
)
autograd_dag.torch(
    """
x, y, z = (torch.tensor(float(v), requires_grad=True) for v in (x, y, z))
a, m = x + y, torch.maximum(y, z)
f = a * m
da, dm, dx, dy, dz = torch.autograd.grad(f, (a, m, x, y, z))
"""
)


@drill(
    SHARED_NODE,
    id="autograd-dag:shared-node",
    tier=2,
    asks="f dv du dx dy",
    visualization="graph: u = x*y; v = u + x; f = u*v",
    prompt="The graph u = x*y, v = u + x, f = u*v is evaluated at x = {x}, y = {y}.\n"
    "Run the forward and the backward pass as autograd does. What are f, the derivative dv = df/dv (with u held "
    "fixed), and the total derivatives du = df/du, dx = df/dx, and dy = df/dy?",
    hint="u and x are each used twice. Which two gradients does each of them receive?",
)
def autograd_shared_node(rng: Random) -> dict[str, Any]:
    """Backward pass through a graph with a shared node"""
    return dict(x=rng.choice([-4, -3, -2, 2, 3, 4, 5]), y=rng.choice([-5, -4, -3, -2, 2, 3, 4, 5]))


autograd_shared_node.mistake(
    "fan-out-not-summed",
    "du = v; dx = du*y",
    "You left out the path through v = u + x. u and x are each used twice, so add the gradients of both paths.",
)
autograd_shared_node.mistake(
    "path-through-product-forgotten",
    "du = dv; dx = dv",
    "You left out the path through the product. u and x are each used twice, so add the gradients of both paths.",
)
autograd_shared_node.mistake(
    "product-not-swapped",
    "dv = v; du = u + dv; dx = du*x + dv; dy = du*y",
    "You used each factor as its own derivative. A product passes to each factor the upstream gradient times the "
    "other factor.",
)
autograd_shared_node.mistake(
    "sum-treated-as-product",
    "du = v + dv*x; dx = du*y + dv*u",
    "You treated v = u + x as a product. The local derivatives of a sum are 1, so it passes its gradient unchanged.",
)
autograd_shared_node.torch(
    """
x, y = (torch.tensor(float(v), requires_grad=True) for v in (x, y))
u = x * y
v = u + x
f = u * v
dv, du, dx, dy = torch.autograd.grad(f, (v, u, x, y))
"""
)


@drill(
    ACCUMULATED_GRADIENT,
    tier=1,
    asks="grad avg",
    prompt="A training loop calls loss.backward() on k = {k} mini-batches in a row, without zero_grad() in between. "
    "On their own, these backward passes would give a weight the gradients {g}, in this order. "
    "The weight's .grad is None at first.\n"
    "What does .grad hold after the last pass (grad), and what would it hold if each loss were divided by {k} before "
    "its backward() (avg)?",
    hint="Does backward() replace what is in .grad, or add to it?",
)
def grad_accumulate(rng: Random) -> dict[str, Any]:
    """Gradients over several backward passes"""
    k = rng.choice([2, 3, 4, 4, 5])
    return dict(k=k, g=[rng.choice([-1, 1, 1]) * rng.randint(1, 40) / 20 for _ in range(k)])


grad_accumulate.mistake(
    "overwritten",
    "grad = g[k]; avg = g[k]/k",
    "You used only the last gradient. backward() adds to .grad, so without zero_grad() the earlier ones stay in it.",
)
grad_accumulate.mistake(
    "averaged-by-itself",
    "grad = mean(i, g[i])",
    "You averaged the gradients. backward() only adds them up, so .grad holds their sum unless each loss is divided "
    "by k.",
)
grad_accumulate.mistake(
    "not-divided",
    "avg = sum(i, g[i])",
    "You did not divide by k. Dividing each loss by k divides each gradient by k, so the sum becomes the mean.",
)
grad_accumulate.mistake(
    "divided-twice",
    "avg = mean(i, g[i])/k",
    "You divided by k twice. Each gradient is already divided by k, so their sum is the mean.",
)
grad_accumulate.torch(
    """
def accumulated_grad(divisor):
    weight = torch.zeros((), requires_grad=True)
    for slope in g:
        (weight * slope / divisor).backward()
    return weight.grad

grad, avg = accumulated_grad(1), accumulated_grad(k)
"""
)
