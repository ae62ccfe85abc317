"""Smaller and noisier training sets hold what they should, and the other splits are left alone."""

import pytest
import torch

from workbench.engine import RunSpec
from workbench.engine.training.state import SeedState
from workbench.errors import UserError


def state(**options):
    return SeedState(RunSpec.create("mlp", task="digits", device="cpu", **options))


def columns(state, split="train"):
    batch = state.sources[split].batch(slice(0, len(state.sources[split])))
    return batch["image"], batch["target"]


def test_a_smaller_training_set_is_part_of_a_larger_one_and_differs_by_seed():
    small, large, other = state(train_samples=50), state(train_samples=200), state(train_samples=50, seed=1)
    x, y = columns(small)
    larger_x, larger_y = columns(large)
    assert len(x) == 50 and torch.equal(x, larger_x[:50]) and torch.equal(y, larger_y[:50])
    assert not torch.equal(x, columns(other)[0])
    assert torch.equal(columns(small, "test")[0], columns(state(), "test")[0])


@pytest.mark.parametrize("share", [0.25, 0.4])
def test_the_share_of_wrong_labels_is_exact_and_no_wrong_label_is_accidentally_right(share):
    clean, noisy = columns(state(train_samples=200)), columns(state(train_samples=200, label_noise=share))
    assert torch.equal(clean[0], noisy[0])
    assert (clean[1] != noisy[1]).sum() == round(200 * share) and set(noisy[1].tolist()) <= set(range(10))
    assert torch.equal(columns(state(label_noise=share), "validation")[1], columns(state(), "validation")[1])


def test_more_samples_than_there_are_is_an_error():
    with pytest.raises(UserError, match="leave train_samples out"):
        state(train_samples=10**6)
