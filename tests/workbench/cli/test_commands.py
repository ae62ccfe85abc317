"""The command line as scripts use it: help, exit codes, JSON, and errors in one line."""

import json
import tomllib
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from quizzes import bank
from workbench.cli.main import COMMANDS


def commands():
    """Every command and subcommand, by its words."""
    for noun, (module, _) in COMMANDS.items():
        command = typer.main.get_command(import_module(module).app)
        if hasattr(command, "commands"):
            yield from ((f"{noun} {verb}", inner) for verb, inner in command.commands.items())
        else:
            yield noun, command


@pytest.mark.parametrize(("words", "command"), list(commands()), ids=lambda x: x if isinstance(x, str) else "")
def test_every_command_has_help_and_an_example_of_itself(words, command):
    assert command.help and len(command.help.split()) > 1
    assert (command.epilog or "").startswith(f"Example: workbench {words}")


def test_help_names_every_command(cli):
    result = cli("--help")
    assert result.code == 0 and result.err == ""
    assert all(noun in result.out for noun in COMMANDS)
    assert all(len(line) <= 80 for line in result.out.splitlines())


def test_version(process):
    result = process("--version")
    assert result.code == 0
    assert result.out.split()[0] == "workbench" and result.out.split()[1][0].isdigit()


ERRORS = [  # words, the line on stderr
    ([], "needs a terminal"),
    (["drlil"], "Did you mean 'drill"),
    (["drill", "lst"], "Did you mean 'list'"),
    (["drill", "show"], "Missing argument 'DRILL'"),
    (["drill", "show", "conv-out-siz"], "Did you mean 'conv-out-size"),
    (["drill", "show", "iou", "--seed", "-1"], "from 0 to"),
    (["drill", "show", "iou", "--seed", "x"], "not a valid"),
    (["drill", "answer", "iou", "--seed", "1", "400"], "iou needs 3 answers: I U IOU; got 1"),
    (["drill", "answer", "iou", "1", "2", "3"], "Missing option '--seed'"),
    (["drill", "answer", "conv-out-size", "--seed", "1", "1;2"], "Can't read the answer"),
    (["drill", "list", "--topic", "convolutoin"], "Did you mean 'convolution"),
    (["drill", "verify", "convolution/equivariance"], "nothing to compute"),
    (["drill", "test", "nope-nope"], "Unknown drill"),
    (["cards", "show", "convolution/equivarience"], "Did you mean 'convolution/equivariance"),
    (["formulas", "sofmax"], "Did you mean 'softmax"),
    (["calc", "sofmax"], "Did you mean 'softmax"),
    (["calc", "conv-out-size", "n"], "as NAME=VALUE"),
    (["calc", "conv-out-size", "n=5", "n=6"], "given twice"),
    (["calc", "conv-out-size", "n=5,5", "f=3"], "n: does 5,5 mean 5.5"),
    (["calc", "conv-out-size", "n=5"], "needs f"),
    (["calc", "conv-out-size", "n=5", "f=3", "w=1"], "Unknown symbol of conv-out-size 'w'"),
    (["calc", "conv-out-size", "f=3", "--solve", "n"], "add o="),
    (["calc", "conv-out-size", "n=1", "f=11"], "would be -9"),
    (["calc", "nms", "boxes=[[0, 0, 1]]", "scores=[1]"], "x1 < x2"),
    (["calc", "scaled-activation", "activation=tan", "a=1", "b=2"], "Did you mean 'tanh"),
    (["calc", "conv-out-size", "n=\udcff", "f=3"], "can't read"),
    (["quiz", "convolutoin"], "Did you mean 'convolution"),
    (["quiz", "-n", "0"], "not in the range"),
    (["quiz", "--bogus"], "No such option"),
]


@pytest.mark.parametrize(("words", "sentence"), ERRORS, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_an_error_is_one_line_on_stderr_and_exit_code_2(cli, words, sentence):
    result = cli(*words)
    assert result.code == 2
    assert sentence in result.err
    assert result.err.startswith("Error: ") and len(result.err.splitlines()) == 1
    assert not result.out or "Can't read" in result.err


def test_an_unusable_data_directory_is_an_error(cli, home):
    home.write_text("a file", encoding="utf-8")
    result = cli("quiz", "iou", input="q\n")
    assert result.code == 2 and "WORKBENCH_HOME" in result.err and "Traceback" not in result.err


def js(result, code=0):
    """Return the JSON that a command printed; an object without its schema."""
    assert result.code == code, result.err
    value = json.loads(result.out)
    rows = value if isinstance(value, list) else []
    assert not any("schema" in row for row in rows)
    if isinstance(value, dict):
        assert value.pop("schema") == 2
    return value


def test_topics_as_json(cli):
    rows = js(cli("topics", "--json"))
    syllabus = tomllib.loads((Path(__file__).parents[3] / "workbench/syllabus.toml").read_text(encoding="utf-8"))
    assert [row["topic"] for row in rows] == [t["id"] for chapter in syllabus["chapter"] for t in chapter["topic"]]
    assert all(set(r) == {"topic", "chapter", "title", "drills", "cards", "systems", "claims", "missing"} for r in rows)
    convolution = next(row for row in rows if row["topic"] == "convolution")
    assert "conv-out-size" in convolution["drills"] and "convolution/equivariance" in convolution["cards"]
    systems = js(cli("topics", "--systems", "--json"))
    assert all(row["command"].startswith("workbench ") for row in systems)


def test_drill_list_and_show_as_json(cli):
    rows = js(cli("drill", "list", "--json"))
    assert {row["drill"] for row in rows} == set(bank.all_drills())
    assert set(rows[0]) == {"drill", "type", "topic", "title", "tier", "kinds", "joins", "place"}
    assert {row["topic"] for row in js(cli("drill", "list", "--topic", "convolution", "--json"))} == {"convolution"}
    joined = js(cli("drill", "list", "--topic", "pooling", "--json"))
    assert [row["topic"] for row in joined if "pooling" in row["joins"]] == ["convolution"]
    question = js(cli("drill", "show", "iou", "--seed", "7", "--json"))
    keys = {
        "drill",
        "seed",
        "topic",
        "tier",
        "prompt",
        "params",
        "parts",
        "hint",
        "hints",
        "joins",
        "visualization",
    } | {"claims"}
    assert set(question) == keys
    assert (question["drill"], question["seed"]) == ("iou", 7)
    assert [part["part"] for part in question["parts"]] == ["I", "U", "iou"]
    assert question["parts"][2]["decimals"] == 4
    fresh = {js(cli("drill", "show", "iou", "--json"))["seed"] for _ in range(3)}
    assert len(fresh) > 1


def test_drill_answer_by_exit_code_and_json(cli):
    solved = js(cli("drill", "show", "iou", "--seed", "7", "--solution", "--json"))
    answers = list(solved["answers"].values())
    right = js(cli("drill", "answer", "iou", "--seed", "7", *answers, "--json"))
    assert (right["mark"], right["score"]) == ("right", 1)
    assert set(right) == {"mark", "score", "feedback", "parts"}
    assert set(right["parts"][0]) == {"part", "mark", "score", "read_as", "mistake", "feedback"}
    partly = js(cli("drill", "answer", "iou", "--seed", "7", *answers[:2], "5", "--json"), code=1)
    assert partly["mark"] == "partly"
    lost = cli("drill", "answer", "iou", "--seed", "7", *answers[:2], "1,5", "--json")
    assert js(lost, code=2)["mark"] == "not_understood"
    assert lost.err.count("\n") == 1 and "1.5" in lost.err


@pytest.mark.parametrize("typed", ["-5", "-1.5", "-12", "−3", "-x", "--5"])
def test_an_answer_that_begins_with_a_minus_is_an_answer(cli, typed):
    result = cli("drill", "answer", "bce-value", "--seed", "2", typed, "--json")
    number = typed != "-x"
    assert js(result, code=1 if number else 2)["mark"] == ("wrong" if number else "not_understood")
    assert js(cli("cards", "answer", "convolution/equivariance", typed, "--json"), code=1)["mark"] == "wrong"


def test_calc(cli):
    assert js(cli("calc", "conv-out-size", "n=224", "f=7", "s=2", "p=3", "--json")) == {
        "formula": "conv-out-size",
        "inputs": {"n": 224, "f": 7, "s": 2, "p": 3},
        "result": {"o": 112},
    }
    solved = js(cli("calc", "conv-out-size", "o=112", "f=3", "p=1", "s=2", "--solve", "n", "--json"))
    assert solved["result"] == {"n": [223, 224]}
    half = js(cli("calc", "iou", "A=[0, 0, 1.5, 1.5]", "B=[0, 0, 1.5, 3]", "--json"))
    assert half["result"] == {"I": 2.25, "U": 4.5, "iou": 0.5}
    none = cli("calc", "conv-out-size", "o=112", "f=3", "s=1", "n=5", "--solve", "p")
    assert none.code == 0 and "no solution that is" in none.out


def test_every_topic_of_the_syllabus_is_covered(cli):
    incomplete = {row["topic"]: row["missing"] for row in js(cli("topics", "--missing", "--json"))}
    assert not incomplete
    assert cli("topics", "--missing").out == "Every topic of the syllabus is covered.\n"


def test_formulas(cli):
    rows = js(cli("formulas", "--json"))
    assert {"formula", "topic", "title", "equations", "symbols", "source", "conventions", "statement"} == set(rows[0])
    out = cli("formulas", "conv-out-size").out
    assert "padding" in out and "[px]" in out and "Dumoulin" in out and "⎣" in out


def test_cards(cli):
    assert "convolution/equivariance" in {row["card"] for row in js(cli("cards", "list", "--json"))}
    card = js(cli("cards", "show", "convolution/equivariance", "--solution", "--json"))
    assert card["answer"] == "equivariance" and card["prompt"] and card["explanation"]
    assert js(cli("cards", "answer", "convolution/equivariance", "Equivariance.", "--json"))["mark"] == "right"


def test_verify_and_test(cli):
    agreed = js(cli("drill", "verify", "conv-out-size", "--seed", "7", "--json"))
    assert agreed["agree"] is True and agreed["sympy"] == agreed["torch"]
    reports = js(cli("drill", "test", "bce-value", "--seeds", "5", "--json"))
    assert [(r["drill"], r["variants"], r["problems"]) for r in reports] == [("bce-value", 5, [])]


def test_doctor(cli, home):
    report = js(cli("doctor", "--json"))
    assert {"python", "packages", "devices", "paths", "problems"} <= set(report)
    assert str(home) in report["paths"]["Study and runs"]


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"COLUMNS": "40"}])
def test_a_pipe_gets_plain_text(cli, env):
    result = cli("drill", "show", "softmax-values", "--seed", "3", "--solution", env=env)
    assert result.code == 0 and "\x1b" not in result.out


def test_a_stream_that_cant_spell_every_sign(process):
    result = process("drill", "show", "iou", "--seed", "7", "--solution", env={"PYTHONIOENCODING": "ascii"})
    assert result.code == 0 and "Intersection" in result.out


def test_the_formula_sheet_has_chapters(cli):
    sheet = cli("formulas").out.splitlines()
    titles = [title for title, rule in pairwise(sheet) if rule and set(rule) == {"="}]
    assert len(titles) == len(set(titles)) > 10  # each chapter once, in one piece
    chapter = cli("formulas", "cnn").out.splitlines()
    assert chapter[0] == "Convolutional networks  (cnn)" and chapter[0] in titles
    assert set(chapter[:-2]) < set(sheet)
    rows = js(cli("formulas", "cnn", "--json"))
    assert {"convolution", "pooling"} <= {row["topic"] for row in rows}
    assert all(f"  {row['title']}  ({row['formula']})" in chapter for row in rows)
