"""The registry lists every network and builds it by name."""

import inspect
import json
import subprocess
import sys
from importlib import import_module

import pytest

import models
from models import registry
from models.layers.drop_path import DropPath
from workbench.engine import RunSpec, networks
from workbench.errors import UserError


def test_names_and_info_import_no_torch():
    code = (
        "import sys, models; [models.info(name) for name in models.names()];"
        "sys.exit(bool({'torch', 'numpy', 'sympy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_info_has_the_origin_of_a_network():
    lenet = models.info("lenet5-modern")
    assert (lenet.family, lenet.year, lenet.topic, lenet.task) == ("lenet5", 1998, "milestones", "digits")
    assert set(lenet.presets) == {"paper", "mini"}


@pytest.mark.parametrize(
    ("name", "preset", "options", "message"),
    [
        ("lenet5-moden", "paper", {}, "lenet5-modern"),
        ("mlp", "papier", {}, "paper"),
        ("lenet5-modern", "paper", {"image_sizes": 32}, "image_size"),
        ("lenet5-modern", "paper", {"image_size": 18}, "image_size must be"),
        ("mlp", "mini", {"out_features": 0}, "1 or more"),
    ],
)
def test_errors_name_valid_choices(name, preset, options, message):
    with pytest.raises(UserError, match=message):
        models.build(name, preset, **options)


@pytest.mark.parametrize("name", models.names())
def test_the_arguments_of_a_network_are_those_of_its_class(name):
    architecture = models.info(name)
    network_class = getattr(import_module(architecture.module), architecture.network)
    expected = {word: parameter.default for word, parameter in inspect.signature(network_class).parameters.items()}
    arguments = models.arguments(name)
    assert list(arguments) == list(expected)
    assert {word: value for word, value in arguments.items() if value is not None} == {
        word: value for word, value in expected.items() if arguments[word] is not None
    }
    assert all(expected[word] in (None, inspect.Parameter.empty) for word in arguments if arguments[word] is None)


def test_arguments_are_found_where_a_class_inherits_them(tmp_path, monkeypatch):
    folder = tmp_path / "models" / "folder"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("class One:\n    def __init__(self, a, b=(1, 2), *, c=None, d=len): pass\n")
    (folder / "two.py").write_text("from models.folder.one import One as First\nclass Two(First):\n    x = 1\n")
    monkeypatch.setattr(registry, "MODELS_DIR", tmp_path / "models")
    assert registry._arguments("models.folder.two", "Two") == {"a": None, "b": (1, 2), "c": None, "d": None}


@pytest.mark.parametrize("name", models.names())
def test_every_contribution_is_a_sentence_or_two(name):
    contribution = models.info(name).contribution
    assert 30 < len(contribution) < 240 and contribution[0].isupper() and contribution.endswith(".")


def test_overrides_change_the_preset():
    assert models.build("lenet5-modern", "mini", num_classes=3).output.out_features == 3


# Options of saved runs with names of arguments from before, and with those from now.
OLD_OPTIONS = [
    ("softmax-regression", '{"features": 9, "classes": 3}', dict(in_features=9, num_classes=3)),
    ("mlp", '{"sizes": [9, 5, 4, 3]}', dict(in_features=9, hidden_sizes=[5, 4], out_features=3)),
    ("lenet5-modern", '{"side": 24, "channels": 2}', dict(image_size=24, in_channels=2)),
    ("lenet5", '{"side": 24}', dict(image_size=24)),
    ("alexnet", '{"widths": [8, 8, 8, 8, 8], "hidden": 9}', dict(channels=[8] * 5, hidden_size=9)),
    ("vgg11", '{"width": 8, "hidden": 9, "classes": 3}', dict(channels=8, hidden_size=9, num_classes=3)),
    ("googlenet", '{"width": 8, "auxiliary": false}', dict(channels=8, aux_logits=False)),
    ("resnet18", '{"width": 4, "depths": [1, 1, 1, 1]}', dict(channels=4, layers=[1] * 4)),
    ("resnet18", '{"norm": "none"}', dict(norm_layer="none")),
    ("densenet121", '{"depths": [1, 1, 1, 1], "growth": 4}', dict(block_config=[1] * 4, growth_rate=4)),
    ("mobilenet-v1", '{"width": 0.5}', dict(width_mult=0.5)),
    ("mobilenet-v2", '{"width": 0.5, "depth": 0.2}', dict(width_mult=0.5, depth_mult=0.2)),
    ("efficientnet-b0", '{"width": 0.2, "depth": 0.2}', dict(width_mult=0.2, depth_mult=0.2)),
    ("convnext-tiny", '{"depths": [1, 1, 1, 1], "width": 8}', dict(depths=[1] * 4, channels=8)),
    ("neocognitron", '{"classes": 3}', dict(num_classes=3)),
]


def shapes(network):
    return {key: value.shape for key, value in network.state_dict().items()}


@pytest.mark.parametrize(("name", "old", "new"), OLD_OPTIONS)
def test_renamed_arguments_are_accepted_by_their_old_names(name, old, new):
    network, expected = models.build(name, "mini", **json.loads(old)), models.build(name, "mini", **new)
    assert network.input_shape == expected.input_shape
    assert shapes(network) == shapes(expected) != shapes(models.build(name, "mini"))


def test_renamed_arguments_that_change_no_shape_keep_their_values():
    network = models.build("efficientnet-b0", "mini", **json.loads('{"depth": 0.5, "drop_path": 0.2}'))
    assert max(module.p for module in network.modules() if isinstance(module, DropPath)) > 0
    network = models.build("neocognitron", **json.loads('{"learns": [[0, 7], [0, 8], [0, 9]]}'))
    assert network.learning_ranges == [[0, 7], [0, 8], [0, 9]]
    network = models.build("alexnet", "mini", **json.loads('{"std": 0.5}'))
    assert network.fc6.weight.std().item() == pytest.approx(0.5, rel=0.02)


def test_the_spec_of_an_older_run_builds_its_network():
    spec = RunSpec.from_json('{"model": "mlp", "task": "digits", "options": {"sizes": [64, 24, 10]}}')
    network = networks.build(spec)
    assert [(layer.in_features, layer.out_features) for layer in network.layers] == [(64, 24), (24, 10)]
    spec = RunSpec.from_json('{"model": "lenet5-modern", "task": "digits", "options": {"side": 24, "classes": 12}}')
    assert networks.build(spec).input_shape == (1, 24, 24) and networks.build(spec).output.out_features == 12


def test_a_file_may_have_several_families():
    linear = [models.info(name) for name in ("linear-regression", "logistic-regression", "softmax-regression")]
    assert {architecture.module for architecture in linear} == {"models.dense.linear"}
    assert [architecture.family for architecture in linear] == [architecture.name for architecture in linear]
    assert [architecture.year for architecture in linear] == [1805, 1958, 1958]
