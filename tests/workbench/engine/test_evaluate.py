"""Evaluation of a trained network: against a forward pass by hand, scikit-learn, and what the run itself reported."""

import csv
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import f1_score, r2_score, roc_auc_score

import models
from tests.trained_runs import train_run
from workbench import data, tasks
from workbench.engine import evaluate, networks, worker
from workbench.errors import UserError
from workbench.tasks.baselines import baseline


@pytest.mark.parametrize("split", data.SPLITS)
def test_metrics_of_a_classifier_are_those_of_its_best_checkpoint(split):
    run = train_run("mlp", steps=40, seed=3)
    splits = data.load("digits", 3)
    training = splits["train"][0]
    images, targets = splits[split]
    network = models.build("mlp", "mini").eval()
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    scaled = torch.from_numpy(((images - training.mean()) / training.std()).astype(np.float32))
    with torch.no_grad():
        probabilities = network(scaled.flatten(1)).double().softmax(dim=1).numpy()
    predicted = probabilities.argmax(axis=1)

    result = evaluate.compute(run, split)
    assert (result["run"], result["checkpoint"], result["split"]) == (run.id, "best", split)
    assert result["samples"] == len(targets)
    metrics = result["metrics"]
    assert metrics["loss"] == pytest.approx(-np.log(probabilities[np.arange(len(targets)), targets]).mean(), rel=1e-5)
    assert metrics["accuracy"] == pytest.approx((predicted == targets).mean())
    assert metrics["f1"] == pytest.approx(f1_score(targets, predicted, average="macro"))
    assert metrics["auc"] == pytest.approx(roc_auc_score(targets, probabilities, multi_class="ovr"), abs=1e-6)
    assert ("baseline" in result) == (split == "test")


def test_the_validation_metrics_are_those_that_the_run_reported():
    run = train_run("lenet5-modern", epochs=2, label_smoothing=0.1, class_weights=True)
    evaluations = [event for event in run.reader().read(10**6) if event["event"] == "eval"]
    best = max(
        (event["metrics"] for event in evaluations if event["split"] == "validation"),
        key=lambda metrics: metrics["accuracy"],
    )
    assert evaluate.compute(run, "validation")["metrics"] == pytest.approx(best, rel=1e-5)


def test_metrics_of_a_regression_and_its_baseline():
    run = train_run("linear-regression", task="diabetes", steps=60)
    result = evaluate.compute(run, "test")
    splits = data.load("diabetes", 0)
    inputs, values = splits["train"]
    weights = {name: tensor.numpy() for name, tensor in load_file(run.folder / "best.safetensors").items()}
    [(weight, bias)] = [
        (weights[name], weights[name.replace("weight", "bias")]) for name in weights if name.endswith("weight")
    ]
    rows = (splits["test"][0] - inputs.mean(axis=0)) / inputs.std(axis=0)
    predicted = (rows @ weight.T + bias)[:, 0] * values.std() + values.mean()
    targets = splits["test"][1].reshape(-1)
    assert result["metrics"]["mse"] == pytest.approx(((predicted - targets) ** 2).mean(), rel=1e-4)
    assert result["metrics"]["r2"] == pytest.approx(r2_score(targets, predicted), rel=1e-4)
    expected = baseline(tasks.get("diabetes"), 0)
    assert result["baseline"] == dict(method=expected.method, metric=expected.metric, value=expected.value)


def test_an_unknown_split_is_an_error_with_the_names(monkeypatch):
    run = train_run("mlp", steps=2)
    job = dict(job="evaluate", folder=str(run.folder), split="holdout")
    assert worker.answer(json.dumps(job)) == {
        "refused": "Unknown split 'holdout'. Choose from test, train, validation."
    }
    monkeypatch.setattr("subprocess.Popen", None)
    with pytest.raises(UserError, match="Did you mean 'validation'"):
        evaluate.evaluate(None, run, "validate")


def test_the_command_prints_metrics_and_the_baseline(cli):
    run = train_run("mlp", task="iris", steps=30)
    code, out, err = cli("evaluate", run.id, "--json")
    result = json.loads(out)
    expected = evaluate.compute(run, "test")
    assert (code, err) == (0, "") and result["metrics"] == pytest.approx(expected["metrics"])
    assert (result["task"], result["split"], result["samples"]) == ("iris", "test", 30)
    code, out, _ = cli("evaluate", run.id)
    assert code == 0 and f"accuracy {expected['metrics']['accuracy']:.4f}" in out and run.id in out
    assert f"baseline (logistic regression): accuracy {expected['baseline']['value']:.4f}" in out
    code, out, _ = cli("evaluate", run.id, "--split", "train")
    assert code == 0 and "train set of iris (105 samples)" in out and "baseline" not in out
    for words, message in [
        ([run.id, "--split", "dev"], "Choose from test, train, validation"),
        (["mlp-0009"], "mlp-0001"),
    ]:
        code, out, err = cli("evaluate", *words)
        assert (code, out, err.count("\n")) == (2, "", 1) and message in err


def write_csv(path, dataset, rows, targets, columns=None):
    """Write a table with the target first, and the features in another order."""
    order = columns or range(len(dataset.features))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([dataset.target, *(dataset.features[k] for k in order)])
        writer.writerows([[target, *(row[k] for k in order)] for row, target in zip(rows, targets, strict=True)])


def test_another_table_is_scaled_by_the_training_set_and_its_classes_go_by_name(tmp_path, cli):
    """The other table has two of the three classes, other means, and its columns in another order."""
    run = train_run("mlp", task="iris", steps=60, seed=2)
    splits, dataset = data.load("iris", 2), data.info("iris")
    training = splits["train"][0]
    rows, targets = (np.concatenate([splits[split][k] for split in splits]) for k in (0, 1))
    rows, targets = rows[targets > 0] + 0.3, targets[targets > 0]
    path = tmp_path / "flowers.csv"
    write_csv(path, dataset, rows, [dataset.classes[k] for k in targets], [2, 0, 3, 1])
    network = models.build("mlp", "mini", in_features=4, out_features=3).eval()
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    scaled = torch.from_numpy(((rows - training.mean(axis=0)) / training.std(axis=0)).astype(np.float32))
    with torch.no_grad():
        probabilities = network(scaled).double().softmax(dim=1).numpy()

    code, out, err = cli("evaluate", run.id, "--task", f"csv:{path}:species", "--split", "all", "--json")
    result = json.loads(out)
    assert (code, err, result["samples"], result["split"]) == (0, "", 100, "all")
    assert (result["task"], result["trained_on"]) == (f"csv:{path}:species", "iris")
    metrics = result["metrics"]
    assert metrics["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == targets).mean())
    assert metrics["loss"] == pytest.approx(-np.log(probabilities[np.arange(100), targets]).mean(), rel=1e-5)
    plain = cli("evaluate", run.id, "--task", f"csv:{path}:species", "--split", "all").out
    assert f"on all samples of csv:{path}:species (100 samples), trained on iris" in plain
    tested = evaluate.compute(run, "test", f"csv:{path}:species")
    assert tested["samples"] == 20 and tested["baseline"]["metric"] == "accuracy"


def test_another_table_with_a_number_is_evaluated_in_the_targets_unit(tmp_path):
    run = train_run("linear-regression", task="diabetes", steps=60)
    splits, dataset = data.load("diabetes", 0), data.info("diabetes")
    (inputs, values), (rows, targets) = splits["train"], splits["test"]
    path = tmp_path / "patients.csv"
    write_csv(path, dataset, rows, targets + 10)
    weights = {name: tensor.numpy() for name, tensor in load_file(run.folder / "best.safetensors").items()}
    [weight] = [array for array in weights.values() if array.ndim == 2]
    [bias] = [array for array in weights.values() if array.ndim == 1]
    scaled = (rows - inputs.mean(axis=0)) / inputs.std(axis=0)
    predicted = (scaled @ weight.T + bias)[:, 0] * values.std() + values.mean()
    metrics = evaluate.compute(run, "all", f"csv:{path}:progression")["metrics"]
    assert metrics["mse"] == pytest.approx(((predicted - targets - 10) ** 2).mean(), rel=1e-4)
    assert metrics["mae"] == pytest.approx(np.abs(predicted - targets - 10).mean(), rel=1e-4)


@pytest.mark.parametrize("model", ["lenet5-modern", "mlp"])
def test_images_of_another_dataset_are_scaled_as_in_training(model, monkeypatch):
    """The other dataset is the digits again, brighter and larger, as bytes: each pixel is 2x2 pixels."""
    run = train_run(model, steps=40)
    splits = {
        split: (np.kron((images * 200).round().astype(np.uint8), np.ones((1, 1, 2, 2), np.uint8)), targets)
        for split, (images, targets) in data.load("digits", 0).items()
    }
    own_load, own_training = data.load, data.load("digits", 0)["train"][0]
    monkeypatch.setattr(data, "load", lambda name, seed: splits if name == "mnist-5k" else own_load(name, seed))
    result = evaluate.compute(run, "validation", "mnist-5k")
    images, targets = splits["validation"]
    scaled = torch.from_numpy(((images / 255 - own_training.mean()) / own_training.std()).astype(np.float32))
    size = 20 if model == "lenet5-modern" else 8
    read = torch.nn.functional.interpolate(scaled, size=(size, size), mode="bilinear", antialias=True)
    network = networks.build(run.spec).eval()
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    with torch.no_grad():
        probabilities = network(read if size == 20 else read.flatten(1)).double().softmax(dim=1).numpy()
    assert result["metrics"]["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == targets).mean(), abs=0.006)
    expected = -np.log(probabilities[np.arange(len(targets)), targets]).mean()
    assert result["metrics"]["loss"] == pytest.approx(expected, rel=1e-3)


def test_the_runs_own_task_by_name_is_its_own_data(cli):
    run = train_run("mlp", task="iris", steps=2)
    assert evaluate.compute(run, "test", "iris") == evaluate.compute(run, "test")
    code, _, err = cli("evaluate", run.id, "--task", "iris", "--split", "all")
    assert code == 2 and "Choose from test, train, validation" in err


def test_what_does_not_fit_is_an_error_in_one_sentence(tmp_path):
    iris, digits = train_run("mlp", task="iris", steps=2), train_run("mlp", steps=2)
    diabetes, lstm = train_run("linear-regression", task="diabetes", steps=2), train_run("lstm", steps=1, batch_size=2)
    splits, dataset = data.load("iris", 0), data.info("iris")
    rows, targets = splits["train"]
    names = [("rosa" if k == 2 else dataset.classes[k]) for k in targets]
    write_csv(tmp_path / "other.csv", dataset, rows, names)
    write_csv(tmp_path / "few.csv", dataset, rows[:, :3], names, [0, 1, 2])
    for run, task, message in [
        (iris, "digits", "digits has no column 'sepal length"),
        (iris, "wine", "wine has no column 'sepal length"),
        (iris, f"csv:{tmp_path}/other.csv:species", "has the class 'rosa'.*predicts setosa, versicolor, virginica"),
        (iris, f"csv:{tmp_path}/few.csv:species", "has no column 'petal width"),
        (iris, "help-topics", "Unknown task"),
        (iris, "characters", "has no column"),
        (digits, "iris", "iris has no images"),
        (digits, "shapes", "has the class 'circle'"),
        (digits, "shape-scenes", "has the class 'circle'"),
        (diabetes, f"csv:{tmp_path}/other.csv:species", "has no column 'age'"),
        (lstm, "digits", "can't be evaluated on another"),
        (iris, "csv:nowhere.csv", "no file nowhere.csv"),
    ]:
        with pytest.raises(UserError, match=message) as error:
            evaluate.compute(run, "test", task)
        assert "\n" not in str(error.value)


def test_a_run_without_a_checkpoint_is_an_error(cli):
    run = train_run("mlp", task="iris", steps=2)
    for file in run.folder.glob("*.safetensors"):
        file.unlink()
    code, out, err = cli("evaluate", run.id)
    assert (code, out, err.count("\n")) == (2, "", 1) and "no checkpoint yet" in err
