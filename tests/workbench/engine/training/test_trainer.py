"""The training loop against one written by hand; what it reports, evaluates and saves, for one seed and for several."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

import models
from workbench import tasks
from workbench.engine import RunSpec, checkpoints
from workbench.engine.training.trainer import SeedRun, Trainer, train
from workbench.tasks.classification import Classification
from workbench.tasks.image_classification import ImageClassification


def without_clocks(events):
    clocks = ("seconds", "steps_per_second", "time")
    return [{key: value for key, value in event.items() if key not in clocks} for event in events]


def run_of(folder=None, **options):
    return SeedRun(RunSpec.create(**{"model": "mlp", "device": "cpu", **options}), folder=folder)


def evaluations(events, split):
    return [event for event in events if event["event"] == "eval" and event["split"] == split]


@pytest.mark.parametrize(("optimizer", "lr"), [("sgd", 0.1), ("adam", 3e-3)])
def test_the_steps_are_those_of_a_loop_by_hand(optimizer, lr):
    run = run_of(steps=60, optimizer=optimizer, lr=lr, seed=4)
    losses = [event["metrics"]["loss"] for event in Trainer([run]).run() if event["event"] == "metric"]

    torch.manual_seed(4)
    network = models.build("mlp", "mini")
    samples = tasks.get("digits").sources(network, seed=4)["train"].batch(slice(None))
    x, y = samples["image"], samples["target"]
    generator, batches = torch.Generator().manual_seed(4), []
    moments = {
        name: (torch.zeros_like(weight), torch.zeros_like(weight)) for name, weight in network.named_parameters()
    }
    expected = []
    for step in range(60):
        if step % 39 == 0:  # 1,257 samples are 39 whole batches of 32
            batches = torch.randperm(1257, generator=generator)[: 39 * 32].split(32)
        rows = batches[step % 39]
        loss = F.cross_entropy(network(x[rows]), y[rows])
        expected.append(loss.item())
        weights = dict(network.named_parameters())
        gradients = torch.autograd.grad(loss, list(weights.values()))
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
            if optimizer == "adam":  # Kingma and Ba, algorithm 1
                first, second = moments[name]
                first.mul_(0.9).add_(0.1 * gradient)
                second.mul_(0.999).add_(0.001 * gradient**2)
                gradient = first / (1 - 0.9 ** (step + 1)) / ((second / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8)
            with torch.no_grad():
                weight -= lr * gradient
    assert losses == pytest.approx(expected, rel=1e-3)
    for name, weight in network.named_parameters():
        torch.testing.assert_close(run.state.network.get_parameter(name), weight, atol=1e-3, rtol=1e-3)


def test_the_same_spec_gives_the_same_numbers_and_another_seed_others():
    def numbers(seed):
        return without_clocks(train([RunSpec.create("lenet5-modern", steps=50, seed=seed, device="cpu")]))

    first = numbers(0)
    assert first == numbers(0)
    assert first[1:] != numbers(1)[1:]


def test_events_describe_the_run_from_start_to_end():
    events = list(train([RunSpec.create("mlp", epochs=2, seed=3, device="cpu")]))
    start, end = events[0], events[-1]
    assert (start["event"], start["steps"], start["epoch"], start["params"]) == ("start", 78, 0, 2410)
    assert start["baseline"]["metric"] == "accuracy" and 0.9 < start["baseline"]["value"] < 1
    assert start["monitor"] == "accuracy" and "initial_weights" not in start
    assert {event["seed"] for event in events} == {3}
    assert [(event["step"], event["epoch"], event["split"]) for event in events if event["event"] == "eval"] == [
        *((39, 1, "validation"), (78, 2, "validation")),
        *((78, 2, "train"), (78, 2, "test")),
    ]
    assert (end["event"], end["status"], end["steps"]) == ("end", "done", 78)
    assert end["metrics"] == evaluations(events, "test")[0]["metrics"]
    assert end["validation"] == evaluations(events, "validation")[-1]["metrics"]
    assert end["steps_per_second"] == pytest.approx(end["steps"] / end["seconds"])


def test_a_long_run_reports_about_two_hundred_times():
    events = train([RunSpec.create("mlp", steps=2500, device="cpu")])
    reports = [event["step"] for event in events if event["event"] == "metric"]
    assert reports == sorted(reports) and reports[-1] == 2500
    assert 180 <= len(reports) <= 300


@pytest.mark.parametrize(
    ("interval", "steps"),
    [(25, [25, 50, 75, 100]), (40, [40, 80, 100]), (1000, [100]), ("1 epoch", [39, 78, 100]), ("2 epochs", [78, 100])],
)
def test_the_validation_set_is_evaluated_at_the_interval_and_at_the_end(interval, steps):
    events = list(train([RunSpec.create("mlp", steps=100, evaluate_every=interval, device="cpu")]))
    assert [event["step"] for event in evaluations(events, "validation")] == steps
    assert [event["step"] for event in events if event["event"] == "eval" and event["split"] != "validation"] == [
        100
    ] * 2


def test_the_validation_metrics_are_those_of_the_whole_split():
    run = run_of(epochs=2)
    *_, end = Trainer([run]).run()
    state = run.state
    for split, metrics in (("validation", end["validation"]), ("test", end["metrics"])):
        batch = state.sources[split].batch(slice(None))
        with torch.no_grad():
            logits = state.network.eval()(batch["image"])
        expected = F.cross_entropy(logits, batch["target"]).item()
        assert metrics["loss"] == pytest.approx(expected, rel=1e-5)
        assert metrics["accuracy"] == pytest.approx((logits.argmax(1) == batch["target"]).float().mean().item())


class CountedSource:
    """A source that notes at which steps it was read, and how many samples."""

    def __init__(self, run, split):
        self.run, self.source, self.reads = run, run.state.sources[split], []
        run.state.sources[split] = self

    def __len__(self):
        return len(self.source)

    def batch(self, rows):
        batch = self.source.batch(rows)
        self.reads.append((self.run.step, len(batch["target"])))
        return batch

    def to(self, device):
        return self.source.to(device)


@pytest.mark.parametrize("options", [{"epochs": 3}, {"epochs": 30, "patience": 1, "lr": 0.05}])
def test_the_test_set_is_read_once_at_the_end(options, tmp_path):
    run = run_of(tmp_path, **options)
    test, train_set = CountedSource(run, "test"), CountedSource(run, "train")
    *_, end = Trainer([run]).run()
    assert end["status"] == "done"
    assert test.reads == [(end["steps"], 360)]
    # Of the training set, as many samples as are tested.
    assert train_set.reads[-1] == (end["steps"], 360) and len(train_set.reads) == end["steps"] + 1


@pytest.mark.parametrize("ending", ["stopped", "diverged"])
def test_a_run_that_ends_otherwise_is_not_tested(ending, tmp_path, monkeypatch):
    run = run_of(tmp_path, epochs=10)
    test = CountedSource(run, "test")
    if ending == "diverged":
        with_nan_from(run, 90, monkeypatch)
    *_, end = Trainer([run], lambda: run.step == 100).run()
    assert (end["status"], end["metrics"], test.reads) == (ending, {}, [])
    assert end["validation"] == run.validation and run.validation["accuracy"] > 0.5


def with_nan_from(run, step, monkeypatch, name="loss"):
    """Let a loss of a run be NaN from a step on."""
    losses = run.state.task.losses

    def failing(outputs, batch, context):
        values = losses(outputs, batch, context)
        is_failing = context.is_training and context.step + 1 >= step
        return values | {key: values[key] * math.nan for key in {name, "loss"} if is_failing}

    monkeypatch.setattr(run.state.task, "losses", failing)


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_step():
    *_, end = train([RunSpec.create("mlp", optimizer="sgd", lr=1e30, device="cpu")])
    assert end["status"] == "diverged" and end["step"] < 10
    assert "at step 2:" in end["reason"] and "smaller learning rate" in end["reason"]


def test_the_first_step_without_a_finite_loss_is_named(monkeypatch):
    run = run_of(steps=1000)  # a report every five steps
    with_nan_from(run, 13, monkeypatch)
    *_, end = Trainer([run]).run()
    assert (end["status"], end["step"]) == ("diverged", 15)
    assert end["reason"].startswith("The loss was not a finite number at step 13:")


def test_divergence_leaves_the_best_checkpoint(tmp_path, monkeypatch):
    run = run_of(tmp_path, epochs=3)
    with_nan_from(run, 51, monkeypatch)
    *_, end = Trainer([run]).run()
    assert (end["status"], end["step"]) == ("diverged", 51)
    assert checkpoints.load(tmp_path / "best.safetensors")[1]["epoch"] == 1


def test_a_loss_that_is_not_finite_is_noticed_before_a_stopped_run_is_saved(tmp_path, monkeypatch):
    run = run_of(tmp_path, steps=5000)  # a report every 25 steps
    with_nan_from(run, 60, monkeypatch)
    *_, end = Trainer([run], lambda: run.step == 62).run()
    assert (end["status"], end["step"]) == ("diverged", 62) and "at step 60" in end["reason"]
    assert checkpoints.load(tmp_path / "last.safetensors")[1]["step"] < 60


class TwoTerms(ImageClassification):
    """A loss of two terms, as that of an autoencoder or a detector."""

    def losses(self, outputs, batch, context):
        fit, size = F.cross_entropy(outputs, batch["target"]), outputs.square().mean()
        return {"loss": fit + 0.01 * size, "fit": fit, "size": size}


@pytest.fixture
def two_terms(monkeypatch):
    monkeypatch.setattr(tasks, "get", lambda name: TwoTerms(data="digits", title="two terms"))


def test_the_terms_of_a_loss_are_in_the_events(two_terms):
    events = list(train([RunSpec.create("mlp", epochs=2, device="cpu")]))
    reported = [event["metrics"] for event in events if event["event"] in ("metric", "eval")]
    assert len(reported) == 78 + 4
    for metrics in reported:
        assert metrics["loss"] == pytest.approx(metrics["fit"] + 0.01 * metrics["size"], rel=1e-5)
        assert metrics["size"] > 0 and "accuracy" in metrics
    assert {"fit", "size"} < events[-1]["metrics"].keys()


@pytest.mark.parametrize("name", ["fit", "size"])
def test_a_term_that_is_not_finite_is_named(two_terms, name, monkeypatch):
    run = run_of(steps=1000)
    with_nan_from(run, 12, monkeypatch, name)
    *_, end = Trainer([run]).run()
    assert end["status"] == "diverged"
    assert end["reason"].startswith(f"The loss term '{name}' was not a finite number at step 12:")


def test_a_stopped_run_has_a_checkpoint(tmp_path):
    run = run_of(tmp_path, epochs=100)
    *_, saved, end = Trainer([run], lambda: run.step == 50).run()
    assert (end["status"], end["step"], saved["event"]) == ("stopped", 50, "checkpoint")
    _, metadata = checkpoints.load(tmp_path / "last.safetensors")
    assert metadata["step"] == 50 and metadata["metrics"] == end["validation"]


def test_the_checkpoints_are_the_last_weights_and_the_best_on_the_validation_set(tmp_path):
    run = run_of(tmp_path, epochs=8, lr=0.05)
    events = list(Trainer([run]).run())
    last, _ = checkpoints.load(tmp_path / "last.safetensors")
    state = run.state
    assert all(torch.equal(last[name], weight) for name, weight in state.network.state_dict().items())

    best, metadata = checkpoints.load(tmp_path / "best.safetensors")
    accuracies = [event["metrics"]["accuracy"] for event in evaluations(events, "validation")]
    assert metadata["metrics"]["accuracy"] == max(accuracies) and metadata["step"] < 8 * 39
    state.network.load_state_dict(best)
    assert state.evaluate("validation") == pytest.approx(metadata["metrics"])


@pytest.mark.parametrize(
    ("options", "monitor", "best"),
    [
        ({"model": "linear-regression", "monitor": "mae", "lr": 0.3}, "mae", min),
        ({"model": "linear-regression", "lr": 0.3}, "r2", max),
        ({"monitor": "loss", "lr": 0.05}, "loss", min),
        ({"monitor": "f1", "lr": 0.05}, "f1", max),
    ],
)
def test_the_best_checkpoint_is_that_of_the_monitored_metric(options, monitor, best, tmp_path):
    run = run_of(tmp_path, epochs=12, **options)
    events = list(Trainer([run]).run())
    assert events[0]["monitor"] == monitor
    values = {event["step"]: event["metrics"][monitor] for event in evaluations(events, "validation")}
    _, metadata = checkpoints.load(tmp_path / "best.safetensors")
    assert metadata["metrics"][monitor] == values[metadata["step"]] == best(values.values())
    assert best(values.values()) not in (values[min(values)], values[max(values)])  # neither the first nor the last


def test_a_task_decides_by_its_first_metric_in_its_direction(tmp_path, monkeypatch):
    task = Classification(data="wine", title="by the smallest value", metrics={"loss": "min", "accuracy": "max"})
    monkeypatch.setattr(tasks, "get", lambda name: task)
    run = run_of(tmp_path, task="wine", epochs=25, lr=0.1)
    events = list(Trainer([run]).run())
    values = {event["step"]: event["metrics"]["loss"] for event in evaluations(events, "validation")}
    _, metadata = checkpoints.load(tmp_path / "best.safetensors")
    assert events[0]["monitor"] == "loss" and values[metadata["step"]] == min(values.values())
    assert metadata["step"] < max(values)


def test_a_batch_can_be_all_of_the_data():
    for size in (1257, "full"):
        *_, end = train([RunSpec.create("mlp", epochs=2, batch_size=size, device="cpu")])
        assert (end["status"], end["steps"]) == ("done", 2)


SEEDS = (3, 0, 5)
SEVERAL = [
    {"model": "mlp", "steps": 90, "clip_norm": 0.5, "schedule": "cosine"},
    {"model": "mlp", "steps": 90, "dropout": 0.4, "batch_norm": True},
    {"model": "lenet5-modern", "steps": 45, "augment": {"shift": 1.0, "noise": 0.2}},
    {"model": "mlp", "epochs": 15, "lr": 0.05, "patience": 1, "dropout": 0.2},
    {"model": "mlp", "steps": 90, "ema": 0.9, "batch_size": 8, "accumulate": 2, "schedule": "plateau", "lr": 0.05},
]


@pytest.mark.parametrize("options", SEVERAL, ids=lambda options: "-".join(options))
def test_seeds_trained_together_are_seeds_one_after_the_other(options, tmp_path):
    specs = [RunSpec.create(**options, seed=seed, device="cpu") for seed in SEEDS]
    folders = [tmp_path / str(seed) for seed in SEEDS]
    for folder in folders:
        folder.mkdir()
    runs = [SeedRun(spec, folder=folder) for spec, folder in zip(specs, folders, strict=True)]
    events = list(Trainer(runs).run())
    ends = []
    for spec, run, folder in zip(specs, runs, folders, strict=True):
        other = SeedRun(spec)
        own = [event for event in events if event["seed"] == spec.seed and event["event"] != "checkpoint"]
        assert without_clocks(own) == without_clocks(Trainer([other]).run())
        ends.append(own[-1]["step"])
        for name, weight in other.state.evaluated.state_dict().items():
            assert torch.equal(weight, run.state.evaluated.state_dict()[name]), name
        assert checkpoints.load(folder / "last.safetensors")[1]["step"] == own[-1]["step"]
    assert len(set(ends)) > 1 or "patience" not in options  # early stopping is each seed's own


def test_seeds_trained_together_are_stopped_and_resumed_alike(tmp_path):
    specs = [RunSpec.create("mlp", steps=60, dropout=0.3, seed=seed, device="cpu") for seed in SEEDS]
    folders = [tmp_path / str(seed) for seed in SEEDS]
    for folder in folders:
        folder.mkdir()
    runs = [SeedRun(spec, folder=folder) for spec, folder in zip(specs, folders, strict=True)]
    ends = [event for event in Trainer(runs, lambda: runs[0].step == 25).run() if event["event"] == "end"]
    assert [(end["seed"], end["status"], end["step"]) for end in ends] == [(seed, "stopped", 25) for seed in SEEDS]
    again = [SeedRun(spec, folder=folder, resume=True) for spec, folder in zip(specs, folders, strict=True)]
    list(Trainer(again).run())
    for spec, run in zip(specs, again, strict=True):
        whole = SeedRun(spec)
        list(Trainer([whole]).run())
        for name, weight in whole.state.network.state_dict().items():
            assert torch.equal(weight, run.state.network.state_dict()[name]), name


def test_a_seed_that_diverges_leaves_the_others_alone(monkeypatch):
    spec = RunSpec.create("mlp", steps=60, dropout=0.2, device="cpu")
    runs = [SeedRun(replace(spec, seed=seed)) for seed in SEEDS]
    with_nan_from(runs[1], 20, monkeypatch)
    events = list(Trainer(runs).run())
    ends = {event["seed"]: event for event in events if event["event"] == "end"}
    assert (ends[0]["status"], ends[0]["step"]) == ("diverged", 20) and "at step 20" in ends[0]["reason"]
    assert max(event["step"] for event in events if event["seed"] == 0) == 20
    for seed in (3, 5):
        own = [event for event in events if event["seed"] == seed]
        assert own[-1]["status"] == "done" and without_clocks(own) == without_clocks(train([replace(spec, seed=seed)]))
