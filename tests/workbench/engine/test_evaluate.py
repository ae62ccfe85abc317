"""Evaluation of a trained network: against a forward pass by hand, scikit-learn, and what the run itself reported."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import f1_score, r2_score, roc_auc_score

import models
from tests.trained_runs import train_run
from workbench import data, tasks
from workbench.engine import evaluate, worker
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


def test_a_run_without_a_checkpoint_is_an_error(cli):
    run = train_run("mlp", task="iris", steps=2)
    for file in run.folder.glob("*.safetensors"):
        file.unlink()
    code, out, err = cli("evaluate", run.id)
    assert (code, out, err.count("\n")) == (2, "", 1) and "no checkpoint yet" in err
