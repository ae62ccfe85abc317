"""The registry knows everything by name, and builds only what exists."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

import models
from models import registry
from workbench.errors import UserError


def test_names_and_info_import_no_torch():
    code = (
        "import sys, models; [models.info(name) for name in models.names()];"
        "sys.exit(bool({'torch', 'numpy', 'sympy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_info_tells_where_a_network_comes_from():
    lenet = models.info("lenet5-modern")
    assert (lenet.family, lenet.year, lenet.topic, lenet.task) == ("lenet5", 1998, "milestones", "digits")
    assert set(lenet.presets) == {"paper", "mini"}


@pytest.mark.parametrize(
    ("name", "preset", "options", "said"),
    [
        ("lenet5-moden", "paper", {}, "lenet5-modern"),
        ("mlp", "papier", {}, "paper"),
        ("lenet5-modern", "paper", {"sides": 32}, "side"),
        ("lenet5-modern", "paper", {"side": 18}, "side must be"),
        ("mlp", "mini", {"sizes": (10,)}, "two layers"),
    ],
)
def test_what_cannot_be_built_is_refused_with_what_can(name, preset, options, said):
    with pytest.raises(UserError, match=said):
        models.build(name, preset, **options)


@pytest.mark.parametrize("name", models.names())
def test_the_arguments_of_a_network_are_those_of_its_class(name):
    known = models.info(name)
    network = getattr(import_module(known.module), known.network)
    theirs = {word: about.default for word, about in inspect.signature(network).parameters.items()}
    said = models.arguments(name)
    assert list(said) == list(theirs)
    assert {word: value for word, value in said.items() if value is not None} == {
        word: value for word, value in theirs.items() if said[word] is not None
    }
    assert all(theirs[word] in (None, inspect.Parameter.empty) for word in said if said[word] is None)


def test_arguments_are_found_where_a_class_inherits_them(tmp_path, monkeypatch):
    room = tmp_path / "models" / "room"
    room.mkdir(parents=True)
    (room / "one.py").write_text("class One:\n    def __init__(self, a, b=(1, 2), *, c=None, d=len): pass\n")
    (room / "two.py").write_text("from models.room.one import One as First\nclass Two(First):\n    x = 1\n")
    monkeypatch.setattr(registry, "ROOMS", tmp_path / "models")
    assert registry._arguments("models.room.two", "Two") == {"a": None, "b": (1, 2), "c": None, "d": None}


@pytest.mark.parametrize("name", models.names())
def test_every_network_says_its_idea_in_a_sentence_or_two(name):
    idea = models.info(name).idea
    assert 30 < len(idea) < 240 and idea[0].isupper() and idea.endswith(".")


def test_overrides_change_the_preset():
    assert models.build("lenet5-modern", "mini", classes=3).output.out_features == 3
