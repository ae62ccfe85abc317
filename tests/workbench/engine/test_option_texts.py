"""Fields written as text: read as the command line reads them, and written back as a command that orders the same."""

import shlex
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.cli import train
from workbench.engine import RunSpec
from workbench.engine.methods import command
from workbench.engine.spec.options import OPTIONS
from workbench.engine.spec.texts import read
from workbench.errors import UserError

FIELDS = sorted(set(OPTIONS) - {"model"})


def ordered(words: list[str]) -> RunSpec:
    """The spec that the command line makes of these words after `workbench train`."""
    import typer

    click = typer.main.get_command(train.app)
    with click.make_context("train", list(words)) as context:
        options = {name: value for name, value in context.params.items() if name in OPTIONS}
        return train.spec_from_options(context.params["name"], options)


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"epochs": " 3 ", "lr": "1e-3", "optimizer": "momentum", "momentum": "0.5"},
        {"batch_size": "full", "clip_norm": "2", "schedule": "step", "decay_every": "10"},
        {"options": "activation=tanh hidden_sizes=[16, 8]", "batch_norm": "yes", "dropout": "0.2"},
        {"init": "uniform", "init_scale": "0.25", "device": "cpu", "bf16": "yes", "seed": "7", "preset": "paper"},
        {"task": "csv:my table.csv"},
    ],
)
def test_the_command_orders_what_was_written(texts):
    given = read(texts)
    spec = RunSpec.create("mlp", **given)
    program, verb, *words = shlex.split(command("mlp", given))
    assert (program, verb) == ("workbench", "train")
    assert ordered(words) == spec


def test_pictures_are_changed_as_it_is_written():
    given = read({"augment": "shift,rotate=15"})
    assert given == {"augment": {"shift": 1.0, "rotate": 15.0}}
    assert command("lenet5", given) == "workbench train lenet5 --augment shift=1.0,rotate=15.0"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("epochs", "two", "epochs must be an integer of at least 1, not 'two'"),
        ("epochs", "1.5", "must be an integer"),
        ("lr", "nan", "above 0"),
        ("lr", "0,1", "above 0"),
        ("batch_size", "many", "or full"),
        ("optimizer", "adma", "Did you mean 'adam"),
        ("augment", "spin", "Did you mean|Choose from"),
        ("options", "tanh", "name=value"),
        ("bf16", "perhaps", "true or false"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(name, text, said):
    with pytest.raises(UserError, match=said) as refusal:
        read({name: text})
    assert "\n" not in str(refusal.value)


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=20), max_size=3))
def test_no_text_raises_anything_but_a_refusal(texts):
    with suppress(UserError):
        RunSpec.create("mlp", **read(texts))
