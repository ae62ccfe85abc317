"""What autograd does, by hand: the reverse sweep through a graph, and gradients that accumulate."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.backpropagation import ACCUMULATED_GRADIENT, SHARED_NODE, SUM_TIMES_MAXIMUM


@drill(
    SUM_TIMES_MAXIMUM,
    tier=2,
    asks="f da dm dx dy dz",
    visualization="graph: a = x + y; m = max(y, z); f = a*m",
    prompt="The graph a = x + y, m = max(y, z), f = a*m is evaluated at x = {x}, y = {y}, z = {z}. Sweep back through "
    "it as autograd does: what is f, and what are its derivatives da = df/da, dm = df/dm, dx = df/dx, dy = df/dy, dz = "
    "df/dz?",
    hint="A sum hands its gradient on to both, a product swaps its factors, a maximum hands on to the larger one only.",
)
def autograd_dag(rng: Random) -> dict[str, Any]:
    """Reverse sweep through a sum, a maximum and a product"""
    x, *others = rng.sample([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6], 3)
    small, large = sorted(others)
    y, z = (large, small) if rng.random() < 0.7 else (small, large)
    return dict(x=x, y=y, z=z)


autograd_dag.mistake(
    "product-not-swapped",
    "da = a; dm = m",
    "Through a product each factor gets the other one: df/da is m, and df/dm is a.",
)
autograd_dag.mistake(
    "fan-out-not-summed",
    "dy = da",
    "y is used twice: what comes back through the maximum is added to what comes back through the sum.",
)
autograd_dag.mistake(
    "path-through-sum-forgotten",
    "dy = dm*max(0, sign(y - z))",
    "y is used twice: what comes back through the sum a = x + y belongs to dy as well.",
)
autograd_dag.mistake(
    "maximum-to-both",
    "dy = da + dm; dz = dm",
    "A maximum hands its gradient on to the larger input only: the smaller one does not change it.",
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
    prompt="The graph u = x*y, v = u + x, f = u*v is evaluated at x = {x}, y = {y}. Sweep back through it as autograd "
    "does: what is f, and what are its derivatives dv = df/dv (with u held fixed), and by all paths du = df/du, dx = "
    "df/dx and dy = df/dy?",
    hint="u and x are each used twice; add up what comes back to them.",
)
def autograd_shared_node(rng: Random) -> dict[str, Any]:
    """Reverse sweep through a graph with a shared node"""
    return dict(x=rng.choice([-4, -3, -2, 2, 3, 4, 5]), y=rng.choice([-5, -4, -3, -2, 2, 3, 4, 5]))


autograd_shared_node.mistake(
    "fan-out-not-summed",
    "du = v; dx = du*y",
    "What is used twice gets a gradient back by both ways: add the one that comes through v = u + x.",
)
autograd_shared_node.mistake(
    "path-through-product-forgotten",
    "du = dv; dx = dv",
    "What is used twice gets a gradient back by both ways: the one through the product counts too.",
)
autograd_shared_node.mistake(
    "product-not-swapped",
    "dv = v; du = u + dv; dx = du*x + dv; dy = du*y",
    "Through a product each factor gets the other one, times what arrives from above.",
)
autograd_shared_node.mistake(
    "sum-treated-as-product",
    "du = v + dv*x; dx = du*y + dv*u",
    "A sum hands its gradient on as it is: its local derivatives are 1.",
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
    prompt="A training loop calls loss.backward() for {k} mini-batches one after the other, without zero_grad between "
    "them. Each pass alone would give a weight the gradients {g}, in this order. The weight's .grad was empty at "
    "first.\nWhat does .grad hold at last (grad), and what would it hold if every loss were divided by {k} before its "
    "backward() (avg)?",
    hint="backward() adds to what .grad holds already.",
)
def grad_accumulate(rng: Random) -> dict[str, Any]:
    """Gradients over several backward passes"""
    k = rng.choice([2, 3, 4, 4, 5])
    return dict(k=k, g=[rng.choice([-1, 1, 1]) * rng.randint(1, 40) / 20 for _ in range(k)])


grad_accumulate.mistake(
    "overwritten",
    "grad = g[k]; avg = g[k]/k",
    "backward() adds to .grad: without zero_grad the earlier passes stay in it.",
)
grad_accumulate.mistake(
    "averaged-by-itself", "grad = mean(i, g[i])", "autograd only adds up: a mean needs a loss that is divided by k."
)
grad_accumulate.mistake(
    "not-divided", "avg = sum(i, g[i])", "Dividing each loss by k divides each gradient by k: the sum becomes a mean."
)
grad_accumulate.mistake(
    "divided-twice", "avg = mean(i, g[i])/k", "Each gradient is divided by k once: summed they are the mean already."
)
grad_accumulate.torch(
    """
def held(scale):
    weight = torch.zeros((), requires_grad=True)
    for slope in g:
        (weight * slope / scale).backward()
    return weight.grad

grad, avg = held(1), held(k)
"""
)
