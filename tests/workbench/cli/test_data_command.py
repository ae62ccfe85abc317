"""`workbench data`, as people call it."""

import json

import numpy as np
import pytest

from workbench import data


def test_list_names_every_set(cli):
    from sklearn.datasets import load_iris

    rows = json.loads(cli("data", "list", "--json").out)
    assert [row["data"] for row in rows] == data.names()
    iris = next(row for row in rows if row["data"] == "iris")
    assert (iris["samples"], iris["shape"], iris["kind"]) == (150, [4], "classification")
    assert iris["features"] == list(load_iris().feature_names) and iris["licence"] and iris["source"]
    said = cli("data", "list")
    assert said.code == 0 and all(name in said.out for name in data.names())
    assert max(map(len, said.out.splitlines())) <= 80


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
        (["show", "iriss"], "Did you mean iris"),
        (["show", "csv:missing.csv"], "There is no file missing.csv"),
        (["show", "csv:."], "folder"),
        (["show", "iris", "--scaling", "zscore"], "Did you mean z-score"),
        (["show", "iris", "--seed", "-1"], "--seed"),
        (["show"], "Missing argument"),
    ],
)
def test_bad_input_is_one_line_and_exit_two(cli, words, said):
    refused = cli("data", *words)
    assert (refused.code, refused.out) == (2, "") and said in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.fixture
def pets(tmp_path):
    from PIL import Image

    for k in range(12):
        for kind, colour in (("cat", (200 + k, 0, 0)), ("dog", (0, 0, 200 + k))):
            (tmp_path / "pets" / kind).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (12, 10), colour).save(tmp_path / "pets" / kind / f"{k}.png")
    return tmp_path / "pets"


def test_pictures_of_ones_own_are_shown_and_learnt_from(cli, pets):
    shown = cli("data", "show", f"folder:{pets}")
    assert shown.code == 0 and "cat" in shown.out and "your own" in shown.out
    told = json.loads(cli("data", "show", f"folder:{pets}", "--json").out)
    assert told["shape"] == [3, 10, 10] and told["classes"] == ["cat", "dog"]
    trained = cli("train", "lenet5-modern", "--task", f"folder:{pets}", "--epochs", "1", "--batch-size", "8")
    assert trained.code == 0 and "Done after" in trained.out


def test_coloured_pictures_made_by_code_are_shown(cli):
    shown = json.loads(cli("data", "show", "shapes", "--json").out)
    assert shown["shape"] == [3, 64, 64] and shown["synthetic"] and shown["here"]
    assert all(0 <= row["min"] < row["max"] <= 255 for row in shown["ranges"])


def test_what_is_to_be_fetched_is_said_and_met_offline_with_what_to_do(cli, monkeypatch):
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # where nobody answers
    assert not json.loads(cli("data", "list", "--json").out)[data.names().index("mnist")]["here"]
    asked = cli("data", "show", "mnist")
    assert asked.code == 2 and "mnist can't be fetched" in asked.err and "train-images-idx3-ubyte.gz" in asked.err
    assert len(asked.err.splitlines()) == 1
