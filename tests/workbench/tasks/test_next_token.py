"""The next tokens of a text as bars that one picks from, attention in a prompt, and byte pairs as a task."""

import json
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import models
from models.layers.dot_product_attention import recorded_attention
from workbench import tasks
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.language_modeling import TokenMeter, generate
from workbench.tasks.ngram import InterpolatedNGram

torch.set_num_threads(1)


@pytest.fixture(scope="module", params=["characters", "byte-pairs"])
def task(request):
    return tasks.get(request.param)


@pytest.fixture(scope="module")
def network(task):
    torch.manual_seed(0)
    network = models.build("gpt", "mini", vocab_size=task.vocabulary, num_layers=2, embedding_size=32, max_length=24)
    for weight in network.parameters():  # so that probabilities differ
        torch.nn.init.normal_(weight, std=0.3)
    return network.eval()


@torch.no_grad()
def probabilities(task, network, text, temperature=1.0):
    logits = network(torch.from_numpy(task.tokenizer.encode(text))[None, -24:])[0, -1]
    first, size = task.tokenizer.first, task.tokenizer.size
    return (logits[first:size].double() / temperature).softmax(0), first


def test_the_next_tokens_are_the_most_probable_ones(task, network):
    answer = task.respond(network, {"prompt": "The for", "next": "7", "temperature": "0.7"}, seed=0)
    expected, first = probabilities(task, network, "The for", 0.7)
    best = expected.topk(7)
    assert answer["kind"] == "next-token" and answer["text"] == "The for" and answer["picked"] == []
    assert answer["probabilities"] == pytest.approx(best.values.tolist(), rel=1e-4)
    assert answer["tokens"] == [task.tokenizer.label(token + first) for token in best.indices.tolist()]
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


def test_picked_tokens_are_added_one_after_another(task, network):
    answer = task.respond(network, {"prompt": "The", "pick": "3, 1", "temperature": "1"}, seed=0)
    tokens = task.tokenizer.encode("The").tolist()
    for place in (3, 1):
        logits = network(torch.tensor([tokens]))[0, -1, task.tokenizer.first : task.tokenizer.size]
        tokens.append(int(logits.argsort(descending=True)[place - 1]) + task.tokenizer.first)
    assert answer["text"] == "The" + task.tokenizer.decode(tokens[-2:])
    assert answer["picked"] == [task.tokenizer.label(token) for token in tokens[-2:]]
    logits = network(torch.tensor([tokens]))[0, -1, task.tokenizer.first : task.tokenizer.size]
    assert answer["probabilities"] == pytest.approx(logits.double().softmax(0).topk(10).values.tolist(), rel=1e-4)


def test_temperature_top_k_and_top_p_are_applied(task, network):
    expected, _ = probabilities(task, network, "The for", 0.5)
    ranked = expected.sort(descending=True).values
    question = {"prompt": "The for", "next": "1000", "temperature": "0.5"}
    of_k = task.respond(network, {**question, "top_k": "4"}, seed=0)["probabilities"]
    assert of_k == pytest.approx((ranked[:4] / ranked[:4].sum()).tolist(), rel=1e-4)
    count = int((ranked.cumsum(0) - ranked < 0.6).sum())
    of_p = task.respond(network, {**question, "top_p": "0.6"}, seed=0)["probabilities"]
    assert of_p == pytest.approx((ranked[:count] / ranked[:count].sum()).tolist(), rel=1e-4)
    assert task.respond(network, {**question, "temperature": "0"}, seed=0)["probabilities"] == [1.0]
    with pytest.raises(UserError, match="There is no token at place 5 to pick: 4 tokens can follow"):
        task.respond(network, {**question, "top_k": "4", "pick": "5"}, seed=0)


def test_attention_is_that_of_the_chosen_layer_and_head(task, network):
    answer = task.respond(network, {"prompt": "def f():", "layer": "2", "head": "3"}, seed=0)
    tokens = task.tokenizer.encode("def f():")
    with torch.no_grad(), recorded_attention(network) as weights:
        network(torch.from_numpy(tokens)[None])
    expected = weights["transformer.h.1.attn.attention"][0, 2]
    np.testing.assert_allclose(answer["weights"], expected, atol=1e-4)
    assert answer["rows"] == answer["columns"] == [task.tokenizer.label(token) for token in tokens]
    assert "".join(answer["rows"]) == "def f():" and answer["kind"] == "attention"
    assert predictions.draw([answer], "attention", 80, 24)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"prompt": "a", "pick": "0"}, "pick must be places"),
        ({"prompt": "a", "pick": "first"}, "pick must be places"),
        ({"prompt": "a", "pick": "1," * 101}, "at most 100 places"),
        ({"prompt": "a", "next": "0"}, "next must be an integer from 1 to 1000"),
        ({"prompt": "a", "next": "5", "top_p": "2"}, "top_p must be"),
        ({"prompt": "a", "next": "5", "top_p": "0"}, "top_p must be"),
        ({"prompt": "a", "layer": "3"}, "layer must be an integer from 1 to 2"),
        ({"prompt": "a", "head": "5"}, "head must be an integer from 1 to 4"),
        ({"layer": "1"}, "no text to show the attention of"),
        ({"prompt": "0123456789" * 3 + "\x00\x01", "layer": "1"}, "reads at most 24. Shorten the text"),
    ],
)
def test_questions_that_cannot_be_answered_are_one_sentence(task, network, question, message):
    with pytest.raises(UserError, match=message):
        task.respond(network, question, seed=0)


def test_a_network_without_attention_has_none_to_show():
    task = tasks.get("characters")
    with pytest.raises(UserError, match="This network has no attention to show"):
        task.respond(models.build("lstm", "mini"), {"prompt": "a", "layer": "1"}, seed=0)


def test_bars_are_numbered_and_white_space_is_visible():
    answer = dict(kind="next-token", text="The cat\x1b[31m", tokens=[" sat", "\n", "é"], temperature=1.0)
    answer["probabilities"] = [0.75, 0.125, 0.125]
    for width, height in ((80, 24), (30, 5)):
        rows = [
            "".join(segment.text for segment in row) for row in predictions.draw([answer], "next-token", width, height)
        ]
        assert len(rows) <= height and max(map(len, rows)) <= width
        assert rows[0].startswith("The cat?[31m") and rows[1].startswith("1 ␣sat █") and "75.0%" in rows[1]
        assert rows[2].startswith("2 ↵")


def test_a_prompt_longer_than_the_context_is_cut_as_without_a_cache(task, network):
    class Uncached(torch.nn.Module):
        """The same network, which reads the last tokens of the text again for each token."""

        def __init__(self):
            super().__init__()
            self.network = network

        def step(self, token, cache=None):
            text = token[:, None] if cache is None else torch.cat([cache, token[:, None]], dim=1)
            return self.network(text[:, -24:])[:, -1], text

    prompts = torch.randint(1, task.tokenizer.size, (2, 30), generator=torch.Generator().manual_seed(0))
    texts = []
    for model in (network, Uncached()):
        generator = torch.Generator().manual_seed(3)
        size, first = task.tokenizer.size, task.tokenizer.first
        texts.append(
            generate(model, prompts, 40, size, lambda x: x.softmax(1).multinomial(1, generator=generator)[:, 0], first)  # noqa: B023
        )
    assert torch.equal(*texts)
    [answer] = task.sample(network, tasks.sampling.SampleRequest("0123456789" * 9, length=3), seed=0)
    assert "the last 24 are read" in answer["texts"][0]["caption"]


def test_bits_per_character_count_the_characters_of_byte_pairs():
    task = tasks.get("byte-pairs")
    text = "for each item in the list, the class is naïve"
    tokens = torch.from_numpy(task.tokenizer.encode(text))
    logits = torch.randn(1, len(tokens) - 1, 512, generator=torch.Generator().manual_seed(0))
    meter = task.meter()
    meter.update(logits, {"targets": tokens[None, 1:]})
    loss = F.cross_entropy(logits[0].double(), tokens[1:], reduction="sum").item()
    characters = len(text) - len(task.tokenizer.decode(tokens[:1].tolist()))
    metrics = meter.compute()
    assert metrics["perplexity"] == pytest.approx(math.exp(loss / (len(tokens) - 1)), rel=1e-4)
    assert metrics["bits_per_character"] == pytest.approx(loss / math.log(2) / characters, rel=1e-4)
    plain = TokenMeter()
    plain.update(logits, {"targets": tokens[None, 1:]})
    assert plain.compute()["perplexity"] == metrics["perplexity"]


@pytest.mark.full
def test_the_baseline_of_byte_pairs_is_an_ngram():
    baseline = tasks.get("byte-pairs").compute_baseline(seed=0)
    assert (baseline.metric, baseline.method) == ("perplexity", "an interpolated 5-gram") and 5 < baseline.value < 40
    with pytest.raises(ValueError, match="64 bits"):
        InterpolatedNGram(np.zeros(5, np.int64), np.zeros(5, np.int64), 50_257, 5)
