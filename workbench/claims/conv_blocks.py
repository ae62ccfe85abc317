"""Networks in which one block of convolutions is exchanged."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from workbench.claims import small_networks

if TYPE_CHECKING:
    from torch import nn

RATES = (0.003, 0.01, 0.03)


def block_network(block: str, channels: int) -> "nn.Module":
    """Return a classifier of digits with one block of a kind: `3x3 stack`, `7x7`, `3x3` or `depthwise`."""
    from torch import nn

    def unit(in_channels: int, out_channels: int, k: int, groups: int = 1) -> list["nn.Module"]:
        conv = nn.Conv2d(in_channels, out_channels, k, padding=k // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(out_channels), nn.ReLU()]

    blocks: dict[str, Callable[[], list[nn.Module]]] = {
        "3x3 stack": lambda: [layer for _ in range(3) for layer in unit(channels, channels, 3)],
        "7x7": lambda: unit(channels, channels, 7),
        "3x3": lambda: unit(channels, channels, 3),
        "depthwise": lambda: unit(channels, channels, 3, groups=channels) + unit(channels, channels, 1),
    }
    head = [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * channels, 10)]
    return nn.Sequential(*unit(1, channels, 3), *blocks[block](), *head)


def block_accuracy(seed: int, *, block: str, channels: int, train_samples: int | None, lr: float) -> dict[str, float]:
    """Return test and validation accuracy on digits after 120 steps, in points."""
    splits = small_networks.digits(seed, train_samples)
    network = block_network(block, channels)
    small_networks.initialize(network, seed)
    small_networks.train(network, splits.training, seed, steps=120, lr=lr)
    names = ("validation", "test")
    return {name: small_networks.accuracy(network, getattr(splits, name)) for name in names}
