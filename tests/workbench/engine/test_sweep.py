"""Sweeps: which configurations are trained, for how long, and how they are ranked."""

import math
import shlex
from collections import Counter
from itertools import product
from random import Random

import pytest

from tests import scripted_worker
from workbench.engine import RunSpec, runs
from workbench.engine.executor import Executor
from workbench.engine.sweep import Range, Sweep, draw, grid, halvings, read_lists, read_ranges
from workbench.engine.training.trainer import train
from workbench.errors import UserError


def test_lists_are_read_as_the_options_of_train():
    texts = [
        "lr=0.001, 0.01",
        "batch-size=16,full",
        "batch_norm=true,no",
        "hidden_sizes=[8],[16, 16]",
        "activation=tanh",
    ]
    assert read_lists("mlp", texts) == {
        "lr": [0.001, 0.01],
        "batch_size": [16, "full"],
        "batch_norm": [True, False],
        "hidden_sizes": [[8], [16, 16]],
        "activation": ["tanh"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr", "has no values"),
        ("lr=", "has no values"),
        ("lr=0.1,", "A value is missing"),
        ("lr=0.1,0.10", "a value twice"),
        ("lr=fast", "lr must be a number"),
        ("lr=-1", "lr must be a number"),
        ("lrr=1", "Did you mean 'lr'"),
        ("optimizer=adam,adma", "Did you mean 'adam"),
        ("seed=1,2", "seed must be the same"),
        ("task=iris,wine", "task must be the same"),
        ("model=mlp", "model must be the same"),
    ],
)
def test_bad_lists_are_one_sentence(text, message):
    with pytest.raises(UserError, match=message):
        read_lists("mlp", [text])


def test_an_option_is_varied_once():
    with pytest.raises(UserError, match="varied twice"):
        read_lists("mlp", ["lr=1", "lr=2"])
    with pytest.raises(UserError, match="varied twice"):
        read_ranges("mlp", ["lr=1..2"], {"lr": [1]})


def test_ranges_are_read():
    assert read_ranges("mlp", ["lr=1e-4..1e-1:log", "batch_size=8..64", "dropout=0..0.5"], {}) == {
        "lr": Range(1e-4, 1e-1, is_log=True),
        "batch_size": Range(8, 64, is_integer=True),
        "dropout": Range(0.0, 0.5),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr=0.1", "LOW..HIGH"),
        ("lr=..1", "LOW..HIGH"),
        ("lr=1..2..3", "LOW..HIGH"),
        ("lr=0.1..0.01", "is empty"),
        ("lr=0.1..0.1", "is empty"),
        ("lr=0.1..1:lag", "ends in :log"),
        ("dropout=0..0.5:log", "above 0"),
        ("optimizer=adam..sgd", "no range of numbers"),
        ("lr=a..b", "lr must be a number"),
        ("batch_size=8..full", "no range of numbers"),
        ("lrr=1..2", "Did you mean 'lr'"),
    ],
)
def test_bad_ranges_are_one_sentence(text, message):
    with pytest.raises(UserError, match=message):
        read_ranges("mlp", [text], {})


def test_a_grid_has_every_combination_once():
    lists = {"lr": [1, 2, 3], "batch_size": [16, 32], "optimizer": ["sgd", "adam"]}
    rows = grid(lists)
    assert [tuple(row.values()) for row in rows] == list(product(*lists.values()))
    assert all(list(row) == list(lists) for row in rows)
    with pytest.raises(UserError, match="10,000 configurations"):
        grid({"lr": range(100), "l2": range(100)})


def test_numbers_are_drawn_uniformly_on_their_scale():
    rng = Random(0)
    drawn = [Range(1e-4, 1e-1, is_log=True).draw(rng) for _ in range(3000)]
    assert min(drawn) >= 1e-4 and max(drawn) <= 1e-1
    per_decade = Counter(math.floor(math.log10(value)) for value in drawn)
    assert all(900 < per_decade[decade] < 1100 for decade in (-4, -3, -2))  # sd of the count: 26
    drawn = [Range(0.0, 0.5).draw(rng) for _ in range(3000)]
    assert abs(sum(drawn) / 3000 - 0.25) < 0.012  # four standard deviations
    assert all(float(f"{value:.4g}") == value for value in drawn)  # as they are written in a command
    integers = Counter(Range(8, 11, is_integer=True).draw(rng) for _ in range(4000))
    assert set(integers) == {8, 9, 10, 11} and all(850 < count < 1150 for count in integers.values())
    assert {Range(1, 4, True, True).draw(rng) for _ in range(300)} == {1, 2, 3, 4}


def test_draws_are_reproducible_different_and_from_lists_too():
    lists, ranges = {"optimizer": ["sgd", "adam"]}, {"lr": Range(0.001, 0.1, is_log=True)}
    ten, twenty = draw(10, lists, ranges, 7), draw(20, lists, ranges, 7)
    assert twenty[:10] == ten != draw(10, lists, ranges, 8)
    assert len({tuple(row.items()) for row in twenty}) == 20
    assert {row["optimizer"] for row in twenty} == {"sgd", "adam"}
    assert {row["optimizer"] for row in draw(2, lists, {}, 0)} == {"sgd", "adam"}
    for count, message in ((3, "not 3 different"), (0, "from 1 to"), (10**6, "from 1 to")):
        with pytest.raises(UserError, match=message):
            draw(count, lists, {}, 0)


@pytest.mark.parametrize(
    ("count", "eta", "length", "expected"),
    [
        (9, 3, 9, [(9, 1), (3, 3), (1, 9)]),
        (27, 3, 81, [(27, 3), (9, 9), (3, 27), (1, 81)]),  # Jamieson and Talwalkar's halves, with thirds
        (10, 2, 20, [(10, 2), (5, 5), (2, 10), (1, 20)]),
        (6, 3, 20, [(6, 6), (2, 20)]),
        (100, 10, 5, [(100, 5)]),  # too short to be halved
        (27, 3, 4, [(27, 1), (9, 4)]),
    ],
)
def test_halving_trains_fewer_for_longer(count, eta, length, expected):
    assert halvings(count, eta, length) == expected


def test_halving_needs_something_to_halve():
    for count, eta, message in ((2, 3, "3 or more configurations"), (9, 1, "at least 2")):
        with pytest.raises(UserError, match=message):
            halvings(count, eta, 20)


@pytest.mark.parametrize(
    ("fixed", "varied", "eta", "message"),
    [
        ({"lr": 0.1}, [{"lr": 0.1}], None, "set and also varied"),
        ({"options": {"activation": "relu"}}, [{"activation": "tanh"}], None, "set and also varied"),
        ({}, [{"epochs": 1}, {"epochs": 2}], 2, "epochs can't be varied"),
        ({"optimizer": "sgd"}, [{"momentum": 0.9}], None, "has no momentum"),
    ],
)
def test_a_sweep_that_cannot_be_trained_is_one_sentence(fixed, varied, eta, message):
    with pytest.raises(UserError, match=message):
        Sweep("mlp", fixed, varied, [0], eta)


def scripted(monkeypatch, accuracy, status=lambda spec: "done"):
    """Have runs end with a validation accuracy, and a test accuracy of 1 less that."""

    def script(spec):
        validation = {"loss": 1.0, "accuracy": accuracy(spec)}
        metrics = {"accuracy": 1 - validation["accuracy"]} if status(spec) == "done" else {}
        steps = dict(step=1, steps=1, seconds=1.0, steps_per_second=1.0)
        return [dict(event="end", status=status(spec), validation=validation, metrics=metrics, reason="x", **steps)]

    return scripted_worker.install(monkeypatch, script)


def trained(sweep, reuse=True):
    with Executor(2) as executor:
        for index in range(len(sweep.rounds)):
            sweep.train_round(index, executor, reuse, lambda trial, event: None)
    return sweep.to_dict()


def test_configurations_are_ranked_by_the_validation_set_alone(monkeypatch):
    accuracy = {(0.1, 0): 0.5, (0.1, 1): 0.7, (0.2, 0): 0.8, (0.2, 1): 0.9, (0.3, 0): 0.6, (0.3, 1): 0.8}
    scripted(monkeypatch, lambda spec: accuracy[spec.optimizer.lr, spec.seed])
    result = trained(Sweep("mlp", {"epochs": 5}, grid({"lr": [0.1, 0.2, 0.3]}), [0, 1], None))
    assert [row["options"]["lr"] for row in result["configurations"]] == [0.2, 0.3, 0.1]
    best = result["best"]
    assert best["validation"] == {"mean": pytest.approx(0.85), "sd": pytest.approx(0.0707106781), "values": [0.8, 0.9]}
    assert best["test"]["accuracy"]["mean"] == pytest.approx(0.15)
    assert best["command"] == "workbench train mlp --epochs 5 --lr 0.2 --seeds 0..1"
    assert (result["metric"], result["mode"], result["unit"]) == ("accuracy", "max", "epochs")


def test_a_metric_may_be_better_when_it_is_smaller(monkeypatch):
    scripted(monkeypatch, lambda spec: 0.5)
    sweep = Sweep("mlp", {"monitor": "loss"}, grid({"lr": [0.1, 0.2]}), [0], None)
    assert sweep.sign == -1 and trained(sweep)["mode"] == "min"
    first, second = sweep.configurations
    first.trials[0].end["validation"]["loss"] = 0.3
    assert sweep.ranked() == [first, second]
    second.trials[0].end["validation"]["loss"] = 0.2
    assert sweep.ranked() == [second, first]


def test_a_configuration_that_failed_with_a_seed_comes_last(monkeypatch):
    scripted(
        monkeypatch,
        lambda spec: 0.9 if spec.optimizer.lr == 0.3 else 0.5,
        lambda spec: "diverged" if spec.optimizer.lr == 0.3 and spec.seed else "done",
    )
    result = trained(Sweep("mlp", {}, grid({"lr": [0.3, 0.1]}), [0, 1], None))
    assert [row["options"]["lr"] for row in result["configurations"]] == [0.1, 0.3]
    assert result["configurations"][1]["statuses"] == ["done", "diverged"]


def test_without_a_run_that_is_done_there_is_no_best(monkeypatch):
    scripted(monkeypatch, lambda spec: 0.5, lambda spec: "diverged")
    assert trained(Sweep("mlp", {}, grid({"lr": [0.3, 0.1]}), [0], None))["best"] is None


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_halving_continues_runs_where_that_makes_no_difference(schedule, monkeypatch):
    jobs = scripted(monkeypatch, lambda spec: spec.optimizer.lr)
    rates = [0.1, 0.4, 0.2, 0.3]
    sweep = Sweep("mlp", {"epochs": 8, "schedule": schedule}, grid({"lr": rates}), [3], 2)
    result = trained(sweep)
    assert [(row["options"]["lr"], row["epochs"]) for row in result["configurations"]] == [
        *((0.4, 8), (0.3, 4), (0.2, 2), (0.1, 2)),
    ]
    assert result["rounds"] == [
        {"configurations": count, "epochs": length} for count, length in ((4, 2), (2, 4), (1, 8))
    ]
    continued = [RunSpec.from_json(job["resume"]) for job in jobs if job["resume"]]
    if schedule == "constant":
        assert sorted((spec.optimizer.lr, spec.length.epochs) for spec in continued) == [(0.3, 4), (0.4, 4), (0.4, 8)]
        assert len(runs.every()) == 4
    else:  # its learning rates depend on the length: each length is a run of its own
        assert not continued and len(runs.every()) == 7


def test_a_sweep_that_is_repeated_trains_nothing(monkeypatch):
    jobs = scripted(monkeypatch, lambda spec: spec.optimizer.lr)
    arguments = ("mlp", {"epochs": 4, "schedule": "cosine"}, grid({"lr": [0.1, 0.2]}), [0, 1], None)
    first = trained(Sweep(*arguments))
    assert len(jobs) == 4
    second = trained(Sweep(*arguments))
    assert len(jobs) == 4 and second["best"]["reused"] == [True, True]
    assert second["best"]["validation"] == first["best"]["validation"]
    trained(Sweep(*arguments), reuse=False)
    assert len(jobs) == 8


@pytest.mark.full
def test_the_command_of_the_best_configuration_trains_a_run_with_its_numbers():
    varied = grid({"hidden_sizes": [[4], [24]], "lr": [0.003, 0.03]})
    result = trained(Sweep("mlp", {"epochs": 4, "device": "cpu"}, varied, [2], 2))
    words = shlex.split(result["best"]["command"])
    assert words[:3] == ["workbench", "train", "mlp"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    hidden_sizes = [24] if given["--option"] == "hidden_sizes=[24]" else [4]
    spec = RunSpec.create(
        "mlp",
        epochs=int(given["--epochs"]),
        lr=float(given["--lr"]),
        seed=int(given["--seed"]),
        device="cpu",
        options={"hidden_sizes": hidden_sizes},
    )
    *_, end = train([spec])
    assert [end["validation"]["accuracy"]] == result["best"]["validation"]["values"]
    assert {name: of["mean"] for name, of in result["best"]["test"].items()} == end["metrics"]
