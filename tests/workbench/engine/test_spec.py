"""The spec: complete, checked, and the same after a trip through JSON."""

import json
import math
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models
from models import registry
from workbench import tasks
from workbench.engine import RunSpec
from workbench.engine.checks import read_interval
from workbench.engine.spec.choices import RECIPE, applicable
from workbench.engine.spec.options import OPTIONS
from workbench.engine.spec.sections import (
    INITS,
    OPTIMIZERS,
    SCHEDULES,
    SGD,
    Epochs,
    Evaluation,
    Nesterov,
    Normal,
    Plateau,
    Regularization,
    Step,
)
from workbench.errors import UserError

length = st.one_of(
    st.builds(lambda n: {"epochs": n}, st.integers(1, 10**6)), st.builds(lambda n: {"steps": n}, st.integers(1, 10**6))
)


@given(
    model=st.sampled_from(models.names()),
    preset=st.sampled_from(["mini", "paper"]),
    length=st.one_of(st.just({}), length),
    batch_size=st.integers(1, 10**6),
    lr=st.one_of(st.none(), st.floats(0, exclude_min=True, allow_infinity=False)),
    optimizer=st.sampled_from(["adam", "sgd"]),
    seed=st.integers(0, 2**63 - 1),
    device=st.sampled_from(["cpu", "cuda", "cuda:3", "mps"]),
)
def test_json_keeps_all_of_it(length, **given_values):
    spec = RunSpec.create(**given_values, **length)
    assert RunSpec.from_json(spec.to_json()) == spec


def test_what_is_not_given_is_filled_in():
    spec = RunSpec.create("lenet5-modern", optimizer="sgd")
    assert (spec.data.task, spec.length, spec.optimizer.lr) == ("digits", Epochs(20), 0.1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": "digit"}, "Did you mean 'digits"),
        ({"preset": "large"}, "paper"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": -1}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"epochs": True}, "epochs"),
        ({"steps": 0}, "steps"),
        ({"epochs": 1, "steps": 1}, "not both"),
        ({"batch_size": 0}, "batch_size"),
        ({"lr": math.nan}, "lr"),
        ({"lr": -0.1}, "lr"),
        ({"lr": 0}, "lr"),
        ({"lr": math.inf}, "lr"),
        ({"lr": "fast"}, "lr"),
        ({"optimizer": "adma"}, "Did you mean 'adam"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"device": "gpu"}, "cuda"),
        ({"device": 0}, "device"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_sentence(options, said):
    with pytest.raises(UserError, match=said) as refusal:
        RunSpec.create("mlp", **options)
    assert "\n" not in str(refusal.value)


def test_an_unknown_model_is_met_with_its_neighbours():
    with pytest.raises(UserError, match="Did you mean 'lenet5-modern"):
        RunSpec.create("lenet-modern")


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"model": "mlp", "epoch": 3}', '{"model": 3}', "\x00", "null"])
def test_damaged_json_is_refused(text):
    with pytest.raises(UserError):
        RunSpec.from_json(text)


@given(
    st.dictionaries(
        st.sampled_from(sorted(OPTIONS)),
        st.one_of(st.none(), st.text(), st.floats(), st.lists(st.integers())),
        min_size=1,
    )
)
def test_no_json_object_raises_anything_but_a_refusal(record):
    with suppress(UserError):
        RunSpec.from_json(json.dumps({"model": "mlp", **record}))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimizer": "sgd", "momentum": 0.9}, "use momentum or nesterov"),
        ({"optimizer": "momentum", "momentum": 1.0}, "below 1"),
        ({"optimizer": "momentum", "beta1": 0.9}, "use adam or adamw"),
        ({"optimizer": "gd", "batch_size": 32}, "whole training set"),
        ({"batch_size": "all"}, "batch_size"),
        ({"batch_size": True}, "batch_size"),
        ({"schedule": "cosin"}, "Did you mean 'cosine"),
        ({"schedule": "cosine", "decay": 0.5}, "step or exponential"),
        ({"schedule": "step", "decay": 1.5}, "1 at most"),
        ({"decay_every": 0, "schedule": "step"}, "decay_every"),
        ({"warmup": -1}, "warmup"),
        ({"l1": -1e-4}, "l1"),
        ({"l2": math.nan}, "l2"),
        ({"weight_decay": math.inf}, "weight_decay"),
        ({"clip_norm": -1}, "clip_norm"),
        ({"clip_norm": 1.0, "clip_value": 1.0}, "not both"),
        ({"patience": 0}, "patience"),
        ({"dropout": 1.0}, "dropout"),
        ({"batch_norm": "yes"}, "batch_norm"),
        ({"augment": {"shfit": 1.0}}, "Did you mean 'shift"),
        ({"augment": {"zoom": 2.0}}, "zoom"),
        ({"augment": {"noise": 0}}, "noise"),
        ({"augment": "shift"}, "augment"),
        ({"init": "havier"}, "Did you mean 'xavier"),
        ({"init_scale": 0.1}, "normal or uniform"),
        ({"init": "he", "init_scale": 0.1}, "normal or uniform"),
        ({"model": "lenet5", "dropout": 0.5}, "lenet5 has no dropout"),
        ({"model": "lenet5", "batch_norm": False}, "no batch normalization"),
        ({"augment": {"shift": 1.0}}, "mlp reads none"),
        ({"options": [1]}, "options"),
        ({"bf16": 1}, "bf16"),
        ({"eps": -1e-8}, "eps"),
    ],
)
def test_methods_that_cannot_be_are_refused_in_one_sentence(options, said):
    with pytest.raises(UserError, match=said) as refusal:
        RunSpec.create(**{"model": "mlp", **options})
    assert "\n" not in str(refusal.value)


def test_methods_fill_in_what_is_their_own():
    assert RunSpec.create("mlp", optimizer="gd").data.batch_size == "full"
    nesterov = RunSpec.create("mlp", optimizer="nesterov")
    assert (nesterov.optimizer, nesterov.data.batch_size) == (Nesterov(momentum=0.9), 32)
    assert RunSpec.create("mlp", optimizer="adamw").optimizer.weight_decay == 0.01
    assert RunSpec.create("mlp").optimizer.weight_decay == 0.0
    assert RunSpec.create("mlp", schedule="step").schedule == Step(decay=0.1)
    assert RunSpec.create("mlp", init="normal").initialization == Normal(0.05)


@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "optimizer": st.sampled_from(["adam", "adamw"]),
            "beta1": st.floats(0, 0.99),
            "schedule": st.sampled_from(["step", "exponential"]),
            "warmup": st.integers(0, 100),
            "batch_size": st.one_of(st.just("full"), st.integers(1, 100)),
            "options": st.just({"activation": "tanh", "hidden_sizes": [16]}),
            "batch_norm": st.booleans(),
            "l1": st.floats(0, 1),
            "bf16": st.booleans(),
        },
    )
)
def test_json_keeps_every_method(fields):
    spec = RunSpec.create("mlp", **fields)
    assert RunSpec.from_json(spec.to_json()) == spec


@given(augment=st.dictionaries(st.sampled_from(["shift", "noise"]), st.floats(0.1, 5)))
def test_json_keeps_how_pictures_are_changed(augment):
    spec = RunSpec.create("lenet5", augment=augment)
    assert RunSpec.from_json(spec.to_json()) == spec


SAMPLE = {  # of each field that isn't chosen by name, a value that no choice fills in by itself
    **{
        "epochs": 3,
        "steps": 7,
        "patience": 4,
        "batch_size": 17,
        "momentum": 0.7,
        "beta1": 0.6,
        "beta2": 0.8,
        "eps": 1e-3,
    },
    **{
        "clip_norm": 2.0,
        "clip_value": 3.0,
        "lr": 0.2,
        "decay": 0.3,
        "decay_every": 11,
        "warmup": 5,
        "l1": 0.1,
        "l2": 0.2,
    },
    **{"weight_decay": 0.04, "dropout": 0.35, "batch_norm": True, "augment": {"shift": 2.0}, "init_scale": 0.07},
    **{"seed": 9, "device": "cuda:1", "bf16": True, "compile": True, "options": {"image_size": 24}},
    **{"origin": "lenet5-modern-0001", "weights": "/weights.pth"},
    **{"monitor": "loss", "evaluate_every": "3 epochs", "accumulate": 2, "plateau_patience": 4, "ema": 0.98},
    **{"train_samples": 100, "label_noise": 0.3},
    **{"decay_on": "weights", "label_smoothing": 0.15, "class_weights": True, "pixel_loss": "dice"},
}
CHOICES = {"model", "task", "preset", "optimizer", "schedule", "init"}
OF_TRANSFER = {"freeze": "backbone", "layer_decay": 0.4, "part": "backbone"}


def test_the_samples_are_of_all_fields():
    assert set(SAMPLE) | CHOICES | set(OF_TRANSFER) == set(OPTIONS)


@pytest.mark.parametrize("name", OF_TRANSFER)
def test_what_belongs_to_learnt_weights_applies_beside_them_alone(name):
    given = {name: OF_TRANSFER[name]}
    assert name not in applicable({"model": "resnet18"})
    for begun in ({"origin": "resnet18-0001"}, {"weights": "/weights.pth"}):
        if name == "part" and "weights" in begun:
            assert name not in applicable({"model": "resnet18", **begun})
        else:
            assert name in applicable({"model": "resnet18", **begun})
            assert RunSpec.create("resnet18", **begun, **given).options().get(name) == given[name]
    with pytest.raises(UserError):
        RunSpec.create("resnet18", **given)


@given(
    model=st.sampled_from(models.names()),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    init=st.sampled_from([None, *INITS]),
    name=st.sampled_from(sorted(SAMPLE)),
)
@settings(max_examples=400)
def test_a_field_applies_where_the_spec_takes_it(model, optimizer, schedule, init, name):
    chosen = dict(model=model, optimizer=optimizer, schedule=schedule, init=init)
    if name in applicable(chosen):
        assert RunSpec.create(**chosen, **{name: SAMPLE[name]}).options().get(name) == SAMPLE[name]
    else:
        with pytest.raises(UserError):
            RunSpec.create(**chosen, **{name: SAMPLE[name]})


def test_what_applies_is_known_of_the_usual_choices():
    assert not {"momentum", "decay", "init_scale", "augment"} & set(applicable({"model": "mlp"}))
    assert {"beta1", "beta2", "eps", "dropout", "batch_norm", "batch_size"} <= set(applicable({"model": "mlp"}))
    lenet = applicable({"model": "lenet5", "optimizer": "gd", "schedule": "step", "init": "normal"})
    assert {"decay", "decay_every", "init_scale", "augment"} <= set(lenet)
    assert not {"dropout", "batch_norm", "beta1", "momentum", "batch_size"} & set(lenet)
    assert set(lenet) >= CHOICES


def test_a_table_of_ones_own_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert RunSpec.create("mlp", task="csv:data.csv").data.task == f"csv:{tmp_path / 'data.csv'}"


@pytest.mark.parametrize("name", tasks.LABEL_OPTIONS)
def test_options_of_labels_apply_to_tasks_with_classes_alone(name):
    assert name in applicable({"model": "mlp"}) and name in applicable({"model": "mlp", "task": "iris"})
    assert name not in applicable({"model": "mlp", "task": "diabetes"})
    assert name not in applicable({"model": "linear-regression"})
    assert name in applicable({"model": "mlp", "task": "csv:own.csv"})  # it may have classes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"evaluate_every": 0}, "evaluate_every must be an integer"),
        ({"evaluate_every": "0 epochs"}, "'1 epoch'"),
        ({"evaluate_every": "often"}, "a number of steps, such as 200"),
        ({"evaluate_every": True}, "evaluate_every"),
        ({"evaluate_every": 1.5}, "evaluate_every"),
        ({"monitor": "acuracy"}, "Unknown metric of digits 'acuracy'. Did you mean 'accuracy'"),
        ({"monitor": "top5", "task": "iris"}, "Unknown metric of iris 'top5'"),
        ({"accumulate": 0}, "accumulate"),
        ({"ema": 1.0}, "ema must be a number of 0 or more and below 1"),
        ({"ema": -0.1}, "ema"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"class_weights": "yes"}, "class_weights must be true or false"),
        ({"label_smoothing": 0.1, "model": "linear-regression"}, "The task diabetes has no label_smoothing"),
        ({"class_weights": True, "task": "diabetes"}, "The task diabetes has no class_weights"),
        ({"label_noise": 0.1, "task": "diabetes"}, "The task diabetes has no labels to change"),
        ({"label_noise": 1.0}, "label_noise must be a number of 0 or more and below 1"),
        ({"train_samples": 0}, "train_samples must be an integer of at least 1"),
        ({"decay_on": "weight"}, "Did you mean 'weights'"),
        ({"plateau_patience": 2}, "use plateau"),
        ({"schedule": "plateau", "plateau_patience": 0}, "plateau_patience"),
        ({"schedule": "plateau", "decay_every": 5}, "use step or exponential"),
        ({"schedule": "one-cycle", "decay": 0.5}, "use step or exponential or plateau"),
        ({"schedule": "onecycle"}, "Did you mean 'one-cycle"),
    ],
)
def test_options_of_training_that_cannot_be_are_an_error_of_one_sentence(options, message):
    with pytest.raises(UserError, match=message) as error:
        RunSpec.create(**{"model": "mlp", **options})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "interval"),
    [("200", 200), ("200 steps", 200), ("1 step", 1), ("1 epoch", "1 epoch"), ("3epochs", "3 epochs")],
)
def test_an_interval_is_a_number_of_steps_or_of_epochs(text, interval):
    assert RunSpec.create("mlp", evaluate_every=read_interval(text)).evaluation.evaluate_every == interval


def test_what_is_left_out_has_its_usual_value():
    spec = RunSpec.create("mlp")
    assert spec.evaluation == Evaluation("1 epoch", None, None)
    assert (spec.data.accumulate, spec.optimizer.decay_on, spec.clipping) == (1, "all", None)
    assert spec.regularization == Regularization(0.0, 0.0, 0.0, False, None, None)
    assert RunSpec.create("mlp", schedule="plateau").schedule == Plateau(decay=0.1, plateau_patience=3)


def test_zero_switches_off_what_a_recipe_would_do(recipe):
    recipe("mlp", **ALL_OF_A_RECIPE)
    spec = RunSpec.create("mlp", clip_norm=0, ema=0)
    assert (spec.clipping, spec.regularization.ema) == (None, None)


@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "dropout": st.floats(0, 0.9),
            "steps": st.integers(1, 99),
            "schedule": st.sampled_from(sorted(SCHEDULES)),
            "optimizer": st.sampled_from(sorted(OPTIMIZERS)),
            "init": st.sampled_from(sorted(INITS)),
            "ema": st.sampled_from([0, 0.9]),
            "clip_norm": st.sampled_from([0, 1.5]),
            "patience": st.integers(1, 9),
        },
    )
)
def test_the_options_of_a_spec_give_the_same_spec(fields):
    spec = RunSpec.create("mlp", **fields)
    assert RunSpec.create(**spec.options(), use_recipe=False) == spec
    longer = spec.with_options(epochs=77)
    assert longer == replace(spec, length=Epochs(77))


def test_a_spec_of_a_newer_version_is_refused_and_one_of_an_older_version_is_read():
    spec = RunSpec.create("yolo-v1")
    newer = json.dumps({**spec.to_record(), "schema": 3})
    with pytest.raises(UserError, match="update the workbench"):
        RunSpec.from_json(newer)
    assert spec.to_record()["schema"] == 2
    # What an older version wrote: the options in one object, those that were not there as null.
    older = {"steps": None, "dropout": None, "clip_norm": None, **spec.options()}
    assert RunSpec.from_json(json.dumps(older)) == spec


@pytest.mark.parametrize(
    ("section", "content"),
    [
        ("optimizer", {"kind": "adma"}),
        ("optimizer", {"kind": "sgd", "momentum": 0.9}),
        ("optimizer", [1]),
        ("optimizers", {}),
        ("network", {"model": 3}),
        ("network", None),
        ("schedule", {"kind": ["cosine"]}),
        ("length", {"epochs": 3, "steps": 4}),
        ("seed", {"seed": 1}),
        ("runtime", {"device": "cuda", "gpu": 1}),
    ],
)
def test_a_damaged_section_is_an_error_of_one_sentence(section, content):
    record = {**RunSpec.create("mlp").to_record(), section: content}
    with pytest.raises(UserError) as error:
        RunSpec.from_json(json.dumps(record))
    assert "\n" not in str(error.value)


ALL_OF_A_RECIPE = dict(
    epochs=7,
    batch_size=16,
    accumulate=2,
    schedule="one-cycle",
    warmup=5,
    weight_decay=0.02,
    decay_on="weights",
    clip_norm=1.0,
    label_smoothing=0.1,
    ema=0.99,
    lr=0.007,
)


@pytest.fixture
def recipe(monkeypatch):
    """Give a recipe to a network."""

    def give(model, **fields):
        monkeypatch.setitem(registry._registry(), model, replace(models.info(model), recipe=fields))

    return give


def test_a_recipe_fills_in_what_a_spec_leaves_out(recipe):
    recipe("mlp", **ALL_OF_A_RECIPE)
    assert set(ALL_OF_A_RECIPE) == set(RECIPE)
    spec = RunSpec.create("mlp")
    assert {name: spec.options().get(name) for name in RECIPE} == ALL_OF_A_RECIPE
    assert RunSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("name", RECIPE)
def test_a_recipe_leaves_what_a_spec_says(recipe, name):
    recipe("mlp", **ALL_OF_A_RECIPE)
    value = "linear" if name == "schedule" else "all" if name == "decay_on" else SAMPLE[name]
    spec = RunSpec.create("mlp", **{name: value})
    assert {other: spec.options().get(other) for other in RECIPE} == ALL_OF_A_RECIPE | {name: value}
    assert RunSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ({"steps": 50}, {"epochs": None}),
        ({"optimizer": "sgd"}, {"lr": 0.1}),
        ({"optimizer": "gd"}, {"lr": 0.5, "batch_size": "full", "accumulate": 1}),
        ({"batch_size": "full"}, {"batch_size": "full", "accumulate": 1}),
        ({"clip_value": 0.1}, {"clip_norm": None}),
        ({"task": "diabetes"}, {"label_smoothing": 0.0}),
    ],
)
def test_a_recipe_leaves_out_what_means_nothing_beside_the_spec(recipe, options, left_out):
    recipe("mlp", **ALL_OF_A_RECIPE)
    spec = RunSpec.create("mlp", **options)
    assert {name: spec.options().get(name) for name in RECIPE} == ALL_OF_A_RECIPE | left_out


@pytest.mark.parametrize("name", models.names())
def test_the_recipes_of_the_networks_can_be_followed(name):
    recipe = models.info(name).recipe
    assert set(recipe) <= set(RECIPE)
    assert {field: RunSpec.create(name).options().get(field) for field in recipe} == recipe


def test_a_network_that_needs_smaller_steps_gets_them_by_adam_alone():
    lr = models.info("vgg16").recipe["lr"]
    assert [RunSpec.create("vgg16", optimizer=name).optimizer.lr for name in ("adam", "adamw")] == [lr, lr]
    assert lr < RunSpec.create("mlp").optimizer.lr
    assert RunSpec.create("vgg16", optimizer="sgd").optimizer.lr == SGD().lr
    assert RunSpec.create("vgg16", lr=0.5).optimizer.lr == 0.5
