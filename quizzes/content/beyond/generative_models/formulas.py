"""GANs and diffusion: formulas."""

import math
from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector, Word
from workbench.errors import UserError

GAN = "Goodfellow et al., Generative Adversarial Nets, 2014 (arXiv:1406.2661)"

DDPM = "Ho, Jain & Abbeel, Denoising Diffusion Probabilistic Models, 2020 (arXiv:2006.11239)"

D_REAL = Real(0, 1, "discriminator's output for the real sample, the probability that it is real")

D_FAKE = Real(0, 1, "discriminator's output for the generated sample, the probability that it is real")

L_D = Real(0, meaning="loss of the discriminator")

L_G = Real(0, meaning="non-saturating loss of the generator, -ln D")

L_MINIMAX = Real(None, 0, "minimax loss of the generator, ln(1 - D)")

LOSS_CONVENTIONS = """
Natural logarithm. The discriminator minimizes L_D, the sum of its cross-entropies
on real and on generated samples. The generator minimizes L_minimax, or L_G, which
has larger gradients while its samples are easy to recognize.
"""


GAN_LOSSES = Formula(
    "gan-losses",
    """
    L_D = -(ln(D_real) + ln(1 - D_fake))
    L_G = -ln(D_fake)
    L_minimax = ln(1 - D_fake)
    """,
    title="Losses of a GAN on one real and one generated sample",
    source=f"{GAN}, section 3",
    conventions=LOSS_CONVENTIONS,
    D_real=D_REAL,
    D_fake=D_FAKE,
    L_D=L_D,
    L_G=L_G,
    L_minimax=L_MINIMAX,
)


GAN_DISCRIMINATOR = Formula(
    "gan-discriminator-loss",
    "L_D = -(ln(D_real) + ln(1 - D_fake))",
    title="Loss of the discriminator",
    source=f"{GAN}, section 3",
    D_real=D_REAL,
    D_fake=D_FAKE,
    L_D=L_D,
)


GAN_BATCH = Formula(
    "gan-losses-batch",
    """
    L_D = -(mean(i, ln(real[i])) + mean(j, ln(1 - fake[j])))
    L_G = -mean(j, ln(fake[j]))
    L_minimax = mean(j, ln(1 - fake[j]))
    """,
    title="Losses of a GAN on a batch",
    source=f"{GAN}, Algorithm 1",
    conventions=LOSS_CONVENTIONS,
    real=Vector(0, 1, "outputs of the discriminator for real samples"),
    fake=Vector(0, 1, "outputs of the discriminator for generated samples"),
    L_D=L_D,
    L_G=L_G,
    L_minimax=L_MINIMAX,
)


GAN_LOGITS = Formula(
    "gan-losses-logits",
    """
    L_D = softplus(-s_real) + softplus(s_fake)
    L_G = softplus(-s_fake)
    L_minimax = -softplus(s_fake)
    """,
    title="Losses of a GAN from logits",
    source="derivation: with D = sigmoid(s), -ln D = softplus(-s) and -ln(1 - D) = softplus(s)",
    conventions=LOSS_CONVENTIONS,
    s_real=Real(-500, 500, "logit of the discriminator for the real sample"),
    s_fake=Real(-500, 500, "logit of the discriminator for the generated sample"),
    L_D=L_D,
    L_G=L_G,
    L_minimax=L_MINIMAX,
)


GENERATOR_GRADIENT = Formula(
    "gan-generator-gradient",
    """
    g_ns = D - 1
    g_mm = -D
    n = sigmoid(s) - 1
    m = -sigmoid(s)
    stronger = where(s < 0, 1, 2)
    """,
    title="Gradients of the generator's two losses with respect to the logit",
    source=f"derivation: D = sigmoid(s) has dD/ds = D (1 - D), so d(-ln D)/ds = -(1 - D) and d ln(1 - D)/ds = -D; "
    f"{GAN}, section 3, on the saturation",
    D=Real(0.05, 0.95, "output of the discriminator for the generated sample"),
    s=Real(-500, 500, "logit of the discriminator for the generated sample"),
    g_ns=Real(meaning="derivative of -ln D with respect to the logit"),
    g_mm=Real(meaning="derivative of ln(1 - D) with respect to the logit"),
    n=Real(meaning="derivative of -ln D at this logit"),
    m=Real(meaning="derivative of ln(1 - D) at this logit"),
    stronger=Choice(
        meaning="loss with the larger gradient (in absolute value) at this logit",
        options=dict(nonsaturating="-ln D", minimax="ln(1 - D)"),
        supported_by="n m",
    ),
)


def _diagnose_balance(D_real: Value, D_fake: Value) -> dict[str, str]:
    if D_fake > D_real:
        return {"state": "fooled"}
    return {"state": "strong" if D_real - D_fake >= Fraction(1, 2) else "balanced"}


GAN_BALANCE = Formula(
    "gan-balance",
    """
    L_D = -(ln(D_real) + ln(1 - D_fake))
    ratio = (1 - D_fake)/D_fake
    """,
    title="Balance of generator and discriminator",
    source="derivation: at D = 1/2 for all samples, L_D = ln 4; the derivatives with respect to the logit are -(1 - D) "
    f"for -ln D and -D for ln(1 - D); {GAN}, section 3",
    procedure=_diagnose_balance,
    procedure_outputs="state",
    D_real=D_REAL,
    D_fake=D_FAKE,
    L_D=L_D,
    ratio=Real(0, meaning="gradient of -ln D divided by that of ln(1 - D), with respect to the logit"),
    state=Choice(
        meaning="state of the training",
        options=dict(
            strong="the discriminator wins, so the minimax loss hardly trains the generator",
            balanced="the discriminator hardly tells real samples from generated ones",
            fooled="the discriminator rates generated samples above real ones",
        ),
        supported_by="L_D ratio",
    ),
)


def _run_gan_step(D_real: Value, D_fake: Value, bug: str, **_: Any) -> dict[str, float]:
    def loss(D: Value, target: int) -> float:
        return -math.log(D if target else 1 - D)

    if bug == "generator":
        return {"printed": loss(D_fake, 0), "correct": loss(D_fake, 1)}
    return {"printed": loss(D_real, 0) + loss(D_fake, 1), "correct": loss(D_real, 1) + loss(D_fake, 0)}


GAN_STEP = Formula(
    "gan-wrong-target",
    "",
    title="GAN losses with a wrong target",
    source="PyTorch documentation, torch.nn.BCELoss: -(y ln x + (1 - y) ln(1 - x)), mean over the batch; "
    f"{GAN}, section 3",
    procedure=_run_gan_step,
    procedure_outputs="printed correct",
    D_real=D_REAL,
    D_fake=D_FAKE,
    bug=Word(words=("generator", "discriminator"), meaning="whose loss is wrong"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected"),
    printed=Real(meaning="value of the wrong loss as the program is"),
    correct=Real(meaning="value of this loss in the corrected program"),
)


OPTIMAL_DISCRIMINATOR = Formula(
    "gan-optimal-d",
    "D = p_data/(p_data + p_g)",
    title="Optimal discriminator",
    source=f"{GAN}, proposition 1",
    p_data=Real(0, 1000, "density of the data at x"),
    p_g=Real(0, 1000, "density of the generator at x"),
    D=Real(0, 1, "output of the optimal discriminator at x"),
)


def _check_distributions(p: list[Value], q: list[Value]) -> dict[str, int]:
    for name, values in (("p", p), ("q", q)):
        if abs(sum(values) - 1) > Fraction(1, 10**6):
            raise UserError(f"{name} must add up to 1, not to {float(sum(values)):g}.")
    return {"outcomes": len(p)}


OPTIMAL_VALUE = Formula(
    "gan-optimal-value",
    """
    D[i] = p[i]/(p[i] + q[i])
    V = sum(i, where(p[i] > 0, p[i]*ln(D[i]), 0) + where(q[i] > 0, q[i]*ln(1 - D[i]), 0))
    J = (V + ln(4))/2
    """,
    title="Value of a GAN at the optimal discriminator, and the Jensen-Shannon divergence",
    source=f"{GAN}, theorem 1: V(D*) = -ln 4 + 2 JSD(p_data, p_g)",
    conventions="Natural logarithm. V = -ln 4 only if both distributions are equal.",
    procedure=_check_distributions,
    procedure_outputs="outcomes",
    p=Vector(0, 1, "probabilities of the data"),
    q=Vector(0, 1, "probabilities of the generator"),
    outcomes=Int(meaning="number of outcomes"),
    D=Vector(0, 1, meaning="outputs of the optimal discriminator"),
    V=Real(meaning="value of the game, E_p[ln D] + E_q[ln(1 - D)]"),
    J=Real(0, meaning="Jensen-Shannon divergence of p and q", unit="nats"),
)


OPTIMAL_GAUSSIANS = Formula(
    "gan-optimal-gaussians",
    "D = sigmoid((m1 - m2)*(x - (m1 + m2)/2)/v)",
    title="Optimal discriminator of two Gaussians with equal variance",
    source="derivation: D = p/(p + q) = sigmoid(ln(p/q)), and ln(p/q) = ((x - m2)^2 - (x - m1)^2)/(2v) is linear in x",
    m1=Real(-1000, 1000, "mean of the data"),
    m2=Real(-1000, 1000, "mean of the generator"),
    v=Real(0.0001, 1000, "variance of both"),
    x=Real(-1000, 1000, "sample"),
    D=Real(0, 1, "output of the optimal discriminator at x"),
)


WEIGHTED_DISCRIMINATOR = Formula(
    "gan-optimal-weighted",
    "D = a*t*p/(a*p + b*q)",
    title="Optimal discriminator with weights and smoothed targets",
    source="derivation: the derivative of a p (t ln D + (1 - t) ln(1 - D)) + b q ln(1 - D) with respect to D is zero "
    "there; Salimans et al., Improved Techniques for Training GANs, 2016 (arXiv:1606.03498), on one-sided label "
    "smoothing",
    a=Real(0.1, 100, "weight of the real samples", default=1),
    b=Real(0.1, 100, "weight of the generated samples", default=1),
    t=Real(0.1, 1, "target of the real samples", default=1),
    p=Real(0.1, 3, "density of the data"),
    q=Real(0.1, 3, "density of the generator"),
    D=Real(0, 1, "output of the optimal discriminator"),
)


BETA = Real(0, 1, "variance beta of the noise that the step adds")

ABAR = Real(0, 1, "alpha-bar, the product of all 1 - beta up to step t")

NOISE = Real(-100, 100, "standard normal noise")

CLEAN = Real(-1000, 1000, "clean sample x_0")

NOISY = Real(-1000, 1000, "noisy sample x_t")

SNR = Real(0, meaning="signal-to-noise ratio alpha-bar/(1 - alpha-bar)")


DIFFUSION_STEP = Formula(
    "diffusion-step",
    "x_t = sqrt(1 - beta)*x_prev + sqrt(beta)*eps",
    title="One step of the forward process of diffusion",
    source=f"{DDPM}, equation 2",
    x_prev=Real(-1000, 1000, "sample before the step"),
    beta=BETA,
    eps=NOISE,
    x_t=NOISY,
)


DIFFUSION_FORWARD = Formula(
    "diffusion-forward",
    """
    abar = prod(s, 1 - beta[s])
    x_t = sqrt(abar)*x0 + sqrt(1 - abar)*eps
    SNR = abar/(1 - abar)
    """,
    title="Forward process of diffusion, all steps at once",
    source=f"{DDPM}, equation 4",
    x0=CLEAN,
    beta=Vector(0, 1, "variances of the noise of steps 1 to t"),
    eps=NOISE,
    abar=ABAR,
    x_t=NOISY,
    SNR=SNR,
)


DIFFUSION_JUMP = Formula(
    "diffusion-closed-form",
    "x_t = sqrt(abar)*x0 + sqrt(1 - abar)*eps",
    title="Closed form of the forward process",
    source=f"{DDPM}, equation 4",
    x0=CLEAN,
    abar=ABAR,
    eps=NOISE,
    x_t=NOISY,
)


DIFFUSION_SNR = Formula(
    "diffusion-snr",
    """
    SNR = abar/(1 - abar)
    dB = 10*log10(SNR)
    """,
    title="Signal-to-noise ratio of diffusion",
    source="Kingma et al., Variational Diffusion Models, 2021 (arXiv:2107.00630): alpha_t^2/sigma_t^2, here with "
    "alpha_t^2 = alpha-bar and sigma_t^2 = 1 - alpha-bar",
    abar=Real(0.000001, 0.999999, ABAR.meaning),
    SNR=SNR,
    dB=Real(meaning="signal-to-noise ratio", unit="dB"),
)


MAX_STEPS = 100_000


def _schedule(T: int, t: int, schedule: str, beta_1: Value, beta_T: Value) -> dict[str, Value]:
    if t > T:
        raise UserError(f"t must be at most T = {T}, not {t}.")
    if schedule == "linear":
        step = (beta_T - beta_1) / Fraction(max(T - 1, 1))
        betas = [float(beta_1 + step * k) for k in range(t)]
    else:

        def signal(k: int) -> float:
            return math.cos((k / T + 0.008) / 1.008 * math.pi / 2) ** 2

        betas = [min(1 - signal(k) / signal(k - 1), 0.999) for k in range(1, t + 1)]
    return {"beta_t": betas[-1], "abar": math.prod(1 - beta for beta in betas)}


DIFFUSION_SCHEDULE = Formula(
    "diffusion-schedule",
    """
    SNR = abar/(1 - abar)
    signal = sqrt(abar)
    noise = sqrt(1 - abar)
    """,
    title="Noise schedule of diffusion: beta, alpha-bar and signal-to-noise ratio of a step",
    source=f"{DDPM}, section 4: linear from 1e-4 to 0.02 over 1000 steps; Nichol & Dhariwal, Improved Denoising "
    "Diffusion Probabilistic Models, 2021 (arXiv:2102.09672), section 3.2: cosine",
    conventions="""
Steps are counted from 1 to T. Linear: beta_t = beta_1 + (beta_T - beta_1)(t - 1)/(T - 1).

Cosine: alpha-bar_t = f(t)/f(0), f(t) = cos^2((t/T + 0.008)/1.008 pi/2), with every
beta at most 0.999; beta_1 and beta_T are not used.
""",
    procedure=_schedule,
    procedure_outputs="beta_t abar",
    T=Int(1, MAX_STEPS, "number of steps", default=1000),
    t=Int(1, MAX_STEPS, "step, from 1"),
    schedule=Word(words=("linear", "cosine"), meaning="schedule", default="linear"),
    beta_1=Real(0, 1, "beta of the first step", default=0.0001),
    beta_T=Real(0, 1, "beta of the last step", default=0.02),
    beta_t=Real(0, 1, "beta of step t"),
    abar=ABAR,
    SNR=SNR,
    signal=Real(0, 1, "factor of x_0 in x_t"),
    noise=Real(0, 1, "standard deviation of the noise in x_t"),
)


LINEAR_SCHEDULE = Formula(
    "diffusion-linear-schedule",
    """
    beta[s] = beta_1 + (beta_T - beta_1)*(s - 1)/(T - 1) for s = 1..t
    beta_t = beta_1 + (beta_T - beta_1)*(t - 1)/(T - 1)
    abar = prod(s, 1 - beta[s])
    SNR = abar/(1 - abar)
    """,
    title="Linear noise schedule of diffusion, step by step",
    source=f"{DDPM}, section 4",
    T=Int(2, 1000, "number of steps"),
    t=Int(1, 1000, "step, from 1"),
    beta_1=Real(0, 1, "beta of the first step"),
    beta_T=Real(0, 1, "beta of the last step"),
    beta=Vector(0, 1, "betas of steps 1 to t"),
    beta_t=Real(0, 1, "beta of step t"),
    abar=ABAR,
    SNR=SNR,
)


DIFFUSION_POSTERIOR = Formula(
    "diffusion-posterior",
    """
    alpha = 1 - beta
    abar = alpha*abar_prev
    x0 = (x_t - sqrt(1 - abar)*eps)/sqrt(abar)
    mu = (sqrt(abar_prev)*beta*x0 + sqrt(alpha)*(1 - abar_prev)*x_t)/(1 - abar)
    v = (1 - abar_prev)*beta/(1 - abar)
    """,
    title="One step of the reverse process: estimate of x_0, mean and variance of the posterior",
    source=f"{DDPM}, equations 6, 7 and 15",
    conventions="v is the posterior variance, beta-tilde. The sample of step t - 1 is mu + sqrt(v) z with "
    "standard normal noise z, without noise in the last step.",
    x_t=NOISY,
    abar_prev=Real(0, 1, "alpha-bar of step t - 1"),
    beta=BETA,
    eps=Real(-100, 100, "noise that the network predicts"),
    alpha=Real(0, 1, "1 - beta"),
    abar=Real(0, 1, "alpha-bar of step t"),
    x0=Real(meaning="estimate of the clean sample x_0"),
    mu=Real(meaning="mean of the sample at step t - 1, given x_t and this x_0"),
    v=Real(0, meaning="variance of the sample at step t - 1, given x_t and x_0"),
)


DIFFUSION_VARIANCE = Formula(
    "diffusion-variance",
    "v = (1 - b)^n*u + 1 - (1 - b)^n",
    title="Variance of a noisy sample after steps with the same beta",
    source="derivation: a step maps the variance v to (1 - b) v + b, because its noise is independent; the distance "
    "from 1 is multiplied by 1 - b in each step",
    n=Int(1, 1000, "number of steps"),
    u=Real(0, 100, "variance of x_0"),
    b=Real(0.05, 0.95, "beta of every step"),
    v=Real(0, meaning="variance of x_n"),
)


def _noisy_moments(beta: list[Value], x0: Value) -> dict[str, tuple[float, float]]:
    """Return mean and variance of x_t for a constant x_0, for a correct program and for each bug."""
    abar, total = math.prod(1 - b for b in beta), sum(beta)
    return {
        "correct": (math.sqrt(abar) * float(x0), float(1 - abar)),
        "signal": (float(abar * x0), float(1 - abar)),
        "last": (math.sqrt(abar) * float(x0), float(beta[-1])),
        "sum": (math.sqrt(max(1 - total, 0)) * float(x0), float(min(total, 1))),
    }


def measured_moments(beta: list[Value], x0: Value, bug: str) -> tuple[float, float]:
    """Return mean and variance that a program with a bug gives, to 4 decimal places."""
    mean, variance = _noisy_moments(beta, x0)[bug]
    return round(mean, 4), round(variance, 4)


def _diagnose_noise(beta: list[Value], x0: Value, mean: Value, variance: Value) -> dict[str, Any]:
    cases = _noisy_moments(beta, x0)
    distance = {bug: abs(m - float(mean)) + abs(v - float(variance)) for bug, (m, v) in cases.items()}
    return {"bug": min(distance, key=lambda bug: distance[bug])}


NOISE_DIAGNOSIS = Formula(
    "diffusion-diagnosis",
    """
    abar = prod(s, 1 - beta[s])
    m = sqrt(abar)*x0
    v = 1 - abar
    """,
    title="Mean and variance of noisy samples, as a test of a program",
    source=f"derivation: x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps, {DDPM}, equation 4, has this mean and variance",
    procedure=_diagnose_noise,
    procedure_outputs="bug",
    beta=Vector(0, 1, "variances of the noise of steps 1 to t"),
    x0=CLEAN,
    mean=Real(-1000, 1000, "measured mean of x_t"),
    variance=Real(0, 1000, "measured variance of x_t"),
    abar=ABAR,
    m=Real(meaning="correct mean of x_t"),
    v=Real(0, meaning="correct variance of x_t"),
    bug=Choice(
        meaning="what the program does",
        options=dict(
            correct="it is correct",
            signal="it multiplies x_0 by alpha-bar, without the square root",
            last="it adds the noise of the last step only",
            sum="it uses 1 minus the sum of all beta for alpha-bar",
        ),
        supported_by="m v",
    ),
)


def _run_noise_program(beta: list[Value], x0: Value, eps: Value, bug: str, **_: Any) -> dict[str, float]:
    abar = math.prod(1 - b for b in beta)
    wrong = 1 - sum(beta) if bug == "sum" else 1 - beta[-1] if bug == "last" else abar
    correct = math.sqrt(abar) * x0 + math.sqrt(1 - abar) * eps
    if bug == "roots":
        return {"printed": float(abar * x0 + (1 - abar) * eps), "correct": float(correct)}
    noise = beta[-1] if bug == "noise" else 1 - wrong
    return {"printed": float(math.sqrt(wrong) * x0 + math.sqrt(noise) * eps), "correct": float(correct)}


NOISE_PROGRAM = Formula(
    "diffusion-wrong-line",
    "",
    title="A forward process of diffusion with a wrong line",
    source=f"{DDPM}, equation 4; PyTorch documentation, torch.cumprod",
    procedure=_run_noise_program,
    procedure_outputs="printed correct",
    beta=Vector(0, 1, "variances of the noise of all steps"),
    x0=CLEAN,
    eps=NOISE,
    bug=Word(words=("sum", "last", "roots", "noise"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(
        meaning="that line, corrected",
        signatures=("torch.cumprod(input, dim)",),
    ),
    printed=Real(meaning="value that the program prints"),
    correct=Real(meaning="value that the corrected program prints"),
)


def choose_schedule(a: list[float], n: list[Value], limit: Value) -> str:
    """Return the name of the schedule with the fewest steps whose alpha-bar is at most a limit."""
    enough = [k for k in range(len(n)) if a[k] <= limit]
    if not enough:
        raise UserError(f"No schedule has an alpha-bar of at most {float(limit):g}. Use more steps or a larger beta.")
    return "ABC"[min(enough, key=lambda k: n[k])]


def _decide_schedule(b: list[Value], n: list[Value], limit: Value) -> dict[str, str]:
    if len(b) != 3 or len(n) != 3:
        raise UserError("diffusion-decision takes b and n of 3 schedules.")
    return {"best": choose_schedule([float(1 - x) ** float(k) for x, k in zip(b, n, strict=True)], n, limit)}


SCHEDULE_DECISION = Formula(
    "diffusion-decision",
    "a[i] = (1 - b[i])^n[i]",
    title="Choice of a schedule with constant beta",
    source="derivation: with the same beta in n steps, alpha-bar = (1 - beta)^n; sampling evaluates the network once "
    "per step",
    procedure=_decide_schedule,
    procedure_outputs="best",
    b=Vector(0, 1, "beta of each schedule"),
    n=Vector(1, 1000, "number of steps of each schedule"),
    limit=Real(0, 1, "largest alpha-bar that is nearly pure noise"),
    a=Vector(0, 1, "alpha-bar of each schedule after its last step"),
    best=Choice(
        meaning="schedule with the fewest steps that ends in nearly pure noise",
        options=dict(A="schedule A", B="schedule B", C="schedule C"),
        supported_by="a",
    ),
)
