"""`workbench data`: lists, splits, ranges, and the user's own tables and images."""

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
    assert iris["features"] == list(load_iris().feature_names) and iris["license"] and iris["source"]
    result = cli("data", "list")
    assert result.code == 0 and all(name in result.out for name in data.names())
    assert max(map(len, result.out.splitlines())) <= 80


def test_show_has_the_counts_and_ranges_of_the_training_set(cli):
    details = json.loads(cli("data", "show", "iris", "--seed", "4", "--scaling", "min-max", "--json").out)
    splits = data.load("iris", seed=4)
    for split, (_, targets) in splits.items():
        assert details["splits"][split]["samples"] == len(targets)
        assert list(details["splits"][split]["classes"].values()) == np.bincount(targets, minlength=3).tolist()
    train = splits["train"][0]
    assert [row["min"] for row in details["ranges"]] == train.min(axis=0).tolist()
    assert [row["std"] for row in details["ranges"]] == pytest.approx(train.std(axis=0).tolist())
    assert all((row["scaled_min"], row["scaled_max"]) == (0, 1) for row in details["ranges"])
    assert details["first_samples"][0]["input"] == train[0].tolist() and details["seed"] == 4


@pytest.mark.parametrize("name", ["wine", "digits", "diabetes", "xor"])
def test_show_fits_into_a_terminal(cli, name):
    result = cli("data", "show", name)
    assert result.code == 0 and f"--task {name}" in result.out
    assert data.info(name).licence in " ".join(result.out.split())
    assert max(map(len, result.out.splitlines())) <= 80


def test_show_reads_your_own_table(cli, tmp_path):
    (tmp_path / "my notes.csv").write_text("hours,[b]mark\n" + "".join(f"{k},{k * 1.5}\n" for k in range(30)))
    details = json.loads(cli("data", "show", "csv:my notes.csv", "--json").out)
    assert (details["kind"], details["target"], details["samples"]) == ("regression", "[b]mark", 30)
    assert f"--task 'csv:{tmp_path}/my notes.csv:[b]mark'" in cli("data", "show", "csv:my notes.csv").out


def test_show_has_the_splits_and_characters_of_a_text(cli):
    details = json.loads(cli("data", "show", "help-topics", "--seed", "2", "--json").out)
    splits = {split: tokens for split, (tokens,) in data.load("help-topics", seed=2).items()}
    assert {split: row["samples"] for split, row in details["splits"].items()} == {
        split: len(tokens) for split, tokens in splits.items()
    }
    assert (details["kind"], details["modality"]) == ("language modeling", "text")
    counts = np.bincount(splits["train"], minlength=96)
    assert [row["count"] for row in details["characters"]] == sorted(counts[1:][counts[1:] > 0].tolist(), reverse=True)
    for row in details["characters"]:
        assert data.vocabulary("help-topics")[row["token"]] == row["character"]
        assert counts[row["token"]] == row["count"]
    assert details["excerpt"] == "".join(data.vocabulary("help-topics")[token] for token in splits["train"][:300])
    result = cli("data", "show", "help-topics")
    assert result.code == 0 and max(map(len, result.out.splitlines())) <= 80
    assert "space e t a" in result.out and data.info("help-topics").licence in " ".join(result.out.split())


def test_show_reads_your_own_text_without_terminal_codes(cli, tmp_path):
    (tmp_path / "my notes.txt").write_text("\x1b[31mred\x07 wine and [b]bread[/b]\t" * 60 + "x" * 500)
    details = json.loads(cli("data", "show", "text:my notes.txt", "--json").out)
    assert (details["data"], details["samples"]) == (f"text:{tmp_path}/my notes.txt", 60 * 32 + 500)
    result = cli("data", "show", "text:my notes.txt")
    assert result.code == 0 and "?[31mred? wine and [b]bread[/b]" in result.out and "U+001B" in result.out
    assert not {"\x1b", "\x07", "\t"} & set(result.out)
    *lines, _ = result.out.splitlines()  # the last one is a command, which is not wrapped
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "text:missing.txt"], "There is no file missing.txt. Write text:PATH"),
        (["show", "iriss"], "Did you mean 'iris"),
        (["show", "csv:missing.csv"], "There is no file missing.csv"),
        (["show", "csv:."], "folder"),
        (["show", "iris", "--scaling", "zscore"], "Did you mean 'z-score"),
        (["show", "iris", "--seed", "-1"], "--seed"),
        (["show"], "Missing argument"),
    ],
)
def test_bad_input_is_one_line_and_exit_two(cli, words, message):
    result = cli("data", *words)
    assert (result.code, result.out) == (2, "") and message in result.err
    assert len(result.err.splitlines()) == 1


@pytest.fixture
def pets(tmp_path):
    from PIL import Image

    for k in range(12):
        for kind, color in (("cat", (200 + k, 0, 0)), ("dog", (0, 0, 200 + k))):
            (tmp_path / "pets" / kind).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (12, 10), color).save(tmp_path / "pets" / kind / f"{k}.png")
    return tmp_path / "pets"


def test_your_own_images_are_shown_and_trained_on(cli, pets):
    result = cli("data", "show", f"folder:{pets}")
    assert result.code == 0 and "cat" in result.out and "your own" in result.out
    details = json.loads(cli("data", "show", f"folder:{pets}", "--json").out)
    assert details["shape"] == [3, 10, 10] and details["classes"] == ["cat", "dog"]
    trained = cli("train", "lenet5-modern", "--task", f"folder:{pets}", "--epochs", "1", "--batch-size", "8")
    assert trained.code == 0 and "Done after" in trained.out


def test_synthetic_color_images_are_shown(cli):
    details = json.loads(cli("data", "show", "shapes", "--json").out)
    assert details["shape"] == [3, 64, 64] and details["synthetic"] and details["available"]
    assert all(0 <= row["min"] < row["max"] <= 255 for row in details["ranges"])


def test_images_with_objects_are_shown_with_their_boxes(cli, monkeypatch):
    from workbench.data import shape_scenes

    few = shape_scenes.draw_scenes(shape_scenes.options(), 60, first_seed=0)
    monkeypatch.setattr(shape_scenes, "load", lambda: few)
    details = json.loads(cli("data", "show", "shape-scenes", "--json").out)
    assert details["kind"] == "detection" and details["splits"]["train"]["samples"] == 42
    images, boxes, labels = data.load("shape-scenes")["train"]
    counts = np.bincount(labels[labels >= 0], minlength=len(details["classes"])).tolist()
    assert list(details["splits"]["train"]["classes"].values()) == counts
    first = details["first_samples"][0]
    assert [item["box"] for item in first["target"]] == boxes[0][labels[0] >= 0].tolist()
    assert first["input"] == images[0].tolist()
    result = cli("data", "show", "shape-scenes")
    assert result.code == 0 and ", ".join(item["class"] for item in first["target"]) in result.out


def test_a_failed_download_says_what_to_do(cli, monkeypatch):
    for proxy in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # where no server listens
    assert not json.loads(cli("data", "list", "--json").out)[data.names().index("mnist")]["available"]
    result = cli("data", "show", "mnist")
    assert result.code == 2 and "mnist can't be fetched" in result.err and "train-images-idx3-ubyte.gz" in result.err
    assert len(result.err.splitlines()) == 1
