"""Batches of different sizes and orders: their memory, their time, the noise of their gradients, and the loss."""

from math import log10
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.cpu_time import cpu_ms
from workbench.claims.dense_networks import accuracy, dense, fit, optimizer, shuffled, tensors
from workbench.claims.small_datasets import Samples, Splits, digits

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SIZES = (1, 4, 16, 64, 256, 1024)
SAMPLES = 1024


def network_and_samples(seed: int) -> "tuple[torch.nn.Module, Tensor, Tensor]":
    """Return a network of four layers, and 1,024 random inputs of 64 features with their classes."""
    import torch

    network = dense([64, 256, 256, 10], "relu", seed)
    return network, torch.randn(SAMPLES, 64), torch.randint(0, 10, (SAMPLES,))


def bytes_for_backward(seed: int) -> list[tuple[float, float]]:
    """Return (batch size, bytes that autograd stores for the backward pass besides the weights)."""
    import torch
    from torch.nn.functional import cross_entropy

    network, x, y = network_and_samples(seed)
    weights = {weight.data_ptr() for weight in network.parameters()}
    points = []
    for size in SIZES:
        storages: dict[int, int] = {}

        def pack(tensor: torch.Tensor, storages: dict[int, int] = storages) -> torch.Tensor:
            if tensor.data_ptr() not in weights:
                storages[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        inputs, targets = x[:size].clone(), y[:size].clone()  # of storages of their own
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = cross_entropy(network(inputs), targets)
        points.append((float(size), float(sum(storages.values()))))
        del loss
    return points


def times_per_sample(seed: int) -> list[tuple[float, float]]:
    """Return (batch size, CPU milliseconds of an update per sample)."""
    network, x, y = network_and_samples(seed)
    return [(float(size), update_ms(network, x[:size], y[:size]) / size) for size in SIZES]


def log_times(seed: int, *, batch_size: int) -> dict[str, float]:
    """Return the decimal logarithm of the CPU time of an `update`, and of an `epoch` over 1,024 samples."""
    network, x, y = network_and_samples(seed)
    time = update_ms(network, x[:batch_size], y[:batch_size])
    return {"update": log10(time), "epoch": log10(time * SAMPLES / batch_size)}


def update_ms(network: "torch.nn.Module", x: "Tensor", y: "Tensor") -> float:
    """Return the CPU time of an SGD update in milliseconds."""
    import torch
    from torch.nn.functional import cross_entropy

    rule = optimizer("sgd", network.parameters(), 1e-3)

    def update() -> None:
        rule.zero_grad()
        torch.autograd.backward(cross_entropy(network(x), y))
        rule.step()

    return cpu_ms(update)


def noise_by_batch_size(seed: int) -> list[tuple[float, float]]:
    """Return (batch size, mean squared distance of a batch's gradient from the full one) at the initial weights."""
    import torch
    from torch.nn.functional import cross_entropy

    train = digits(seed).train
    x, y = tensors(Samples(train.x / 16, train.y))
    network = dense([64, 32, 10], "relu", seed)
    weights = list(network.parameters())
    losses = cross_entropy(network(x), y, reduction="none")
    gradients = (torch.autograd.grad(loss, weights, retain_graph=True) for loss in losses)
    noise = torch.stack([torch.cat([part.flatten() for part in gradient]) for gradient in gradients])
    noise -= noise.mean(dim=0)
    generator = torch.Generator().manual_seed(seed)
    points = []
    for size in (1, 4, 16, 64, 256):
        batches = torch.randint(0, len(x), (400, size), generator=generator)  # with replacement
        counts = torch.zeros(400, len(x)).scatter_add_(1, batches, torch.ones(400, size))
        points.append((float(size), float((counts @ noise / size).square().sum(dim=1).mean())))
    return points


def loss_by_order(seed: int, *, order: str, batch_size: int) -> float:
    """Return the training loss on the digits after 300 updates.

    Args:
        seed: The seed of the split, the initial weights and the order.
        order: `reshuffled` in each epoch, `fixed` (the same random order in each), or `sorted` by class.
        batch_size: The number of samples per update; 576 for all.
    """
    import torch
    from torch.nn.functional import cross_entropy

    train = digits(seed, train=576).train
    rows = np.argsort(train.y, kind="stable") if order == "sorted" else np.arange(576)
    samples = Samples(train.x[rows] / 16, train.y[rows])
    network = dense([64, 64, 64, 10], "relu", seed)
    if order == "reshuffled":
        batches = shuffled(576, batch_size, 300, seed)
    else:
        batches = (torch.arange(576).view(-1, batch_size)[k % (576 // batch_size)] for k in range(300))
    fit(network, samples, batches, name="sgd", lr=0.1)
    x, y = tensors(samples)
    with torch.inference_mode():
        return float(cross_entropy(network(x), y))


def few_digits_accuracy(seed: int, *, batch_size: int, steps: int, lr: float) -> dict[str, float]:
    """Return the accuracy of a network that SGD trained on 200 digits, in points; 1,297 are in the test set."""
    splits = digits(seed, train=200)
    splits = Splits(*(part._replace(x=part.x / 16) for part in splits))
    network = dense([64, 64, 64, 10], "relu", seed)
    fit(network, splits.train, shuffled(200, batch_size, steps, seed), name="sgd", lr=lr)
    return {"accuracy": accuracy(network, splits.test), "validation accuracy": accuracy(network, splits.validation)}
