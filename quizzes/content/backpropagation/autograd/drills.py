"""PyTorch autograd: the dynamic graph: drills."""

from random import Random

from quizzes.content.backpropagation.autograd.formulas import ACCUMULATED_GRADIENT, SHARED_NODE, SUM_TIMES_MAXIMUM
from quizzes.drill import Inputs, Mistake, drill


@drill(
    SUM_TIMES_MAXIMUM,
    tier=2,
    asks=("f", "da", "dm", "dx", "dy", "dz"),
    visualization="graph: a = x + y; m = max(y, z); f = a*m",
    prompt="The graph a = x + y, m = max(y, z), f = a*m is evaluated at x = {x}, y = {y}, z = {z}.\n"
    "Run the forward and the backward pass as autograd does. What are f and the derivatives da = df/da, dm = df/dm, "
    "dx = df/dx, dy = df/dy, and dz = df/dz?",
    hint="A sum passes its gradient to both inputs, a product multiplies it by the other factor, and a max passes it "
    "to the larger input only.",
    mistakes=[
        Mistake(
            "product-not-swapped",
            "da = a; dm = m",
            "You used each factor as its own derivative. For f = a*m, df/da is m and df/dm is a.",
        ),
        Mistake(
            "fan-out-not-summed",
            "dy = da",
            "You left out the path from y through the max. y is used twice, so add the gradients of both paths.",
        ),
        Mistake(
            "path-through-sum-forgotten",
            "dy = dm*[y > z]",
            "You left out the path from y through the sum. y is used twice, so add the gradients of both paths.",
        ),
        Mistake(
            "maximum-to-both",
            "dy = da + dm; dz = dm",
            "You passed the gradient of the max to both inputs. The smaller input does not affect the max, so pass "
            "it to the "
            "larger input only.",
        ),
    ],
)
def autograd_dag(rng: Random) -> Inputs:
    """Backward pass through a sum, a max, and a product"""
    x, *others = rng.sample([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6], 3)
    small, large = sorted(others)
    y, z = (large, small) if rng.random() < 0.7 else (small, large)
    return dict(x=x, y=y, z=z)


@drill(
    SHARED_NODE,
    id="autograd-dag:shared-node",
    tier=2,
    asks=("f", "dv", "du", "dx", "dy"),
    visualization="graph: u = x*y; v = u + x; f = u*v",
    prompt="The graph u = x*y, v = u + x, f = u*v is evaluated at x = {x}, y = {y}.\n"
    "Run the forward and the backward pass as autograd does. What are f, the derivative dv = df/dv (with u held "
    "fixed), and the total derivatives du = df/du, dx = df/dx, and dy = df/dy?",
    hint="u and x are each used twice. Which two gradients does each of them receive?",
    mistakes=[
        Mistake(
            "fan-out-not-summed",
            "du = v; dx = du*y",
            "You left out the path through v = u + x. u and x are each used twice, so add the gradients of both paths.",
        ),
        Mistake(
            "path-through-product-forgotten",
            "du = dv; dx = dv",
            "You left out the path through the product. u and x are each used twice, so add the gradients of both "
            "paths.",
        ),
        Mistake(
            "product-not-swapped",
            "dv = v; du = u + dv; dx = du*x + dv; dy = du*y",
            "You used each factor as its own derivative. A product passes to each factor the upstream gradient times "
            "the "
            "other factor.",
        ),
        Mistake(
            "sum-treated-as-product",
            "du = v + dv*x; dx = du*y + dv*u",
            "You treated v = u + x as a product. The local derivatives of a sum are 1, so it passes its gradient "
            "unchanged.",
        ),
    ],
)
def autograd_shared_node(rng: Random) -> Inputs:
    """Backward pass through a graph with a shared node"""
    return dict(x=rng.choice([-4, -3, -2, 2, 3, 4, 5]), y=rng.choice([-5, -4, -3, -2, 2, 3, 4, 5]))


@drill(
    ACCUMULATED_GRADIENT,
    tier=1,
    asks=("grad", "avg"),
    prompt="A training loop calls loss.backward() on k = {k} mini-batches in a row, without zero_grad() in between. "
    "On their own, these backward passes would give a weight the gradients {g}, in this order. "
    "The weight's .grad is None at first.\n"
    "What does .grad hold after the last pass (grad), and what would it hold if each loss were divided by {k} before "
    "its backward() (avg)?",
    hint="Does backward() replace what is in .grad, or add to it?",
    mistakes=[
        Mistake(
            "overwritten",
            "grad = g[k]; avg = g[k]/k",
            "You used only the last gradient. backward() adds to .grad, so without zero_grad() the earlier ones stay "
            "in it.",
        ),
        Mistake(
            "averaged-by-itself",
            "grad = mean(i, g[i])",
            "You averaged the gradients. backward() only adds them up, so .grad holds their sum unless each loss is "
            "divided "
            "by k.",
        ),
        Mistake(
            "not-divided",
            "avg = sum(i, g[i])",
            "You did not divide by k. Dividing each loss by k divides each gradient by k, so the sum becomes the mean.",
        ),
        Mistake(
            "divided-twice",
            "avg = mean(i, g[i])/k",
            "You divided by k twice. Each gradient is already divided by k, so their sum is the mean.",
        ),
    ],
)
def grad_accumulate(rng: Random) -> Inputs:
    """Gradients over several backward passes"""
    k = rng.choice([2, 3, 4, 4, 5])
    return dict(k=k, g=[rng.choice([-1, 1, 1]) * rng.randint(1, 40) / 20 for _ in range(k)])
