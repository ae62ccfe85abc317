"""Seeds that are updated at once have the numbers of a loop: losses, weights, optimizers, and what is reported."""

import pytest
import torch

from workbench.engine import RunSpec
from workbench.engine.training import race
from workbench.engine.training.backends import Loop
from workbench.engine.training.race import BACKENDS, choose, possible
from workbench.engine.training.stacked import SeedAxis, Vmap, can_convert, can_stack
from workbench.engine.training.state import SeedState
from workbench.engine.training.trainer import SeedRun, Trainer

SEEDS = (0, 1, 5)
MLP = dict(model="mlp", task="digits", options={"hidden_sizes": [24, 16]}, batch_size=32, steps=40)
LENET = dict(model="lenet5-modern", task="digits", batch_size=32, steps=40)
CASES = [
    pytest.param("vmap", MLP | dict(optimizer="sgd"), id="vmap sgd"),
    pytest.param("vmap", MLP | dict(optimizer="adam", batch_norm=True), id="vmap batch norm"),
    pytest.param("vmap", LENET | dict(optimizer="adam", schedule="cosine"), id="vmap cnn"),
    pytest.param("seed-axis", MLP | dict(optimizer="momentum", clip_norm=0.5), id="seed axis clip norm"),
    pytest.param(
        "seed-axis", MLP | dict(optimizer="adamw", clip_value=0.01, schedule="step"), id="seed axis clip value"
    ),
    pytest.param("seed-axis", MLP | dict(optimizer="rmsprop", class_weights=True, label_smoothing=0.1), id="weights"),
    pytest.param("seed-axis", MLP | dict(optimizer="gd", batch_size=None), id="full batch"),
    pytest.param("seed-axis", LENET | dict(optimizer="nesterov", weight_decay=0.01), id="seed axis cnn"),
    pytest.param("seed-axis", LENET | dict(optimizer="adam"), id="seed axis max pooling"),
]


class Doubles:
    """A source whose floats are float64."""

    def __init__(self, source):
        self.source = source

    def __len__(self):
        return len(self.source)

    def batch(self, rows):
        batch = self.source.batch(rows)
        return {name: column.double() if column.is_floating_point() else column for name, column in batch.items()}


def states(options):
    created = []
    for seed in SEEDS:
        state = SeedState(RunSpec.create(**options, seed=seed, device="cpu"))
        state.network.double()
        state._inputs = {name: Doubles(source) for name, source in state._inputs.items()}
        created.append(state)
    return created


@pytest.mark.parametrize(("backend", "options"), CASES)
def test_twenty_updates_are_those_of_a_loop(backend, options):
    alone, together = states(options), states(options)
    loop, stacked = Loop(alone), BACKENDS[backend](together)
    for step in range(20):
        for state in (*alone, *together):
            state.set_lr(state.spec.optimizer.lr * (1 - step / 40))
        for own, other in zip(loop.update([0, 1, 2]), stacked.update([0, 1, 2]), strict=True):
            assert own.losses.keys() == other.losses.keys()
            for name in own.losses:
                torch.testing.assert_close(other.losses[name], own.losses[name], rtol=1e-5, atol=1e-8)
            torch.testing.assert_close(other.outputs, own.outputs.detach(), rtol=1e-5, atol=1e-6)
            assert torch.equal(own.batch["target"], other.batch["target"])
    for index, (own, other) in enumerate(zip(alone, together, strict=True)):
        stacked.sync(index)
        assert own.context.step == other.context.step == 20
        for (name, weight), same in zip(
            own.network.state_dict().items(), other.network.state_dict().values(), strict=True
        ):
            torch.testing.assert_close(same, weight, rtol=1e-5, atol=1e-7, msg=name)
        for weight, same in zip(own.network.parameters(), other.network.parameters(), strict=True):
            for name, value in own.optimizer.state[weight].items():
                expected = value if isinstance(value, torch.Tensor) else torch.tensor(value)
                torch.testing.assert_close(other.optimizer.state[same][name], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("backend", ["vmap", "seed-axis"])
def test_when_a_seed_ends_the_others_go_on_as_in_a_loop(backend):
    alone, together = states(MLP), states(MLP)
    loop, stacked = Loop(alone), BACKENDS[backend](together)
    for active in ([0, 1, 2], [0, 1, 2], [0, 2], [0, 2], [2]):
        loop.update(active)
        stacked.update(active)
    for own, other in zip(alone, together, strict=True):
        for weight, same in zip(own.network.parameters(), other.network.parameters(), strict=True):
            torch.testing.assert_close(same, weight, rtol=1e-5, atol=1e-7)


def test_a_seed_whose_loss_is_not_a_number_leaves_the_others_alone():
    alone, together = states(MLP), states(MLP)
    for group in (alone, together):
        with torch.no_grad():
            group[1].network.layers[0].weight.fill_(float("nan"))
    loop, stacked = Loop(alone), SeedAxis(together)
    for _ in range(5):
        loop.update([0, 1, 2])
        losses = [update.losses["loss"].item() for update in stacked.update([0, 1, 2])]
    assert losses[1] != losses[1] and losses[0] == losses[0]
    for index in (0, 2):
        for weight, same in zip(alone[index].network.parameters(), together[index].network.parameters(), strict=True):
            torch.testing.assert_close(same, weight, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (MLP, ["loop", "vmap", "seed-axis"]),
        (LENET, ["loop", "vmap", "seed-axis"]),
        (MLP | dict(batch_norm=True), ["loop", "vmap"]),
        (MLP | dict(dropout=0.5), ["loop"]),
        (MLP | dict(l2=0.1), ["loop"]),
        (MLP | dict(ema=0.9), ["loop"]),
        (MLP | dict(accumulate=2), ["loop"]),
        (MLP | dict(schedule="plateau"), ["loop"]),
        (MLP | dict(weight_decay=0.1, decay_on="weights"), ["loop"]),
        (LENET | dict(augment={"shift": 1.0}), ["loop"]),
    ],
)
def test_what_can_be_updated_at_once_is_known(options, names):
    several = [SeedState(RunSpec.create(**options, seed=seed, device="cpu")) for seed in (0, 1)]
    assert possible(several) == names
    assert not can_stack(several[:1]) and not can_convert(several[:1])
    other = SeedState(RunSpec.create(**options | dict(lr=0.123), seed=2, device="cpu"))
    assert possible([*several, other]) == ["loop"]


def test_the_race_leaves_the_seeds_as_they_are(monkeypatch):
    seconds = {"loop": 3.0, "Vmap": 2.0, "SeedAxis": 1.0}
    order = iter(["loop", "Vmap", "SeedAxis"])

    def least(compute):
        compute()
        return seconds[next(order)]

    monkeypatch.setattr(race, "_min_seconds", least)
    several = [SeedState(RunSpec.create(**MLP, batch_norm=False, seed=seed, device="cpu")) for seed in (0, 1)]
    before = [{name: value.clone() for name, value in state.network.state_dict().items()} for state in several]
    assert choose(several) == "seed-axis"
    for state, weights in zip(several, before, strict=True):
        assert all(torch.equal(value, weights[name]) for name, value in state.network.state_dict().items())
        assert state.context.step == 0 and all(weight.grad is None for weight in state.network.parameters())


def test_a_trainer_reports_the_same_with_either_backend(tmp_path):
    ends = []
    for kind in (Loop, Vmap, SeedAxis):
        runs = [SeedRun(RunSpec.create(**MLP, seed=seed, device="cpu")) for seed in (0, 1)]
        events = list(Trainer(runs, backend=kind([run.state for run in runs])).run())
        ends.append([event["metrics"] for event in events if event["event"] == "end"])
    for metrics in ends[1:]:
        for own, expected in zip(metrics, ends[0], strict=True):
            assert own["loss"] == pytest.approx(expected["loss"], rel=1e-3)
            assert own["accuracy"] == pytest.approx(expected["accuracy"], abs=0.01)
