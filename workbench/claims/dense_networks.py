"""Small dense networks and a plain training loop, for trials that change more than the options of a run."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.small_datasets import Samples, plane

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def dense(sizes: Sequence[int], activation: str | None, seed: int) -> "nn.Sequential":
    """Return dense layers with an activation between them, initialized by a seed.

    Args:
        sizes: Inputs, neurons of each hidden layer, outputs.
        activation: `relu` (initialized by He et al. 2015), `tanh` or `sigmoid` (by Glorot and Bengio 2010), or None
            for linear layers only (by Glorot and Bengio 2010).
        seed: The seed.
    """
    import torch
    from torch import nn

    kinds: dict[str | None, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        linear = nn.Linear(fan_in, fan_out)
        if activation == "relu":
            nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        else:
            nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear] if activation is None else [linear, kinds[activation]()]
    return nn.Sequential(*(layers if activation is None else layers[:-1]))


def optimizer(name: str, weights: Iterable["Tensor"], lr: float) -> "torch.optim.Optimizer":
    """Return `sgd`, `momentum` (0.9), `adagrad` or `adam` (0.9 and 0.999) over weights."""
    import torch

    match name:
        case "sgd":
            return torch.optim.SGD(weights, lr=lr)
        case "momentum":
            return torch.optim.SGD(weights, lr=lr, momentum=0.9)
        case "adagrad":
            return torch.optim.Adagrad(weights, lr=lr)
        case "adam":
            return torch.optim.Adam(weights, lr=lr, betas=(0.9, 0.999), fused=True)
    raise ValueError("name must be sgd, momentum, adagrad or adam")


def shuffled(samples: int, batch_size: int, steps: int, seed: int) -> Iterator["Tensor"]:
    """Yield the rows of a batch for each step, in a new order each epoch; samples that fill no batch are left out."""
    import torch

    generator, count = torch.Generator().manual_seed(seed), 0
    while True:
        for rows in torch.randperm(samples, generator=generator).split(batch_size):
            if len(rows) < batch_size:
                continue
            if count == steps:
                return
            yield rows
            count += 1


def fit(network: "nn.Module", samples: Samples, batches: Iterable["Tensor"], *, name: str, lr: float) -> None:
    """Minimize the mean cross-entropy of batches by an optimizer of a name."""
    import torch
    from torch.nn.functional import cross_entropy

    x, y = tensors(samples)
    update = optimizer(name, list(network.parameters()), lr)
    for rows in batches:
        loss = cross_entropy(network(x[rows]), y[rows])
        for weight in network.parameters():
            weight.grad = None
        torch.autograd.backward(loss)
        update.step()


def accuracy(network: "nn.Module", samples: Samples) -> float:
    """Return the share of samples whose class has the largest logit, in points."""
    import torch

    x, y = tensors(samples)
    with torch.inference_mode():
        return 100 * float((network(x).argmax(dim=1) == y).double().mean())


def tensors(samples: Samples) -> tuple["Tensor", "Tensor"]:
    """Return the inputs (N, features), float32, and the classes (N,) as tensors."""
    import torch

    return torch.from_numpy(samples.x.astype(np.float32)), torch.from_numpy(samples.y.astype(np.int64))


def plane_accuracy(seed: int, *, hidden: int, activation: str | None, shape: str, lr: float) -> dict[str, float]:
    """Return the accuracy of a network on points of the plane, in points, after 300 steps.

    Args:
        seed: The seed.
        hidden: The number of hidden layers, of 16 neurons.
        activation: Their activation; None for none.
        shape: The shape of the classes.
        lr: The learning rate of Adam.
    """
    splits = plane(shape, seed)
    network = dense([2, *[16] * hidden, 2], activation, seed)
    fit(network, splits.train, shuffled(200, 32, 300, seed), name="adam", lr=lr)
    return {"accuracy": accuracy(network, splits.test), "validation accuracy": accuracy(network, splits.validation)}
