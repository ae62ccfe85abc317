"""GANs: drills."""

import math
from random import Random
from typing import Any

from quizzes.content.beyond.generative_models.formulas import (
    GAN_BALANCE,
    GAN_BATCH,
    GAN_DISCRIMINATOR,
    GAN_LOGITS,
    GAN_LOSSES,
    GAN_STEP,
    GENERATOR_GRADIENT,
    OPTIMAL_DISCRIMINATOR,
    OPTIMAL_GAUSSIANS,
    OPTIMAL_VALUE,
    WEIGHTED_DISCRIMINATOR,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

OUTPUTS = (
    "What are the discriminator's loss L_D, the generator's non-saturating loss L_G, and its minimax loss L_minimax?\n"
)

LOG = "natural logarithm; the discriminator outputs the probability that a sample is real"


@drill(
    GAN_LOSSES,
    tier=1,
    asks=("L_D", "L_G", "L_minimax"),
    prompt="A discriminator outputs D = {D_real} for a real sample and D = {D_fake} for a generated one.\n"
    + OUTPUTS
    + f"Conventions: {LOG}.",
    hint="Which output should the discriminator give for each sample? Which one would the generator like?",
    mistakes=[
        Mistake(
            "real-and-fake-swapped",
            "L_D = -(ln(D_fake) + ln(1 - D_real))",
            "You swapped the samples. The discriminator wants D near 1 for the real sample, near 0 for the other.",
        ),
        Mistake("one-sample-only", "L_D = -ln(D_real)", "You left out the generated sample. Add -ln(1 - D) for it."),
        Mistake(
            "loss-of-the-real-sample",
            "L_G = -ln(D_real)",
            "You used the output for the real sample. The generator changes only the generated sample.",
        ),
        Mistake(
            "sign-of-minimax",
            "L_minimax = -ln(1 - D_fake)",
            "The sign is reversed. The generator minimizes ln(1 - D), which the discriminator maximizes.",
        ),
        Mistake(
            "base-2",
            "L_D = -(log2(D_real) + log2(1 - D_fake)); L_G = -log2(D_fake); L_minimax = log2(1 - D_fake)",
            "You used the base-2 logarithm. Use the natural one.",
        ),
    ],
)
def gan_losses(rng: Random) -> Inputs:
    """Losses of a GAN"""
    return dict(D_real=rng.randint(11, 19) / 20, D_fake=rng.randint(1, 12) / 20)


@drill(
    GAN_DISCRIMINATOR,
    id="gan-losses:discriminator",
    tier=1,
    asks=one_of("L_D", "D_real", "D_fake"),
    prompt="A discriminator outputs D_real = {D_real} for a real sample and D_fake = {D_fake} for a generated one. Its "
    f"loss on both is L_D = {{L_D}}.\nConventions: {LOG}; the losses of the two samples are added.",
    hint="Write the loss as the negative logarithm of one product. Which factor is unknown?",
    mistakes=[
        Mistake(
            "real-and-fake-swapped",
            "L_D = -(ln(D_fake) + ln(1 - D_real))",
            "You swapped the samples. The discriminator wants D near 1 for the real sample, near 0 for the other.",
        ),
        Mistake(
            "fake-as-real",
            "L_D = -(ln(D_real) + ln(D_fake))",
            "You rewarded D near 1 for the generated sample. Its target is 0, so use ln(1 - D).",
        ),
        Mistake("mean-for-sum", "L_D = -(ln(D_real) + ln(1 - D_fake))/2", "You averaged the two losses. Add them."),
        Mistake(
            "base-2", "L_D = -(log2(D_real) + log2(1 - D_fake))", "You used the base-2 logarithm. Use the natural one."
        ),
    ],
)
def gan_discriminator(rng: Random) -> Inputs:
    """Loss of a discriminator"""
    return dict(D_real=rng.randint(10, 19) / 20, D_fake=rng.randint(1, 9) / 20)


@drill(
    GAN_BATCH,
    id="gan-losses:batch",
    tier=2,
    asks=("L_D", "L_G", "L_minimax"),
    prompt="On a batch, a discriminator outputs {real} for the real samples and {fake} for the generated ones.\n"
    + OUTPUTS
    + f"Conventions: {LOG}; mean over the real and over the generated samples, then the sum of both for L_D.",
    hint="Average the logarithms. Which of the two lists does each loss need?",
    mistakes=[
        Mistake(
            "real-and-fake-swapped",
            "L_D = -(mean(i, ln(1 - real[i])) + mean(j, ln(fake[j])))",
            "You swapped the targets. They are 1 for real and 0 for generated samples.",
        ),
        Mistake(
            "logarithm-of-the-mean",
            "L_D = -(ln(mean(i, real[i])) + ln(1 - mean(j, fake[j]))); L_G = -ln(mean(j, fake[j])); "
            "L_minimax = ln(1 - mean(j, fake[j]))",
            "You averaged the outputs first. Average the logarithms: the loss of each sample counts.",
        ),
        Mistake(
            "sum-for-mean",
            "L_D = -(sum(i, ln(real[i])) + sum(j, ln(1 - fake[j]))); L_G = -sum(j, ln(fake[j])); "
            "L_minimax = sum(j, ln(1 - fake[j]))",
            "You added the losses of the samples. Divide by their number.",
        ),
        Mistake(
            "sign-of-minimax",
            "L_minimax = -mean(j, ln(1 - fake[j]))",
            "The sign is reversed. The generator minimizes ln(1 - D), which the discriminator maximizes.",
        ),
    ],
)
def gan_batch(rng: Random) -> Inputs:
    """Losses of a GAN on a batch"""
    real = [rng.randint(10, 19) / 20 for _ in range(rng.choice([2, 3]))]
    return dict(real=real, fake=[rng.randint(1, 11) / 20 for _ in range(rng.choice([2, 3]))])


@drill(
    GAN_LOGITS,
    id="gan-losses:logits",
    tier=2,
    asks=("L_D", "L_G", "L_minimax"),
    prompt="A discriminator outputs logits: {s_real} for a real sample and {s_fake} for a generated one.\n"
    + OUTPUTS
    + "Conventions: natural logarithm; the probability that a sample is real is the sigmoid of its logit.",
    hint="Turn each logit into a probability first. What is 1 - sigmoid(s)?",
    mistakes=[
        Mistake(
            "real-and-fake-swapped",
            "L_D = softplus(-s_fake) + softplus(s_real)",
            "You swapped the samples. The real one has the target 1, the generated one 0.",
        ),
        Mistake(
            "losses-swapped",
            "L_G = softplus(s_fake)",
            "That is -ln(1 - D). The non-saturating loss is -ln D.",
        ),
        Mistake(
            "sign-of-minimax",
            "L_minimax = softplus(s_fake)",
            "The sign is reversed. The generator minimizes ln(1 - D), which is negative.",
        ),
        Mistake(
            "no-logarithm",
            "L_D = 1 - sigmoid(s_real) + sigmoid(s_fake); L_G = 1 - sigmoid(s_fake)",
            "You used the errors of the probabilities. Take the negative logarithms.",
        ),
    ],
)
def gan_logits(rng: Random) -> Inputs:
    """Losses of a GAN from logits"""
    return dict(s_real=rng.randint(-10, 30) / 10, s_fake=rng.randint(-30, 15) / 10)


def _gradient_steps(s: float, n: float, m: float, **_: Any) -> list[Step]:
    D = 1 / (1 + math.exp(-s))
    return [
        Step(
            "The sigmoid has the derivative D (1 - D). Apply the chain rule.", ["g_ns = -D*(1 - D)/D", "g_ns = D - 1"]
        ),
        Step("The other loss has the inner derivative -1/(1 - D).", ["g_mm = -D*(1 - D)/(1 - D)", "g_mm = -D"]),
        Step("Insert the logit.", [f"D = {D:.4f}", f"n = {n:.4f}", f"m = {m:.4f}"]),
        Step("The gradient of -ln D is the larger one if D is below 1/2, where generated samples are recognized."),
    ]


@drill(
    GENERATOR_GRADIENT,
    id="gan-losses:gradient",
    tier=3,
    asks=(derive("g_ns", in_terms_of="D"), derive("g_mm", in_terms_of="D"), "n", "m", "stronger"),
    steps=_gradient_steps,
    prompt="For a generated sample, the discriminator has the logit s and outputs D = sigmoid(s). The generator can "
    "minimize -ln D or ln(1 - D).\n"
    "Derive the derivatives of the two losses with respect to s (g_ns for -ln D, g_mm for ln(1 - D)). What are they at "
    "s = {s} (n and m)? Which loss has the larger gradient there (stronger)?\n"
    "Conventions: natural logarithm.",
    hints=(
        "Use the chain rule: the loss depends on D, and D on s.",
        "The sigmoid has dD/ds = D (1 - D), and ln has the derivative 1/x.",
        "First step: write d(-ln D)/dD = -1/D and multiply it by D (1 - D).",
    ),
    mistakes=[
        Mistake(
            "stops-at-the-output",
            "g_ns = -1/D; g_mm = -1/(1 - D); n = -1/sigmoid(s); m = -1/(1 - sigmoid(s))",
            "That is the derivative with respect to D. Multiply by dD/ds = D (1 - D).",
        ),
        Mistake(
            "sign-reversed",
            "g_ns = 1 - D; g_mm = D; n = 1 - sigmoid(s); m = sigmoid(s)",
            "The sign is reversed. Both losses fall when the logit grows.",
        ),
        Mistake(
            "losses-swapped",
            "g_ns = -D; g_mm = D - 1; n = -sigmoid(s); m = sigmoid(s) - 1",
            "You swapped the losses. -ln D has the derivative -(1 - D).",
        ),
        Mistake(
            "other-loss",
            "stronger = where(s < 0, 2, 1)",
            "Compare the absolute values. ln(1 - D) is flat where D is near 0.",
        ),
    ],
)
def gan_gradient(rng: Random) -> Inputs:
    """Gradients of the generator's losses"""
    return dict(s=rng.choice([-1, -1, 1]) * rng.randint(3, 45) / 10, variables={"D": [0.05, 0.95]})


def _balance_steps(D_real: float, D_fake: float, L_D: float, ratio: float, **_: Any) -> list[Step]:
    return [
        Step("Add the two cross-entropies.", [f"L_D = -(ln({D_real:g}) + ln(1 - {D_fake:g}))", f"L_D = {L_D:.4f}"]),
        Step(
            "The derivatives with respect to the logit are -(1 - D) and -D.",
            [f"ratio = (1 - {D_fake:g})/{D_fake:g}", f"ratio = {ratio:.4f}"],
        ),
        Step("Compare the two outputs, and L_D with ln 4 = 1.3863, its value if D is 1/2 for every sample."),
    ]


@drill(
    GAN_BALANCE,
    id="gan-losses:balance",
    tier=2,
    asks=("L_D", "ratio", "state"),
    steps=_balance_steps,
    prompt="While a GAN trains, the log shows the discriminator's typical outputs: D = {D_real} for real samples and "
    "D = {D_fake} for generated ones.\n"
    "What is its loss L_D on one sample of each kind? How many times larger is the generator's gradient with -ln D "
    "than with ln(1 - D), with respect to the logit (ratio)? What is the state of the training?\n"
    "Conventions: natural logarithm.",
    hint="With respect to the logit, -ln D has the derivative -(1 - D). What is that of ln(1 - D)?",
    mistakes=[
        Mistake(
            "real-and-fake-swapped",
            "L_D = -(ln(D_fake) + ln(1 - D_real))",
            "You swapped the samples. The real one has the target 1.",
        ),
        Mistake("ratio-inverted", "ratio = D_fake/(1 - D_fake)", "You inverted the ratio. -ln D has 1 - D on top."),
        Mistake(
            "ratio-of-the-losses",
            "ratio = ln(D_fake)/ln(1 - D_fake)",
            "That is the ratio of the losses. Compare their derivatives with respect to the logit.",
        ),
        Mistake(
            "ratio-of-the-outputs",
            "ratio = D_real/D_fake",
            "You compared real and generated samples. Both losses of the generator depend on the generated one.",
        ),
        Mistake(
            "another-state",
            {"state": lambda D_real, D_fake: "balanced" if D_real - D_fake >= 0.5 or D_fake > D_real else "strong"},
            "Compare the outputs: they are far apart, nearly equal, or in the wrong order.",
        ),
    ],
)
def gan_balance(rng: Random) -> Inputs:
    """State of a GAN's training"""
    case = rng.choice(["strong", "balanced", "fooled"])
    if case == "strong":
        return dict(D_real=rng.randint(90, 99) / 100, D_fake=rng.randint(1, 15) / 100)
    if case == "balanced":
        D_fake = rng.randint(42, 52) / 100
        return dict(D_real=round(D_fake + rng.randint(1, 6) / 100, 2), D_fake=D_fake)
    return dict(D_real=rng.randint(20, 45) / 100, D_fake=rng.randint(55, 90) / 100)


def _program_steps(D_real: float, D_fake: float, bug: str, line: int, printed: float, correct: float, **_: Any) -> Any:
    if bug == "generator":
        return [
            Step(
                f"Line {line} gives generated samples the target 0. The generator wants them rated as real: target 1."
            ),
            Step("Insert the wrong target.", [f"printed = -ln(1 - {D_fake:g})", f"printed = {printed:.4f}"]),
            Step("Insert the target 1.", [f"correct = -ln({D_fake:g})", f"correct = {correct:.4f}"]),
        ]
    return [
        Step(f"Line {line} swaps the targets: real samples have the target 1, generated ones 0."),
        Step(
            "Insert the wrong targets.",
            [f"printed = -ln(1 - {D_real:g}) - ln({D_fake:g})", f"printed = {printed:.4f}"],
        ),
        Step(
            "Insert the correct ones.",
            [f"correct = -ln({D_real:g}) - ln(1 - {D_fake:g})", f"correct = {correct:.4f}"],
        ),
    ]


@drill(
    GAN_STEP,
    id="gan-losses:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_program_steps,
    prompt="This program computes the losses of one training step of a GAN, the non-saturating one for the generator. "
    "It runs, but {symptom}. One line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? What is the value of that loss as the program is "
    "(printed), and in the corrected program (correct)?\n"
    "Conventions: natural logarithm.",
    hints=(
        "Which target does each loss have for real and for generated samples?",
        "The discriminator's targets are 1 for real and 0 for generated samples. The generator wants generated samples "
        "to be rated as real.",
        "First step: write each call of bce as -ln D or -ln(1 - D).",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 9 - line},
            "That line is correct. Compare the targets of the two losses with what each network wants.",
        ),
        Mistake(
            "already-correct",
            {
                "printed": lambda D_real, D_fake, bug, **_: (
                    -math.log(D_fake) if bug == "generator" else -math.log(D_real) - math.log(1 - D_fake)
                )
            },
            "That is the correct loss. Insert the targets as the program has them.",
        ),
        Mistake(
            "minimax",
            {
                "correct": lambda D_real, D_fake, bug, **_: (
                    math.log(1 - D_fake) if bug == "generator" else math.log(D_real) + math.log(1 - D_fake)
                )
            },
            "bce returns the negative logarithm, which is never negative.",
        ),
        Mistake(
            "mean-for-sum",
            {
                "correct": lambda D_real, D_fake, bug, **_: (
                    -(math.log(D_real) + math.log(D_fake)) / 2
                    if bug == "generator"
                    else -(math.log(D_real) + math.log(1 - D_fake)) / 2
                )
            },
            "Nothing is averaged over the two kinds of samples.",
        ),
    ],
)
def gan_debug(rng: Random) -> Inputs:
    """Wrong targets in the losses of a GAN"""
    D_real, D_fake = rng.randint(11, 19) / 20, rng.randint(1, 8) / 20
    bug = rng.choice(["generator", "discriminator"])
    correct = {
        "discriminator": "loss_d = bce(d_real, torch.ones(1)) + bce(d_fake, torch.zeros(1))",
        "generator": "loss_g = bce(d_fake, torch.ones(1))",
    }
    wrong = {
        "discriminator": "loss_d = bce(d_real, torch.zeros(1)) + bce(d_fake, torch.ones(1))",
        "generator": "loss_g = bce(d_fake, torch.zeros(1))",
    }
    line = 5 if bug == "generator" else 4
    lines = {**correct, bug: wrong[bug]}
    program = f"""
bce = F.binary_cross_entropy
d_real = torch.tensor([{D_real}])  # output for a real sample
d_fake = torch.tensor([{D_fake}])  # output for a generated sample
{lines["discriminator"]}
{lines["generator"]}
print(loss_d.item(), loss_g.item())
""".strip()
    ones, zeros = "torch.ones_like({})", "torch.zeros_like({})"
    fix = [correct[bug]]
    if bug == "generator":
        fix.append(f"loss_g = bce(d_fake, {ones.format('d_fake')})")
    else:
        fix.append(f"loss_d = bce(d_real, {ones.format('d_real')}) + bce(d_fake, {zeros.format('d_fake')})")
        fix.append("loss_d = bce(d_fake, torch.zeros(1)) + bce(d_real, torch.ones(1))")
    symptom = {
        "generator": "the generated samples become easier to recognize",
        "discriminator": "the discriminator rates real samples as generated",
    }[bug]
    return dict(D_real=D_real, D_fake=D_fake, bug=bug, line=line, fix=fix, program=program, symptom=symptom)


@drill(
    OPTIMAL_DISCRIMINATOR,
    tier=1,
    asks=one_of("D", "p_data", "p_g"),
    prompt="At a point x, the data have the density p_data = {p_data} and the generator has p_g = {p_g}. The optimal "
    "discriminator outputs D = {D} there.",
    hint="Which share of the samples near x is real, if both kinds are equally frequent overall?",
    mistakes=[
        Mistake("generator-on-top", "D = p_g/(p_data + p_g)", "You put p_g on top. D is the probability of real."),
        Mistake("ratio", "D = p_data/p_g", "You divided the densities. Divide by their sum, so that D is at most 1."),
        Mistake("difference", "D = p_data - p_g", "You subtracted the densities. D is the share of real samples."),
        Mistake(
            "half-left-out",
            "D = (p_data + p_g)/2",
            "That is the mean density. D is the share of the data's density in the sum of both.",
        ),
    ],
)
def gan_optimal_d(rng: Random) -> Inputs:
    """Optimal discriminator"""
    p_data, p_g = rng.sample([k / 20 for k in range(1, 25)], 2)
    return dict(p_data=p_data, p_g=p_g)


@drill(
    OPTIMAL_VALUE,
    id="gan-optimal-d:value",
    tier=2,
    asks=("D", "V", "J"),
    visualization="table p q",
    prompt="Data and generator have the probabilities p = {p} and q = {q}.\n"
    "What does the optimal discriminator output for each outcome (D)? What is the value V = E_p[ln D] + E_q[ln(1 - D)] "
    "with it, and the Jensen-Shannon divergence J of p and q?\n"
    "Conventions: natural logarithm; 0 ln 0 = 0.",
    hints=(
        "D is a share of two probabilities. What is V if p = q?",
        "D = p/(p + q) for each outcome, and V = -ln 4 + 2 J.",
        "First step: compute D for the first outcome, p_1/(p_1 + q_1).",
    ),
    mistakes=[
        Mistake("generator-on-top", "D[i] = q[i]/(p[i] + q[i])", "You put q on top. D is the probability of real."),
        Mistake(
            "half-everywhere", "V = -ln(4)", "V = -ln 4 holds only if p = q. Insert the outputs of the discriminator."
        ),
        Mistake(
            "data-only",
            "V = sum(i, where(p[i] > 0, p[i]*ln(D[i]), 0))",
            "You left out the generated samples. Add the sum of q ln(1 - D).",
        ),
        Mistake("half-left-out", "J = V + ln(4)", "V + ln 4 is twice the Jensen-Shannon divergence. Divide by 2."),
        Mistake("bits", "J = (V + ln(4))/(2*ln(2))", "That is in bits. Use the natural logarithm, so nats."),
    ],
)
def gan_optimal_value(rng: Random) -> Inputs:
    """Value at the optimal discriminator"""

    def distribution() -> list[float]:
        cuts = sorted(rng.sample(range(1, 20), 2))
        return [cuts[0] / 20, (cuts[1] - cuts[0]) / 20, (20 - cuts[1]) / 20]

    p, q = distribution(), distribution()
    if rng.random() < 0.2:
        p = [round(p[0] + p[1], 2), 0, p[2]]
    if p == q:
        raise UndefinedValue("equal distributions")
    return dict(p=p, q=q)


@drill(
    OPTIMAL_GAUSSIANS,
    id="gan-optimal-d:gaussians",
    tier=2,
    asks=one_of("D", "x", "v"),
    prompt="The data are normal with mean {m1}, and a generator's samples are normal with mean {m2}. Both have the "
    "variance v = {v}. At x = {x}, the optimal discriminator outputs D = {D}.",
    hints=(
        "D = p/(p + q) is the sigmoid of ln(p/q). What remains of ln(p/q) if the variances are equal?",
        "ln(p/q) = (m1 - m2)(x - (m1 + m2)/2)/v, with the mean m1 of the data and m2 of the generator.",
        "First step: find the point between the means where D is 1/2.",
    ),
    mistakes=[
        Mistake(
            "data-and-generator-swapped",
            "D = sigmoid((m2 - m1)*(x - (m1 + m2)/2)/v)",
            "You swapped data and generator. D is near 1 on the side of the data.",
        ),
        Mistake(
            "half-left-out",
            "D = sigmoid(2*(m1 - m2)*(x - (m1 + m2)/2)/v)",
            "You left out the 1/2 in the exponent of the normal density, (x - m)^2/(2v).",
        ),
        Mistake(
            "deviation-for-variance",
            "D = sigmoid((m1 - m2)*(x - (m1 + m2)/2)/sqrt(v))",
            "You divided by the standard deviation. The exponent has the variance.",
        ),
        Mistake(
            "midpoint-left-out",
            "D = sigmoid((m1 - m2)*x/v)",
            "D is 1/2 in the middle between the means. Measure x from there.",
        ),
    ],
)
def gan_gaussians(rng: Random) -> Inputs:
    """Optimal discriminator of two Gaussians"""
    m1, m2 = rng.sample(range(-2, 4), 2)
    v = rng.choice([0.5, 1.5, 2, 2.5, 3, 4])
    x = round((m1 + m2) / 2 + rng.choice([-1, 1]) * rng.randint(2, 15) / 10, 2)
    return dict(m1=m1, m2=m2, v=v, x=x)


@drill(
    WEIGHTED_DISCRIMINATOR,
    id="gan-optimal-d:weighted",
    tier=3,
    asks=derive("D"),
    prompt="At a point x, the data have the density p and the generator has the density q. {setup}\n"
    "Which output D of the discriminator minimizes the expected cross-entropy at x? Answer in terms of p and q.",
    hints=(
        "Write the expected cross-entropy at x as a function of D. Which terms have ln D, and which ln(1 - D)?",
        "A function -(A ln D + B ln(1 - D)) has its minimum at D = A/(A + B).",
        "First step: collect the factor A of ln D and the factor B of ln(1 - D).",
    ),
    mistakes=[
        Mistake("weights-ignored", "D = t*p/(p + q)", "You ignored the weights. They multiply the two densities."),
        Mistake("weights-swapped", "D = b*t*p/(b*p + a*q)", "You swapped the weights of real and generated samples."),
        Mistake(
            "generator-on-top", "D = b*q/(a*p + b*q)", "You put the generator on top. D is the probability of real."
        ),
        Mistake(
            "smoothing-ignored",
            "D = a*p/(a*p + b*q)",
            "You ignored the smoothed target. A part of the real samples' loss is -ln(1 - D).",
        ),
        Mistake(
            "smoothing-as-weight",
            "D = a*t*p/(a*t*p + b*q)",
            "You lost the rest of the real samples. Their loss has t ln D and (1 - t) ln(1 - D).",
        ),
    ],
)
def gan_weighted(rng: Random) -> Inputs:
    """Optimal discriminator with weights or smoothed targets"""
    variables = {"p": [0.1, 3], "q": [0.1, 3]}
    if rng.random() < 0.5:
        a, b = rng.sample(range(1, 10), 2)
        setup = f"The loss of each real sample (target 1) is multiplied by {a}, that of each generated one by {b}."
        return dict(a=a, b=b, t=1, setup=setup, variables=variables)
    t = rng.randint(14, 19) / 20
    setup = f"Real samples have the target {t} instead of 1 (one-sided label smoothing), generated ones 0."
    return dict(a=1, b=1, t=t, setup=setup, variables=variables)
