"""Questions to trained networks: the answers are the network's own outputs for the same inputs, computed by hand."""

import json
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import models
from workbench import data
from workbench.engine import RunSpec, Verifier, ask, runs, worker
from workbench.engine.training.trainer import SeedRun, Trainer
from workbench.errors import UserError


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return short runs by task, made in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("ask")))
        result = {}
        for task in ("moons", "digits", "diabetes"):
            run = runs.create(RunSpec.create("mlp", task=task, steps=40, device="cpu", seed=3))
            list(Trainer([SeedRun(run.spec, run.folder)]).run())
            result[task] = run
        yield result


def request(run, **question):
    return worker.answer(json.dumps(dict(job="ask", folder=str(run.folder), question=question)))


def network_of(run, **options):
    network = models.build("mlp", "mini", **options).eval()
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    return network


def test_a_point_of_the_plane_has_the_probabilities_of_the_network(trained):
    run = trained["moons"]
    training = data.load("moons", 3)["train"][0]
    point = np.array([0.4, -0.3])
    scaled = torch.tensor((point - training.mean(0)) / training.std(0), dtype=torch.float32)
    with torch.no_grad():
        logit = network_of(run, in_features=2, out_features=1)(scaled[None]).item()
    names = [*ask_names(run)]
    answer = request(run, **dict(zip(names, ("0.4", "-0.3"), strict=True)))["values"]
    assert answer["kind"] == "probabilities" and answer["run"] == run.id and "regions" not in answer
    assert answer["probabilities"] == pytest.approx([1 / (1 + np.exp(logit)), 1 / (1 + np.exp(-logit))], abs=1e-5)
    assert answer["predicted"] == int(logit > 0)
    assert answer["point"] == pytest.approx(scaled.tolist(), abs=1e-6)
    assert list(answer["features"].values()) == [0.4, -0.3]


def ask_names(run):
    return worker.answer(json.dumps(dict(job="questions", folder=str(run.folder))))["values"]


def test_an_empty_question_about_a_plane_is_answered_with_its_regions(trained):
    answer = request(trained["moons"])["values"]
    assert answer["regions"]["kind"] == "regions" and len(answer["regions"]["predicted"]) == 32
    assert answer["point"] == [0.0, 0.0] and list(answer["features"].values()) == pytest.approx(answer["mean"])
    back = [m + d * p for m, d, p in zip(answer["mean"], answer["deviation"], (1.0, -1.0), strict=True)]
    names = [*ask_names(trained["moons"])]
    again = request(trained["moons"], **{name: repr(v) for name, v in zip(names, back, strict=True)})["values"]
    assert again["point"] == pytest.approx([1.0, -1.0], abs=1e-5)


def test_an_image_that_is_drawn_is_read_as_the_same_image_in_a_file_and_in_the_data(trained, tmp_path):
    run = trained["digits"]
    splits = data.load("digits", 3)
    network = network_of(run)
    for index in range(5):
        image = splits["test"][0][index, 0]
        training = splits["train"][0]
        with torch.no_grad():
            scaled = torch.from_numpy(((image - training.mean()) / training.std()).astype(np.float32))
            expected = network(scaled.flatten()[None]).softmax(dim=1)[0].numpy()
        drawn = request(run, pixels=json.dumps(image.tolist()))["values"]
        np.testing.assert_allclose(drawn["probabilities"], expected, atol=0.02)  # levels are rounded to bytes
        file = tmp_path / f"{index}.png"
        Image.fromarray((image * 255).round().astype(np.uint8)).save(file)
        assert request(run, image=str(file))["values"]["probabilities"] == pytest.approx(drawn["probabilities"])


def test_a_row_of_a_table_is_answered_in_the_unit_of_the_target(trained):
    run = trained["diabetes"]
    splits = data.load("diabetes", 3)
    inputs, targets = splits["train"]
    row = splits["test"][0][0]
    with torch.no_grad():
        scaled = torch.tensor((row - inputs.mean(0)) / inputs.std(0), dtype=torch.float32)
        output = network_of(run, in_features=10, out_features=1)(scaled[None]).item()
    names = [*ask_names(run)]
    answer = request(run, **{name: repr(float(v)) for name, v in zip(names, row, strict=True)})["values"]
    assert answer["kind"] == "value"
    assert answer["predicted"] == pytest.approx(output * targets.std() + targets.mean(), rel=1e-4)


@pytest.mark.parametrize(
    ("task", "question", "message"),
    [
        ("moons", {"z": "1"}, "Unknown part of a question 'z'"),
        ("moons", {"x": "much"}, "must be a number, not 'much'"),
        ("moons", {"x": "nan"}, "must be a number"),
        ("digits", {"pixels": "[[1, 2]]"}, "from 0 to 1"),
        ("digits", {"pixels": "[[1], [1, 0]]"}, "rows of equal length"),
        ("digits", {"pixels": "[" * 5000}, "rows of equal length"),
        ("digits", {"pixels": "__import__('os')"}, "rows of equal length"),
        ("digits", {"image": "/nowhere.png"}, "nowhere.png"),
        ("digits", {}, "image=FILE or pixels=ROWS"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(trained, task, question, message):
    names = ask_names(trained[task])
    renamed = {next(iter(names)) if name == "x" else name: value for name, value in question.items()}
    answer = request(trained[task], **renamed)
    assert message in answer["refused"] and "\n" not in answer["refused"]


def test_a_newer_question_takes_the_place_of_one_that_waits(monkeypatch):
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()
    asked, answers = [], []

    def slow(self, job, timeout, on_progress=None):
        asked.append(job["question"])
        begun.set()
        assert go_on.wait(60)
        return {"kind": "value", **job["question"]}

    def take(question, answer):
        answers.append(answer["x"])
        if answer["x"] == "9":
            done.set()

    monkeypatch.setattr(Verifier, "ask", slow)
    talk = ask.Conversation(Verifier(), runs.Run(runs.folder() / "any"), take, answers.append)
    talk.ask({"x": "0"})
    assert begun.wait(60)
    for number in range(1, 10):
        talk.ask({"x": str(number)})
    go_on.set()
    assert done.wait(60)
    assert [question["x"] for question in asked] == ["0", "9"] and answers == ["0", "9"]


def test_an_error_is_told_and_the_next_question_still_answered(monkeypatch):
    done, results = threading.Event(), []

    def fail(self, job, timeout, on_progress=None):
        if job["question"] == {"x": "bad"}:
            raise UserError("x must be a number.")
        return {"kind": "value"}

    monkeypatch.setattr(Verifier, "ask", fail)
    talk = ask.Conversation(
        Verifier(), runs.Run(runs.folder() / "any"), lambda *_: (results.append("right"), done.set()), results.append
    )
    talk.ask({"x": "bad"})
    while "x must be a number." not in results:
        pass
    talk.ask({"x": "1"})
    assert done.wait(60) and results == ["x must be a number.", "right"]
