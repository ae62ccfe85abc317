"""Splits and training of small networks: what a seed fixes, and that something is learned."""

import pytest
import torch
from torch import nn

from workbench.claims import small_networks
from workbench.claims.cpu_time import cpu_ms
from workbench.data.digits import load


def test_digits_are_split_without_overlap() -> None:
    splits = small_networks.digits(seed=0)
    assert [len(split.labels) for split in splits] == [597, 300, 900]
    images, labels = load()
    samples = [(*image.flatten().tolist(), label) for split in splits for image, label in zip(*split, strict=True)]
    assert sorted(samples) == sorted((*x.flatten().tolist(), y) for x, y in zip(images, labels, strict=True))


def test_fewer_training_digits_leave_the_other_splits_unchanged() -> None:
    splits, fewer = small_networks.digits(seed=3), small_networks.digits(seed=3, train_samples=50)
    assert len(fewer.training.labels) == 50
    assert torch.equal(fewer.training.images, splits.training.images[:50])
    assert torch.equal(fewer.test.images, splits.test.images)


def train(seed: int) -> tuple[list[float], float]:
    splits = small_networks.digits(seed)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    small_networks.initialize(network, seed)
    losses = small_networks.train(network, splits.training, seed, steps=200, lr=0.01)
    return losses, small_networks.accuracy(network, splits.test)


def test_a_seed_fixes_a_training_and_its_accuracy_is_far_above_guessing() -> None:
    losses, accuracy = train(seed=1)
    assert (losses, accuracy) == train(seed=1)
    assert losses != train(seed=2)[0]
    assert accuracy > 85


def test_initial_weights_agree_where_networks_do() -> None:
    short, long = (nn.Sequential(nn.Linear(8, 8), *(nn.Linear(8, 8) for _ in range(k))) for k in (1, 3))
    for network in (short, long):
        small_networks.initialize(network, seed=5)
    assert torch.equal(short[0].weight, long[0].weight)
    assert torch.equal(short[1].weight, long[1].weight)
    assert short[0].weight.std().item() == pytest.approx((2 / 8) ** 0.5, rel=0.2)


class TwoHeads(nn.Module):
    """A classifier of two outputs: one that is trained, and one that is auxiliary."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 10), nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        x = x.flatten(1)
        return (self.first(x), self.second(x)) if self.training else self.first(x)


def test_an_auxiliary_classifier_is_trained_and_not_evaluated() -> None:
    splits, network = small_networks.digits(seed=0), TwoHeads()
    small_networks.initialize(network, 0)
    before = network.second.weight.detach().clone()
    small_networks.train(network, splits.training, 0, steps=100, lr=0.01)
    assert not torch.equal(before, network.second.weight)
    assert small_networks.accuracy(network, splits.test) > 80


def test_cpu_time_grows_with_the_work() -> None:
    small, large = (torch.randn(n, n) for n in (64, 512))
    assert cpu_ms(lambda: large @ large) > 10 * cpu_ms(lambda: small @ small)
