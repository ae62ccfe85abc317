"""Checks of the drills about autoencoders."""

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


def ae_bottleneck(n: list[int]) -> dict[str, Any]:
    layers = [nn.Linear(a, b, device="meta") for a, b in itertools.pairwise(n)]
    narrowest = min(layers, key=lambda layer: layer.out_features)
    return dict(
        P=sum(parameter.numel() for layer in layers for parameter in layer.parameters()),
        r=layers[0].in_features / narrowest.out_features,
    )


def ae_tied(n: list[int]) -> dict[str, int]:
    layers = [nn.Linear(a, b, device="meta") for a, b in itertools.pairwise(n)]
    P = sum(parameter.numel() for layer in layers for parameter in layer.parameters())
    # A decoder layer takes its weight from the encoder: the same parameter, seen transposed.
    biases = {id(layer.bias): layer.bias.numel() for layer in layers}
    shared = {id(layer.weight): layer.weight.numel() for layer in layers[: len(layers) // 2]}
    for encoder, decoder in zip(layers, reversed(layers), strict=True):
        assert encoder.weight.T.shape == decoder.weight.shape
    return dict(P=P, P_tied=sum(shared.values()) + sum(biases.values()))


def ae_code_size(n: int, M: int) -> dict[str, int]:
    def count(c: int) -> int:
        layers = nn.Linear(n, c, device="meta"), nn.Linear(c, n, device="meta")
        return sum(parameter.numel() for layer in layers for parameter in layer.parameters())

    c = next(c for c in range(1, M) if count(c + 1) > M)
    return dict(c=c, P=count(c))


def tied_ae_gradient(x1: int, x2: int) -> dict[str, Any]:
    a = torch.linspace(-1.9, 1.7, 8, requires_grad=True)
    b = torch.linspace(1.3, -1.6, 8, requires_grad=True)
    w, x = torch.stack([a, b], dim=1), torch.tensor([[float(x1), float(x2)]]).expand(8, 2)
    code = torch.linalg.vecdot(w, x)
    loss = F.mse_loss(code[:, None] * w, x, reduction="sum")
    g_a, g_b = torch.autograd.grad(loss, (a, b))
    return dict(g_a=g_a, g_b=g_b, a=a, b=b)


def decide_bottleneck(lam: list[float], e: float, m: int) -> dict[str, Any]:
    import numpy as np
    from sklearn.decomposition import PCA

    size = len(lam)
    # Two points on each axis of a rotated frame, so that the covariance (divided by the number) has these eigenvalues.
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(size, size)))
    half = np.diag(np.sqrt(size * np.array(lam))) @ rotation
    data = np.concatenate([half, -half])
    errors = []
    for k in range(1, size + 1):
        pca = PCA(n_components=k).fit(data)
        residual = data - pca.inverse_transform(pca.transform(data))
        errors.append(float((residual**2).sum(axis=1).mean()))
    k = next(k for k, error in enumerate(errors, 1) if error <= e + 1e-9)
    shorter = "neither" if m == k else "nonlinear" if m < k else "linear"
    return dict(k=k, err=errors[k - 1], shorter=["nonlinear", "linear", "neither"].index(shorter) + 1)


def ae_anomaly_identity(n1: list[float], f1: list[float], n2: list[float], f2: list[float]) -> dict[str, Any]:
    from sklearn.metrics import roc_auc_score

    A1, A2 = (
        float(roc_auc_score([0] * len(normal) + [1] * len(faulty), [*normal, *faulty]))
        for normal, faulty in ((n1, f1), (n2, f2))
    )
    return dict(A1=A1, A2=A2, better=1 if A1 > A2 else 2)


def chain_conv_ae(n: int, c1: int, c2: int, d: int, B: int) -> dict[str, Any]:
    first, second = nn.Conv2d(1, c1, 3, 2, 1), nn.Conv2d(c1, c2, 3, 2, 1)
    image = torch.zeros(1, 1, n, n)
    hidden = first(image)
    bottom = second(hidden)
    dense = [nn.Linear(bottom.numel(), d, device="meta"), nn.Linear(d, bottom.numel(), device="meta")]
    sizes = []
    for output_padding in (0, 1):
        up = [nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding) for a, b in ((c2, c1), (c1, 1))]
        sizes.append(nn.Sequential(*up)(bottom).shape[-1])
    P = sum(parameter.numel() for layer in (first, second, *dense, *up) for parameter in layer.parameters())
    M = B * hidden.numel() * torch.empty(0, dtype=torch.float32).element_size() / 1024
    return dict(F=bottom.numel(), P=P, o0=sizes[0], o1=sizes[1], r=image.numel() / d, M=M)
