"""What the shell completes after `workbench train`."""

import pytest

import models
from workbench import tasks


def completed(cli, line: str) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    said = cli(env={"_WORKBENCH_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)})
    return said.out.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("workbench train lenet", ["lenet5", "lenet5-modern"]),
        ("workbench train mlp --optimizer ada", ["adagrad", "adam", "adamw"]),
        ("workbench train mlp --schedule co", ["constant", "cosine"]),
        ("workbench train mlp --preset ", ["mini", "paper"]),
        ("workbench train mlp --init ", ["he", "normal", "uniform", "xavier"]),
        ("workbench train lenet5 --task ", ["cifar10", "digits", "mnist", "mnist-5k", "shapes"]),
        ("workbench train lenet5 --preset paper --task d", ["digits"]),
        ("workbench train resnet0 --task ir", ["iris"]),
        ("workbench models show lenet", ["lenet5", "lenet5-modern"]),
        ("workbench models list --sort m", ["macs"]),
        ("workbench runs pictures mlp-0001 f", ["field", "filters"]),
    ],
)
def test_names_are_completed(cli, line, offered):
    assert sorted(completed(cli, line)) == offered


def test_all_networks_are_offered(cli):
    assert completed(cli, "workbench train ") == models.names()
    assert set(completed(cli, "workbench train mlp --task ")) == set(tasks.names())


def test_runs_and_their_layers_are_completed(cli, monkeypatch):
    from models import cost
    from workbench.engine import RunSpec, runs
    from workbench.render import layers

    monkeypatch.setattr(layers, "compute", lambda name, preset: cost.summarize(name, preset).to_dict())
    run = runs.create(RunSpec("lenet5-modern"))
    assert completed(cli, "workbench runs show len") == [run.id]
    assert sorted(completed(cli, f"workbench runs pictures {run.id} maps --layer ")) == ["c1", "c3"]
    assert completed(cli, "workbench runs pictures lenet5-0009 maps --layer ") == []
