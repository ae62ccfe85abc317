"""Checks of the drills about triplets, InfoNCE, CLIP and distillation."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def _margin_loss(d_ap: Tensor, d_an: Tensor, m: float) -> Tensor:
    """Return the triplet loss of each pair of distances."""
    return F.margin_ranking_loss(d_an, d_ap, torch.ones_like(d_ap), margin=float(m), reduction="none")


def triplet_infonce(d_ap: float, d_an: float, m: float) -> Tensor:
    return _margin_loss(torch.tensor([float(d_ap)]), torch.tensor([float(d_an)]), m)[0]


def triplet_vectors(a: Tensor, p: Tensor, n: Tensor, m: float) -> dict[str, Any]:
    L = F.triplet_margin_loss(a[None], p[None], n[None], margin=float(m), eps=0)
    return dict(d_ap=torch.dist(a, p), d_an=torch.dist(a, n), L=L)


def triplet_mining(d_ap: float, d_an: Tensor, m: float) -> dict[str, Any]:
    losses = _margin_loss(torch.full_like(d_an, d_ap), d_an, m)
    # With respect to the positive's distance, the boundaries of the kinds are 0 and the margin.
    kinds = ["hard", "semihard", "easy"]
    bins = torch.bucketize(d_an - d_ap, torch.tensor([0.0, float(m)]), right=True).tolist()
    return dict(l=losses, L=losses.mean(), kinds={f"n{k}": kinds[bin] for k, bin in enumerate(bins, 1)})


def triplet_decide(d_ap: float, d_an: Tensor, m: float) -> dict[str, Any]:
    ordered = d_an.sort().values
    selected = ordered[torch.searchsorted(ordered, torch.tensor(float(d_ap)), right=True)]
    losses = _margin_loss(torch.full((2,), float(d_ap)), torch.stack([selected, ordered[0]]), m)
    return dict(selected=selected, L=losses[0], hard=losses[1])


def triplet_diagnose(d_ap: Tensor, d_an: Tensor, m: float) -> dict[str, Any]:
    losses = _margin_loss(d_ap, d_an, m)
    active = int(losses.count_nonzero())
    if active == 0:
        problem = "easy"
    elif torch.cat([d_ap, d_an]).max() < 0.1 * m:
        problem = "collapse"
    else:
        problem = "labels" if (d_an - d_ap).mean() < -m / 2 else "learning"
    return dict(L=losses.mean(), active=active, problem=problem)


def triplet_gradient(a: float | None, p: float | None, n: float | None) -> dict[str, Any]:
    points = dict(a=[0.5, -1.0, 2.0], p=[1.5, -2.5, 0.5], n=[-2.0, 1.0, 2.5])
    values = [
        torch.tensor([float(value)] * 3 if value is not None else points[name], requires_grad=True)
        for name, value in (("a", a), ("p", p), ("n", n))
    ]
    anchor, positive, negative = values
    loss = F.mse_loss(anchor, positive, reduction="sum") - F.mse_loss(anchor, negative, reduction="sum")
    g_a, g_p, g_n = torch.autograd.grad(loss, values)
    anchor, positive, negative = (value.detach() for value in values)
    return dict(g_a=g_a, g_p=g_p, g_n=g_n, a=anchor, p=positive, n=negative)


def infonce(s: Tensor, tau: float) -> dict[str, Any]:
    logits = s / tau
    return dict(q=F.softmax(logits, dim=0), L=F.cross_entropy(logits, torch.tensor(0)))


def infonce_temperature(s_pos: float, s_neg: float, tau: float) -> Tensor:
    return F.cross_entropy(torch.tensor([float(s_pos), float(s_neg)]) / tau, torch.tensor(0))


def infonce_bound(N: int, L: float) -> Tensor:
    # A model that can't tell the candidates apart has equal logits.
    return F.cross_entropy(torch.zeros(N), torch.tensor(0)) - L


def infonce_gradient(s: Tensor, t: float) -> dict[str, Any]:
    def gradient(similarities: Tensor, temperature: float) -> Tensor:
        similarities = similarities.detach().requires_grad_()
        loss = F.cross_entropy(similarities / temperature, torch.tensor(0))
        return torch.autograd.grad(loss, similarities)[0]

    # Two candidates with the softmax values q and 1 - q, at each temperature.
    q, tau = torch.tensor([0.2, 0.5, 0.8]), torch.tensor([0.1, 0.7, 1.5])
    g_pos, g_neg = [], []
    for value, temperature in zip(q.tolist(), tau.tolist(), strict=True):
        odds = temperature * torch.logit(torch.tensor(value))
        g_pos.append(gradient(torch.stack([odds, torch.zeros(())]), temperature)[0])
        g_neg.append(gradient(torch.stack([torch.zeros(()), odds]), temperature)[1])
    return dict(g_pos=torch.stack(g_pos), g_neg=torch.stack(g_neg), g=gradient(s, t), q=q, tau=tau)


def infonce_debug(s: Tensor, tau: float, program: str) -> dict[str, Any]:
    correct = F.cross_entropy(s / tau, torch.tensor(0))
    if "s * tau" in program:
        return dict(line=3, printed=F.cross_entropy(s * tau, torch.tensor(0)), correct=correct)
    if "logits[1:]" in program:
        masked = s.clone()
        masked[0] = -torch.inf
        return dict(line=4, printed=torch.logsumexp(masked / tau, dim=0) - s[0] / tau, correct=correct)
    return dict(line=5, printed=F.cross_entropy(s / tau, torch.tensor(len(s) - 1)), correct=correct)


def _clip(S: Tensor, tau: float) -> dict[str, Any]:
    logits, labels = S / tau, torch.arange(len(S))
    rows, columns = F.cross_entropy(logits, labels), F.cross_entropy(logits.T, labels)
    return dict(L_rows=rows, L_columns=columns, L=(rows + columns) / 2)


def clip_loss(S: Tensor, tau: float) -> dict[str, Any]:
    return _clip(S, tau)


def clip_two_pairs(s: float, n: float, tau: float) -> Tensor:
    S = torch.tensor([[float(s), float(n)], [float(n), float(s)]])
    loss: Tensor = _clip(S, tau)["L"]
    return loss


def clip_embeddings(X: Tensor, Y: Tensor, tau: float) -> dict[str, Any]:
    S = F.cosine_similarity(X[:, None], Y[None], dim=-1)
    return dict(S=S, **_clip(S, tau))


def clip_zero_shot(s: Tensor, scale: float) -> dict[str, Any]:
    p = F.softmax(scale * s, dim=0)
    return dict(p=p, label=int(p.argmax()) + 1)


def clip_gradient(S: Tensor, tau: float) -> dict[str, Any]:
    similarities = S.clone().requires_grad_()
    G = torch.autograd.grad(_clip(similarities, tau)["L"], similarities)[0]
    return dict(R=F.softmax(S / tau, dim=1), C=F.softmax(S / tau, dim=0), G=G)


def clip_debug(S: Tensor, tau: float, program: str) -> dict[str, Any]:
    losses = _clip(S, tau)
    if "S * " in program:
        return dict(line=2, printed=_clip(S, 1 / tau)["L"], correct=losses["L"])
    if "logits.T" not in program:
        return dict(line=5, printed=losses["L_rows"], correct=losses["L"])
    return dict(line=6, printed=losses["L_rows"] + losses["L_columns"], correct=losses["L"])


def clip_diagnose(S: Tensor) -> dict[str, Any]:
    diagonal = torch.arange(len(S))
    R_i, R_t = (float((S.argmax(dim) == diagonal).double().mean()) for dim in (1, 0))
    if R_i == R_t:
        problem = "none" if R_i == 1 else "both"
    else:
        problem = "text-hub" if R_i < R_t else "image-hub"
    return dict(R_i=R_i, R_t=R_t, problem=problem)


def _loss(K: Tensor, CE: Any, T: float, alpha: float) -> Tensor:
    return torch.lerp(T**2 * K, torch.as_tensor(CE, dtype=K.dtype), float(alpha))


def distillation_loss(p: Tensor, q: Tensor, T: float, alpha: float, CE: float) -> dict[str, Any]:
    K = F.kl_div(q.log(), p, reduction="sum")
    return dict(K=K, L=_loss(K, float(CE), T, alpha))


def distillation_terms(alpha: float, CE: float, K: float, T: float) -> Tensor:
    return _loss(torch.tensor(float(K)), float(CE), T, alpha)


def distillation_temperature(g: float, T: float) -> Tensor:
    return F.softmax(torch.tensor([float(g), 0.0]) / T, dim=0)[0]


def distillation_logits(z_t: Tensor, z_s: Tensor, y: int, T: float, alpha: float) -> dict[str, Any]:
    log_p, log_q = F.log_softmax(z_t / T, dim=0), F.log_softmax(z_s / T, dim=0)
    K = F.kl_div(log_q, log_p, reduction="sum", log_target=True)
    CE = F.cross_entropy(z_s, torch.tensor(y - 1))
    return dict(p=log_p.exp(), q=log_q.exp(), K=K, CE=CE, L=_loss(K, CE, T, alpha))


def distillation_gradient(a: Tensor, b: Tensor, t: float) -> dict[str, Any]:
    def gradient(teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
        student = student.detach().requires_grad_()
        targets, log_q = F.softmax(teacher / temperature, dim=0), F.log_softmax(student / temperature, dim=0)
        loss = temperature**2 * F.kl_div(log_q, targets, reduction="sum")
        return torch.autograd.grad(loss, student)[0]

    # Two classes, of which the first has the softened probabilities p and q.
    p, q, T = torch.tensor([0.2, 0.6, 0.9]), torch.tensor([0.5, 0.3, 0.8]), torch.tensor([1.0, 2.5, 6.0])

    def logits(probability: Tensor, temperature: Tensor) -> Tensor:
        return torch.stack([temperature * torch.logit(probability), torch.zeros(())])

    g = [gradient(logits(x, c), logits(y, c), float(c))[0] for x, y, c in zip(p, q, T, strict=True)]
    return dict(g=torch.stack(g), v=gradient(a, b, t), p=p, q=q, T=T)


def distillation_debug(z_t: Tensor, z_s: Tensor, T: float, program: str) -> dict[str, Any]:
    targets = F.softmax(z_t / T, dim=0)

    def divergence(logits: Tensor) -> Tensor:
        return F.kl_div(F.log_softmax(logits, dim=0), targets, reduction="sum")

    correct = T**2 * divergence(z_s / T)
    if "log_softmax(z_s," in program:
        return dict(line=5, printed=T**2 * divergence(z_s), correct=correct)
    if "batchmean" not in program:
        return dict(line=6, printed=correct / z_t.numel(), correct=correct)
    return dict(line=7, printed=divergence(z_s / T), correct=correct)
