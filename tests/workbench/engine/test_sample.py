"""What a trained network generates, and the codes that it gives to samples."""

import json

import pytest
import torch
from safetensors.torch import load_file

import models
from tests.trained_runs import train_run
from workbench import data
from workbench.data import text


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run of three steps, made in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("sample")))
        yield train_run("lstm", steps=3, seed=2)


@pytest.fixture(autouse=True)
def same_home(run, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(run.folder.parent.parent))


def test_the_most_probable_characters_are_those_of_the_whole_text_read_again(run, cli):
    """The network reads the text so far from its start for each character, without a cache."""
    words = ("--prompt", "The ", "--temperature", "0", "--length", "8", "--json")
    result = json.loads(cli("sample", run.id, *words).out)
    [answer] = result["visualizations"][0]["samples"]
    network = models.build("lstm", "mini", vocab_size=96).eval()
    network.load_state_dict(load_file(run.folder / f"{result['checkpoint']}.safetensors"))
    characters, expected = data.vocabulary("help-topics"), "The "
    with torch.no_grad():
        for _ in range(8):
            logits = network(torch.from_numpy(text.encode(expected, characters))[None])[0, -1]
            expected += characters[1 + int(logits[1 : len(characters)].argmax())]
    assert "The " + answer == expected
    assert (result["run"], result["request"]["length"]) == (run.id, 8)


def test_a_seed_gives_the_same_samples_and_another_seed_others(run, cli):
    def samples(*words):
        return json.loads(cli("sample", run.id, "--length", "30", "--json", *words).out)["visualizations"][0]["samples"]

    three = samples("--count", "3")
    assert len(set(three)) == 3 and samples("--count", "3") == three
    assert samples("--count", "3", "--seed", "1") != three
    assert samples("--top-k", "1") == samples("--temperature", "0") == samples("--top-p", "1e-9", "--seed", "5")


def test_samples_are_printed_one_under_another(run, cli):
    code, out, _ = cli("sample", run.id, "--count", "2", "--length", "10", "--prompt", "Strings ")
    assert code == 0 and out.count("Strings ") == 2 and "1 of 2" in out and "2 of 2" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--top-p", "0"), "top_p must be a number above 0 and at most 1, not 0."),
        (("--count", "0"), "count must be a number from 1 to 1000, not 0."),
        (("--beams", "4"), "Leave beams out."),
    ],
)
def test_requests_that_make_no_sense_are_rejected(run, cli, words, message):
    code, out, err = cli("sample", run.id, *words)
    assert (code, out) == (2, "") and message in err and err.count("\n") == 1


def test_a_network_without_samples_or_codes_says_so(run, cli, tmp_path):
    other = train_run("mlp", steps=1)
    code, _, err = cli("sample", other.id)
    assert code == 2 and "generates nothing" in err
    code, _, err = cli("encode", other.id, str(tmp_path / "codes.csv"))
    assert code == 2 and "has no latent code" in err and not (tmp_path / "codes.csv").exists()
    code, _, err = cli("encode", other.id, str(tmp_path / "codes.txt"))
    assert code == 2 and "must end in .csv or .npy, not .txt" in err
    code, _, err = cli("encode", other.id, str(tmp_path / "codes.csv"), "--split", "tset")
    assert code == 2 and "test" in err
