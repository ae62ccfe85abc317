"""Language modeling of characters: windows, metrics, generation, and questions to a network."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

import models
from workbench import data, tasks, untrusted
from workbench.data import text
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext
from workbench.tasks.language_modeling import EVALUATION_LENGTH, TEMPERATURES, TokenMeter, generate
from workbench.tasks.sampling import SampleRequest, choose

torch.set_num_threads(1)


class Bigram(nn.Module):
    """Logits that depend on the last token alone; it counts the tokens that it read by `step`."""

    def __init__(self, vocab_size, seed=0):
        super().__init__()
        table = torch.randn(vocab_size, vocab_size, generator=torch.Generator().manual_seed(seed))
        self.table, self.steps = nn.Parameter(table), 0

    def example_inputs(self, batch_size=1):
        return (torch.zeros(batch_size, 16, dtype=torch.int64),)

    def forward(self, tokens):
        return self.table[tokens]

    def step(self, token, cache=None):
        self.steps += 1
        return self.table[token], cache


@pytest.fixture(scope="module")
def task():
    return tasks.get("characters")


@pytest.fixture
def own(tmp_path):
    """A text with line breaks and terminal codes."""
    file = tmp_path / "notes.txt"
    file.write_text("\x1b[31mred wine\x07\n and bread\n" * 100)
    return tasks.get(f"text:{file}")


def test_windows_are_within_the_splits_and_those_of_evaluation_hold_nearly_every_token_once(task):
    sources = task.sources(Bigram(96), seed=3)
    for split, (tokens,) in data.load("help-topics", seed=3).items():
        batch = sources[split].batch(torch.arange(len(sources[split])))
        length, stride = (16, 8) if split == "train" else (batch["tokens"].shape[1],) * 2
        starts = range(0, len(tokens) - length, stride)
        assert batch["tokens"].tolist() == [tokens[k : k + length].tolist() for k in starts]
        assert batch["targets"].tolist() == [tokens[k + 1 : k + length + 1].tolist() for k in starts]
        if split != "train":
            assert 0.9 * EVALUATION_LENGTH < length <= EVALUATION_LENGTH
            assert batch["targets"].numel() > 0.998 * (len(tokens) - 1)


def test_a_network_with_a_largest_length_is_not_given_more(task):
    network = Bigram(96)
    network.max_length = 50
    sources = task.sources(network, seed=0)
    assert sources["train"].length == 16 and sources["validation"].length in (49, 50)


def test_the_metrics_are_those_of_each_token(own):
    network = Bigram(own.vocabulary)
    source = own.sources(network, seed=0)["validation"]
    metrics = own.evaluate(network, source)
    batch = source.batch(slice(None))
    table = network.table.detach().double().numpy()
    probabilities = np.exp(table) / np.exp(table).sum(axis=1, keepdims=True)
    pairs = list(zip(batch["tokens"].flatten().tolist(), batch["targets"].flatten().tolist(), strict=True))
    loss = -np.mean([math.log(probabilities[pair]) for pair in pairs])
    assert metrics == pytest.approx(
        {
            "loss": loss,
            "perplexity": math.exp(loss),
            "bits_per_character": loss / math.log(2),
            "accuracy": np.mean([probabilities[token].argmax() == target for token, target in pairs]),
        },
        rel=1e-5,
    )
    assert list(own.info.metrics) == ["perplexity", "bits_per_character", "accuracy"]
    assert own.info.mode("perplexity") == "min"


def test_the_meter_weighs_each_token_the_same_in_batches_of_any_size():
    logits, targets = torch.randn(6, 5, 9), torch.randint(9, (6, 5))
    together, apart = TokenMeter(), TokenMeter()
    together.update(logits, {"targets": targets})
    for rows in (slice(0, 1), slice(1, 6)):
        apart.update(logits[rows], {"targets": targets[rows]})
    assert apart.compute() == pytest.approx(together.compute(), rel=1e-6)
    meter = TokenMeter()
    meter.update(torch.full((1, 2, 4), 1e4) * torch.eye(4)[:2], {"targets": torch.tensor([[2, 3]])})
    assert meter.compute()["perplexity"] == math.inf  # and not an overflow


def test_a_held_out_character_changes_no_other_split(own, monkeypatch):
    network = Bigram(own.vocabulary)
    before = own.sources(network, seed=0)
    splits = {split: (tokens.copy(),) for split, (tokens,) in data.load(own.data, seed=0).items()}
    splits["test"][0][50] = 0
    monkeypatch.setattr(data, "load", lambda name, seed: splits)
    after = own.sources(network, seed=0)
    for split in data.SPLITS:
        changes = (before[split].tokens != after[split].tokens).nonzero().flatten().tolist()
        assert changes == ([50] if split == "test" else [])


def test_the_baseline_is_better_than_shorter_histories(task):
    baseline = task.compute_baseline(seed=0)
    assert (baseline.metric, baseline.method) == ("perplexity", "an interpolated 5-gram")
    splits = {split: tokens for split, (tokens,) in data.load("help-topics", seed=0).items()}
    frequencies = (np.bincount(splits["train"], minlength=96) + 1) / (len(splits["train"]) + 96)
    unigram = np.exp(-np.log(frequencies[splits["test"]]).mean())
    assert 3 < baseline.value < unigram / 3
    assert task.compute_baseline(seed=0) == baseline


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_characters_are_drawn_with_the_probabilities_of_the_softmax(temperature):
    network = Bigram(6)
    with torch.no_grad():
        network.table[:] = network.table[0]  # each token is drawn from the same distribution
    request = SampleRequest(temperature=temperature)
    generator = request.generator()
    tokens = generate(network, torch.tensor([[1, 2]]), 4000, 5, lambda logits: choose(logits, request, generator))[0]
    expected = (network.table[0, 1:5] / temperature).softmax(dim=0)
    frequencies = torch.bincount(tokens, minlength=6)[1:5] / 4000
    error = (expected * (1 - expected) / 4000).sqrt()
    assert ((frequencies - expected).abs() < 4 * error).all()
    assert not set(tokens.tolist()) & {0, 5}  # unknown, and beyond the vocabulary
    assert network.steps == 2 + 4000 and network.training


def test_at_temperature_zero_the_most_probable_character_is_drawn():
    network = Bigram(6)
    token, expected = 2, []
    for _ in range(20):
        token = 1 + int(network.table[token, 1:].argmax())
        expected.append(token)
    greedy = SampleRequest(temperature=0.0)
    tokens = generate(network, torch.tensor([[2]]), 20, 6, lambda logits: choose(logits, greedy, greedy.generator()))
    assert tokens[0].tolist() == expected


def test_texts_of_one_network_at_several_temperatures_are_shown(task):
    torch.manual_seed(0)
    network = models.build("lstm", "mini")
    source = task.sources(network, seed=1)["validation"]
    visualizations = task.visualize(network, source)
    assert json.loads(json.dumps(visualizations, allow_nan=False)) == visualizations
    [visualization] = visualizations
    prompt, *texts = visualization["texts"]
    assert visualization["kind"] == "text"
    assert [each["caption"] for each in texts] == [f"temperature {temperature:g}" for temperature in TEMPERATURES]
    start = text.decode(source.tokens[:60].tolist(), data.vocabulary("help-topics"))
    assert "\n".join(prompt["lines"]) == start
    for each in texts:
        visualization = "\n".join(each["lines"])
        assert visualization.startswith(start) and len(visualization) == 260
    assert len({tuple(each["lines"]) for each in texts}) == 3
    assert task.visualize(network, source) == visualizations and network.training
    assert untrusted.clean(visualizations) == visualizations  # as it is read from a run's folder
    rows = ["".join(segment.text for segment in row) for row in predictions.draw(visualizations, "text", 40, 60)]
    assert max(map(len, rows)) <= 40 and rows[0] == "prompt"
    assert start.split("\n")[0][:30] in rows[1] and "temperature 0.5" in rows


def test_a_network_continues_a_prompt(task):
    torch.manual_seed(0)
    network = models.build("lstm", "mini").eval()
    answer = task.respond(network, {"prompt": "The for", "temperature": "0", "length": "12"}, seed=0)
    characters = data.vocabulary("help-topics")
    expected = "The for"
    with torch.no_grad():
        for _ in range(12):
            logits = network(torch.from_numpy(text.encode(expected, characters))[None])[0, -1]
            expected += characters[1 + int(logits[1 : len(characters)].argmax())]
    assert "\n".join(answer["texts"][0]["lines"]) == expected and answer["prompt"] + answer["text"] == expected
    defaults = task.respond(network, {}, seed=0)
    assert len(defaults["text"]) == 200 and defaults["temperature"] == 0.8 and defaults["prompt"] == ""
    assert task.respond(network, {}, seed=0) == defaults
    unknown = task.respond(network, {"prompt": "a é \udcff", "length": "1"}, seed=0)
    assert unknown["texts"][0]["caption"] == "temperature 0.8; unknown characters in the prompt: 2"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"temperature": "hot"}, "temperature must be a number from 0 to 10, not 'hot'"),
        ({"temperature": "nan"}, "temperature must be"),
        ({"temperature": "-1"}, "temperature must be"),
        ({"length": "0"}, "length must be an integer from 1 to 5000, not '0'"),
        ({"length": "1e3"}, "length must be an integer"),
        ({"length": "9" * 5000}, "length must be an integer"),
        ({"promt": "a"}, "Did you mean 'prompt'"),
    ],
)
def test_questions_with_unusable_values_are_rejected(task, question, message):
    with pytest.raises(UserError, match=message):
        task.respond(Bigram(96), question, seed=0)


def test_a_text_of_your_own_is_learned_and_its_terminal_codes_are_not_printed(own):
    torch.manual_seed(0)
    network = models.build("lstm", "mini", vocab_size=own.vocabulary, hidden_size=32)
    source = own.sources(network, seed=0)["train"]
    own.check(network, source)
    before = own.evaluate(network, source)["loss"]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for step in range(30):
        batch = source.batch(torch.arange(8 * step, 8 * step + 8) % len(source))
        optimizer.zero_grad()
        loss = own.losses(own.forward(network, batch, StepContext(is_training=True)), batch, StepContext())["loss"]
        loss.backward()
        optimizer.step()
    assert own.evaluate(network, source)["loss"] < before / 2
    answers = [*own.visualize(network, source), own.respond(network, {"prompt": "\x1b[31m\ta"}, seed=0)]
    for answer in answers:
        lines = [line for each in answer["texts"] for line in each["lines"]]
        assert any("?[31m" in line for line in lines) and all(line.isprintable() for line in lines)


def test_a_network_with_too_few_tokens_is_rejected(own):
    network = models.build("lstm", "mini", vocab_size=4)
    with pytest.raises(UserError, match=f"4 tokens, and the text needs {own.vocabulary}"):
        own.check(network, own.sources(network, seed=0)["train"])


def test_a_network_that_does_not_read_tokens_is_rejected(own):
    for name in ("mlp", "lenet5-modern"):
        with pytest.raises(UserError, match="does not read tokens"):
            own.sources(models.build(name, "mini"), seed=0)


def test_a_text_too_short_for_the_network_is_rejected(own):
    network = Bigram(own.vocabulary)
    network.example_inputs = lambda batch_size=1: (torch.zeros(batch_size, 5000, dtype=torch.int64),)
    with pytest.raises(UserError, match="a window needs 5001"):
        own.sources(network, seed=0)


def test_a_network_that_cannot_generate_is_shown_without_texts(task):
    class Silent(nn.Module):
        def __init__(self):
            super().__init__()
            self.bigram = Bigram(96)

        def example_inputs(self, batch_size=1):
            return self.bigram.example_inputs(batch_size)

        def forward(self, tokens):
            return self.bigram(tokens)

    network = Silent()
    source = task.sources(network, seed=0)["validation"]
    assert task.visualize(network, source) == []
    with pytest.raises(UserError, match="can't generate"):
        task.respond(network, {}, seed=0)
