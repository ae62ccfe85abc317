"""Checks of the drills about GANs and diffusion."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Normal


def _targets(real: Tensor, fake: Tensor) -> dict[str, Any]:
    """Return the losses of a GAN from the outputs of its discriminator, by binary cross-entropy."""
    ones, zeros = torch.ones_like, torch.zeros_like
    return dict(
        L_D=F.binary_cross_entropy(real, ones(real)) + F.binary_cross_entropy(fake, zeros(fake)),
        L_G=F.binary_cross_entropy(fake, ones(fake)),
        L_minimax=-F.binary_cross_entropy(fake, zeros(fake)),
    )


def gan_losses(D_real: float, D_fake: float) -> dict[str, Any]:
    return _targets(torch.tensor([float(D_real)]), torch.tensor([float(D_fake)]))


def gan_discriminator(D_real: float, D_fake: float) -> Tensor:
    outputs, targets = torch.tensor([float(D_real), float(D_fake)]), torch.tensor([1.0, 0.0])
    return F.binary_cross_entropy(outputs, targets, reduction="sum")


def gan_batch(real: Tensor, fake: Tensor) -> dict[str, Any]:
    return _targets(real, fake)


def gan_logits(s_real: float, s_fake: float) -> dict[str, Any]:
    logits = torch.tensor([float(s_real), float(s_fake)])
    L_D = F.binary_cross_entropy_with_logits(logits, torch.tensor([1.0, 0.0]), reduction="sum")
    as_real, as_fake = (F.binary_cross_entropy_with_logits(logits[1], torch.tensor(y)) for y in (1.0, 0.0))
    return dict(L_D=L_D, L_G=as_real, L_minimax=-as_fake)


def gan_gradient(s: float) -> dict[str, Any]:
    def gradients(logits: Tensor) -> list[Tensor]:
        logits = logits.detach().requires_grad_()
        losses = (
            F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits), reduction="sum"),
            -F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits), reduction="sum"),
        )
        return [torch.autograd.grad(loss, logits)[0] for loss in losses]

    n, m = (gradient[0] for gradient in gradients(torch.tensor([float(s)])))
    D = torch.tensor([0.1, 0.3, 0.45, 0.8])
    g_ns, g_mm = gradients(torch.logit(D))
    return dict(g_ns=g_ns, g_mm=g_mm, D=D, n=n, m=m, stronger=1 if abs(n) > abs(m) else 2)


def gan_balance(D_real: float, D_fake: float) -> dict[str, Any]:
    logit = torch.logit(torch.tensor([float(D_fake)])).requires_grad_()
    nonsaturating = F.binary_cross_entropy_with_logits(logit, torch.ones(1))
    minimax = -F.binary_cross_entropy_with_logits(logit, torch.zeros(1))
    ratio = torch.autograd.grad(nonsaturating, logit)[0] / torch.autograd.grad(minimax, logit)[0]
    gap = D_real - D_fake
    state = "fooled" if gap < 0 else "strong" if gap >= 0.5 else "balanced"
    return dict(L_D=gan_discriminator(D_real, D_fake), ratio=ratio[0], state=state)


def gan_debug(D_real: float, D_fake: float, program: str) -> dict[str, Any]:
    losses = _targets(torch.tensor([float(D_real)]), torch.tensor([float(D_fake)]))
    swapped = _targets(torch.tensor([float(D_fake)]), torch.tensor([float(D_real)]))
    lines = program.splitlines()
    if "zeros" in next(text for text in lines if text.startswith("loss_g")):
        return dict(line=5, printed=-losses["L_minimax"], correct=losses["L_G"])
    return dict(line=4, printed=swapped["L_D"], correct=losses["L_D"])


def gan_optimal_d(p_data: float, p_g: float) -> Tensor:
    # Of samples with these densities, a categorical distribution gives the share of real ones.
    return torch.distributions.Categorical(torch.tensor([float(p_data), float(p_g)])).probs[0]


def gan_optimal_value(p: Tensor, q: Tensor) -> dict[str, Any]:
    D = torch.stack([torch.distributions.Categorical(pair).probs[0] for pair in torch.stack([p, q], 1)])
    V = -F.binary_cross_entropy(D, torch.ones_like(D), weight=p, reduction="sum")
    V -= F.binary_cross_entropy(D, torch.zeros_like(D), weight=q, reduction="sum")
    mixture = ((p + q) / 2).log()
    J = (F.kl_div(mixture, p, reduction="sum") + F.kl_div(mixture, q, reduction="sum")) / 2
    return dict(D=D, V=V, J=J)


def gan_gaussians(m1: float, m2: float, v: float, x: float) -> Tensor:
    scale = torch.tensor(float(v)).sqrt()
    data, generator = (Normal(torch.tensor(float(m)), scale).log_prob(torch.tensor(float(x))) for m in (m1, m2))
    return torch.sigmoid(data - generator)


def gan_weighted(a: float, b: float, t: float) -> dict[str, Any]:
    p, q = torch.tensor([0.4, 1.3, 2.0]), torch.tensor([1.1, 0.6, 2.5])
    s = torch.zeros(3)
    for _ in range(8):  # Newton's method on the expected loss, in the logit
        s = s.detach().requires_grad_()
        loss = F.binary_cross_entropy_with_logits(s, torch.full_like(s, t), weight=a * p, reduction="sum")
        loss = loss + F.binary_cross_entropy_with_logits(s, torch.zeros_like(s), weight=b * q, reduction="sum")
        (slope,) = torch.autograd.grad(loss, s, create_graph=True)
        (curvature,) = torch.autograd.grad(slope.sum(), s)
        s = s - slope / curvature
    return dict(D=torch.sigmoid(s.detach()), p=p, q=q)


def _walk(x0: Tensor, beta: Tensor, noise: Tensor) -> Tensor:
    """Return the sample after all steps, each of which mixes it with its own noise (one row per step)."""
    x = x0
    for b, eps in zip(beta, noise, strict=True):
        x = (1 - b).sqrt() * x + b.sqrt() * eps
    return x


def _moments(x0: float, beta: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of the sample after all steps: the noise enters linearly."""
    noise = torch.zeros(len(beta), requires_grad=True)
    mean = _walk(torch.tensor(float(x0)), beta, noise)
    (factors,) = torch.autograd.grad(mean, noise)
    return mean.detach(), (factors**2).sum()


def diffusion_forward(beta: Tensor, x0: float, eps: float) -> dict[str, Any]:
    mean, variance = _moments(x0, beta)
    return dict(abar=1 - variance, x_t=mean + variance.sqrt() * eps)


def diffusion_step(x_prev: float, beta: float, eps: float) -> Tensor:
    values = torch.tensor([float(x_prev), float(eps)])
    return values @ torch.tensor([1 - beta, float(beta)]).sqrt()


def diffusion_noise(x0: float, abar: float, eps: float) -> Tensor:
    normal = Normal(torch.tensor(abar).sqrt() * x0, torch.tensor(1 - abar).sqrt())
    return normal.loc + normal.scale * eps


def diffusion_snr(abar: float) -> dict[str, Any]:
    SNR = torch.exp(torch.logit(torch.tensor(float(abar))))
    return dict(SNR=SNR, dB=10 * torch.log10(SNR))


def diffusion_schedule(T: int, t: int, beta_1: float, beta_T: float) -> dict[str, Any]:
    beta = torch.linspace(beta_1, beta_T, T)[:t]
    _, variance = _moments(0.0, beta)
    return dict(beta_t=beta[-1], abar=1 - variance, SNR=(1 - variance) / variance)


def diffusion_posterior(x_t: float, abar_prev: float, beta: float, eps: float) -> dict[str, Any]:
    alpha = torch.tensor(1 - beta)
    abar = alpha * abar_prev
    x0 = (x_t - (1 - abar).sqrt() * eps) / abar.sqrt()
    # The samples of steps t - 1 and t are jointly normal, given x_0: condition on x_t.
    before = 1 - abar_prev
    mean = torch.stack([torch.tensor(abar_prev).sqrt() * x0, abar.sqrt() * x0])
    covariance = torch.stack([torch.stack([torch.tensor(before), alpha.sqrt() * before]),
                              torch.stack([alpha.sqrt() * before, alpha * before + beta])])  # fmt: skip
    precision = torch.linalg.inv(covariance)
    mu = mean[0] - precision[0, 1] / precision[0, 0] * (x_t - mean[1])
    return dict(x0=x0, mu=mu, v=1 / precision[0, 0])


def diffusion_variance(n: int, u: float) -> dict[str, Any]:
    b = torch.tensor([0.1, 0.35, 0.6, 0.9])
    v = torch.full_like(b, float(u))
    for _ in range(n):
        v = torch.lerp(v, torch.ones_like(b), b)
    return dict(v=v, b=b)


def diffusion_diagnose(beta: Tensor, x0: float, mean: float, variance: float) -> dict[str, Any]:
    m, v = _moments(x0, beta)

    def is_equal(value: float, expected: Tensor) -> bool:
        return bool(torch.isclose(torch.tensor(float(value)), expected, atol=1e-4, rtol=0))

    if is_equal(mean, m):
        bug = "correct" if is_equal(variance, v) else "last"
    else:
        bug = "signal" if is_equal(variance, v) else "sum"
    return dict(m=m, v=v, bug=bug)


def diffusion_debug(program: str, beta: Tensor, x0: float, eps: float) -> dict[str, Any]:
    lines = program.splitlines()
    correct = diffusion_forward(beta, x0, eps)["x_t"]
    abar = torch.cumprod(1 - beta, dim=0)[-1]
    signal, noise = abar.sqrt(), (1 - abar).sqrt()
    if "cumprod" not in lines[1]:
        wrong = (1 - torch.cumsum(beta, dim=0) if "cumsum" in lines[1] else 1 - beta)[-1]
        return dict(line=2, printed=wrong.sqrt() * x0 + (1 - wrong).sqrt() * eps, correct=correct)
    printed = signal * x0 + beta[-1].sqrt() * eps if "beta" in lines[3] else signal**2 * x0 + noise**2 * eps
    return dict(line=4, printed=printed, correct=correct)


def diffusion_decide(b: Tensor, n: Tensor, limit: float) -> dict[str, Any]:
    a = torch.stack([1 - _moments(0.0, beta.expand(int(steps)))[1] for beta, steps in zip(b, n, strict=True)])
    steps = torch.where(a <= limit, n.double(), torch.inf)
    return dict(a=a, best="ABC"[int(steps.argmin())])
