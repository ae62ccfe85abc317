"""Distillation: drills."""

from random import Random
from typing import Any

from quizzes.content.beyond.metric_learning.formulas import (
    DISTILLATION_GRADIENT,
    DISTILLATION_LOGITS,
    DISTILLATION_LOSS,
    DISTILLATION_PROGRAM,
    DISTILLATION_TERMS,
    SOFT_TARGET,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

LOSS = "L = alpha CE + (1 - alpha) T^2 KL(p || q)"

NO_SQUARE = Mistake(
    "square-left-out",
    "L = alpha*CE + (1 - alpha)*K",
    "You left out T^2. It makes up for the gradients of the soft targets, which scale as 1/T^2.",
)

T_FOR_SQUARE = Mistake("temperature-not-squared", "L = alpha*CE + (1 - alpha)*T*K", "The factor is T^2, not T.")

WEIGHTS_SWAPPED = Mistake(
    "weights-swapped",
    "L = (1 - alpha)*CE + alpha*T^2*K",
    "You swapped the weights. Here alpha belongs to the cross-entropy with the true labels.",
)


@drill(
    DISTILLATION_LOSS,
    tier=2,
    asks=("K", "L"),
    visualization="table p q",
    prompt="At the temperature T = {T}, a teacher has the softened distribution p = {p}, and its student has q = {q}. "
    "The student's cross-entropy with the true label is CE = {CE}, and alpha = {alpha}.\n"
    "What is the KL divergence K of the student from the teacher, KL(p || q), and the distillation loss "
    f"{LOSS}?\n"
    "Conventions: natural logarithm.",
    hint="KL(p || q) averages over the teacher's distribution. Which factor makes up for the temperature?",
    mistakes=[
        Mistake(
            "direction-reversed",
            "K = sum(i, q[i]*ln(q[i]/p[i]))",
            "You reversed the divergence. KL(p || q) averages ln(p/q) over the teacher's p.",
        ),
        Mistake(
            "cross-entropy",
            "K = -sum(i, p[i]*ln(q[i]))",
            "That is the cross-entropy of the two distributions. Subtract the entropy of p.",
        ),
        Mistake("base-2", "K = sum(i, p[i]*log2(p[i]/q[i]))", "You used the base-2 logarithm. Use the natural one."),
        NO_SQUARE,
        T_FOR_SQUARE,
        WEIGHTS_SWAPPED,
    ],
)
def distillation_loss(rng: Random) -> Inputs:
    """Distillation loss"""

    def distribution() -> list[float]:
        cuts = sorted(rng.sample(range(1, 20), 2))
        return sorted([cuts[0] / 20, (cuts[1] - cuts[0]) / 20, (20 - cuts[1]) / 20], reverse=True)

    p, q = distribution(), distribution()
    if p == q:
        raise UndefinedValue("equal distributions")
    T, alpha = rng.choice([2, 3, 4, 5]), rng.choice([0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 0.7])
    return dict(p=p, q=q, T=T, alpha=alpha, CE=rng.randint(3, 20) / 10)


@drill(
    DISTILLATION_TERMS,
    id="distillation-loss:terms",
    tier=1,
    asks=one_of("L", "K", "alpha", "T"),
    prompt="A student is trained with the distillation loss L = {L}. Its cross-entropy with the true labels is CE = "
    "{CE}, the KL divergence from the teacher at the temperature T = {T} is K = {K}, and alpha = {alpha}.\n"
    f"Conventions: {LOSS}.",
    hint="Insert the values into the sum of the two terms. Which term has the factor T^2?",
    mistakes=[NO_SQUARE, T_FOR_SQUARE, WEIGHTS_SWAPPED,
              Mistake("divided-by-square", "L = alpha*CE + (1 - alpha)*K/T^2",
                      "You divided by T^2. The gradients of the soft targets are too small by T^2, so multiply.")],
)  # fmt: skip
def distillation_terms(rng: Random) -> Inputs:
    """Terms of the distillation loss"""
    alpha, K = rng.choice([0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 0.7]), rng.randint(2, 30) / 100
    return dict(alpha=alpha, CE=rng.randint(3, 20) / 10, K=K, T=rng.choice([2, 3, 4, 5]))


@drill(
    SOFT_TARGET,
    id="distillation-loss:temperature",
    tier=1,
    asks=one_of("p", "T", "g"),
    prompt="A teacher has two classes. The logit of the predicted class is larger than the other one by g = {g}. At "
    "the temperature T = {T}, the predicted class has the softened probability p = {p}.",
    hint="The softmax of two logits is the sigmoid of their difference. What does the temperature divide?",
    mistakes=[
        Mistake(
            "multiplied", "p = 1/(1 + exp(-g*T))", "You multiplied by the temperature. Divide: a large T makes p flat."
        ),
        Mistake("temperature-left-out", "p = 1/(1 + exp(-g))", "You left out the temperature."),
        Mistake("no-softmax", "p = g/(g + T)", "Use exponentials: the odds of the two classes are exp(g/T)."),
        Mistake(
            "probability-divided",
            "p = 1/2 + (1/(1 + exp(-g)) - 1/2)/T",
            "You divided the probability's distance from 1/2. The temperature divides the logits.",
        ),
    ],
)
def distillation_temperature(rng: Random) -> Inputs:
    """Softened probability"""
    return dict(g=rng.randint(10, 60) / 10, T=rng.choice([1.5, 2, 2.5, 3, 4, 5, 6, 8]))


@drill(
    DISTILLATION_LOGITS,
    id="distillation-loss:logits",
    tier=3,
    asks=("p", "q", "K", "CE", "L"),
    visualization="table z_t z_s",
    prompt="For one sample, a teacher has the logits z_t = {z_t} and its student z_s = {z_s}. Class {y} is correct. "
    "The temperature is T = {T}, and alpha = {alpha}.\n"
    "What are the softened distributions p (teacher) and q (student), the divergence K = KL(p || q), the student's "
    f"cross-entropy CE, and the distillation loss {LOSS}?\n"
    "Conventions: natural logarithm; classes numbered from 1; CE uses temperature 1.",
    hint="Divide the logits by T for the soft targets only. Which distribution does the cross-entropy use?",
    mistakes=[
        Mistake(
            "multiplied-by-temperature",
            "p[i] = exp(z_t[i]*T)/sum(m, exp(z_t[m]*T)); q[i] = exp(z_s[i]*T)/sum(m, exp(z_s[m]*T))",
            "You multiplied by the temperature. Divide: the distributions become flatter.",
        ),
        Mistake(
            "not-softened",
            "p[i] = exp(z_t[i])/sum(m, exp(z_t[m])); q[i] = exp(z_s[i])/sum(m, exp(z_s[m]))",
            "You left out the temperature. Divide the logits by T first.",
        ),
        Mistake(
            "direction-reversed",
            "K = sum(i, q[i]*ln(q[i]/p[i]))",
            "You reversed the divergence. KL(p || q) averages ln(p/q) over the teacher's p.",
        ),
        Mistake(
            "softened-cross-entropy",
            "CE = ln(sum(m, exp(z_s[m]/T))) - z_s[y]/T",
            "You softened the student's logits. The cross-entropy with the true class uses temperature 1.",
        ),
        NO_SQUARE,
        WEIGHTS_SWAPPED,
    ],
)
def distillation_logits(rng: Random) -> Inputs:
    """Distillation loss from logits"""
    z_t = [rng.randint(4, 8) / 2, rng.randint(0, 4) / 2, rng.randint(-4, 1) / 2]
    z_s = [rng.randint(2, 6) / 2, rng.randint(0, 4) / 2, rng.randint(-2, 3) / 2]
    order = rng.sample(range(3), 3)
    return dict(
        z_t=[z_t[k] for k in order],
        z_s=[z_s[k] for k in order],
        y=order.index(0) + 1 if rng.random() < 0.7 else rng.randint(1, 3),
        T=rng.choice([2, 3, 4]),
        alpha=rng.choice([0.1, 0.2, 0.3, 0.4, 0.6]),
    )


def _gradient_steps(u: list[float], w: list[float], v: list[float], **_: Any) -> list[Step]:
    return [
        Step(
            "KL(p || q) is the cross-entropy of q with the fixed targets p, up to a constant. With respect to the "
            "softened logit z/T, it has the derivative q - p. Multiply by d(z/T)/dz = 1/T, and by T^2.",
            ["g = T^2*(q - p)/T", "g = T*(q - p)"],
        ),
        Step("Soften both sets of logits.",
             [f"u = {[round(x, 4) for x in u]}", f"w = {[round(x, 4) for x in w]}"]),
        Step("Insert them. The derivatives add up to 0.", [f"v = {[round(x, 4) for x in v]}"]),
    ]  # fmt: skip


@drill(
    DISTILLATION_GRADIENT,
    id="distillation-loss:gradient",
    tier=3,
    asks=(derive("g"), "v"),
    steps=_gradient_steps,
    prompt="A distillation loss has the term T^2 KL(p || q), where p and q are the softmax of the teacher's and of the "
    "student's logits, divided by T.\n"
    "Derive its derivative g with respect to a logit of the student, in terms of p and q of that class, and of T. What "
    "are the derivatives v for the teacher's logits {a}, the student's logits {b}, and T = {t}?\n"
    "Conventions: natural logarithm.",
    hints=(
        "What is the derivative of the cross-entropy of a softmax with respect to its logits?",
        "It is q - p. The logits are z/T, so the chain rule gives a factor 1/T.",
        "First step: write KL(p || q) = -sum p ln q + a constant.",
    ),
    mistakes=[
        Mistake(
            "square-left-out",
            "g = (q - p)/T; v[i] = (w[i] - u[i])/t",
            "You left out T^2. The term is T^2 times the divergence.",
        ),
        Mistake(
            "chain-rule-left-out",
            "g = T^2*(q - p); v[i] = t^2*(w[i] - u[i])",
            "You left out the factor 1/T. The softmax is of z/T.",
        ),
        Mistake("temperature-left-out", "g = q - p; v[i] = w[i] - u[i]", "The factors T^2 and 1/T leave a factor T."),
        Mistake(
            "sign-reversed",
            "g = T*(p - q); v[i] = t*(u[i] - w[i])",
            "The sign is reversed. A student's probability below the teacher's must grow.",
        ),
    ],
)
def distillation_gradient(rng: Random) -> Inputs:
    """Gradient of the distillation loss"""
    a, b = ([rng.randint(-4, 8) / 2 for _ in range(3)] for _ in range(2))
    if len(set(a)) == 1 or a == b:
        raise UndefinedValue("equal logits")
    variables = {"p": [0.05, 0.95], "q": [0.05, 0.95], "T": [0.5, 10]}
    return dict(a=a, b=b, t=rng.choice([2, 3, 4]), variables=variables)


def _program_steps(line: int, bug: str, T: float, printed: float, correct: float, **_: Any) -> list[Step]:
    reasons = {
        "mean": "By default, kl_div divides by the number of all elements. reduction=\"batchmean\" divides by the "
        "batch size, here 1.",
        "no-square": "It leaves out T^2, which makes up for the gradients of the soft targets.",
        "student-not-softened": "It does not divide the student's logits by T.",
    }  # fmt: skip
    return [
        Step(f"Line {line} is wrong. {reasons[bug]}"),
        Step("Insert the numbers as the program has them.", [f"printed = {printed:.6g}"]),
        Step(f"Multiply KL(p || q) of the softened distributions by {T:g}^2.", [f"correct = {correct:.6g}"]),
    ]


@drill(
    DISTILLATION_PROGRAM,
    id="distillation-loss:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_program_steps,
    prompt="This program should print T^2 KL(p || q) for one sample, where p and q are the softened distributions of "
    "teacher and student. It runs, but one line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? What does the program print as it is (printed), "
    "and what does the corrected one print (correct)?\n"
    "Conventions: natural logarithm; the sum over the classes, and the mean over the batch.",
    hints=(
        "Over what does F.kl_div average? Which logits must be divided by T?",
        'F.kl_div(log q, p) averages over all elements, unless reduction="batchmean". The loss is T^2 KL(p || q).',
        "First step: compute both softened distributions by hand.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 6 if line == 7 else 7},
            "That line is correct. Compare each line with T^2 KL(p || q) of the softened distributions.",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda z_t, z_s, T, bug, **_: _term(z_t, z_s, T)},
            "That is the correct value. Insert the numbers as the program has them.",
        ),
        Mistake(
            "direction-reversed",
            {"correct": lambda z_t, z_s, T, bug, **_: _term(z_s, z_t, T)},
            "You reversed the divergence. F.kl_div(log q, p) is KL(p || q).",
        ),
        Mistake(
            "temperature-not-squared",
            {"correct": lambda z_t, z_s, T, bug, **_: _term(z_t, z_s, T) / float(T)},
            "The factor is T^2, not T.",
        ),
    ],
)
def distillation_debug(rng: Random) -> Inputs:
    """A wrong line in a distillation loss"""
    z_t, z_s = ([float(rng.randint(-2, 5)) for _ in range(3)] for _ in range(2))
    if z_t == z_s:
        raise UndefinedValue("equal logits")
    T = rng.choice([2.0, 3.0, 4.0])
    correct = {
        5: "log_q = F.log_softmax(z_s / T, dim=1)",
        6: 'kl = F.kl_div(log_q, p, reduction="batchmean")',
        7: "print((T**2 * kl).item())",
    }
    line, wrong, bug = rng.choice(
        [
            (5, "log_q = F.log_softmax(z_s, dim=1)", "student-not-softened"),
            (6, "kl = F.kl_div(log_q, p)", "mean"),
            (7, "print(kl.item())", "no-square"),
        ]
    )
    lines = {**correct, line: wrong}
    program = f"""
T = {T}
z_t = torch.tensor([{z_t}])
z_s = torch.tensor([{z_s}])
p = F.softmax(z_t / T, dim=1)
{lines[5]}
{lines[6]}
{lines[7]}
""".strip()
    others = {
        5: ["log_q = (z_s / T).log_softmax(dim=1)", "log_q = F.log_softmax(z_s / T, dim=-1)"],
        6: ['kl = F.kl_div(log_q, p, reduction="sum")', 'kl = F.kl_div(log_q, p, reduction="none").sum()'],
        7: ["print((kl * T**2).item())", "print(T**2 * kl.item())", "print((T * T * kl).item())"],
    }
    return dict(z_t=z_t, z_s=z_s, T=T, bug=bug, line=line, fix=[correct[line], *others[line]], program=program)


def _term(z_t: list[Any], z_s: list[Any], T: Any) -> float:
    """Return T^2 KL(p || q) of softened logits."""
    from math import exp, log

    def softmax(z: list[Any]) -> list[float]:
        exponentials = [exp(float(x / T)) for x in z]
        return [x / sum(exponentials) for x in exponentials]

    p, q = softmax(z_t), softmax(z_s)
    return float(T) ** 2 * sum(a * log(a / b) for a, b in zip(p, q, strict=True))
