"""Checks of the drills about variational autoencoders."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Normal, kl_divergence


def vae_kl(mu: Tensor, s2: Tensor) -> Tensor:
    return kl_divergence(Normal(mu, s2.sqrt()), Normal(0.0, 1.0)).sum()


def vae_kl_logvar(mu: Tensor, logvar: Tensor) -> dict[str, Any]:
    d = kl_divergence(Normal(mu, logvar.exp().sqrt()), Normal(0.0, 1.0))
    return dict(d=d, K=d.sum())


def vae_kl_one(mu: float, s2: float) -> Tensor:
    return kl_divergence(Normal(torch.tensor(float(mu)), torch.tensor(float(s2)).sqrt()), Normal(0.0, 1.0))


def vae_reparam(mu: Tensor, logvar: Tensor, eps: Tensor) -> dict[str, Any]:
    distribution = Normal(mu, logvar.exp().sqrt())
    probability = Normal(0.0, 1.0).cdf(eps)  # z is the quantile of the same probability
    return dict(sigma=distribution.stddev, z=distribution.icdf(probability))


def vae_reparam_one(mu: float, logvar: float, eps: float) -> Tensor:
    sigma = torch.tensor(float(logvar)).exp().sqrt()
    return torch.addcmul(torch.tensor(float(mu)), sigma, torch.tensor(float(eps)))


def vae_reparam_gradient(logvar: Tensor, eps: Tensor, g: Tensor) -> dict[str, Any]:
    mu = torch.zeros_like(logvar, requires_grad=True)
    logvar.requires_grad_()
    z = torch.addcmul(mu, logvar.exp().sqrt(), eps)
    g_mu, g_logvar = torch.autograd.grad(z, (mu, logvar), grad_outputs=g)
    return dict(g_mu=g_mu, g_logvar=g_logvar)


def elbo(rec: float, K: float, beta: float) -> Tensor:
    return torch.add(torch.tensor(float(rec)), torch.tensor(float(K)), alpha=beta)


def elbo_bernoulli(x: Tensor, p: Tensor, mu: Tensor, logvar: Tensor) -> dict[str, Any]:
    rec = F.binary_cross_entropy(p, x, reduction="sum")
    K = kl_divergence(Normal(mu, logvar.exp().sqrt()), Normal(0.0, 1.0)).sum()
    return dict(rec=rec, K=K, L=rec + K)


def vae_linear_optimum(h: float, beta: float) -> dict[str, Any]:
    w, x = torch.linspace(0.3, 2.9, 8), torch.tensor([2.0, -1.5, 0.7, -2.8, 1.1, 2.9, -0.4, -2.2])
    mu, log_sigma = (torch.zeros(8, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.LBFGS([mu, log_sigma], max_iter=500, tolerance_grad=1e-13, tolerance_change=1e-16,
                                  line_search_fn="strong_wolfe")  # fmt: skip

    def loss() -> Tensor:
        optimizer.zero_grad()
        sigma = log_sigma.exp()
        # The mean of a square over a Gaussian is its mean over the two points mu - sigma and mu + sigma.
        squares = [F.mse_loss(w * z, x, reduction="sum") for z in (mu - sigma, mu + sigma)]
        total: Tensor = h * sum(squares) / 2 + beta * kl_divergence(Normal(mu, sigma), Normal(0.0, 1.0)).sum()
        total.backward()
        return total

    for _ in range(5):
        optimizer.step(loss)
    return dict(mu=mu.detach(), s2=(2 * log_sigma).exp().detach(), w=w, x=x)


def vae_collapse_log(m2: Tensor, s2: Tensor) -> dict[str, Any]:
    # A batch of two samples with means of both signs has these moments.
    means = torch.stack([m2.sqrt(), -m2.sqrt()])
    d = kl_divergence(Normal(means, s2.sqrt()), Normal(0.0, 1.0)).mean(dim=0)
    collapsed = [f"d{k}" for k, value in enumerate(d.tolist(), 1) if value < 0.01]
    problem = "weak" if not collapsed else "ignored" if len(collapsed) == len(d) else "strong"
    return dict(collapsed=collapsed or ["none"], K=d.sum(), problem=problem)


def debug_elbo_reduction(B: int, D: int, d: int, o: float, m: float, program: str) -> dict[str, Any]:
    from fractions import Fraction

    x, mu, logvar = torch.zeros(B, D), torch.full((B, d), float(m)), torch.zeros(B, d)
    line = next(k for k, text in enumerate(program.splitlines(), 1) if "(xhat, x)" in text or "kl.mean()" in text)
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp())
    summed = F.mse_loss(x + o, x, reduction="sum") / B
    correct = summed + kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(1).mean()
    if line == 2:
        mean = F.mse_loss(x + o, x)
        return dict(line=line, printed=mean + kl.sum(1).mean(), correct=correct, beta=str(round(float(summed / mean))))
    ratio = float(kl.mean() / kl.sum(1).mean())
    return dict(
        line=line, printed=summed + kl.mean(), correct=correct, beta=str(Fraction(ratio).limit_denominator(1000))
    )


def chain_vae_step(x: float, a: float, logvar: float, eps: float, c: float) -> dict[str, Any]:
    weight, logarithm, decoder = (torch.tensor(float(value), requires_grad=True) for value in (a, logvar, c))
    posterior = Normal(weight * x, logarithm.exp().sqrt())
    z = posterior.loc + posterior.scale * eps
    x_hat = decoder * z
    K = kl_divergence(posterior, Normal(0.0, 1.0))
    loss = F.mse_loss(x_hat, torch.tensor(float(x))) + K
    g_c, g_a, g_logvar = torch.autograd.grad(loss, (decoder, weight, logarithm))
    return dict(z=z, x_hat=x_hat, K=K, g_c=g_c, g_a=g_a, g_logvar=g_logvar)
