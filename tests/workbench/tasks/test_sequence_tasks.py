"""The tasks adding, copy and series: what networks read, losses, metrics, baselines, visualizations and answers."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

import models
from workbench import data, tasks
from workbench.data import series as series_data
from workbench.engine import RunSpec, networks
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext

CONTEXT = StepContext()
READERS = ("rnn", "lstm", "gru", "cnn-1d")


def network(name, task, **options):
    torch.manual_seed(0)
    return networks.build(RunSpec.create(name, task=task, options=options))


def as_text(rows):
    return "\n".join("".join(segment.text for segment in row) for row in rows)


@pytest.mark.parametrize("task", ["adding", "copy"])
@pytest.mark.parametrize("name", READERS)
def test_a_few_steps_lower_the_loss(name, task):
    learner, own = network(name, task), tasks.get(task)
    source = own.sources(learner, seed=0)["train"]
    own.check(learner, source)
    batch = source.batch(slice(0, 32))
    optimizer = torch.optim.Adam(learner.parameters(), lr=3e-3)
    losses = []
    for _ in range(20):
        losses.append(own.losses(own.forward(learner, batch, CONTEXT), batch, CONTEXT)["loss"])
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("task", ["adding", "copy"])
def test_sequences_have_as_many_steps_as_a_network_is_set_to(task):
    first = {"adding": "values", "copy": "tokens"}[task]
    for options, steps in (({}, 20), (dict(steps=33), 33)):
        sources = tasks.get(task).sources(network("gru", task, **options), seed=1)
        assert {split: source.batch(slice(0, 2))[first].shape[1] for split, source in sources.items()} == dict.fromkeys(
            data.SPLITS, steps
        )
    with pytest.raises(UserError, match="A sequence has at least"):
        tasks.get(task).sources(network("gru", task, steps=1), seed=1)


@pytest.mark.parametrize("task", ["adding", "copy", "series"])
@pytest.mark.parametrize("name", ["mlp", "lenet5-modern"])
def test_other_networks_are_told_what_to_choose(name, task):
    with pytest.raises(UserError, match="Choose"):
        tasks.get(task).sources(models.build(name, "mini"), seed=0)


def test_networks_of_values_read_no_text():
    with pytest.raises(UserError, match="does not read tokens"):
        tasks.get("characters").sources(models.build("lstm", "mini", in_features=2), seed=0)
    with pytest.raises(UserError, match="does not read 2 values per step"):
        tasks.get("adding").sources(models.build("lstm", "mini"), seed=0)


def test_metrics_of_the_adding_problem():
    task, learner = tasks.get("adding"), network("rnn", "adding")
    source = task.sources(learner, seed=0)["test"]
    batch = source.batch(slice(None))
    with torch.no_grad():
        error = (learner(batch["values"])[:, -1, 0] - batch["target"][:, 0]).double().numpy()
    assert torch.allclose(batch["target"][:, 0], (batch["values"][:, :, 0] * batch["values"][:, :, 1]).sum(dim=1))
    expected = dict(loss=np.mean(error**2), mse=np.mean(error**2), mae=np.mean(np.abs(error)))
    assert task.evaluate(learner, source) == pytest.approx(expected, rel=1e-4)
    baseline = task.compute_baseline(0)
    assert (baseline.metric, baseline.method) == ("mse", "the mean")
    assert baseline.value == pytest.approx(1 / 6, rel=0.05)


def test_metrics_of_the_copying_problem():
    task, learner = tasks.get("copy"), network("rnn", "copy")
    source = task.sources(learner, seed=0)["test"]
    batch = source.batch(slice(None))
    assert torch.equal(batch["target"], batch["tokens"][:, :4])
    with torch.no_grad():
        probabilities = learner(batch["tokens"])[:, -4:].double().softmax(dim=2)
    of_targets = probabilities.gather(2, batch["target"][:, :, None])
    expected = -of_targets.log().mean().item()
    accuracy = (probabilities.argmax(dim=2) == batch["target"]).double().mean().item()
    metrics = task.evaluate(learner, source)
    assert metrics == pytest.approx(dict(loss=expected, cross_entropy=expected, accuracy=accuracy), rel=1e-4)
    assert task.compute_baseline(0).value == math.log(8)


class Sum(nn.Module):
    """Adds the marked values exactly."""

    steps = 20

    def example_inputs(self, batch_size=1):
        return (torch.zeros(batch_size, self.steps, 2),)

    def forward(self, values):
        return (values[:, :, :1] * values[:, :, 1:]).cumsum(dim=1)


class Memory(nn.Module):
    """Copies the symbols exactly."""

    def example_inputs(self, batch_size=1):
        return (torch.zeros(batch_size, 20, dtype=torch.int64),)

    def forward(self, tokens):
        repeated = torch.cat([torch.zeros_like(tokens[:, :-4]), tokens[:, :4]], dim=1)
        return 20.0 * nn.functional.one_hot(repeated, 10)


def test_perfect_networks_score_perfectly_and_are_drawn():
    for name, perfect, metrics in (("adding", Sum(), dict(mse=0, mae=0)), ("copy", Memory(), dict(accuracy=1))):
        task = tasks.get(name)
        source = task.sources(perfect, seed=0)["test"]
        scores = task.evaluate(perfect, source)
        assert {metric: scores[metric] for metric in metrics} == pytest.approx(metrics, abs=1e-6)
        drawings = json.loads(json.dumps(task.visualize(perfect, source), allow_nan=False))
        for kind in predictions.kinds(drawings):
            assert as_text(predictions.draw(drawings, kind, 80, 24)).strip()
    text = as_text(predictions.draw(drawings, "text", 80, 24)).split("\n")
    assert text[0].startswith(text[1]) and "is copied as" in text[0]


def test_questions_about_sums_and_copies():
    answer = tasks.get("adding").respond(Sum(), {"values": "0.5, 0.25,1,0.125", "marks": "2,4"}, 0)
    assert (answer["predicted"], answer["target"]) == (0.375, 0.375)
    assert answer["features"] == {"step 2": 0.25, "step 4": 0.125}
    answer = tasks.get("copy").respond(Memory(), {"symbols": "habc", "steps": "30"}, 0)
    assert (answer["symbols"], answer["text"]) == ("HABC", "HABC")


@pytest.mark.parametrize(
    ("task", "learner", "question", "message"),
    [
        ("adding", Sum(), {"values": "1"}, "values must be 2 to"),
        ("adding", Sum(), {"values": "1,x", "marks": "1,2"}, "values must be a number, not 'x'"),
        ("adding", Sum(), {"values": "1,2", "marks": "1,3"}, "marks must be two different steps from 1 to 2"),
        ("adding", Sum(), {"values": "1,2", "marks": "1,1"}, "marks must be two different steps"),
        ("adding", Sum(), {"value": "1,2"}, "Unknown part of a question"),
        ("copy", Memory(), {"symbols": "ABZD"}, "symbols must be 4 letters from A to H"),
        ("copy", Memory(), {"symbols": "ABCD", "steps": "8"}, "steps must be an integer from 9"),
    ],
)
def test_questions_that_can_not_be_answered(task, learner, question, message):
    with pytest.raises(UserError, match=message):
        tasks.get(task).respond(learner, question, 0)


class Naive(nn.Module):
    """Forecasts the season before exactly: the value 24 steps before."""

    window, horizon = 48, 12

    def example_inputs(self, batch_size=1):
        return (torch.zeros(batch_size, 48, 1),)

    def forward(self, values):
        return values[:, -24:-12, 0]


def test_windows_of_a_series_are_standardized_by_the_training_set_and_targets_stay_in_their_split():
    task, values = tasks.get("series"), series_data.load()
    mean, deviation = values[:1400].mean(), values[:1400].std()
    sources = task.sources(Naive(), seed=0)
    starts = {"train": 48, "validation": 1400, "test": 1600}
    ends = {"train": 1400, "validation": 1600, "test": 2000}
    for split, source in sources.items():
        assert len(source) == ends[split] - starts[split] - 12 + 1
        batch = source.batch(slice(None))
        for row in (0, len(source) - 1):
            t = starts[split] + row
            past = batch["values"][row, :, 0].numpy() * deviation + mean
            assert past == pytest.approx(values[t - 48 : t], rel=1e-5)
            assert batch["target"][row].numpy() * deviation + mean == pytest.approx(values[t : t + 12], rel=1e-5)


def test_the_baseline_of_a_series_is_the_better_simple_forecast():
    task, values = tasks.get("series"), series_data.load()
    naive = np.mean([np.abs(values[t - 24 : t - 12] - values[t : t + 12]).mean() for t in range(1600, 1989)])
    baseline = task.compute_baseline(0)
    assert (baseline.metric, baseline.method) == ("mae", "the value 24 steps before")
    assert baseline.value == pytest.approx(naive)
    metrics = task.evaluate(Naive(), task.sources(Naive(), seed=0)["test"])
    assert metrics["mae"] == pytest.approx(naive, rel=1e-4)
    errors = [((values[t - 24 : t - 12] - values[t : t + 12]) ** 2).mean() for t in range(1600, 1989)]
    assert metrics["mse"] == pytest.approx(np.mean(errors), rel=1e-4)


def test_a_future_value_changes_no_input_before_it(monkeypatch):
    task, values = tasks.get("series"), series_data.load()
    before = task.sources(Naive(), seed=0)
    changed = values.copy()
    changed[1990] += 1000
    monkeypatch.setattr(
        data,
        "load",
        lambda name, seed=0: dict(zip(data.SPLITS, [(part,) for part in np.split(changed, [1400, 1600])], strict=True)),
    )
    after = task.sources(Naive(), seed=0)
    for split in data.SPLITS:
        one, other = (sources[split].batch(slice(None)) for sources in (before, after))
        rows = slice(0, 300) if split == "test" else slice(None)
        assert all(torch.equal(one[name][rows], other[name][rows]) for name in one)


def test_forecasts_are_drawn_with_the_past_and_the_truth():
    task = tasks.get("series")
    source = task.sources(Naive(), seed=0)["validation"]
    drawings = json.loads(json.dumps(task.visualize(Naive(), source), allow_nan=False))
    assert [drawing["kind"] for drawing in drawings] == ["forecast"] * 3
    assert all((len(d["past"]), len(d["target"]), len(d["predicted"])) == (48, 12, 12) for d in drawings)
    assert drawings[0]["predicted"] == pytest.approx(drawings[0]["past"][24:36], rel=1e-5)
    for width, height in ((80, 24), (40, 12), (100, 40)):
        rows = predictions.draw(drawings, "forecast", width, height)
        assert len(rows) <= height and all(word in as_text(rows) for word in ("past", "true", "forecast"))


def test_a_forecast_follows_the_end_of_the_series_or_values_that_are_typed():
    task, values = tasks.get("series"), series_data.load()
    answer = task.respond(Naive(), {}, 0)
    assert answer["past"] == pytest.approx(values[-48:].tolist())
    assert answer["predicted"] == pytest.approx(values[-24:-12].tolist(), rel=1e-5) and "target" not in answer
    longer = task.respond(Naive(), {"horizon": "30"}, 0)["predicted"]
    season = values[-24:].tolist()
    assert longer == pytest.approx([*season, *season[:6]], rel=1e-5)
    typed = list(range(100, 160))
    answer = task.respond(Naive(), {"values": ",".join(map(str, typed)), "horizon": "3"}, 0)
    assert answer["predicted"] == pytest.approx(typed[-24:-21], rel=1e-5)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"horizon": "0"}, "horizon must be an integer from 1 to 500"),
        ({"horizon": "1.5"}, "horizon must be an integer"),
        ({"values": "1,2,3"}, "values must be at least 48 numbers with commas between them, not 3"),
        ({"values": "1,,2"}, "values must be a number, not ''"),
        ({"window": "1"}, "Unknown part of a question"),
    ],
)
def test_forecasts_that_can_not_be_made(question, message):
    with pytest.raises(UserError, match=message):
        tasks.get("series").respond(Naive(), question, 0)


def test_a_forecaster_has_the_horizon_of_its_series_and_a_window_that_fits(tmp_path):
    task = tasks.get("series")
    with pytest.raises(UserError, match="Set its horizon to 12"):
        task.sources(network("time-series-forecaster", "series", horizon=6), seed=0)
    file = tmp_path / "short.csv"
    file.write_text("value\n" + "\n".join(str(k % 12) for k in range(130)))
    own = tasks.get(f"series:{file}")
    assert networks.is_compatible("time-series-forecaster", "mini", f"series:{file}")
    sources = own.sources(network("time-series-forecaster", f"series:{file}"), seed=0)
    assert [len(source) for source in sources.values()] == [91 - 59, 13 - 11, 26 - 11]
    assert own.compute_baseline(0).value == 0  # it repeats exactly
    with pytest.raises(UserError, match="The training set has 91 values, and a window of 100 with 12"):
        own.sources(network("time-series-forecaster", f"series:{file}", window=100), seed=0)
