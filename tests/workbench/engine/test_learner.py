"""What changes an update: penalties, clipping, first weights, dropout, batch normalisation, augmentation."""

import math

import pytest
import torch

from workbench import tasks
from workbench.engine import RunSpec, augmentation
from workbench.engine.learner import Learner
from workbench.engine.loop import Fit
from workbench.engine.networks import sized
from workbench.engine.penalties import penalty
from workbench.errors import UserError

CPU = dict(device="cpu")


def first_batch(learner):
    return next(iter(learner.order))


@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.0, 0.1), (0.3, 0.2)])
def test_penalties_and_their_slopes(l1, l2):
    weight = torch.tensor([3.0, -4.0, 0.0], dtype=torch.float64, requires_grad=True)
    value = penalty([weight], l1, l2)
    assert value.item() == pytest.approx(l1 * 7 + l2 * 25)
    value.backward()
    step = 1e-6
    for place in range(2):  # at 0 the absolute value has a corner; there the slope is said to be 0
        up, down = weight.detach().clone(), weight.detach().clone()
        up[place] += step
        down[place] -= step
        slope = (penalty([up], l1, l2) - penalty([down], l1, l2)) / (2 * step)
        assert weight.grad[place].item() == pytest.approx(slope.item(), rel=1e-6)
    assert weight.grad[2] == 0


def test_penalties_count_weights_but_no_biases_and_are_reported_apart():
    plain, held = (Learner(RunSpec("mlp", **CPU, **more)) for more in ({}, {"l1": 0.01, "l2": 0.02}))
    weights = [layer.weight.detach().clone() for layer in held.network.layers]
    _, _, said = held.update(first_batch(held))
    expected = sum(0.01 * weight.abs().sum() + 0.02 * weight.square().sum() for weight in weights)
    assert said["penalty"].item() == pytest.approx(expected.item(), rel=1e-5)
    _, _, without = plain.update(first_batch(plain))
    assert said["loss"] == without["loss"] and "penalty" not in without
    slopes = zip(held.network.layers, plain.network.layers, weights, strict=True)
    for layer, other, weight in slopes:
        torch.testing.assert_close(layer.weight.grad - other.weight.grad, 0.01 * weight.sign() + 0.04 * weight)
        torch.testing.assert_close(layer.bias.grad, other.bias.grad)


@pytest.mark.parametrize("largest", [1e-3, 1e3])
def test_clipping_by_norm_keeps_the_direction_and_says_what_the_norm_was(largest):
    plain, held = (Learner(RunSpec("mlp", **CPU, **more)) for more in ({}, {"clip_norm": largest}))
    plain.update(first_batch(plain))
    _, _, said = held.update(first_batch(held))
    slopes, clipped = (torch.cat([w.grad.flatten() for w in one.network.parameters()]) for one in (plain, held))
    norm = slopes.norm()
    assert said["grad_norm"].item() == pytest.approx(norm.item(), rel=1e-5)
    torch.testing.assert_close(clipped, slopes * min(1.0, largest / norm.item()), rtol=1e-3, atol=1e-9)


def test_clipping_by_value_cuts_each_slope_off():
    plain, held = (Learner(RunSpec("mlp", **CPU, **more)) for more in ({}, {"clip_value": 0.002}))
    plain.update(first_batch(plain))
    _, _, said = held.update(first_batch(held))
    for weight, other in zip(held.network.parameters(), plain.network.parameters(), strict=True):
        assert torch.equal(weight.grad, other.grad.clamp(-0.002, 0.002))
    norm = torch.cat([w.grad.flatten() for w in plain.network.parameters()]).norm()
    assert said["grad_norm"].item() == pytest.approx(norm.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("init", "variance", "bound"),
    [
        ("he", lambda fan_in, fan_out: 2 / fan_in, math.inf),
        ("xavier", lambda fan_in, fan_out: 2 / (fan_in + fan_out), 6**0.5),
        ("normal", lambda fan_in, fan_out: 0.05**2, math.inf),
        ("uniform", lambda fan_in, fan_out: 0.05**2 / 3, 0.05),
    ],
)
def test_first_weights_have_the_variance_of_their_scheme(init, variance, bound):
    network = Learner(RunSpec("lenet5-modern", preset="paper", init=init, **CPU)).network
    for layer, fan_in, fan_out in (
        (network.c3, 6 * 25, 16 * 25),
        (network.c5, 16 * 25, 120),
        (network.f6, 120, 84),
    ):
        weight, expected = layer.weight, variance(fan_in, fan_out)
        assert weight.var().item() == pytest.approx(expected, rel=0.1) and not layer.bias.any()
        limit = bound / (fan_in + fan_out) ** 0.5 if init == "xavier" else bound
        assert weight.abs().max() <= limit
        if init in ("he", "normal"):  # a normal's tails reach beyond what a uniform could
            assert weight.abs().max() > 2.5 * expected**0.5


def test_another_seed_draws_other_weights_and_the_same_seed_the_same():
    weights = [Learner(RunSpec("mlp", init="he", seed=s, **CPU)).network.layers[0].weight for s in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_dropout_and_batch_norm_are_the_networks_own():
    network = Learner(RunSpec("mlp", dropout=0.4, batch_norm=True, options={"activation": "tanh"}, **CPU)).network
    assert network.dropout.p == 0.4 and isinstance(network.norms[0], torch.nn.BatchNorm1d)
    assert isinstance(network.activations[0], torch.nn.Tanh)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "lenet5-modern", "dropout": 0.5}, "has no dropout"),
        ({"model": "lenet5-modern", "batch_norm": True}, "has no batch normalisation"),
        ({"augment": {"shift": 1.0}}, "mlp reads none"),
        ({"batch_norm": True, "batch_size": 1}, "2 or more"),
        ({"options": {"activaton": "tanh"}}, "Did you mean 'activation"),
        ({"options": {"activation": "tan"}}, "tanh"),
    ],
)
def test_what_a_network_cannot_is_refused_in_a_sentence(options, said):
    with pytest.raises(UserError, match=said) as refusal:
        Learner(RunSpec(**{"model": "mlp", **options, **CPU}))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("task", ["diabetes", "iris", "breast-cancer", "digits"])
def test_a_network_is_sized_to_its_task(task):
    *_, end = Fit(RunSpec("mlp", task=task, steps=5, **CPU)).run()
    assert end["status"] == "done" and end["metrics"]


def test_sizes_follow_rows_and_classes():
    iris, digits = tasks.info("iris"), tasks.info("digits")
    assert sized({"in_features": 64, "out_features": 10}, iris) == {"in_features": 4, "out_features": 3}
    assert sized({"in_features": 10, "num_classes": 10}, iris) == {"in_features": 4, "num_classes": 3}
    assert sized({"in_features": 784, "out_features": 10}, digits) == {}
    assert sized({"channels": 3}, iris) == {}


PICTURES = torch.rand(6, 1, 9, 9, generator=torch.Generator().manual_seed(0))


def test_augmentation_is_for_training_alone_and_leaves_the_data_as_they_are():
    spec = RunSpec("lenet5-modern", steps=8, augment={"shift": 1.0, "rotate": 10.0, "noise": 0.3}, **CPU)
    fit, other = Fit(spec), Fit(RunSpec("lenet5-modern", steps=8, **CPU))
    before = {part: samples[0].clone() for part, samples in fit.splits.items()}
    list(fit.run())
    assert all(torch.equal(before[part], samples[0]) for part, samples in fit.splits.items())
    assert all(torch.equal(before[part], samples[0]) for part, samples in other.splits.items())
    learner = Learner(spec)
    batch = first_batch(learner)
    seen, _, _ = learner.update(batch)
    assert seen[0].shape == batch[0].shape and not torch.equal(seen[0], batch[0]) and torch.equal(seen[1], batch[1])


def test_every_picture_gets_its_own_change():
    same = PICTURES[:1].expand(5, -1, -1, -1)
    for name, strength in (("shift", 2.0), ("rotate", 30.0), ("zoom", 0.3), ("noise", 0.2)):
        changed = augmentation.augmented(same, {name: strength})
        assert len({tuple(one.flatten().tolist()) for one in changed}) == 5, name


def test_a_flip_swaps_left_and_right_and_nothing_else():
    torch.testing.assert_close(augmentation.augmented(PICTURES, {"flip": 1.0}), PICTURES.flip(3))


def test_noise_has_the_standard_deviation_asked_for():
    noise = augmentation.augmented(torch.zeros(200, 1, 9, 9), {"noise": 0.3})
    assert noise.std().item() == pytest.approx(0.3, rel=0.03) and abs(noise.mean().item()) < 0.01


def with_chance(monkeypatch, value):
    """Every random number between 0 and 1 is this one."""
    monkeypatch.setattr(torch, "rand", lambda shape, device=None: torch.zeros(shape) + value)


def test_a_shift_moves_by_pixels_and_repeats_the_edge(monkeypatch):
    with_chance(monkeypatch, 1.0)
    moved = augmentation.augmented(PICTURES, {"shift": 2.0})
    torch.testing.assert_close(moved[:, :, :7, :7], PICTURES[:, :, 2:, 2:], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(moved[:, :, 7, :7], PICTURES[:, :, 8, 2:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(9, 9), (5, 9)])
def test_half_a_turn_is_both_flips(monkeypatch, shape):
    pictures = torch.rand(2, 1, *shape, generator=torch.Generator().manual_seed(1))
    with_chance(monkeypatch, 1.0)
    torch.testing.assert_close(
        augmentation.augmented(pictures, {"rotate": 180.0}), pictures.flip(2, 3), atol=1e-4, rtol=1e-4
    )


def test_a_quarter_turn_of_a_tall_picture_turns_pixels_and_not_shares_of_the_sides(monkeypatch):
    with_chance(monkeypatch, 1.0)
    pictures = torch.zeros(1, 1, 5, 9)
    pictures[0, 0, 2, 5:7] = 1  # a stroke of two pixels, one and two to the right of the middle
    turned = augmentation.augmented(pictures, {"rotate": 90.0})[0, 0]
    assert sorted(map(tuple, (turned > 0.5).nonzero().tolist())) in ([(0, 4), (1, 4)], [(3, 4), (4, 4)])


def test_bf16_computes_in_bfloat16_and_keeps_float32():
    learner = Learner(RunSpec("mlp", bf16=True, **CPU))
    _, outputs, said = learner.update(first_batch(learner))
    assert outputs.dtype == torch.bfloat16
    assert {weight.dtype for weight in learner.network.parameters()} == {torch.float32} and said["loss"].isfinite()


def test_without_a_compiler_compile_is_refused(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UserError, match="C\\+\\+ compiler"):
        Learner(RunSpec("mlp", compile=True, **CPU))
