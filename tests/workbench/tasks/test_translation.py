"""Translation: batches, losses and scores, translations, attention, beams, and questions to a network."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import models
from models.layers.tokens import END, FIRST, PAD, START, UNKNOWN
from quizzes.content.transformers.bleu.formulas import BLEU
from workbench import data, tasks, untrusted
from workbench.data import pairs
from workbench.errors import UserError
from workbench.tasks import nearest_text
from workbench.tasks.base import StepContext
from workbench.tasks.sampling import SampleRequest
from workbench.tasks.translation import by_length
from workbench.tasks.translation_scores import TranslationMeter, bleu, score, texts_of

torch.set_num_threads(1)
ATTENTION = "luong-attention"


class Reverser(nn.Module):
    """A network without weights that matter: it reverses its source, and doubles the first letter if asked to."""

    def __init__(self, error=False):
        super().__init__()
        self.error, self.weight = error, nn.Parameter(torch.zeros(1))

    def example_inputs(self, batch_size=1):
        return (torch.full((batch_size, 4), END), torch.full((batch_size, 4), START))

    def encode(self, source):
        rows = []
        for text in texts_of(source):
            text = text[::-1]
            rows.append([*([text[0]] if self.error and text else []), *text, END])
        target = torch.tensor([row + [END] * (60 - len(row)) for row in rows])
        return target, torch.zeros(len(rows), dtype=torch.int64)

    def step(self, token, state):
        target, place = state
        return 20 * F.one_hot(target[torch.arange(len(target)), place], 16).float(), (target, place + 1)

    def forward(self, source, target_in):
        state, logits = self.encode(source), []
        for token in target_in.unbind(dim=1):
            step, state = self.step(token, state)
            logits.append(step)
        return torch.stack(logits, dim=1)

    def sentence_vector(self, source):
        return self.encode(source)[0].float()


@pytest.fixture(scope="module")
def task():
    return tasks.get("reversal")


def mini(name=ATTENTION, task="reversal", **options):
    torch.manual_seed(0)
    sizes = data.info(task).sizes
    vocabularies = dict(source_vocab_size=sizes["source_vocabulary"], target_vocab_size=sizes["target_vocabulary"])
    return models.build(name, "mini", **vocabularies, **options)


@pytest.fixture(scope="module")
def trained(task):
    """A small network after a few steps."""
    network = mini(hidden_size=32)
    source = task.sources(network, seed=0)["train"]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for k in range(15):
        batch = source.batch(slice(32 * k, 32 * k + 32))
        optimizer.zero_grad()
        task.losses(task.forward(network, batch, StepContext()), batch, StepContext())["loss"].backward()
        optimizer.step()
    return network


def test_a_batch_has_sources_and_targets_and_the_target_shifted_by_one(task):
    batch = task.sources(Reverser(), seed=0)["train"].batch(slice(0, 20))
    source, target, before = batch["source"], batch["target"], batch["target_in"]
    for row, other, shifted in zip(source.tolist(), target.tolist(), before.tolist(), strict=True):
        letters = row[: row.index(END)]
        assert other[: len(letters) + 1] == [*letters[::-1], END] and set(other[len(letters) + 1 :]) <= {PAD}
        assert shifted[: len(letters) + 1] == [START, *letters[::-1]] and set(shifted[len(letters) + 1 :]) <= {PAD}
    assert task.weight(batch) == int((target != PAD).sum()) and source.shape[1] <= 17


def test_the_loss_is_the_mean_over_the_tokens_of_the_targets(task):
    network = mini().double()
    batch = task.sources(network, seed=0)["train"].batch(slice(0, 6))
    outputs = task.forward(network, batch, StepContext())
    losses = [
        -outputs.logits[n, t].log_softmax(dim=0)[token].item()
        for n, row in enumerate(batch["target"].tolist())
        for t, token in enumerate(row)
        if token != PAD
    ]
    assert task.losses(outputs, batch, StepContext())["loss"].item() == pytest.approx(np.mean(losses), rel=1e-9)


def test_a_network_that_translates_without_an_error_has_perfect_scores(task):
    source = task.sources(Reverser(), seed=0)["validation"]
    metrics = task.evaluate(Reverser(), source, limit=100)
    assert metrics.pop("loss") < 1e-6
    assert metrics == pytest.approx(dict(bleu=100, exact_match=1, token_accuracy=1, forced_accuracy=1))
    assert list(metrics) == list(task.info.metrics)
    wrong = task.evaluate(Reverser(error=True), source, limit=100)
    assert wrong["exact_match"] == 0 and 0 < wrong["bleu"] < 100 and wrong["token_accuracy"] < 0.4


def test_metrics_do_not_depend_on_the_size_of_a_batch(task, trained, monkeypatch):
    source = task.sources(trained, seed=0)["validation"]
    expected = task.evaluate(trained, source, limit=60)
    monkeypatch.setattr(type(task), "evaluation_batch", lambda self, network: 7)
    assert task.evaluate(trained, source, limit=60) == pytest.approx(expected, rel=1e-5)


def test_forced_accuracy_is_that_after_the_true_tokens(task, trained):
    batch = task.sources(trained, seed=0)["validation"].batch(slice(0, 40))
    outputs = task.predict(trained, batch)
    meter = TranslationMeter()
    meter.update(outputs, batch)
    is_token = batch["target"] != PAD
    expected = (outputs.logits.argmax(dim=2) == batch["target"])[is_token].double().mean().item()
    assert meter.compute()["forced_accuracy"] == pytest.approx(expected)
    assert task.training_metrics(outputs, batch) == pytest.approx({"forced_accuracy": expected})


TOKENS = st.lists(st.integers(FIRST, 8), max_size=9)


@settings(deadline=None)
@given(st.lists(st.tuples(TOKENS, TOKENS), min_size=1, max_size=5))
def test_scores_are_those_of_a_loop_and_of_sacrebleu(texts):
    import sacrebleu

    predicted, references = zip(*texts, strict=True)
    scores = score(predicted, references)
    hits = sum([*a, END][k : k + 1] == [token] for a, b in texts for k, token in enumerate([*b, END]))
    assert scores["token_accuracy"] == pytest.approx(hits / sum(len(b) + 1 for b in references))
    assert scores["exact_match"] == pytest.approx(np.mean([a == b for a, b in texts]))
    lines = [[" ".join("abcdefghi"[token] for token in text) for text in each] for each in (predicted, references)]
    theirs = sacrebleu.BLEU(tokenize="none", effective_order=True).corpus_score(lines[0], [lines[1]])
    assert scores["bleu"] == pytest.approx(theirs.score)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("abc"), min_size=4, max_size=9), st.lists(st.sampled_from("abc"), min_size=4, max_size=9)
)
def test_bleu_of_the_questions_is_sacrebleus(candidate, reference):
    import sacrebleu

    ours = float(BLEU.evaluate(dict(candidate=" ".join(candidate), references=[" ".join(reference)]))["BLEU"])
    theirs = sacrebleu.BLEU(tokenize="none", smooth_method="none").corpus_score(
        [" ".join(candidate)], [[" ".join(reference)]]
    )
    assert ours == pytest.approx(theirs.score / 100, abs=1e-9)
    if ours:  # otherwise a report smooths the precisions that are 0
        assert bleu([[*map(ord, candidate)]], [[*map(ord, reference)]]) == pytest.approx(100 * ours)


def test_a_correct_text_of_one_token_has_the_best_bleu():
    assert bleu([[5]], [[5]]) == pytest.approx(100)
    assert bleu([[]], [[5]]) == 0


def test_scores_by_length_are_those_of_the_texts_of_that_length():
    sources = [[FIRST] * length for length in range(1, 21)]
    references = [[FIRST + k % 3 for k in range(length)] for length in range(1, 21)]
    predicted = [text if len(text) < 10 else text[::-1] for text in references]
    rows = by_length(sources, references, predicted)
    assert len(rows) <= 8 and sum(row["samples"] for row in rows) == 20
    assert rows[0]["length"] == [1, 3] and rows[0]["exact_match"] == 1
    for row in rows:
        low, high = row["length"]
        members = [k for k, source in enumerate(sources) if low <= len(source) <= high]
        expected = score([predicted[k] for k in members], [references[k] for k in members])
        assert {name: row[name] for name in expected} == expected


def levenshtein(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(levenshtein(a[1:], b) + 1, levenshtein(a, b[1:]) + 1, levenshtein(a[1:], b[1:]) + (a[0] != b[0]))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=4), st.lists(st.integers(1, 3), max_size=5)
)
def test_edit_distances_are_those_of_the_definition(texts, other):
    padded = np.array([text + [PAD] * (6 - len(text)) for text in texts])
    distances = nearest_text.edit_distances(padded, np.array(other + [PAD] * 2))
    assert distances.tolist() == [levenshtein(text, other) for text in texts]


def test_the_baseline_looks_up_the_target_of_the_nearest_source(task, monkeypatch):
    train = (np.array([[5, 6, 7, END], [8, 9, END, PAD]]), np.array([[7, 6, 5, END], [9, 8, END, PAD]]))
    test = (np.array([[5, 6, 6, END], [8, 9, END, PAD]]), np.array([[6, 6, 5, END], [9, 8, END, PAD]]))
    monkeypatch.setattr(data, "load", lambda name, seed: dict(train=train, test=test))
    baseline = task.compute_baseline(seed=0)
    assert baseline.metric == "bleu" and "edit distance" in baseline.method
    assert baseline.value == pytest.approx(bleu([[7, 6, 5], [9, 8]], [[6, 6, 5], [9, 8]]))


def test_many_texts_are_compared_in_part(monkeypatch):
    texts = np.random.default_rng(0).integers(1, 9, size=(50, 4))
    monkeypatch.setattr(nearest_text, "MAX_CELLS", 16 * 50 * 20)
    rows, nearest = nearest_text.find(texts, texts)
    assert rows.tolist() == list(range(50)) and nearest[:20].tolist() == list(range(20)) and nearest.max() < 20
    monkeypatch.setattr(nearest_text, "MAX_CELLS", 16 * 50 * 100)
    more = np.concatenate([texts, texts, texts])
    rows, nearest = nearest_text.find(texts, more)
    assert rows.tolist() == list(range(100)) and nearest.tolist() == 2 * list(range(50))


@pytest.mark.parametrize("name", ["luong-attention", "bahdanau-attention", "seq2seq", "seq2seq-gru"])
def test_visualizations_are_plain_data(task, name):
    network = mini(name)
    source = task.sources(network, seed=0)["validation"]
    visualizations = json.loads(json.dumps(task.visualize(network, source), allow_nan=False))
    kinds = [visualization["kind"] for visualization in visualizations]
    assert kinds == ["translation"] * 12 + ["attention"] * (3 * ("attention" in name)) + ["lengths"]
    assert untrusted.clean(visualizations) == visualizations and network.training
    for visualization in visualizations[:12]:
        assert visualization["target"] == visualization["source"][::-1]
    for visualization in visualizations[12:-1]:
        assert visualization["columns"][-1] == "end" and len(visualization["weights"]) == len(visualization["rows"])
        for row in visualization["weights"]:
            assert len(row) == len(visualization["columns"]) and sum(row) == pytest.approx(1, abs=0.01)


def test_an_answer_has_the_translation_its_beams_and_its_attention(task, trained):
    answer = json.loads(json.dumps(task.respond(trained, {"source": "abcdef", "beams": "4", "alpha": "1"}, seed=0)))
    assert answer["kind"] == "translation" and len(answer["hypotheses"]) == 4
    scores = [hypothesis["score"] for hypothesis in answer["hypotheses"]]
    assert scores == sorted(scores, reverse=True)
    best = answer["hypotheses"][0]
    assert answer["predicted"] == best["text"] and best["score"] == pytest.approx(
        best["log_probability"] / len(best["tokens"])
    )
    # Its probability is that of the same text under teacher forcing, among the tokens that a text can contain.
    tokens = torch.tensor([best["tokens"]])
    source = torch.tensor([pairs.encode("abcdef", data.vocabularies("reversal").source)])
    with torch.no_grad():
        logits = trained(source, torch.cat([torch.tensor([[START]]), tokens[:, :-1]], dim=1))
    logits[:, :, [PAD, START, UNKNOWN]] = -torch.inf
    total = logits.log_softmax(dim=2)[0].gather(1, tokens.T).sum().item()
    assert best["log_probability"] == pytest.approx(total, abs=1e-4)
    assert answer["attention"]["columns"] == [*"abcdef", "end"]
    assert (
        answer["attention"]["rows"] == [*best["text"], "end"]
        and len(answer["attention"]["weights"]) == len(best["text"]) + 1
    )


def test_an_answer_without_beams_is_the_greedy_translation(task, trained):
    answer = task.respond(trained, {"source": "abcd"}, seed=0)
    source = torch.tensor([pairs.encode("abcd", data.vocabularies("reversal").source)])
    outputs = task.predict(trained, {"source": source, "target_in": torch.tensor([[START]])})
    [greedy] = texts_of(outputs.translate(source))
    assert answer["predicted"] == pairs.decode(greedy, data.vocabularies("reversal").target)
    assert task.respond(Reverser(), {"source": "abcd"}, seed=0)["predicted"] == "dcba"
    assert "attention" not in task.respond(Reverser(), {"source": "abcd"}, seed=0)


def test_unseen_characters_are_listed_once_each(task, trained):
    answer = task.respond(trained, {"source": "abXcé X"}, seed=0)
    assert answer["note"] == "characters that the training set lacks: X é  "
    assert answer["attention"]["columns"] == [*"abXcé X", "end"]
    assert "note" not in task.respond(trained, {"source": "abc"}, seed=0)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, "nothing to translate. Give a text: source=TEXT"),
        ({"source": "a" * 1001}, "has 1,001 characters, and at most 1,000"),
        ({"source": "abc", "beams": "0"}, "beams must be a number from 1 to 64"),
        ({"source": "abc", "beams": "two"}, "beams must be an integer, not 'two'"),
        ({"source": "abc", "alpha": "-1"}, "alpha must be a number from 0 to 10"),
        ({"source": "abc", "alpha": "nan"}, "alpha must be"),
        ({"sorce": "abc"}, "Did you mean 'source'"),
    ],
)
def test_questions_with_unusable_values_are_rejected(task, trained, question, message):
    with pytest.raises(UserError, match=message):
        task.respond(trained, question, seed=0)


def test_samples_are_drawn_with_the_probabilities_of_the_network(task, trained):
    request = SampleRequest(prompt="abcd", count=300, seed=1)
    samples = [sample["predicted"] for sample in task.sample(trained, request, seed=0)]
    assert len(samples) == 300 and [s["predicted"] for s in task.sample(trained, request, seed=0)] == samples
    source = torch.tensor([pairs.encode("abcd", data.vocabularies("reversal").source)])
    with torch.no_grad():
        logits, _ = trained.step(torch.tensor([START]), trained.encode(source))
    logits[:, [PAD, START, UNKNOWN]] = -torch.inf
    probabilities = logits.softmax(dim=1)[0]
    token = int(probabilities.argmax())
    letter = data.vocabularies("reversal").target[token - FIRST]
    share, expected = np.mean([sample[:1] == letter for sample in samples]), probabilities[token].item()
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / 300)
    greedy = task.sample(trained, SampleRequest(prompt="abcd", temperature=0.0), seed=0)
    assert [sample["predicted"] for sample in greedy] == [
        task.respond(trained, {"source": "abcd"}, seed=0)["predicted"]
    ]
    [beams] = task.sample(trained, SampleRequest(prompt="abcd", beams=3), seed=0)
    assert len(beams["hypotheses"]) == 3 and beams["alpha"] == 0
    anything = [*task.sample(trained, SampleRequest(count=3), seed=0), *task.sample(trained, SampleRequest(beams=2), 0)]
    characters = data.vocabularies("reversal").source
    held_out = {pairs.decode(row, characters) for row in data.load("reversal", 0)["validation"][0]}
    assert len(anything) == 4 and {sample["source"] for sample in anything} <= held_out


@pytest.mark.parametrize(
    ("name", "features"),
    [("seq2seq", 2 * 128), ("seq2seq-gru", 128), ("bahdanau-attention", 64), ("luong-attention", 2 * 128)],
)
def test_the_code_of_a_source_is_what_the_decoder_starts_from(task, name, features):
    network = mini(name).eval()
    batch = task.sources(network, seed=0)["validation"].batch(slice(0, 5))
    with torch.no_grad():
        code = task.encode(network, batch)
    assert code.shape == (5, features) and not torch.equal(code[0], code[1])


def test_networks_that_do_not_fit_are_rejected(task):
    with pytest.raises(UserError, match="does not translate"):
        task.sources(models.build("lstm", "mini"), seed=0)
    small = models.build("seq2seq", "mini", source_vocab_size=9, target_vocab_size=16)
    with pytest.raises(UserError, match="set its source_vocab_size to 16 and its target_vocab_size to 16"):
        task.check(small, task.sources(small, seed=0)["train"])
    small = models.build("seq2seq", "mini", source_vocab_size=16, target_vocab_size=9)
    with pytest.raises(UserError, match="too few tokens"):
        task.check(small, task.sources(small, seed=0)["train"])


def test_your_own_pairs_are_learned(tmp_path):
    file = tmp_path / "own.tsv"
    file.write_text("".join(f"{k} and\x1b {k % 7}\t{k}+{k % 7}\n" for k in range(110)))
    own = tasks.get(f"pairs:{file}")
    sizes = own.info.sizes
    torch.manual_seed(0)
    network = models.build(
        "seq2seq",
        "mini",
        source_vocab_size=sizes["source_vocabulary"][0],
        target_vocab_size=sizes["target_vocabulary"][0],
    )
    source = own.sources(network, seed=0)["train"]
    own.check(network, source)
    before = own.evaluate(network, source)["loss"]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(20):
        batch = source.batch(slice(None))
        optimizer.zero_grad()
        own.losses(own.forward(network, batch, StepContext()), batch, StepContext())["loss"].backward()
        optimizer.step()
    assert own.evaluate(network, source)["loss"] < before / 2
    assert list(own.info.metrics) == ["bleu", "exact_match", "token_accuracy", "forced_accuracy"]
    assert 0 <= own.compute_baseline(seed=0).value <= 100
