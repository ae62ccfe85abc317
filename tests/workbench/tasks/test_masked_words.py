"""BERT's pre-training: pairs, masks, scores, the baseline, questions, and a classifier that begins with its encoder."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import models
from models.layers.tokens import PAD
from workbench import data, tasks
from workbench.data.grammar import PASSAGES, passages
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext
from workbench.tasks.masking import SpecialTokens, choose, corrupt, make_pairs

torch.set_num_threads(1)
SPECIAL = SpecialTokens(424, 425, 426)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def task():
    return tasks.get("masked-words")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return models.build("bert", "mini", hidden_size=32, num_layers=2, num_heads=2, intermediate_size=32).eval()


@pytest.fixture(scope="module")
def source(task, network):
    return task.sources(network, seed=0)["train"]


def text(visualization, width=80):
    rows = predictions.draw([visualization], visualization["kind"], width, 40)
    return ["".join(segment.text for segment in row).rstrip() for row in rows]


def test_passages_are_about_one_thing_and_none_is_in_two_splits():
    splits = {split: passages(split) for split in PASSAGES}
    assert {split: len(texts) for split, texts in splits.items()} == PASSAGES
    assert len({passage for texts in splits.values() for passage in texts}) == sum(PASSAGES.values())
    assert all(2 <= len(passage) <= 4 for texts in splits.values() for passage in texts)
    columns = data.load("passages", seed=3)
    assert {split: len(tokens) for split, (tokens,) in columns.items()} == PASSAGES
    assert data.info("passages").samples == sum(PASSAGES.values())
    assert data.word_vocabulary("passages") == data.word_vocabulary("sentiment")  # so that encoders can be passed on
    unknown = sum(int((tokens == 1).sum()) for (tokens,) in columns.values())
    assert unknown / sum(int((tokens > 0).sum()) for (tokens,) in columns.values()) < 0.05


def test_a_batch_has_sentences_that_follow_one_another(source):
    (tokens,) = data.load("passages", seed=0)["train"]
    assert len(source) == sum(int(passage.any(axis=1).sum()) - 1 for passage in tokens)
    batch = source.batch(slice(0, 50))
    for first, second, number in zip(batch["first"], batch["second"], batch["passage"].tolist(), strict=True):
        sentences = [row[row > 0].tolist() for row in tokens[number]]
        place = sentences.index(first[first > 0].tolist())
        assert sentences[place + 1] == second[second > 0].tolist()


def test_half_of_the_second_sentences_are_from_other_passages(source):
    batch = source.batch(slice(0, 2000))
    pairs = make_pairs(batch, SPECIAL, 424, generator())
    assert pairs.is_next.float().mean().item() == pytest.approx(0.5, abs=0.04)
    follows = {tuple(row[row > 0].tolist()): k for k, row in enumerate(batch["second"])}
    for k, (tokens, segments) in enumerate(zip(pairs.targets[:300], pairs.segments[:300], strict=True)):
        second = tuple(tokens[(segments == 1) & (tokens != SPECIAL.sep)].tolist())
        own = tuple(batch["second"][k][batch["second"][k] > 0].tolist())
        assert (second == own) == bool(pairs.is_next[k]) or second == own  # the same sentence may be in two passages
        if not pairs.is_next[k]:
            assert second in follows
    one = make_pairs(source.batch(slice(0, 1)), SPECIAL, 424, generator())
    assert one.is_next.tolist() == [True]  # there is no other passage


def test_15_percent_of_the_tokens_are_chosen_and_special_ones_never():
    tokens = torch.full((50, 40), 9)
    tokens[:, 0], tokens[:, 20], tokens[:, 39] = SPECIAL.cls, SPECIAL.sep, SPECIAL.sep
    tokens[:, 5] = 1  # unknown
    tokens[1, 10:] = PAD
    tokens[2, 1:] = PAD  # nothing but [CLS]
    is_chosen = choose(tokens, 424, generator())
    counts = is_chosen.sum(dim=1).tolist()
    assert counts == [6, round(0.15 * 10), 0, *[6] * 47]
    assert (tokens[is_chosen] == 9).all()
    places = is_chosen.float().mean(dim=0)  # no place is preferred
    assert places[[0, 5, 20, 39]].sum() == 0 and places[1:5].min() > 0


def test_chosen_tokens_are_masked_replaced_or_kept_by_80_10_10():
    tokens = torch.full((400, 100), 9)
    is_chosen = torch.rand(tokens.shape, generator=generator(1)) < 0.5
    words = corrupt(tokens, is_chosen, SPECIAL, 424, generator())
    assert (words[~is_chosen] == 9).all()
    changed = words[is_chosen]
    shares = [(changed == SPECIAL.mask), (changed == 9), (changed != 9) & (changed != SPECIAL.mask)]
    count = len(changed)
    for share, expected in zip(shares, (0.8, 0.1 + 0.1 / 422, 0.1 * 421 / 422), strict=True):
        deviation = math.sqrt(expected * (1 - expected) / count)
        assert abs(share.double().mean().item() - expected) < 4 * deviation
    random = changed[shares[2]]
    assert random.min() >= 2 and random.max() < 424 and len(random.unique()) > 400


def test_losses_and_metrics_are_those_of_a_loop(task, network, source):
    batch = source.batch(slice(0, 40))
    with torch.no_grad():
        outputs = task.forward(network, batch, StepContext())
        again = network(outputs.pairs.words, outputs.pairs.segments)
    losses, hits = [], []
    for n, t in outputs.pairs.is_chosen.nonzero().tolist():
        target = outputs.pairs.targets[n, t]
        losses.append(-again["words"][n, t].log_softmax(dim=0)[target].item())
        hits.append(again["words"][n, t].argmax().item() == target.item())
    relation = F.cross_entropy(again["relation"].double(), (~outputs.pairs.is_next).long()).item()
    ours = task.losses(outputs, batch, StepContext())
    assert ours["mlm_loss"].item() == pytest.approx(np.mean(losses), rel=1e-5)
    assert ours["loss"].item() == pytest.approx(np.mean(losses) + relation, rel=1e-5)
    meter = task.meter()
    meter.update(outputs, batch)
    related = (again["relation"].argmax(dim=1) == 0) == outputs.pairs.is_next
    assert meter.compute() == pytest.approx(
        dict(
            mlm_accuracy=np.mean(hits),
            nsp_accuracy=related.double().mean().item(),
            mlm_perplexity=math.exp(np.mean(losses)),
        ),
        rel=1e-5,
    )
    assert list(meter.compute()) == list(task.info.metrics)


def test_evaluations_have_the_same_masks_and_training_steps_other_ones(task, network):
    validation = task.sources(network, seed=0)["validation"]
    assert task.evaluate(network, validation) == task.evaluate(network, validation)
    context, batch = StepContext(is_training=True), validation.batch(slice(0, 20))
    first, second = (task.forward(network, batch, context).pairs for _ in range(2))
    assert first.words.shape != second.words.shape or not torch.equal(first.words, second.words)


def test_the_baseline_is_counted_by_hand(task, source):
    from workbench.tasks.neighbors_baseline import Neighbors

    batch = {
        "first": torch.tensor([[5, 6, 7], [5, 8, 7]]),
        "second": torch.tensor([[9, 0], [9, 5]]),
    }
    model = Neighbors(batch, vocabulary=10)
    cls, sep, mask = 10, 11, 12
    texts = [[cls, 5, 6, 7, sep, 9, sep], [cls, 5, 8, 7, sep, 9, 5, sep]]
    flat = [token for text in texts for token in text]
    shares = [(flat.count(token) + 1) / (len(flat) + 13) for token in range(13)]

    def p(after, before):
        bigrams = [pair for text in texts for pair in pairwise(text)]
        return (bigrams.count((before, after)) + shares[after]) / (sum(a == before for a, _ in bigrams) + 1)

    words = torch.tensor([[cls, 5, mask, 7, sep, mask, mask, sep]])
    is_chosen = words == mask
    by_hand = [
        max(range(2, 10), key=lambda w: p(w, 5) * p(7, w)),
        max(range(2, 10), key=lambda w: p(w, sep)),
        max(range(2, 10), key=lambda w: p(sep, w)),
    ]
    assert model.predict(words, is_chosen).tolist() == by_hand
    baseline = task.compute_baseline(seed=0)
    assert baseline.metric == "mlm_accuracy" and 0.4 < baseline.value < 0.65 and "NSP: the larger" in baseline.method


def test_a_question_with_masked_words_lists_the_most_probable_ones(task, network):
    answer = task.respond(network, {"text": "The [MASK] was [mask] and Zorblax!"}, seed=0)
    json.dumps(answer)
    assert answer["sentence"][:5] == ["[CLS]", "the", "[MASK]", "was", "[MASK]"]
    assert answer["unknown"] == ["zorblax", "!"] and [blank["position"] for blank in answer["blanks"]] == [2, 4]
    for blank in answer["blanks"]:
        assert len(blank["words"]) == 5 and blank["probabilities"] == sorted(blank["probabilities"], reverse=True)
        assert not {"<pad>", "<unk>", "[MASK]"} & set(blank["words"])
    lines = text(answer)
    assert lines[0] == "Unknown words, read as <unk>: zorblax, !"
    assert lines[1] == "[CLS] the [MASK](1) was [MASK](2) and <unk> <unk> [SEP]"
    assert lines[2].strip().startswith("(1)") and len(lines) == 12


def test_a_question_with_two_sentences_says_whether_the_second_follows(task, network):
    answer = task.respond(network, {"text": "the meal was good .", "next": "the room was bad ."}, seed=0)
    assert answer["blanks"] == [] and 0 < answer["next"]["probability"] < 1
    assert answer["sentence"].count("[SEP]") == 2
    assert text(answer)[-1].startswith("The second sentence follows the first: ")


def test_attention_is_that_of_a_layer_and_a_head(task, network):
    question = {"text": "the [MASK] was good .", "layer": "1", "head": "2"}
    answer = task.respond(network, question, seed=0)
    assert answer["kind"] == "attention" and answer["rows"] == ["[CLS]", "the", "[MASK]", "was", "good", ".", "[SEP]"]
    weights = np.array(answer["weights"])
    assert weights.shape == (7, 7) and weights.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-3)
    other = task.respond(network, question | {"head": "1"}, seed=0)
    assert other["weights"] != answer["weights"] and text(answer)
    pair = task.respond(network, question | {"next": "it was bad ."}, seed=0)
    assert len(pair["rows"]) == len(pair["weights"]) == 12


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"text": ""}, "Give a sentence"),
        ({"text": "the meal was good"}, r"Write \[MASK\] for a word to fill in"),
        ({"text": "a [MASK] " * 100}, "The text has 202 tokens, and this network has positions for 128"),
        ({"text": "[MASK] " * 500}, "must have at most 400 words"),
        ({"text": "a [MASK]", "layer": "3"}, "layer must be an integer from 1 to 2, not 3"),
        ({"text": "a [MASK]", "head": "two"}, "head must be an integer, not 'two'"),
        ({"text": "a [MASK]", "word": "x"}, "Unknown part of a question 'word'"),
    ],
)
def test_unusable_questions_are_rejected(task, network, question, message):
    with pytest.raises(UserError, match=message):
        task.respond(network, question, seed=0)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sentiment-classifier", {}, "predicts no masked words. Choose bert"),
        ("bert", dict(num_relations=0), "with the heads of pre-training"),
        ("bert", dict(vocab_size=423), "has 423 tokens, and the sentences need 424 besides the special ones"),
        ("bert", dict(special_tokens=(4, 5, 6)), "leave out vocab_size and special_tokens"),
    ],
)
def test_networks_that_do_not_fit_are_rejected(task, name, options, message):
    with pytest.raises(UserError, match=message):
        task.sources(models.build(name, "mini", **options), seed=0)


def test_visualizations_show_masked_sentences_with_the_true_words(task, network):
    visualizations = task.visualize(network, task.sources(network, seed=0)["validation"])
    json.dumps(visualizations)
    for visualization in visualizations:
        for blank in visualization["blanks"]:
            assert blank["target"] in data.word_vocabulary("passages")
        lines = text(visualization)
        assert any("(true: " in line or "✓" in line for line in lines)
        assert any("The second sentence follows the first" in line for line in lines)


def test_a_classifier_reads_sentences_and_shows_its_attention():
    task = tasks.get("sentiment")
    torch.manual_seed(0)
    network = models.build("bert", "mini", num_classes=3).eval()
    batch = task.sources(network, seed=0)["train"].batch(slice(0, 5))
    assert task.predict(network, batch).shape == (5, 3) and task.encode(network, batch).shape == (5, 64)
    answer = task.respond(network, {"text": "the zorblax was good", "head": "4"}, seed=0)
    assert answer["kind"] == "attention" and answer["columns"] == ["[CLS]", "the", "<unk>", "was", "good", "[SEP]"]
    assert task.respond(network, {"text": "the zorblax was good"}, seed=0)["unknown"] == ["zorblax"]
    with pytest.raises(UserError, match="no layers of heads"):
        task.respond(models.build("sentiment-classifier", "mini", vocab_size=424), {"text": "good", "layer": "1"}, 0)
    with pytest.raises(UserError, match="has 423 tokens, and the sentences need 424"):
        task.sources(models.build("bert", "mini", vocab_size=423, num_classes=3), seed=0)
