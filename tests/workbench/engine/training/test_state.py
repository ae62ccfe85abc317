"""The options that change an update: clipping, augmentation, precision, accumulation, averages, smoothing, weights."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from workbench.engine import RunSpec
from workbench.engine.training.state import SeedState
from workbench.engine.training.trainer import SeedRun, Trainer, train
from workbench.errors import UserError


def make_state(**options):
    return SeedState(RunSpec.create(**{"model": "mlp", "device": "cpu", **options}))


def gradients(state):
    return torch.cat([weight.grad.flatten() for weight in state.network.parameters()])


@pytest.mark.parametrize("largest", [1e-3, 1e3])
def test_clipping_by_norm_keeps_the_direction_and_reports_the_norm(largest):
    plain, clipped = make_state(), make_state(clip_norm=largest)
    plain.update()
    losses = clipped.update().losses
    norm = gradients(plain).norm()
    assert losses["grad_norm"].item() == pytest.approx(norm.item(), rel=1e-5)
    expected = gradients(plain) * min(1.0, largest / norm.item())
    torch.testing.assert_close(gradients(clipped), expected, rtol=1e-3, atol=1e-9)


def test_clipping_by_value_limits_each_element():
    plain, clipped = make_state(), make_state(clip_value=0.002)
    plain.update()
    losses = clipped.update().losses
    assert torch.equal(gradients(clipped), gradients(plain).clamp(-0.002, 0.002))
    assert losses["grad_norm"].item() == pytest.approx(gradients(plain).norm().item(), rel=1e-5)


def test_dropout_and_batch_norm_are_the_networks_own():
    network = make_state(dropout=0.4, batch_norm=True, options={"activation": "tanh"}).network
    assert network.dropout.p == 0.4 and isinstance(network.norms[0], torch.nn.BatchNorm1d)
    assert isinstance(network.activations[0], torch.nn.Tanh)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "lenet5-modern", "dropout": 0.5}, "has no dropout"),
        ({"model": "lenet5-modern", "batch_norm": True}, "has no batch normalization"),
        ({"augment": {"shift": 1.0}}, "mlp reads none"),
        ({"batch_norm": True, "batch_size": 1}, "2 or more"),
        ({"options": {"activaton": "tanh"}}, "Did you mean 'activation"),
        ({"options": {"activation": "tan"}}, "tanh"),
        ({"batch_size": 1258}, "1257 training samples"),
        ({"batch_size": 100, "accumulate": 13}, "96 or fewer"),
        ({"batch_size": "full", "accumulate": 2}, "leave accumulate out"),
        ({"device": "cuda:99"}, "--device auto"),
    ],
)
def test_what_a_network_or_the_data_lack_is_an_error_of_one_sentence(options, message):
    with pytest.raises(UserError, match=message) as error:
        make_state(**options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("task", ["diabetes", "iris", "breast-cancer", "digits"])
def test_a_network_is_sized_to_its_task(task):
    *_, end = train([RunSpec.create("mlp", task=task, steps=5, device="cpu")])
    assert end["status"] == "done" and end["metrics"]


def test_augmentation_is_for_training_alone_and_leaves_the_data_as_they_are():
    options = dict(steps=8, augment={"shift": 1.0, "rotate": 10.0, "noise": 0.3}, device="cpu")
    run = SeedRun(RunSpec.create("lenet5-modern", **options))
    sources = run.state.sources
    before = {split: source.batch(slice(None))["image"].clone() for split, source in sources.items()}
    evaluated = run.state.evaluate("validation")
    assert evaluated == run.state.evaluate("validation")
    list(Trainer([run]).run())
    assert all(torch.equal(before[split], source.batch(slice(None))["image"]) for split, source in sources.items())
    state = make_state(model="lenet5-modern", **options)
    rows = next(iter(make_state(model="lenet5-modern", **options).sampler))
    batch, update = state.sources["train"].batch(rows), state.update()
    assert update.batch["image"].shape == batch["image"].shape
    assert not torch.equal(update.batch["image"], batch["image"])
    assert torch.equal(update.batch["target"], batch["target"])


def test_bf16_computes_in_bfloat16_and_keeps_float32():
    state = make_state(bf16=True)
    update = state.update()
    assert update.outputs.dtype == torch.bfloat16 and update.losses["loss"].isfinite()
    assert {weight.dtype for weight in state.network.parameters()} == {torch.float32}


def test_without_a_compiler_compile_is_an_error(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UserError, match="C\\+\\+ compiler"):
        make_state(compile=True)


def whole(state, split="train"):
    return state.sources[split].batch(slice(None))


@pytest.mark.parametrize("more", [{}, {"clip_norm": 0.1, "l1": 1e-3}, {"optimizer": "adam", "label_smoothing": 0.1}])
def test_accumulated_batches_are_one_large_batch(more):
    options = {"optimizer": "momentum", "lr": 0.05, **more}
    large, accumulated = make_state(batch_size=64, **options), make_state(batch_size=16, accumulate=4, **options)
    for _ in range(25):  # more than an epoch of 19 updates
        expected, update = large.update(), accumulated.update()
        assert update.losses.keys() == expected.losses.keys() and len(update.batch["target"]) == 16
        for name, value in update.losses.items():
            torch.testing.assert_close(value, expected.losses[name], rtol=1e-4, atol=1e-6)
    for weight, other in zip(accumulated.network.parameters(), large.network.parameters(), strict=True):
        torch.testing.assert_close(weight, other, rtol=1e-3, atol=2e-5)


def test_all_samples_can_be_one_update_of_several_batches():
    state, full = make_state(task="iris", batch_size=21, accumulate=5, optimizer="sgd"), make_state(task="iris")
    assert len(whole(full)["target"]) == 105
    update = state.update()
    expected = F.cross_entropy(full.network(whole(full)["features"]), whole(full)["target"])
    torch.testing.assert_close(update.losses["loss"], expected.detach())


def test_the_moving_average_is_that_of_the_weights_and_is_evaluated():
    state = make_state(ema=0.8, batch_norm=True, lr=0.05)
    averages = {}
    for _ in range(6):
        state.update()
        for name, weight in state.network.named_parameters():
            before = averages.get(name, weight.detach())  # it begins with the weights after the first update
            averages[name] = 0.8 * before + 0.2 * weight.detach()
    for name, weight in state.evaluated.named_parameters():
        torch.testing.assert_close(weight, averages[name])
        assert not torch.equal(weight, state.network.get_parameter(name))
    buffers = zip(state.evaluated.buffers(), state.network.buffers(), strict=True)
    assert all(torch.equal(buffer, other) for buffer, other in buffers)
    other = copy.deepcopy(state.network)
    other.load_state_dict({**other.state_dict(), **averages})
    expected = state.task.evaluate(other, state.sources["validation"])
    assert state.evaluate("validation") == pytest.approx(expected, rel=1e-5)
    assert state.evaluate("validation") != state.task.evaluate(state.network, state.sources["validation"])


def updated(**options):
    state = make_state(**options)
    state.update()
    return dict(state.network.named_parameters())


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("more", [{}, {"batch_norm": True}])
def test_decay_on_weights_shrinks_no_biases_and_no_scales(optimizer, more):
    options = dict(optimizer=optimizer, **more)
    without, with_all = updated(**options, weight_decay=0.0), updated(**options, weight_decay=0.5)
    weights = updated(**options, weight_decay=0.5, decay_on="weights")
    for name, weight in weights.items():
        expected = with_all if weight.dim() > 1 else without
        assert torch.equal(weight, expected[name]), name
    assert not torch.equal(with_all["layers.0.bias"], without["layers.0.bias"])


def test_label_smoothing_is_pytorchs_and_for_training_alone():
    state, plain = make_state(label_smoothing=0.1), make_state()
    update = state.update()
    with torch.no_grad():
        logits = plain.network(update.batch["features" if "features" in update.batch else "image"])
    expected = F.cross_entropy(logits, update.batch["target"], label_smoothing=0.1)
    torch.testing.assert_close(update.losses["loss"], expected)
    assert plain.update().losses["loss"] != update.losses["loss"]
    plain.network.load_state_dict(state.network.state_dict())
    assert state.evaluate("validation") == plain.evaluate("validation")


def test_class_weights_are_scikit_learns_and_for_training_alone():
    from sklearn.utils.class_weight import compute_class_weight

    state, plain = make_state(task="breast-cancer", class_weights=True), make_state(task="breast-cancer")
    targets = whole(plain)["target"].numpy()
    weights = torch.tensor(compute_class_weight("balanced", classes=np.array([0, 1]), y=targets), dtype=torch.float32)
    assert weights.max() > 1.2 * weights.min()
    update = state.update()
    with torch.no_grad():
        logits = plain.task.logits(plain.network(update.batch["features"]))
    expected = F.cross_entropy(logits, update.batch["target"], weight=weights)
    torch.testing.assert_close(update.losses["loss"], expected)
    plain.network.load_state_dict(state.network.state_dict())
    for split in ("train", "validation", "test"):
        assert state.evaluate(split) == plain.evaluate(split)


@pytest.mark.parametrize("option", [{"label_smoothing": 0.1}, {"class_weights": True}])
def test_a_task_without_classes_has_neither(option):
    with pytest.raises(UserError, match=f"has no {next(iter(option))}"):
        make_state(model="linear-regression", **option)
