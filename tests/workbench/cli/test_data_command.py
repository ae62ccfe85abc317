"""`workbench data`, as people call it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris

from workbench import data


def test_list_names_every_set(cli):
    rows = json.loads(cli("data", "list", "--json").out)
    assert [row["data"] for row in rows] == data.names()
    iris = next(row for row in rows if row["data"] == "iris")
    assert (iris["samples"], iris["shape"], iris["kind"]) == (150, [4], "classification")
    assert iris["features"] == list(load_iris().feature_names) and iris["licence"] and iris["source"]
    said = cli("data", "list")
    assert said.code == 0 and all(name in said.out for name in data.names())
    assert max(map(len, said.out.splitlines())) <= 80


def test_list_imports_nothing_heavy(cli):
    program = "import sys; from workbench.cli.main import main; sys.argv = ['workbench', 'data', 'list', '--json']\n"
    program += "try: main()\nexcept SystemExit: pass\n"
    program += "sys.exit(bool({'numpy', 'sklearn', 'torch', 'scipy', 'sympy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_show_counts_and_measures_the_training_part(cli):
    shown = json.loads(cli("data", "show", "iris", "--seed", "4", "--scaling", "min-max", "--json").out)
    parts = data.load("iris", seed=4)
    for part, (_, targets) in parts.items():
        assert shown["parts"][part]["samples"] == len(targets)
        assert list(shown["parts"][part]["classes"].values()) == np.bincount(targets, minlength=3).tolist()
    train = parts["train"][0]
    assert [row["min"] for row in shown["ranges"]] == train.min(axis=0).tolist()
    assert [row["deviation"] for row in shown["ranges"]] == pytest.approx(train.std(axis=0).tolist())
    assert all((row["scaled_min"], row["scaled_max"]) == (0, 1) for row in shown["ranges"])
    assert shown["first"][0]["input"] == train[0].tolist() and shown["seed"] == 4


@pytest.mark.parametrize("name", ["wine", "digits", "diabetes", "xor"])
def test_show_fits_into_a_terminal(cli, name):
    said = cli("data", "show", name)
    assert said.code == 0 and f"--task {name}" in said.out and data.info(name).licence in " ".join(said.out.split())
    assert max(map(len, said.out.splitlines())) <= 80


def test_show_reads_a_table_of_ones_own(cli, tmp_path):
    (tmp_path / "my notes.csv").write_text("hours,[b]mark\n" + "".join(f"{k},{k * 1.5}\n" for k in range(30)))
    shown = json.loads(cli("data", "show", "csv:my notes.csv", "--json").out)
    assert (shown["kind"], shown["target"], shown["samples"]) == ("regression", "[b]mark", 30)
    assert f"--task 'csv:{tmp_path}/my notes.csv:[b]mark'" in cli("data", "show", "csv:my notes.csv").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "iriss"], "did you mean iris"),
        (["show", "csv:missing.csv"], "There is no file missing.csv"),
        (["show", "csv:."], "folder"),
        (["show", "iris", "--scaling", "zscore"], "did you mean z-score"),
        (["show", "iris", "--seed", "-1"], "--seed"),
        (["show"], "Missing argument"),
    ],
)
def test_bad_input_is_one_line_and_exit_two(cli, words, said):
    refused = cli("data", *words)
    assert (refused.code, refused.out) == (2, "") and said in refused.err
    assert len(refused.err.splitlines()) == 1
