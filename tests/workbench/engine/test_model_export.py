"""Exported networks are loaded here by the libraries that they are for, and compared with the checkpoint."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import models
from models.tracing import example_inputs
from tests.trained_runs import train_run
from workbench import data
from workbench.cli import export_network
from workbench.engine import exporters, model_export, networks, worker
from workbench.errors import UserError

MODELS = ["mlp", *(pytest.param(name, marks=pytest.mark.full) for name in ("resnet18", "lstm", "yolo-v1"))]


@pytest.fixture(scope="module")
def trained_runs(tmp_path_factory):
    """A function that returns a run of a network, trained once in this process."""
    home, runs = tmp_path_factory.mktemp("runs"), {}

    def get(model):
        if model not in runs:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("WORKBENCH_HOME", str(home))
                runs[model] = train_run(model, steps=2, batch_size=4)
        return runs[model]

    return get


def inputs_of(network, batch, seed=0):
    """Return random inputs for a network."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randint(0, 90, (batch, *example.shape[1:]), generator=generator)
        if example.dtype == torch.int64
        else torch.randn(batch, *example.shape[1:], generator=generator)
        for example in example_inputs(network)
    ]


def expected(run, inputs):
    network = networks.build(run.spec)
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    with torch.no_grad():
        return network.eval()(*inputs)


def check_about(about, run, model):
    assert (about["run"], about["model"], about["preset"], about["task"]) == (run.id, model, "mini", run.spec.data.task)
    [described] = about["inputs"]
    [example] = example_inputs(networks.build(run.spec))
    assert described["shape"] == ["batch", *example.shape[1:]]
    assert described["dtype"] == str(example.dtype).removeprefix("torch.")


@pytest.mark.parametrize("model", MODELS)
def test_weights_load_into_the_network_that_the_file_describes(trained_runs, tmp_path, model):
    run, path = trained_runs(model), tmp_path / "network.safetensors"
    result = model_export.compute(run, "weights", path)
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["about"])
    check_about(about, run, model)
    network = models.build(about["model"], preset=about["preset"], **about["arguments"])
    network.load_state_dict(load_file(path))
    inputs = inputs_of(network, 3)
    with torch.no_grad():
        assert torch.equal(network.eval()(*inputs), expected(run, inputs))
    assert result["difference"] == 0 and result["samples"] == 16


@pytest.mark.parametrize("model", MODELS)
def test_a_program_runs_batches_of_any_size(trained_runs, tmp_path, model):
    run, path = trained_runs(model), tmp_path / "network.pt2"
    result = model_export.compute(run, "program", path)
    extra = {"about": ""}
    network = torch.export.load(path, extra_files=extra).module()
    check_about(json.loads(extra["about"]), run, model)
    for batch in (1, 2, 7):
        inputs = inputs_of(networks.build(run.spec), batch, seed=batch)
        with torch.no_grad():
            assert torch.allclose(network(*inputs), expected(run, inputs), atol=1e-5)
    assert result["difference"] < 1e-5


@pytest.mark.parametrize("model", MODELS)
def test_an_onnx_model_runs_batches_of_any_size(trained_runs, tmp_path, model):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    run, path = trained_runs(model), tmp_path / "network.onnx"
    result = model_export.compute(run, "onnx", path)
    proto = onnx.load(path)
    onnx.checker.check_model(proto)
    check_about(json.loads(next(each.value for each in proto.metadata_props if each.key == "about")), run, model)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    [described] = session.get_inputs()
    assert (described.name, described.shape) == (result["inputs"][0]["name"], result["inputs"][0]["shape"])
    for batch in (1, 2, 7):
        inputs = inputs_of(networks.build(run.spec), batch, seed=batch)
        [output] = session.run(None, {described.name: inputs[0].numpy()})
        np.testing.assert_allclose(output, expected(run, inputs).numpy(), atol=1e-4)
    assert result["difference"] < 1e-4


def test_the_scaling_of_the_inputs_and_the_meaning_of_the_outputs_are_described(trained_runs, tmp_path):
    result = model_export.compute(trained_runs("mlp"), "weights", tmp_path / "a.safetensors")
    training = data.load("digits", 0)["train"][0]
    scaling = result["scaling"]
    assert (scaling["mean"], scaling["deviation"]) == pytest.approx((training.mean(), training.std()), rel=1e-5)
    assert scaling["largest"] == 1 == training.max() and result["outputs"]["classes"] == [*"0123456789"]

    run = train_run("linear-regression", task="diabetes", steps=2, seed=1)
    result = model_export.compute(run, "weights", tmp_path / "b.safetensors")
    rows, values = data.load("diabetes", 1)["train"]
    np.testing.assert_allclose(result["scaling"]["mean"], rows.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(result["scaling"]["deviation"], rows.std(axis=0), rtol=1e-6)
    assert result["scaling"]["features"] == list(data.info("diabetes").features)
    assert result["outputs"].pop("target") == "progression"
    assert result["outputs"] == pytest.approx({"mean": values.mean(), "deviation": values.std()}, rel=1e-6)


def test_a_file_that_differs_is_not_written(trained_runs, tmp_path, monkeypatch):
    run, path = trained_runs("mlp"), tmp_path / "network.safetensors"
    path.write_bytes(b"before")

    def write_other(trained, about):
        return b"other", lambda *batch: trained.network(*batch) + 1

    monkeypatch.setitem(exporters.WRITERS, "weights", write_other)
    with pytest.raises(UserError, match="differs by 1 from"):
        model_export.compute(run, "weights", path)
    monkeypatch.setitem(exporters.WRITERS, "weights", lambda trained, about: 1 / 0)
    with pytest.raises(UserError, match="can't be exported in this format: division"):
        model_export.compute(run, "weights", path)
    assert path.read_bytes() == b"before"


def test_the_command_says_how_the_file_is_used(tmp_path, cli):
    run = train_run("mlp", steps=2)
    code, out, err = cli("runs", "export", run.id, "--weights", "mlp.safetensors")
    assert (code, err) == (0, "") and "mlp.safetensors" in out and "largest difference of an output is 0." in out
    load = next(line for line in out.splitlines() if "Load: " in line).partition("Load: ")[2]
    build, _, _ = load.partition(".load_state_dict(")
    assert build == "models.build('mlp', preset='mini')"
    models.build("mlp", preset="mini").load_state_dict(load_file(tmp_path / "mlp.safetensors"))
    code, out, _ = cli("runs", "export", run.id, "--program", "mlp.pt2", "--json")
    result = json.loads(out)
    assert (code, result["schema"], result["format"], result["path"]) == (0, 2, "program", "mlp.pt2")
    assert torch.export.load(tmp_path / "mlp.pt2").module()(torch.zeros(2, 64)).shape == (2, 10)


def test_what_is_impossible_is_an_error_in_one_sentence(tmp_path, cli, monkeypatch):
    run = train_run("mlp", steps=2)
    monkeypatch.setattr(model_export, "find_spec", lambda name: None if name == "onnxscript" else object())
    for words, message in [
        (["--weights", "mlp.pt"], "must end in .safetensors, not .pt"),
        (["--program", "mlp"], "must end in .pt2"),
        (["--onnx", "mlp.onnx"], "ONNX isn't installed: pip install 'workbench[onnx]'"),
        (["--weights", "missing/mlp.safetensors"], "can't be written"),
        (["--weights", "a.safetensors", "--csv", "a.csv"], "Give one of"),
    ]:
        code, out, err = cli("runs", "export", run.id, *words)
        assert (code, out, err.count("\n")) == (2, "", 1) and message in err
    for file in run.folder.glob("*.safetensors"):
        file.unlink()
    job = dict(job="export", folder=str(run.folder), format="weights", path=str(tmp_path / "a.safetensors"))
    assert "no checkpoint yet" in worker.answer(json.dumps(job))["refused"]
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_network_that_translates_is_exported_with_the_characters_of_its_tokens(trained_runs, tmp_path):
    run, file = trained_runs("luong-attention"), tmp_path / "x.safetensors"
    result = model_export.compute(run, "weights", file)
    characters = data.vocabularies("dates")
    scaling = result["scaling"]
    assert (scaling["source_characters"], scaling["target_characters"]) == characters
    assert scaling["first"] + len(characters.source) == data.info("dates").sizes["source_vocabulary"]
    assert [one["name"] for one in result["inputs"]] == ["source", "target_in"]
    assert load_file(file).keys() == networks.build(run.spec).state_dict().keys()
    text = export_network._describe_inputs(result)
    assert "45 characters of the source and the 11 of the target plus 4; 2 ends a text" in text
