"""Diffusion: drills."""

import math
from random import Random
from typing import Any

from quizzes.content.beyond.generative_models.formulas import (
    DIFFUSION_FORWARD,
    DIFFUSION_JUMP,
    DIFFUSION_POSTERIOR,
    DIFFUSION_SNR,
    DIFFUSION_STEP,
    DIFFUSION_VARIANCE,
    LINEAR_SCHEDULE,
    NOISE_DIAGNOSIS,
    NOISE_PROGRAM,
    SCHEDULE_DECISION,
    choose_schedule,
    measured_moments,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

BETAS = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3]


def _noise(rng: Random) -> float:
    return rng.choice([-1.5, -1.2, -1, -0.8, -0.5, 0.4, 0.6, 0.9, 1.2, 1.4])


def _clean(rng: Random) -> float:
    return rng.choice([-2, -1.5, -1, -0.5, 0.5, 0.8, 1, 1.5, 2])


@drill(
    DIFFUSION_FORWARD,
    tier=2,
    asks=("abar", "x_t"),
    prompt="The forward process of a diffusion model has the noise variances beta = {beta} in its steps 1 to t. The "
    "clean sample is x_0 = {x0}.\n"
    "What is alpha-bar (abar) after these steps? What is the noisy sample x_t if the closed form is used with the "
    "noise eps = {eps}?",
    hint="Each step keeps a part of the variance of the signal. Are these parts added or multiplied?",
    mistakes=[
        Mistake("betas-added", "abar = 1 - sum(s, beta[s])", "You added the betas. Multiply the factors 1 - beta."),
        Mistake(
            "betas-multiplied", "abar = prod(s, beta[s])", "You multiplied the betas. Multiply the factors 1 - beta."
        ),
        Mistake("no-roots", "x_t = abar*x0 + (1 - abar)*eps", "You left out both square roots."),
        Mistake(
            "root-of-the-signal-left-out",
            "x_t = abar*x0 + sqrt(1 - abar)*eps",
            "You multiplied x_0 by alpha-bar. Use its square root, so that the variances add up to 1.",
        ),
        Mistake(
            "noise-of-the-last-step",
            "x_t = sqrt(abar)*x0 + sqrt(beta[len(beta)])*eps",
            "You used the noise of the last step. The noise of all steps together has the variance 1 - alpha-bar.",
        ),
    ],
)
def diffusion_forward(rng: Random) -> Inputs:
    """Forward process of diffusion"""
    return dict(beta=sorted(rng.sample(BETAS, rng.choice([2, 3]))), x0=_clean(rng), eps=_noise(rng))


@drill(
    DIFFUSION_STEP,
    id="diffusion-forward:step",
    tier=1,
    asks=one_of("x_t", "x_prev", "eps"),
    prompt="One step of the forward process of a diffusion model has beta = {beta}. It turns x_prev = {x_prev} into "
    "x_t = {x_t} with the standard normal noise eps = {eps}.",
    hint="Which variances do signal and noise have after the step, if x_prev has the variance 1?",
    mistakes=[
        Mistake("no-roots", "x_t = (1 - beta)*x_prev + beta*eps", "You left out both square roots."),
        Mistake(
            "signal-not-scaled",
            "x_t = x_prev + sqrt(beta)*eps",
            "You did not shrink the signal. Its factor sqrt(1 - beta) keeps the variance at 1.",
        ),
        Mistake(
            "factors-swapped",
            "x_t = sqrt(beta)*x_prev + sqrt(1 - beta)*eps",
            "You swapped the factors. beta is the variance of the noise.",
        ),
        Mistake(
            "root-of-the-noise-left-out",
            "x_t = sqrt(1 - beta)*x_prev + beta*eps",
            "beta is the variance of the noise. Multiply eps by its square root.",
        ),
    ],
)
def diffusion_step(rng: Random) -> Inputs:
    """One step of the forward process"""
    return dict(x_prev=_clean(rng), beta=rng.choice([0.02, *BETAS, 0.36]), eps=_noise(rng))


@drill(
    DIFFUSION_JUMP,
    id="diffusion-forward:noise",
    tier=1,
    asks=one_of("x0", "eps", "x_t"),
    prompt="A diffusion model has alpha-bar = {abar} at step t. The clean sample is x0 = {x0}, the noisy sample is "
    "x_t = {x_t}, and the noise is eps = {eps}.",
    hint="The closed form adds two terms. Which factors do the clean sample and the noise have?",
    mistakes=[
        Mistake("no-roots", "x_t = abar*x0 + (1 - abar)*eps", "You left out both square roots."),
        Mistake(
            "factors-swapped",
            "x_t = sqrt(1 - abar)*x0 + sqrt(abar)*eps",
            "You swapped the factors. alpha-bar belongs to the clean sample.",
        ),
        Mistake(
            "factors-add-to-1",
            "x_t = sqrt(abar)*x0 + (1 - sqrt(abar))*eps",
            "The squares of the factors add up to 1, so the noise has the factor sqrt(1 - alpha-bar).",
        ),
        Mistake(
            "sign-of-the-noise",
            "x_t = sqrt(abar)*x0 - sqrt(1 - abar)*eps",
            "The sign is reversed. The forward process adds the noise.",
        ),
    ],
)
def diffusion_noise(rng: Random) -> Inputs:
    """Clean sample, noisy sample and noise"""
    abar = rng.choice([0.04, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    return dict(x0=_clean(rng), abar=abar, eps=_noise(rng))


@drill(
    DIFFUSION_SNR,
    id="diffusion-forward:snr",
    tier=1,
    asks=one_of("SNR", "dB", "abar"),
    prompt="At some step, a diffusion model with unit-variance data has alpha-bar abar = {abar}. The signal-to-noise "
    "ratio is SNR = {SNR}, in decibels dB = {dB}.\n"
    "Conventions: a ratio of variances.",
    hint="Which variances do signal and noise have in x_t?",
    mistakes=[
        Mistake(
            "ratio-of-deviations",
            "SNR = sqrt(abar/(1 - abar)); dB = 5*log10(abar/(1 - abar))",
            "You divided the standard deviations. The ratio is one of variances.",
        ),
        Mistake("inverted", "SNR = (1 - abar)/abar; dB = 10*log10((1 - abar)/abar)", "You inverted the ratio."),
        Mistake(
            "noise-of-variance-1",
            "SNR = abar; dB = 10*log10(abar)",
            "The noise in x_t has the variance 1 - alpha-bar.",
        ),
        Mistake("factor-20", "dB = 20*log10(SNR)", "20 is for amplitudes. A ratio of variances has the factor 10."),
        Mistake("natural-logarithm", "dB = 10*ln(SNR)", "Decibels use the base-10 logarithm."),
    ],
    digits={"SNR": 4},
)
def diffusion_snr(rng: Random) -> Inputs:
    """Signal-to-noise ratio of diffusion"""
    return dict(abar=rng.choice([k for k in range(2, 99) if k != 50]) / 100)


@drill(
    LINEAR_SCHEDULE,
    id="diffusion-forward:schedule",
    tier=2,
    asks=("beta_t", "abar", "SNR"),
    prompt="A diffusion model has T = {T} steps with a linear schedule: beta grows from {beta_1} in step 1 to {beta_T} "
    "in step {T}.\n"
    "What are beta_t, alpha-bar (abar) and the signal-to-noise ratio (SNR, of variances) of step t = {t}?",
    hints=(
        "In how many equal increments does beta grow? How many of them lie before step t?",
        "beta_t = beta_1 + (beta_T - beta_1)(t - 1)/(T - 1), and alpha-bar is the product of 1 - beta of steps 1 to t.",
        "First step: divide the growth of beta by T - 1.",
    ),
    mistakes=[
        Mistake(
            "counted-from-0",
            "beta_t = beta_1 + (beta_T - beta_1)*t/T",
            "You divided by T. From step 1 to step T, there are T - 1 increments, t - 1 of them up to step t.",
        ),
        Mistake("betas-added", "abar = 1 - sum(s, beta[s])", "You added the betas. Multiply the factors 1 - beta."),
        Mistake(
            "last-step-only", "abar = 1 - beta_t", "That is alpha of step t. Multiply the factors of all steps up to t."
        ),
        Mistake(
            "constant-beta",
            "abar = (1 - beta_t)^t",
            "You used beta_t in every step. The earlier steps have smaller betas.",
        ),
        Mistake("inverted", "SNR = (1 - abar)/abar", "You inverted the ratio. The signal has the variance alpha-bar."),
    ],
)
def diffusion_schedule(rng: Random) -> Inputs:
    """Linear noise schedule"""
    T = rng.choice([4, 5, 6, 8, 10])
    start, increment = rng.choice([0.01, 0.02, 0.05, 0.1]), rng.choice([0.01, 0.02, 0.03, 0.05])
    return dict(T=T, t=rng.randint(2, 4), beta_1=start, beta_T=round(start + increment * (T - 1), 2))


@drill(
    DIFFUSION_POSTERIOR,
    id="diffusion-forward:posterior",
    tier=3,
    asks=("x0", "mu", "v"),
    prompt="A DDPM removes noise from x_t = {x_t}. Step t has beta = {beta}, and alpha-bar is {abar_prev} at step t - "
    "1. The network predicts the noise eps = {eps}.\n"
    "What is the estimate of the clean sample (x0)? What are the mean (mu) and the variance (v) of the posterior of "
    "x at step t - 1, given x_t and this estimate?",
    hints=(
        "Solve the closed form of the forward process for x_0. Which two samples does the mean combine?",
        "mu = (sqrt(abar_prev) beta x_0 + sqrt(1 - beta) (1 - abar_prev) x_t)/(1 - abar), and the variance is "
        "(1 - abar_prev) beta/(1 - abar), where abar = (1 - beta) abar_prev.",
        "First step: compute alpha-bar of step t, (1 - beta) times alpha-bar of step t - 1.",
    ),
    mistakes=[
        Mistake(
            "previous-alpha-bar",
            "x0 = (x_t - sqrt(1 - abar_prev)*eps)/sqrt(abar_prev)",
            "You used alpha-bar of step t - 1. x_t has that of step t, (1 - beta) times it.",
        ),
        Mistake("root-left-out", "x0 = (x_t - (1 - abar)*eps)/abar", "You left out the square roots."),
        Mistake(
            "step-inverted",
            "mu = (x_t - sqrt(beta)*eps)/sqrt(alpha)",
            "You inverted one step of the forward process. eps is the noise of all steps together.",
        ),
        Mistake("weights-swapped", "mu = (sqrt(abar_prev)*beta*x_t + sqrt(alpha)*(1 - abar_prev)*x0)/(1 - abar)",
                "You swapped the weights. With a small beta, the result is close to x_t."),
        Mistake(
            "forward-variance", "v = beta", "That is the variance of a forward step. Knowing x_0 makes it smaller."
        ),
        Mistake(
            "variance-inverted",
            "v = (1 - abar)*beta/(1 - abar_prev)",
            "You inverted the factor. The posterior variance is smaller than beta.",
        ),
    ],
)  # fmt: skip
def diffusion_posterior(rng: Random) -> Inputs:
    """A reverse step of DDPM"""
    return dict(
        x_t=_clean(rng),
        abar_prev=rng.choice([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        beta=rng.choice([0.05, 0.1, 0.2, 0.25]),
        eps=_noise(rng),
    )


@drill(
    DIFFUSION_VARIANCE,
    id="diffusion-forward:variance",
    tier=3,
    asks=derive("v", in_terms_of="b"),
    prompt="The forward process of a diffusion model takes {n} steps, all with the same beta = b. The clean samples "
    "have the variance {u}.\n"
    "Derive the variance v of the samples after these steps, in terms of b.",
    hints=(
        "What does one step do to a variance? The noise is independent of the sample.",
        "A step maps the variance v to (1 - b) v + b. Its distance from 1 is multiplied by 1 - b.",
        "First step: apply it to the variance of the clean samples, and expand.",
    ),
    mistakes=[
        Mistake(
            "noise-not-shrunk",
            "v = (1 - b)^n*u + n*b",
            "You added the noise of all steps. Later steps shrink the noise of the earlier ones, too.",
        ),
        Mistake(
            "last-noise-only",
            "v = (1 - b)^n*u + b",
            "You kept the noise of the last step only. The earlier steps added noise, too.",
        ),
        Mistake(
            "factor-not-squared",
            "v = (1 - b)^(n/2)*u + 1 - (1 - b)^n",
            "A sample is multiplied by sqrt(1 - b), so its variance by 1 - b.",
        ),
        Mistake(
            "signal-left-out",
            "v = 1 - (1 - b)^n",
            "That is the variance of the noise. Add that of the shrunk samples.",
        ),
    ],
)
def diffusion_variance(rng: Random) -> Inputs:
    """Variance after several steps"""
    return dict(
        n=rng.choice([2, 3, 4, 5, 6]), u=rng.choice([0.1, 0.25, 0.4, 0.5, 2, 3, 4, 5]), variables={"b": [0.05, 0.95]}
    )


def _diagnosis_steps(abar: float, m: float, v: float, bug: str, mean: float, variance: float, **_: Any) -> list[Step]:
    reason = {
        "correct": "Both measured values agree with these.",
        "signal": f"The mean {mean:g} is alpha-bar times x_0. The variance agrees.",
        "last": f"The variance {variance:g} is beta of the last step. The mean agrees.",
        "sum": f"The variance {variance:g} is the sum of the betas.",
    }
    return [
        Step("Multiply the factors 1 - beta.", [f"abar = {abar:.6g}"]),
        Step("Mean and variance follow from the closed form.", [f"m = {m:.4f}", f"v = {v:.4f}"]),
        Step(reason[bug]),
    ]


@drill(
    NOISE_DIAGNOSIS,
    id="diffusion-forward:diagnose",
    tier=3,
    asks=("m", "v", "bug"),
    steps=_diagnosis_steps,
    prompt="To test a diffusion model's forward process, a million noisy samples are made of the constant x_0 = {x0} "
    "with beta = {beta} in steps 1 to t. They have the mean {mean} and the variance {variance}.\n"
    "Which mean (m) and variance (v) should they have? What does the program do (bug)?",
    hint="x_0 is constant, so the noise alone has a variance. Which mean and variance does the closed form give?",
    mistakes=[
        Mistake(
            "root-left-out",
            "m = abar*x0",
            "You multiplied x_0 by alpha-bar. Its factor is the square root of alpha-bar.",
        ),
        Mistake(
            "betas-added",
            {"v": lambda beta, **_: float(sum(beta))},
            "You added the betas. Later steps shrink the noise of earlier ones, so it is 1 - alpha-bar.",
        ),
        Mistake("deviation", "v = sqrt(1 - abar)", "That is the standard deviation. The variance is 1 - alpha-bar."),
        Mistake(
            "another-problem",
            {"bug": lambda beta, x0, mean, variance: "sum" if abs(variance - float(sum(beta))) > 1e-3 else "last"},
            "Compare both measured values with m and v, and with what each wrong program gives.",
        ),
    ],
)
def diffusion_diagnose(rng: Random) -> Inputs:
    """Wrong noisy samples"""
    beta, x0 = sorted(rng.sample(BETAS, rng.choice([2, 3]))), rng.choice([-3, -2, 1, 2, 3, 4, 5])
    mean, variance = measured_moments(beta, x0, rng.choice(["correct", "signal", "last", "sum"]))
    if sum(beta) > 0.7:
        raise UndefinedValue("hardly any signal would remain")
    return dict(beta=beta, x0=x0, mean=mean, variance=variance)


def _noise_program_steps(
    beta: list[float], x0: float, eps: float, line: int, bug: str, printed: float, correct: float, **_: Any
) -> list[Step]:
    abar = math.prod(1 - b for b in beta)
    wrong: dict[str, tuple[str, float]] = {
        "sum": ("It adds the betas. alpha-bar is the product of 1 - beta.", 1 - sum(beta)),
        "last": ("It uses 1 - beta of the step alone. alpha-bar is the product over all steps so far.", 1 - beta[-1]),
        "roots": ("It leaves out the square roots, so the variances don't add up to 1.", abar),
        "noise": ("It adds the noise of the last step only. The noise of all steps has variance 1 - alpha-bar.", abar),
    }
    reason, value = wrong[bug]
    return [
        Step(f"Line {line} is wrong. {reason}"),
        Step(
            f"As the program is, abar[t] = {value:.6g}. Insert it into the line that defines x_t.",
            [f"printed = {printed:.4f}"],
        ),
        Step(
            "Insert the correct alpha-bar and the square roots.",
            [f"abar = {abar:.6g}", f"correct = sqrt({abar:.6g})*({x0:g}) + sqrt(1 - {abar:.6g})*({eps:g})",
             f"correct = {correct:.4f}"],
        ),
    ]  # fmt: skip


@drill(
    NOISE_PROGRAM,
    id="diffusion-forward:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_noise_program_steps,
    prompt="This program should jump from x_0 to the last step of the forward process of a diffusion model. It runs, "
    "but one line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? What does the program print as it is (printed), "
    "and what does the corrected one print (correct)?",
    hints=(
        "What should abar[t] be, and which factors have x_0 and the noise in the closed form?",
        "alpha-bar is the product of all 1 - beta so far, and x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps.",
        "First step: compute alpha-bar of the last step by hand, and compare it with the program's.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 6 - line},
            "That line is correct. Compare each line with the closed form.",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda beta, x0, eps, bug, **_: _jump(beta, x0, eps)},
            "That is the correct value. Insert the numbers as the program computes them.",
        ),
        Mistake(
            "deviations-added",
            {"correct": lambda beta, x0, eps, bug, **_: _weighted(beta, x0, eps)},
            "The squares of the two factors add up to 1, so the noise has the factor sqrt(1 - alpha-bar).",
        ),
        Mistake(
            "signal-only",
            {"correct": lambda beta, x0, eps, bug, **_: math.sqrt(math.prod(1 - b for b in beta)) * float(x0)},
            "You left out the noise. Add sqrt(1 - alpha-bar) eps.",
        ),
    ],
)
def diffusion_debug(rng: Random) -> Inputs:
    """A wrong line in the forward process"""
    beta, x0, eps = sorted(rng.sample(BETAS, 3)), float(_clean(rng)), float(_noise(rng))
    if sum(beta) > 0.65:
        raise UndefinedValue("hardly any signal would remain")
    bug = rng.choice(["sum", "last", "roots", "noise"])
    correct = {2: "abar = torch.cumprod(1 - beta, dim=0)", 4: "x_t = abar[t].sqrt() * x0 + (1 - abar[t]).sqrt() * eps"}
    line, wrong = {
        "sum": (2, "abar = 1 - torch.cumsum(beta, dim=0)"),
        "last": (2, "abar = 1 - beta"),
        "roots": (4, "x_t = abar[t] * x0 + (1 - abar[t]) * eps"),
        "noise": (4, "x_t = abar[t].sqrt() * x0 + beta[t].sqrt() * eps"),
    }[bug]
    lines = {**correct, line: wrong}
    program = f"""
beta = torch.tensor({beta})
{lines[2]}
x0, eps, t = {x0}, {eps}, 2  # t counts from 0
{lines[4]}
print(x_t.item())
""".strip()
    fix = [correct[line]]
    if line == 2:
        fix += ["abar = (1 - beta).cumprod(dim=0)", "abar = (1 - beta).cumprod(0)"]
    else:
        fix += [
            "x_t = torch.sqrt(abar[t]) * x0 + torch.sqrt(1 - abar[t]) * eps",
            "x_t = abar[t]**0.5 * x0 + (1 - abar[t])**0.5 * eps",
        ]
    return dict(beta=beta, x0=x0, eps=eps, bug=bug, line=line, fix=fix, program=program)


def _jump(beta: list[Any], x0: Any, eps: Any) -> float:
    """Return the noisy sample by the closed form."""
    abar = math.prod(float(1 - b) for b in beta)
    return math.sqrt(abar) * float(x0) + math.sqrt(1 - abar) * float(eps)


def _weighted(beta: list[Any], x0: Any, eps: Any) -> float:
    """Return a mean of sample and noise whose factors, not their squares, add up to 1."""
    signal = math.sqrt(math.prod(float(1 - b) for b in beta))
    return signal * float(x0) + (1 - signal) * float(eps)


def _fewest(b: list[Any], n: list[Any], limit: Any) -> str:
    return "ABC"[n.index(min(n))]


def _smallest(b: list[Any], n: list[Any], limit: Any) -> str:
    values = [float(1 - x) ** float(k) for x, k in zip(b, n, strict=True)]
    return "ABC"[values.index(min(values))]


def _decision_steps(b: list[float], n: list[int], a: list[float], limit: float, best: str, **_: Any) -> list[Step]:
    lines = [f"a[{k}] = (1 - {x:g})^{m}" for k, (x, m) in enumerate(zip(b, n, strict=True), 1)]
    return [
        Step("Raise 1 - beta to the power of the number of steps.", lines),
        Step("That gives the values:", [f"a = {[round(value, 4) for value in a]}"]),
        Step(f"Of the schedules with a[i] <= {limit:g}, choose the one with the fewest steps: schedule {best}."),
    ]


@drill(
    SCHEDULE_DECISION,
    id="diffusion-forward:decide",
    tier=2,
    asks=("a", "best"),
    steps=_decision_steps,
    prompt="Three noise schedules A, B and C have a constant beta of {b} and take {n} steps. Sampling starts from pure "
    "noise, so alpha-bar should be at most {limit} after the last step, and every step costs an evaluation of the "
    "network.\n"
    "What is alpha-bar of the three schedules after their last step (a)? Which schedule fits with the fewest steps?",
    hint="Each step multiplies alpha-bar by 1 - beta. What remains after n steps?",
    mistakes=[
        Mistake("linear", "a[i] = max(0, 1 - n[i]*b[i])", "You subtracted beta n times. Multiply by 1 - beta n times."),
        Mistake("root", "a[i] = (1 - b[i])^(n[i]/2)", "That is the factor of x_0, the square root of alpha-bar."),
        Mistake("noise-share", "a[i] = 1 - (1 - b[i])^n[i]", "That is the variance of the noise, 1 - alpha-bar."),
        Mistake("fewest-steps", {"best": _fewest}, "That schedule leaves too much of the signal."),
        Mistake("smallest-value", {"best": _smallest}, "That schedule fits, but another one needs fewer steps."),
    ],
)
def diffusion_decide(rng: Random) -> Inputs:
    """Choice of a noise schedule"""
    limit = rng.choice([0.01, 0.02, 0.05])
    b = rng.sample([0.02, 0.04, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3], 3)
    n = rng.sample([8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90], 3)
    a = [(1 - x) ** k for x, k in zip(b, n, strict=True)]
    if min(a) > limit or any(abs(value - limit) < 0.002 for value in a):
        raise UndefinedValue("no schedule fits, or one is too close to the limit")
    if choose_schedule(a, n, limit) in (_fewest(b, n, limit), _smallest(b, n, limit)):
        raise UndefinedValue("a shortcut finds the schedule")
    return dict(b=b, n=n, limit=limit)
