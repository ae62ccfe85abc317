"""Descriptions of tasks, read without importing torch, and that they are those of the loaded tasks."""

import subprocess
import sys

import pytest

from workbench import data, tasks
from workbench.errors import UserError

# Task -> its input, its outputs, the sizes that its data decide.
EXPECTED = {
    "breast-cancer": ("features: float32[30]", "logits", {"outputs": (1, 2), "classes": (2,), "features": (30,)}),
    "diabetes": ("features: float32[10]", "value", {"outputs": (1,), "features": (10,)}),
    "digits": ("image: float32[1, 8, 8]", "logits", {"outputs": (10,), "classes": (10,)}),
    "iris": ("features: float32[4]", "logits", {"outputs": (3,), "classes": (3,), "features": (4,)}),
    "moons": ("features: float32[2]", "logits", {"outputs": (1, 2), "classes": (2,), "features": (2,)}),
    "cifar10": ("image: float32[3, 32, 32]", "logits", {"outputs": (10,), "classes": (10,)}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_description_follows_from_the_dataset(name):
    inputs, output, sizes = EXPECTED[name]
    info = tasks.info(name)
    assert [f"{key}: {spec}" for key, spec in info.inputs.items()] == [inputs]
    assert {key: str(spec) for key, spec in info.outputs.items()} == {output: "float32[outputs]"}
    assert info.sizes == sizes


def test_metrics_are_those_of_the_kind_of_target():
    assert tasks.info("diabetes").metrics == {"r2": "max", "mse": "min", "mae": "min"}
    assert list(tasks.info("digits").metrics) == ["accuracy", "f1", "top5", "auc"]
    assert list(tasks.info("iris").metrics) == ["accuracy", "f1", "auc"]
    assert tasks.info("iris").options == ("label_smoothing", "class_weights")
    assert tasks.info("diabetes").options == ()


def test_a_metric_is_better_in_one_direction():
    info = tasks.info("diabetes")
    assert (info.mode("r2"), info.mode("mae"), info.mode("loss")) == ("max", "min", "min")
    with pytest.raises(UserError, match="Unknown metric of diabetes 'accuracy'"):
        info.mode("accuracy")


def test_what_a_task_declares_replaces_what_follows_from_the_dataset():
    declared = dict(
        inputs=dict(tokens="int64[length]"),
        outputs=dict(logits="float32[length, vocabulary]"),
        metrics=dict(perplexity="min", accuracy="max"),
        options=("label_smoothing",),
    )
    info = tasks.describe("iris", "predict the next token", declared)
    assert (info.inputs["tokens"], info.name) == (("int64", ("length",)), "iris")
    assert info.outputs["logits"] == ("float32", ("length", "vocabulary"))
    assert list(info.metrics) == ["perplexity", "accuracy"] and info.options == ("label_smoothing",)
    without = {name: value for name, value in declared.items() if name != "options"}
    assert tasks.describe("iris", "the same", without).options == ()  # its loss may have no labels


@pytest.mark.parametrize("name", tasks.names())
def test_the_loaded_task_is_as_it_is_described(name):
    task, info = tasks.get(name), tasks.info(name)
    assert (task.data, task.title) == (info.data, info.title) and info.name == name
    own = task.info
    for attribute in ("title", "data", "inputs", "outputs", "sizes", "metrics", "options"):
        assert getattr(own, attribute) == getattr(info, attribute)
    assert set(info.metrics.values()) <= {"max", "min"} and info.metrics
    assert all(set(sizes) and min(sizes) > 0 for sizes in info.sizes.values())
    assert data.info(info.data)


def test_descriptions_import_nothing_heavy():
    heavy = "{'numpy', 'sklearn', 'torch', 'scipy'} & set(sys.modules)"
    code = f"import sys; from workbench import tasks; [tasks.info(n) for n in tasks.names()]; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("name", ["digit", "csvx", "../digits"])
def test_an_unknown_task_is_an_error_that_suggests_others(name):
    for look in (tasks.info, tasks.get):
        with pytest.raises(UserError, match=f"Unknown task '{name}'"):
            look(name)


def test_a_task_may_accept_the_users_own_data_of_a_modality(monkeypatch):
    text = data.DataSet(
        name="text:/own.txt",
        title="my text",
        row="a character",
        samples=1000,
        shape=(),
        target="the next character",
        source="",
        licence="",
        sizes={"vocabulary": 40},
        declared_modality="text",
    )
    monkeypatch.setattr(data, "info", lambda name: text)
    monkeypatch.setattr(tasks, "OWN", ("text:",))
    declared = {"poems": dict(data="poems", title="poems", accepts="text", metrics={"perplexity": "min"})}
    monkeypatch.setattr(tasks, "_declared", lambda: declared)
    info = tasks.info("text:/own.txt")
    assert (info.name, info.title, info.data) == ("text:/own.txt", "my text", "text:/own.txt")
    assert info.sizes["vocabulary"] == (40,) and list(info.metrics) == ["perplexity"]
    declared.clear()
    with pytest.raises(UserError, match="No task learns text"):
        tasks.info("text:/own.txt")
