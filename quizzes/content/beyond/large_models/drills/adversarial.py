"""Adversarial examples: drills."""

from random import Random
from typing import Any

from quizzes.content.beyond.large_models.formulas.adversarial import (
    FGSM_DIAGNOSIS,
    FGSM_FLIP,
    FGSM_LINEAR,
    FGSM_LOGISTIC,
    FGSM_PROGRAM,
    FGSM_STEP,
    FGSM_TARGETED,
    PGD_STEPS,
    attack_outputs,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

INTERVAL = "Conventions: values are clipped to the interval from 0 to 1; sign(0) = 0."

NOT_CLIPPED = "You did not clip. The values of an image stay in the interval from 0 to 1."


def _pixels(rng: Random, count: int) -> list[float]:
    """Return values from 0 to 1, some near an end."""
    return [rng.choice([rng.randint(5, 95), rng.choice([0, 1, 2, 98, 99, 100])]) / 100 for _ in range(count)]


def _gradient(rng: Random, count: int) -> list[float]:
    return [rng.choice([-1, 1]) * rng.choice([0.01, 0.1, 0.2, 0.5, 0.8, 1.5, 3]) for _ in range(count)]


@drill(
    FGSM_STEP,
    tier=1,
    asks="x_adv",
    prompt="The loss of an image x = {x} has the gradient g = {g} with respect to the pixels. An untargeted FGSM "
    "attack changes each pixel by at most eps = {eps}.\n"
    "What is the adversarial image x_adv?\n"
    f"{INTERVAL}",
    hint="The attack raises the loss. Does the size of a derivative matter, or only its sign?",
    mistakes=[
        Mistake(
            "gradient-for-sign",
            "x_adv[i] = max(0, min(1, x[i] + eps*g[i]))",
            "You used the gradient. FGSM uses its sign, so every pixel changes by eps.",
        ),
        Mistake(
            "descent",
            "x_adv[i] = max(0, min(1, x[i] - eps*sign(g[i])))",
            "You went against the gradient, which lowers the loss. An untargeted attack raises it.",
        ),
        Mistake("not-clipped", "x_adv[i] = x[i] + eps*sign(g[i])", NOT_CLIPPED),
        Mistake("change-only", "x_adv[i] = eps*sign(g[i])", "That is the change. Add it to the image."),
    ],
)
def fgsm_step(rng: Random) -> Inputs:
    """One step of FGSM"""
    return dict(x=_pixels(rng, 3), g=_gradient(rng, 3), eps=rng.choice([0.02, 0.03, 0.04, 0.05, 0.1]))


@drill(
    FGSM_TARGETED,
    id="fgsm-step:targeted",
    tier=1,
    asks="x_adv",
    prompt="An attacker wants an image x = {x} to be classified as a target class. The loss of that class has the "
    "gradient g = {g} with respect to the pixels. A targeted FGSM attack changes each pixel by at most eps = {eps}.\n"
    "What is the adversarial image x_adv?\n"
    f"{INTERVAL}",
    hint="Should the loss of the target class rise or fall?",
    mistakes=[
        Mistake(
            "untargeted",
            "x_adv[i] = max(0, min(1, x[i] + eps*sign(g[i])))",
            "You raised the loss. A targeted attack lowers the loss of the target class.",
        ),
        Mistake(
            "gradient-for-sign",
            "x_adv[i] = max(0, min(1, x[i] - eps*g[i]))",
            "You used the gradient. FGSM uses its sign, so every pixel changes by eps.",
        ),
        Mistake("not-clipped", "x_adv[i] = x[i] - eps*sign(g[i])", NOT_CLIPPED),
        Mistake("change-only", "x_adv[i] = -eps*sign(g[i])", "That is the change. Add it to the image."),
    ],
)
def fgsm_targeted(rng: Random) -> Inputs:
    """Targeted FGSM"""
    return dict(x=_pixels(rng, 3), g=_gradient(rng, 3), eps=rng.choice([0.02, 0.03, 0.04, 0.05, 0.1]))


@drill(
    FGSM_LOGISTIC,
    id="fgsm-step:logistic",
    tier=2,
    asks=("p", "g", "x_adv", "p_adv"),
    visualization="table w x",
    prompt="A logistic regression has the weights w = {w} and the bias {b}. The input x = {x} belongs to class {y}.\n"
    "What is the probability p of class 1? What is the gradient g of the cross-entropy with respect to x? What are the "
    "adversarial input x_adv of FGSM with eps = {eps}, and its probability p_adv of class 1?\n"
    f"{INTERVAL}",
    hint="With respect to the logit, the cross-entropy has the derivative p - y. How does the logit depend on x?",
    mistakes=[
        Mistake("residual-reversed", "g[i] = (y - p)*w[i]", "The sign is reversed. The derivative is p - y."),
        Mistake(
            "weights-left-out",
            "g[i] = (p - y)*x[i]",
            "That is the gradient with respect to the weights. With respect to x, multiply by w.",
        ),
        Mistake(
            "gradient-for-sign",
            "x_adv[i] = max(0, min(1, x[i] + eps*g[i]))",
            "You used the gradient. FGSM uses its sign.",
        ),
        Mistake(
            "descent",
            "x_adv[i] = max(0, min(1, x[i] - eps*sign(g[i])))",
            "You lowered the loss. The attack raises it.",
        ),
        Mistake("not-clipped", "x_adv[i] = x[i] + eps*sign(g[i])", NOT_CLIPPED),
        Mistake("bias-left-out", "p = sigmoid(sum(i, w[i]*x[i]))", "You left out the bias."),
    ],
)
def fgsm_logistic(rng: Random) -> Inputs:
    """FGSM against logistic regression"""
    w = [rng.choice([-4, -3, -2, 2, 3, 4]) for _ in range(3)]
    x, b = [rng.randint(1, 19) / 20 for _ in range(3)], rng.choice([-2, -1, -0.5, 0.5, 1, 2])
    logit = sum(a * v for a, v in zip(w, x, strict=True)) + b
    if not 0.2 < abs(logit) < 4:
        raise UndefinedValue("the classifier is undecided or saturated")
    return dict(w=w, b=b, x=x, y=int(logit > 0), eps=rng.choice([0.05, 0.1, 0.15, 0.2]))


@drill(
    FGSM_FLIP,
    id="fgsm-step:flip",
    tier=1,
    asks=one_of("eps", "z", "n1"),
    prompt="A linear classifier gives an input the logit z = {z}. The absolute values of its weights add up to n1 = "
    "{n1}. Changing every input by eps = {eps} in the worst direction makes the logit 0.\n"
    "Conventions: without clipping.",
    hint="By how much does the logit fall if each input moves by eps against the sign of its weight?",
    mistakes=[
        Mistake("inverted", "eps = n1/z", "You inverted the ratio. Large weights need a small change."),
        Mistake("product", "eps = z*n1", "You multiplied. The change of the logit is eps times n1."),
        Mistake("euclidean", "eps = z/sqrt(n1)", "You took a root. Changes of eps in each input add up to eps n1."),
        Mistake("twice", "eps = 2*z/n1", "The logit must only fall to 0, not to -z."),
    ],
)  # fmt: skip
def fgsm_flip(rng: Random) -> Inputs:
    """Smallest change that flips a classifier"""
    return dict(z=rng.randint(5, 60) / 10, n1=rng.choice([4, 5, 8, 10, 12, 16, 20, 25, 32, 40, 50, 80]))


@drill(
    FGSM_LINEAR,
    id="fgsm-step:derive",
    tier=3,
    asks=(derive("d"), derive("c")),
    prompt="A linear score w . x has n inputs, and every weight has the magnitude {m}. Each input is changed by {eps}, "
    "either along the sign of its weight, or in a random direction (plus or minus with probability 1/2, "
    "independently).\n"
    "Derive, in terms of n, the change d of the score along the signs, and the standard deviation c of the change in "
    "random directions.",
    hints=(
        "What does each input contribute to the change, and with which sign?",
        "Along the signs, all contributions are equal. In random directions, their variances add up.",
        "First step: compute the contribution of one input, the magnitude of its weight times its change.",
    ),
    mistakes=[
        Mistake(
            "one-input",
            "d = m*eps; c = m*eps",
            "That is the contribution of one input. Add those of all inputs.",
        ),
        Mistake(
            "deviations-added",
            "c = n*m*eps",
            "You added standard deviations. The variances of independent changes add up.",
        ),
        Mistake("variance", "c = n*(m*eps)^2", "That is the variance. Take its square root."),
        Mistake("signs-as-random", "d = sqrt(n)*m*eps", "Along the signs, nothing cancels: add the contributions."),
    ],
)
def fgsm_derive(rng: Random) -> Inputs:
    """Many small changes of a linear score"""
    return dict(
        m=rng.choice([0.2, 0.5, 1.5, 2, 3]),
        eps=rng.choice([0.01, 0.02, 0.03, 0.05, 0.1, 0.2]),
        variables={"n": [1, 10000]},
    )


def _pgd_steps(X: list[list[float]], changes: list[float], **_: Any) -> list[Step]:
    rows = [[round(float(v), 4) for v in row] for row in X]
    return [
        *(Step(f"Step {k}: move each value by the step size along the sign, project, clip.", [f"X[{k}] = {row}"])
          for k, row in enumerate(rows, 1)),
        Step("Compare the last row with the start.", [f"changes = {[round(float(v), 4) for v in changes]}"]),
    ]  # fmt: skip


def _pgd_mistake(kind: str) -> Any:
    """Return the adversarial input of a mistaken attack."""

    def attack(x: list[Any], G: list[list[Any]], eps: Any, step: Any) -> list[Any]:
        current = list(x)
        for row in G:
            signs = [(g > 0) - (g < 0) for g in row]
            if kind == "descent":
                signs = [-s for s in signs]
            start = current if kind == "moving-ball" else x
            current = [v + step * s for v, s in zip(current, signs, strict=True)]
            if kind != "not-projected":
                current = [max(a - eps, min(a + eps, v)) for v, a in zip(current, start, strict=True)]
            current = [max(0, min(1, v)) for v in current]
        return current

    return attack


@drill(
    PGD_STEPS,
    id="fgsm-step:pgd",
    tier=2,
    asks=("X", "x_adv", "r"),
    steps=_pgd_steps,
    prompt="A PGD attack starts at x = {x} and takes {steps} steps of size {step}. The gradients of the loss at these "
    "steps are the rows of G = {G}. No value may change by more than eps = {eps} in all.\n"
    "What is the input after each step (X, one row per step), after the last step (x_adv), and what is the largest "
    "change of a value (r)?\n"
    "Conventions: untargeted; after each step, project to within eps of the start, then clip to the interval from 0 to "
    "1; no random start.",
    hint="After each step, no value may be farther than eps from its start. Which steps does that cut short?",
    mistakes=[
        Mistake(
            "not-projected",
            {"x_adv": _pgd_mistake("not-projected")},
            "You did not project. After each step, every value is within eps of its start.",
        ),
        Mistake(
            "descent",
            {"x_adv": _pgd_mistake("descent")},
            "You lowered the loss. An untargeted attack raises it.",
        ),
        Mistake(
            "last-step-only",
            {"x_adv": lambda x, G, eps, step: _pgd_mistake("")(x, G[-1:], eps, step)},
            "You took the last step from the start. Continue from the result of the previous step.",
        ),
        Mistake("sum-of-steps", {"r": lambda x, G, eps, step: len(G) * step}, "The projection limits it to eps."),
        Mistake("first-step", {"r": lambda x, G, eps, step: step}, "That is the change of one step."),
    ],
    decimals=4,
)  # fmt: skip
def fgsm_pgd(rng: Random) -> Inputs:
    """Projected gradient descent"""
    steps, size = rng.choice([2, 3]), rng.choice([2, 3])
    x, eps = [rng.choice([rng.randint(15, 85), 2, 98]) / 100 for _ in range(size)], rng.choice([0.03, 0.05, 0.08, 0.1])
    G = [_gradient(rng, size)]
    for _ in range(steps - 1):
        G.append([v if rng.random() < 0.7 else -v for v in G[-1]])
    return dict(x=x, G=G, eps=eps, step=round(eps * rng.choice([0.6, 0.75, 0.8]), 3), steps=steps)


def _attack_steps(x: list[float], eps: float, x_adv: list[float], r: float, **_: Any) -> list[Step]:
    return [
        Step("Add eps along each sign, and clip.", [f"x_adv = {[round(float(v), 4) for v in x_adv]}"]),
        Step(f"Measure the changes of the program. The largest one is compared with eps = {eps:g}.",
             [f"r = {float(r):.6g}"]),
        Step("Compare the program's values one by one: size, direction and interval."),
    ]  # fmt: skip


def _as(bug: str) -> Any:
    """Return the output of an attack with a bug, as a mistaken answer."""
    return lambda x, g, eps, out: attack_outputs(x, g, eps)[bug]


@drill(
    FGSM_DIAGNOSIS,
    id="fgsm-step:diagnose",
    tier=3,
    asks=("x_adv", "r", "bug"),
    steps=_attack_steps,
    prompt="A program should attack the image x = {x} by untargeted FGSM with eps = {eps}. The gradient of the loss "
    "with respect to the pixels is {g}. The program returns {out}.\n"
    "What is the correct adversarial image x_adv? What is the largest change of a pixel by the program (r)? What does "
    "the program do (bug)?\n"
    f"{INTERVAL}",
    hint="Compute the correct image, then compare sizes, directions and ends of the interval.",
    mistakes=[
        Mistake("gradient-for-sign", {"x_adv": _as("gradient")}, "You used the gradient. FGSM uses its sign."),
        Mistake("descent", {"x_adv": _as("descent")}, "You lowered the loss. The attack raises it."),
        Mistake("not-clipped", {"x_adv": _as("unclipped")}, NOT_CLIPPED),
        Mistake("mean-change", "r = mean(i, change[i])", "That is the mean change. Take the largest."),
        Mistake("eps-for-change", "r = eps", "Measure the changes of the program: they need not be eps."),
        Mistake(
            "another-bug",
            {"bug": lambda x, g, eps, out: "descent" if max(out) > 1 or min(out) < 0 else "unclipped"},
            "Compare the values one by one: size, direction and interval.",
        ),
    ],
)
def fgsm_diagnose(rng: Random) -> Inputs:
    """A wrong attack"""
    x, g, eps = _pixels(rng, 3), _gradient(rng, 3), rng.choice([0.02, 0.03, 0.05, 0.1])
    outputs = attack_outputs(x, g, eps)
    rounded = {bug: [round(v, 6) for v in values] for bug, values in outputs.items()}
    bugs = list(rounded)
    if any(max(abs(a - b) for a, b in zip(rounded[p], rounded[q], strict=True)) < 1e-3
           for p in bugs for q in bugs if p != q):  # fmt: skip
        raise UndefinedValue("two programs return the same")
    return dict(x=x, g=g, eps=eps, out=rounded[rng.choice(bugs)])


def _program_steps(line: int, bug: str, printed: list[float], correct: list[float], **_: Any) -> list[Step]:
    reasons = {
        "gradient": "It adds eps times the gradient. FGSM uses the sign.",
        "descent": "It goes against the gradient, which lowers the loss.",
        "unclipped": "It does not clip to the interval from 0 to 1.",
    }
    return [
        Step(f"Line {line} is wrong. {reasons[bug]}"),
        Step("Insert the numbers as the program has them.", [f"printed = {[round(float(v), 4) for v in printed]}"]),
        Step(
            "The gradient of the cross-entropy is (p - y) w. Add eps along its sign, and clip.",
            [f"correct = {[round(float(v), 4) for v in correct]}"],
        ),
    ]


@drill(
    FGSM_PROGRAM,
    id="fgsm-step:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_program_steps,
    prompt="This program should attack an input of a linear classifier by untargeted FGSM with eps = {eps}, for the "
    "true class {y}. It runs, but one line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? Which values does the program print as it is "
    "(printed), and which ones does the corrected program print (correct)?\n"
    f"{INTERVAL}",
    hints=(
        "What does FGSM add to the input? Which values may the result have?",
        "x_adv = clip(x + eps sign(g), 0, 1), and the gradient of the cross-entropy is g = (p - y) w.",
        "First step: find the sign of p - y for the true class.",
    ),
    mistakes=[
        Mistake("blames-loss", {"line": 3}, "The loss of the true class is correct: an attack raises it."),
        Mistake("blames-backward", {"line": 4}, "The gradient is correct. x needs a gradient, and has it."),
        Mistake(
            "already-correct",
            {"printed": lambda w, x, y, eps, bug, **_: _linear_attack(w, x, y, eps, "correct")},
            "Those are the correct values. Follow the program as it is.",
        ),
        Mistake(
            "descent",
            {"correct": lambda w, x, y, eps, bug, **_: _linear_attack(w, x, y, eps, "descent")},
            "You lowered the loss. The signs are those of the weights for class 0, and opposite for class 1.",
        ),
        Mistake(
            "not-clipped",
            {"correct": lambda w, x, y, eps, bug, **_: _linear_attack(w, x, y, eps, "unclipped")},
            NOT_CLIPPED,
        ),
    ],
)
def fgsm_debug(rng: Random) -> Inputs:
    """A wrong line in an attack"""
    w = [float(rng.choice([-3, -2, 2, 3])) for _ in range(3)]
    x = [rng.choice([rng.randint(10, 90) / 100, 0.01, 0.98]) for _ in range(3)]
    y, eps = rng.choice([0, 1]), rng.choice([0.03, 0.05, 0.1])
    bug, wrong = rng.choice(
        [
            ("gradient", f"x_adv = (x + {eps} * x.grad).clamp(0, 1)"),
            ("descent", f"x_adv = (x - {eps} * x.grad.sign()).clamp(0, 1)"),
            ("unclipped", f"x_adv = x + {eps} * x.grad.sign()"),
        ]
    )
    program = f"""
x = torch.tensor({x}, requires_grad=True)
w, y = torch.tensor({w}), torch.tensor({float(y)})
loss = F.binary_cross_entropy_with_logits(w @ x, y)
loss.backward()
{wrong}
print(x_adv)
""".strip()
    fix = [
        f"x_adv = (x + {eps} * x.grad.sign()).clamp(0, 1)",
        f"x_adv = torch.clamp(x + {eps} * x.grad.sign(), 0, 1)",
        f"x_adv = (x + {eps} * torch.sign(x.grad)).clamp(0, 1)",
    ]
    return dict(w=w, x=x, y=y, eps=eps, bug=bug, line=5, fix=fix, program=program)


def _linear_attack(w: list[Any], x: list[Any], y: int, eps: Any, bug: str) -> list[float]:
    """Return the attack of a linear classifier; only the sign of p - y matters for these bugs."""
    gradient = [float(v) * (1 if y == 0 else -1) for v in w]
    return attack_outputs([float(v) for v in x], gradient, float(eps))[bug]
