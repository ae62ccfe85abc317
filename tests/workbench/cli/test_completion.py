"""Shell completion of names."""

import pytest

import models
from workbench import tasks


def complete(cli, line: str) -> list[str]:
    """Return the words that bash offers for the last word of a line."""
    words = line.split(" ")
    result = cli(env={"_WORKBENCH_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)})
    return result.out.split()


@pytest.mark.parametrize(
    ("line", "expected"),
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
        ("workbench drill show conv-o", ["conv-out-size"]),
        ("workbench drill s", ["show"]),
        ("workbench cards show adam/beta", ["adam/beta1"]),
        ("workbench quiz conv-o", ["conv-out-size"]),
        ("workbench formulas conv-o", ["conv-out-size"]),
        ("workbench calc conv-out-size s", ["s="]),
        ("workbench calc conv-nothing s", []),
        ("workbench runs inspect mlp-0001 f", ["field", "filters"]),
        ("workbench evaluate mlp-0001 --split t", ["test", "train"]),
    ],
)
def test_names_are_completed(cli, line, expected):
    assert sorted(complete(cli, line)) == expected


def test_all_networks_are_offered(cli):
    assert complete(cli, "workbench train ") == models.names()
    rows_and_images = {name for name in tasks.names() if tasks.info(name).inputs.keys() <= {"features", "image"}}
    outputs = {name: tasks.info(name).outputs for name in rows_and_images}
    expected = {
        name
        for name, specs in outputs.items()
        if specs.keys() <= {"logits", "value"} and all(len(spec.dims) == 1 for spec in specs.values())
    }
    assert set(complete(cli, "workbench train mlp --task ")) == expected < set(tasks.names())


def test_runs_and_their_layers_are_completed(cli, monkeypatch):
    from models import cost
    from workbench.engine import RunSpec, runs
    from workbench.render import layers

    monkeypatch.setattr(layers, "compute", lambda name, preset: cost.summarize(name, preset).to_dict())
    run = runs.create(RunSpec.create("lenet5-modern"))
    assert complete(cli, "workbench runs show len") == [run.id]
    assert sorted(complete(cli, f"workbench runs inspect {run.id} maps --layer ")) == ["c1", "c3"]
    assert complete(cli, "workbench runs inspect lenet5-0009 maps --layer ") == []
