"""PyTorch autograd: the dynamic graph: drills."""

from fractions import Fraction
from random import Random

from quizzes.content.backpropagation.autograd.formulas import (
    ACCUMULATED_GRADIENT,
    PRINTED_GRADIENTS,
    SHARED_NODE,
    SUM_TIMES_MAXIMUM,
    TIED_RESIDUAL,
    print_gradients,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


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


@drill(
    TIED_RESIDUAL,
    id="autograd-dag:order",
    tier=3,
    asks=("steps", "dw"),
    prompt="A network computes h = ReLU(w*x + b), y = w*h + x, and L = (y - t)^2/2 for x = {x}, w = {w}, b = {b}, and "
    "t = {t}. The weight w is used twice.\n"
    "Select the lines of the backward pass that computes dw = dL/dw, and put them in order (steps). A line can only "
    "use what lines before it and the forward pass define. Three lines don't belong. What is the value of dw?",
    hint="Which gradient is known first? Which lines need it?",
    mistakes=[
        Mistake(
            "inner-use-only",
            {"steps": dict(outer=None, dw=None, overwritten="inner")},
            "You kept the gradient of one use of w. Both uses depend on w, so add their gradients.",
        ),
        Mistake(
            "sign-reversed",
            {"steps": dict(dy=None, reversed="", outer="reversed", dh="reversed")},
            "The sign of dy is reversed. The derivative of (y - t)^2/2 with respect to y is y - t.",
        ),
        Mistake(
            "outer-use-only",
            "dw = (y - t)*h",
            "You left out the use of w inside the ReLU. Add the gradients of both uses.",
        ),
        Mistake(
            "inner-only",
            "dw = (y - t)*w*x",
            "You left out the use of w outside the ReLU. Add the gradients of both uses.",
        ),
        Mistake("target-minus-output", "dw = (t - y)*(h + w*x)", "The sign is reversed: dL/dy is y - t."),
    ],
)
def autograd_backward_order(rng: Random) -> Inputs:
    """Lines of a backward pass in order"""
    x, w = rng.choice([-3, -2, 2, 3]), rng.choice([-1.5, -0.5, 0.5, 1.5, 2])
    b = rng.randint(-3, 3)
    if w * x + b <= 0:
        raise UndefinedValue("the hidden neuron must be active")
    return dict(x=x, w=w, b=b, t=rng.choice([k for k in range(-3, 8) if k != w * (w * x + b) + x]))


def _diagnosis(printed: list[float], third: float, at: float, cause: str, **_: object) -> list[Step]:
    reasons = {
        "zero_grad": "Each print is the sum of the gradients so far, so .grad is never set to zero.",
        "step": "All prints are equal, so the weight never changes: step() is missing.",
    }
    return [
        Step(reasons[cause]),
        Step("With all calls, each step is w = w - eta*2(w - a). Take two steps, then compute the third gradient.",
             [f"third = {third:.4f}"]),
        Step("Insert the w of the third print into the derivative 2(w - a).", [f"at = {at:.4f}"]),
    ]  # fmt: skip


@drill(
    PRINTED_GRADIENTS,
    id="grad-accumulate:printout",
    tier=2,
    asks=("cause", "third", "at"),
    visualization="printout log",
    prompt="A loop minimizes L = (w - {a})^2 from w = {w0} by SGD with learning rate {eta}. It prints w.grad after "
    "each backward pass; below are the first three prints. One call is missing in the loop.\n"
    "Which call is missing (cause)? What would the third print be with that call (third)? What is the derivative of L "
    "at the w of the third print below (at)?",
    hints=(
        "Compute the first two gradients by hand. From which print on do they differ?",
        "The derivative of L = (w - a)^2 is 2(w - a), and a correct step is w = w - eta*2(w - a). What would be "
        "printed if gradients added up, and what if w never changed?",
        "First step: the first print is right in any case. Subtract it, times the learning rate, from the initial w, "
        "and compute the second gradient.",
    ),
    steps=_diagnosis,
    mistakes=[
        Mistake(
            "another-call",
            {"cause": lambda cause, **_: "zero_grad" if cause == "step" else "step"},
            "Without step() all prints are equal; without zero_grad() each print adds to the one before.",
        ),
        Mistake(
            "no-backward",
            {"cause": "backward"},
            "Without loss.backward(), w.grad is None, and nothing like these numbers is printed.",
        ),
        Mistake(
            "at-the-wrong-w",
            {"third": lambda a, w0, eta, cause: 2 * (print_gradients(a, w0, eta, cause)[1] - a)},
            "That is the gradient at the w of the faulty loop. In the correct loop w has other values.",
        ),
        Mistake(
            "second-step",
            {"third": lambda a, w0, eta, cause: print_gradients(a, w0, eta, "")[0][1]},
            "That is the second gradient. Take one more step.",
        ),
        Mistake(
            "printed-value",
            {"at": lambda a, w0, eta, cause: print_gradients(a, w0, eta, cause)[0][2]},
            "That is the third print, the sum of three gradients. Insert w into 2(w - a).",
        ),
    ],
)
def grad_accumulate_printout(rng: Random) -> Inputs:
    """Diagnosis of a printout"""
    a = rng.randint(1, 5)
    w0 = rng.choice([k for k in range(-5, 6) if k != a])
    eta, cause = rng.choice([0.05, 0.1, 0.15, 0.2, 0.3]), rng.choice(["zero_grad", "zero_grad", "step"])
    printed, _ = print_gradients(a, w0, Fraction(str(eta)), cause)
    log = "\n".join(f"w.grad = {float(value):.6g}" for value in printed)
    return dict(a=a, w0=w0, eta=eta, cause=cause, log=log)
