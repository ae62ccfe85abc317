"""The registry knows everything by name, and builds only what exists."""

import subprocess
import sys

import pytest

import models
from models import registry


def test_names_and_info_import_no_torch():
    code = (
        "import sys, models; [models.info(name) for name in models.names()];"
        "sys.exit(bool({'torch', 'numpy', 'sympy', 'workbench'} & set(sys.modules)))"
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
    with pytest.raises(models.BadInput, match=said):
        models.build(name, preset, **options)


def test_overrides_change_the_preset():
    assert models.build("lenet5-modern", "mini", classes=3).output.out_features == 3


def test_a_declaration_reads_like_python():
    read = registry._literal("FAMILY = dict(a=1, b={'x': dict(c=(1, 2))}, d=[dict()])\nother = f()\n")
    assert read == {"a": 1, "b": {"x": {"c": (1, 2)}}, "d": [{}]}


def test_a_declaration_runs_no_code():
    with pytest.raises(ValueError):
        registry._literal("FAMILY = dict(a=open('x'))")
