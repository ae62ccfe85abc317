"""Conventions of all commands: help, groups without a subcommand, errors as JSON, and the schema of JSON."""

import json

import pytest

from workbench.cli.main import COMMANDS
from workbench.cli.output import print_json

GROUPS = {"drill": "drill", "cards": "card", "models": "name", "data": "data", "runs": "run", "packs": "pack"}


@pytest.mark.parametrize("words", ["", "drill", "drill show", "drill answer", "calc", "autograd", "train", "runs list"])
def test_help_is_the_same_in_three_spellings(cli, words):
    expected = cli(*words.split(), "--help")
    assert expected.code == 0 and expected.out.startswith(f"Usage: workbench {words}".strip())
    assert cli(*words.split(), "-h") == expected
    assert cli("help", *words.split()) == expected


@pytest.mark.parametrize("words", ["help nope", "help drill nope"])
def test_help_of_an_unknown_command_is_an_error(cli, words):
    result = cli(*words.split())
    assert result.code == 2 and result.out == "" and "nope" in result.err


@pytest.mark.parametrize("answer", ["-h", "-2h", "-h/2"])
def test_an_answer_or_expression_in_h_is_not_a_request_for_help(cli, answer):
    result = cli("drill", "answer", "bce-value", "--seed", "2", answer, "--json")
    assert result.code == 2 and json.loads(result.out)["mark"] == "not_understood"
    if answer != "-h":
        assert "h has no value" in cli("autograd", answer).err


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_a_subcommand_lists(cli, group):
    assert cli(group) == cli(group, "list")
    result = cli(group, "--json")
    assert result.code == 0 and result == cli(group, "list", "--json")
    assert all(GROUPS[group] in row for row in json.loads(result.out))


def test_the_options_of_a_list_need_no_subcommand(cli):
    rows = json.loads(cli("drill", "--topic", "convolution", "--json").out)
    assert rows and {row["topic"] for row in rows} == {"convolution"}
    assert "Try 'workbench drill list --help'" in cli("drill", "--bogus").err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("calc conv-ou n=1", "unknown_formula"),
        ("drlil", "unknown_command"),
        ("drill answer iou --seed 1 400", "bad_input"),
        ("drill show", "usage"),
        ("drill show iou --seed x", "usage"),
        ("drill lst", "usage"),
        ("quiz --bogus", "usage"),
        ("runs show mlp-0001", "unknown_run"),
        ("train mlp --epochs 0", "bad_input"),
    ],
)
def test_an_error_is_one_json_object_on_stdout(cli, words, code):
    plain, result = cli(*words.split()), cli(*words.split(), "--json")
    assert (plain.code, plain.out) == (2, "") and plain.err.startswith("Error: ")
    assert result.code == 2 and result.err == plain.err
    value = json.loads(result.out)
    assert set(value) == {"schema", "error"} and value["schema"] == 2
    assert value["error"] == {"code": code, "message": plain.err.removeprefix("Error: ").rstrip("\n")}


OBJECTS = [
    "drill show iou --seed 7",
    "drill show iou --seed 7 --solution",
    "drill answer iou --seed 7 1 2 3",
    "cards show convolution/equivariance",
    "cards answer convolution/equivariance equivariance",
    "calc conv-out-size n=5 f=3",
]
LISTS = [
    "topics",
    "topics --systems",
    "formulas",
    "drill list",
    "cards list",
    "data list",
    "models list",
    "models tree",
]


@pytest.mark.parametrize("words", OBJECTS)
def test_an_object_has_the_schema(cli, words):
    value = json.loads(cli(*words.split(), "--json").out)
    assert value["schema"] == 2 and next(iter(value)) == "schema"


@pytest.mark.parametrize("words", LISTS)
def test_a_list_stays_a_list(cli, words):
    rows = json.loads(cli(*words.split(), "--json").out)
    assert isinstance(rows, list) and rows and not any("schema" in row for row in rows)


def test_only_the_first_line_of_a_stream_has_the_schema(capsys):
    for first in (True, False):
        print_json({"event": "start", "schema": 1}, first)
    print_json([{"event": "metric"}])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ['{"schema": 2, "event": "start"}', '{"event": "start"}', '[{"event": "metric"}]']


def test_json_is_one_line_without_control_characters_or_numbers_that_json_lacks(capsys):
    print_json({"name": "a\x1b[2J\u202e", "value": float("nan")})
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and out.rstrip("\n").isprintable()
    assert json.loads(out) == {"schema": 2, "name": "a\x1b[2J\u202e", "value": None}


def test_every_command_is_in_the_help_in_one_line(cli):
    lines = cli("--help").out.splitlines()
    for command, (_, text) in COMMANDS.items():
        assert any(line.split() == [command, *text.split()] for line in lines), command
