"""Predictions for files and rows are those for the same samples in the data that they come from."""

import csv
import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file

import models
from tests.trained_runs import train_run
from workbench import data, tasks
from workbench.engine import Verifier, networks, predict, worker
from workbench.untrusted import spreadsheet_cell


def save_images(images, folder):
    """Save images (N, channels, height, width), uint8, as PNG files, and return these."""
    files = []
    for k, image in enumerate(images):
        files.append(folder / f"{k}.png")
        Image.fromarray(image.transpose(1, 2, 0) if len(image) == 3 else image[0]).save(files[-1])
    return files


def test_a_file_is_predicted_like_the_same_image_of_the_test_set(tmp_path):
    run = train_run("vgg11", steps=30, seed=2)
    splits = data.load("shapes", 2)
    images, training = splits["test"][0][:6], splits["train"][0]
    network = models.build("vgg11", "mini", num_classes=8).eval()
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    scaled = torch.from_numpy(((images - training.mean()) / training.std()).astype(np.float32))
    small = torch.nn.functional.interpolate(scaled, size=(32, 32), mode="bilinear", antialias=True)
    with torch.no_grad():
        probabilities = network(small).double().softmax(dim=1).numpy()

    files = save_images(images, tmp_path)
    job = dict(job="predict", folder=str(run.folder), files=[str(file) for file in files])
    rows = worker.answer(json.dumps(job))["values"]["rows"]
    assert [[*row["probabilities"]] for row in rows] == [[*data.info("shapes").classes]] * 6
    np.testing.assert_allclose([[*row["probabilities"].values()] for row in rows], probabilities, atol=1e-5)
    assert [row["class"] for row in rows] == [data.info("shapes").classes[k] for k in probabilities.argmax(axis=1)]
    assert [row["probability"] for row in rows] == [max(row["probabilities"].values()) for row in rows]
    assert np.ptp(probabilities, axis=0).max() > 1e-3  # otherwise all images would have the same prediction


def test_gray_levels_are_those_of_data_from_0_to_1(tmp_path):
    run = train_run("lenet5-modern", steps=60)
    images = data.load("digits", 0)["test"][0][:20]
    rows = predict.compute(run, save_images((images * 255).round().astype(np.uint8), tmp_path))["rows"]
    network, task = networks.build(run.spec), tasks.get("digits")
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    batch = task.sources(network, 0)["test"].batch(slice(0, 20))
    with torch.no_grad():
        probabilities = network.eval()(batch["image"]).softmax(dim=1).numpy()
    # Levels are rounded to 1/255.
    np.testing.assert_allclose([[*row["probabilities"].values()] for row in rows], probabilities, atol=0.02)


def test_many_files_are_predicted_like_single_ones(tmp_path, monkeypatch):
    run = train_run("lenet5-modern", steps=20)
    files = save_images((data.load("digits", 0)["test"][0][:5] * 255).astype(np.uint8), tmp_path)
    expected = [predict.compute(run, [file])["rows"][0]["probabilities"] for file in files]
    monkeypatch.setattr("workbench.tasks.base.EVAL_BATCH", 2)
    for row, probabilities in zip(predict.compute(run, files)["rows"], expected, strict=True):
        assert row["probabilities"] == pytest.approx(probabilities, abs=1e-5)


def test_the_command_names_the_most_probable_class_and_rejects_what_is_not_an_image(tmp_path, cli):
    run = train_run("lenet5-modern", steps=60)
    [file] = save_images((data.load("digits", 0)["test"][0][:1] * 255).astype(np.uint8), tmp_path)
    result = cli("predict", run.id, str(file), "--json")
    [prediction] = json.loads(result.out)["predictions"]
    probabilities = prediction["probabilities"]
    assert (result.code, result.err, prediction["file"]) == (0, "", str(file))
    assert probabilities[prediction["class"]] == prediction["probability"] == max(probabilities.values())
    assert sum(probabilities.values()) == pytest.approx(1)
    plain = cli("predict", run.id, str(file)).out
    assert f"{prediction['probability']:.3f}" in plain and run.id in plain

    (tmp_path / "notes.png").write_text("text")
    for path in (tmp_path / "notes.png", tmp_path / "nowhere.png"):
        result = cli("predict", run.id, str(path))
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1) and path.name in result.err


def test_a_folder_is_its_files_by_name(tmp_path, cli):
    run = train_run("lenet5-modern", steps=20)
    folder = tmp_path / "digits"
    folder.mkdir()
    images = (data.load("digits", 0)["test"][0][:12] * 255).astype(np.uint8)
    files = sorted(save_images(images, folder))
    (folder / ".hidden").write_text("no image")
    (folder / "Thumbs.db").write_text("no image")
    (folder / "more").mkdir()
    result = json.loads(cli("predict", run.id, "digits", "--json").out)
    assert [row["file"] for row in result["predictions"]] == [f"digits/{file.name}" for file in files]
    for row, single in zip(result["predictions"], files, strict=True):
        expected = predict.compute(run, [single])["rows"][0]["probabilities"]
        assert row["probabilities"] == pytest.approx(expected, abs=1e-5)
    code, out, _ = cli("predict", run.id, "digits", "--csv", "out.csv")
    assert (code, out) == (0, f"12 predictions of {run.id} written to out.csv.\n")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [*rows[0]] == ["file", "class", "probability", *(f"p({k})" for k in range(10))]
    for row, prediction in zip(rows, result["predictions"], strict=True):
        assert (row["file"], row["class"]) == (prediction["file"], prediction["class"])
        assert {k: float(row[f"p({k})"]) for k in prediction["probabilities"]} == prediction["probabilities"]
    for words, message in [
        (["digits/more"], "has no files"),
        (["-"], "rows of a table"),
        (["digits/.hidden"], ".hidden"),
    ]:
        code, out, err = cli("predict", run.id, *words)
        assert (code, out, err.count("\n")) == (2, "", 1) and message in err


def test_more_images_than_one_request_holds_are_predicted_in_order(tmp_path, monkeypatch):
    run = train_run("lenet5-modern", steps=2)
    save_images((data.load("digits", 0)["test"][0][:7] * 255).astype(np.uint8), tmp_path)
    monkeypatch.setattr(predict, "FILES_AT_ONCE", 3)
    progress: list[float] = []
    with Verifier() as verifier:
        result = predict.predict(verifier, run, [str(tmp_path)], on_progress=progress.append)
    expected = predict.compute(run, [tmp_path / f"{k}.png" for k in range(7)])["rows"]
    assert [row["class"] for row in result["predictions"]] == [row["class"] for row in expected]
    assert progress == pytest.approx([3 / 7, 6 / 7, 1])


def table(columns, rows):
    """Return a CSV file as text."""
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue()


def test_rows_of_a_table_are_predicted_like_the_test_set(tmp_path, cli):
    run = train_run("mlp", task="iris", steps=60, seed=4)
    splits, dataset = data.load("iris", 4), data.info("iris")
    training, rows = splits["train"][0], splits["test"][0]
    network = models.build("mlp", "mini", in_features=4, out_features=3).eval()
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    scaled = torch.from_numpy(((rows - training.mean(axis=0)) / training.std(axis=0)).astype(np.float32))
    with torch.no_grad():
        probabilities = network(scaled).double().softmax(dim=1).numpy()

    # The columns are found by name, in any order, with others between them.
    columns = [dataset.features[2], "flower", *dataset.features[:2], "class", dataset.features[3]]
    cells = [
        [row[2], f"no. {k}", row[0], row[1], "=HYPERLINK(1)" if k else "-1.5", row[3]] for k, row in enumerate(rows)
    ]
    (tmp_path / "flowers.csv").write_text(table(columns, cells))
    result = json.loads(cli("predict", run.id, "flowers.csv", "--json").out)
    assert (result["run"], result["target"], len(result["predictions"])) == (run.id, "species", 30)
    for k, row in enumerate(result["predictions"]):
        assert (row["file"], row["line"], row["columns"]["flower"]) == ("flowers.csv", k + 2, f"no. {k}")
        np.testing.assert_allclose([*row["probabilities"].values()], probabilities[k], atol=1e-5)
        assert row["class"] == dataset.classes[probabilities[k].argmax()]
    from_stdin = cli("predict", run.id, "-", "--json", input=table(columns, cells)).out
    assert json.loads(from_stdin)["predictions"] == [row | {"file": "-"} for row in result["predictions"]]

    assert cli("predict", run.id, "flowers.csv", "--csv", "out.csv", "--json").code == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    names = [f"p({name})" for name in dataset.classes]
    assert [*written[0]] == ["file", "line", "flower", "class (input)", "class", "probability", *names]
    assert [row["class (input)"] for row in written] == ["-1.5"] + ["'=HYPERLINK(1)"] * 29
    assert [row["class"] for row in written] == [row["class"] for row in result["predictions"]]
    np.testing.assert_allclose([[float(row[name]) for name in names] for row in written], probabilities, atol=1e-5)
    plain = cli("predict", run.id, "flowers.csv").out
    assert max(map(len, plain.splitlines())) <= 80 and f"{probabilities[0].max():.3f}" in plain


def test_a_number_is_predicted_in_the_targets_unit(tmp_path, cli):
    run = train_run("linear-regression", task="diabetes", steps=60, seed=1)
    splits, dataset = data.load("diabetes", 1), data.info("diabetes")
    (inputs, values), rows = splits["train"], splits["test"][0]
    stored = {name: tensor.double().numpy() for name, tensor in load_file(run.folder / "best.safetensors").items()}
    [weight] = [array for array in stored.values() if array.ndim == 2]
    [bias] = [array for array in stored.values() if array.ndim == 1]
    scaled = (rows - inputs.mean(axis=0)) / inputs.std(axis=0)
    expected = (scaled @ weight.T + bias)[:, 0] * values.std() + values.mean()
    (tmp_path / "patients.csv").write_text(table(dataset.features, rows))
    result = json.loads(cli("predict", run.id, "patients.csv", "--json").out)
    assert result["target"] == "progression" and [row["columns"] for row in result["predictions"]] == [{}] * len(rows)
    np.testing.assert_allclose([row["predicted"] for row in result["predictions"]], expected, rtol=1e-4)
    assert "progression" in cli("predict", run.id, "patients.csv").out
    cli("predict", run.id, "patients.csv", "--csv", "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        written = [float(row["predicted"]) for row in csv.DictReader(file)]
    assert written == [row["predicted"] for row in result["predictions"]]


def test_a_table_of_ones_own_with_a_single_feature(tmp_path, cli):
    rows = [[k / 10, "high" if k > 20 else "low"] for k in range(40)]
    (tmp_path / "own.csv").write_text(table(["size", "kind"], rows))
    run = train_run("mlp", task=f"csv:{tmp_path / 'own.csv'}", steps=200, batch_size=8)
    result = json.loads(cli("predict", run.id, "-", "--json", input="size\n0.1\n3.9\n").out)
    assert [row["class"] for row in result["predictions"]] == ["low", "high"]
    assert [row["line"] for row in result["predictions"]] == [2, 3]


IRIS = ",".join(data.info("iris").features)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{IRIS}\n1,2,3,4\n1,x,3,4\n", "In line 3, column 'sepal width (cm)', 'x' is no number"),
        (f"{IRIS}\n1,2,,4\n", "line 2"),
        (f"{IRIS}\n1,2,3,4\n1,2,3\n", "Line 3"),
        (f"{IRIS}\n1,2,nan,4\n", "line 2"),
        (f"{IRIS}\n1,2,3,1e300\n", "line 2"),
        (f"{IRIS}\n", "no rows"),
        ("", "empty"),
        ("a,b\n1,2\n", "no column 'sepal length (cm)': the network reads the columns sepal length (cm), "),
        (f'{IRIS}\n1,2,3,"4\n', "no CSV"),
        ("\udcff\n", "UTF-8"),
    ],
)
def test_a_bad_row_is_one_sentence_with_its_line(tmp_path, cli, monkeypatch, text, message):
    run = train_run("mlp", task="iris", steps=2)
    monkeypatch.setattr("subprocess.Popen", None)  # before PyTorch starts
    (tmp_path / "rows.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    for words, stdin in ((["rows.csv"], ""), (["-"], text)):
        if stdin and "\udcff" in stdin:
            continue
        code, out, err = cli("predict", run.id, *words, input=stdin)
        assert (code, out, err.count("\n")) == (2, "", 1) and message in err


def test_what_cannot_be_read_or_written_is_one_sentence(tmp_path, cli):
    run = train_run("mlp", task="iris", steps=2)
    lstm = train_run("lstm", steps=1, batch_size=2)
    (tmp_path / "rows.csv").write_text(f"{IRIS}\n1,2,3,4\n")
    for words, message in [
        ([run.id, "nowhere.csv"], "There is no file nowhere.csv"),
        ([run.id, "."], "is a folder"),
        ([run.id, "rows.csv", "--csv", "rows.csv"], "one of the files that are read"),
        ([run.id, "rows.csv", "--csv", "missing/out.csv"], "can't be written"),
        ([lstm.id, "rows.csv"], "can't read files"),
        (["mlp-0009", "rows.csv"], "mlp-0001"),
    ]:
        code, out, err = cli("predict", *words)
        assert (code, out, err.count("\n")) == (2, "", 1) and message in err
    assert (tmp_path / "rows.csv").read_text() == f"{IRIS}\n1,2,3,4\n"


def test_many_rows_are_printed_in_part_with_a_note(tmp_path, cli):
    run = train_run("mlp", task="iris", steps=2)
    (tmp_path / "rows.csv").write_text(f"{IRIS}\n" + "1,2,3,4\n" * 120)
    out = cli("predict", run.id, "rows.csv").out
    assert "... and 70 more." in out and len(out.splitlines()) == 50 + 3


@given(st.text(max_size=20))
def test_no_text_is_a_formula_for_a_spreadsheet(text):
    cell = spreadsheet_cell(text)
    assert cell.removeprefix("'") == text.removeprefix("'")
    if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and cell:
        float(cell)  # otherwise an error
