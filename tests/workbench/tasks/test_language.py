"""Tasks on sentences: losses, metrics and baselines against other computations, questions, unknown words."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

import models
from workbench import data, tasks
from workbench.data.contexts import cooccurrences
from workbench.data.grammar import sentences
from workbench.data.sources import is_ragged
from workbench.errors import UserError
from workbench.tasks import similarity
from workbench.tasks.base import StepContext
from workbench.tasks.captioning import beam_search, caption_scores
from workbench.tasks.entity_meter import entity_scores
from workbench.tasks.sampling import SampleRequest

torch.set_num_threads(1)
CONTEXT = StepContext()


def build(name, **options):
    torch.manual_seed(0)
    task = tasks.get(models.info(name).task)
    return task, models.build(name, "mini", vocab_size=task.dataset.sizes["vocabulary"], **options).eval()


@pytest.mark.parametrize(("name", "options"), [
    ("sentiment-classifier", {}), ("sentiment-classifier", dict(cell="GRU", pooling="mean")), ("ner-tagger", {}),
])  # fmt: skip
@torch.no_grad()
def test_padding_changes_nothing(name, options):
    _, network = build(name, **options)
    words = torch.tensor([[5, 6, 7, 0, 0], [8, 9, 10, 11, 12], [5, 0, 0, 0, 0]])
    together = network(words)
    for row, length, outputs in zip(words, (3, 5, 1), together, strict=True):
        alone = network(row[None, :length])[0]
        torch.testing.assert_close(alone, outputs[:length] if outputs.dim() == 2 else outputs)
        plain = network.encoder.recurrent(network.encoder.embedding(row[None, :length]))[0]  # without packing
        if outputs.dim() == 2:
            torch.testing.assert_close(network.head(plain)[0], alone)
        elif network.pooling == "mean":
            torch.testing.assert_close(network.head(plain.mean(dim=1))[0], alone)
        else:
            torch.testing.assert_close(network.head(plain[:, -1])[0], alone)


def test_ragged_training_sets_are_not_stacked():
    task, network = build("ner-tagger")
    assert is_ragged(task.sources(network, 0)["train"])
    captions, captioner = tasks.get("iris"), models.build("softmax-regression", in_features=4, num_classes=3)
    assert not is_ragged(captions.sources(captioner, 0)["train"])


def test_the_bag_of_words_baseline_is_scikit_learns():
    task = tasks.get("sentiment")
    rows, labels = {}, {}
    for split in ("train", "test"):
        tokens, labels[split] = data.load("sentiment", 0)[split]
        rows[split] = [" ".join(f"w{token}" for token in row if token) for row in tokens]
    counter = CountVectorizer(token_pattern=r"\S+").fit(rows["train"])
    model = LogisticRegression(max_iter=1000).fit(counter.transform(rows["train"]), labels["train"])
    expected = model.score(counter.transform(rows["test"]), labels["test"])
    baseline = task.compute_baseline(0)
    assert baseline.metric == "accuracy" and baseline.value == pytest.approx(expected, abs=0.01)
    assert 0.4 < baseline.value < 0.8  # the order of words matters


def test_entity_scores_of_a_worked_example():
    target = ["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "O", "B-ORG"]
    predicted = ["B-PER", "O", "O", "B-LOC", "I-LOC", "O", "B-ORG"]
    # True: PER 0-2, LOC 3-4, LOC 4-5, ORG 6-7. Predicted: PER 0-1, LOC 3-5, ORG 6-7. Only ORG is correct.
    scores = entity_scores([target], [predicted])
    assert scores == pytest.approx(dict(precision=1 / 3, recall=1 / 4, f1=2 / 7, accuracy=5 / 7))
    assert entity_scores([["O"]], [["O"]]) == dict(precision=0, recall=0, f1=0, accuracy=1)
    assert entity_scores([target, ["O"]], [target, ["O"]])["f1"] == 1
    io = [tag.replace("B-", "I-") for tag in target]  # the two places are one entity
    assert entity_scores([io], [io]) == dict(precision=1, recall=1, f1=1, accuracy=1)


def test_the_tagging_loss_and_baseline_ignore_padding():
    task, network = build("ner-tagger")
    batch = task.sources(network, 0)["test"].batch(slice(0, 6))
    with torch.no_grad():
        logits = network(batch["words"])
    losses = [
        -logits[i, j].log_softmax(dim=0)[batch["tags"][i, j]]
        for i in range(6)
        for j in range(logits.shape[1])
        if batch["words"][i, j] > 0
    ]
    assert task.losses(logits, batch, CONTEXT)["loss"].item() == pytest.approx(float(torch.stack(losses).mean()))
    assert task.weight(batch) == len(losses)
    counts = {}
    for sentence in sentences("train"):
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            counts.setdefault(word, {}).setdefault(tag, 0)
            counts[word][tag] += 1
    order = data.info("entities").classes
    best = {word: max(order, key=lambda tag: own.get(tag, 0)) for word, own in counts.items()}
    predicted = [[best[word] for word in sentence.words] for sentence in sentences("test")]
    expected = entity_scores([sentence.tags for sentence in sentences("test")], predicted)["f1"]
    assert task.compute_baseline(0).value == pytest.approx(expected)
    metrics = task.evaluate(network, task.sources(network, 0)["test"], 50)
    assert metrics.keys() == {"loss", *task.info.metrics}


def test_a_sentence_is_tagged_and_its_unknown_words_are_named():
    task, network = build("ner-tagger")
    answer = json.loads(json.dumps(task.respond(network, {"text": "Zorblax flew to Boston."}, 0)))
    assert answer["unknown"] == ["Zorblax"] and answer["sentences"][0]["words"] == [
        "Zorblax",
        "flew",
        "to",
        "Boston",
        ".",
    ]
    task, network = build("sentiment-classifier")
    answer = task.respond(network, {"text": "The meal was NOT zorblax"}, 0)
    assert answer["unknown"] == ["zorblax"] and sum(answer["probabilities"]) == pytest.approx(1)
    with pytest.raises(UserError, match="Give a sentence"):
        task.respond(network, {"text": "  "}, 0)


@torch.no_grad()
def test_sentence_vectors_are_what_the_head_reads():
    task, network = build("sentiment-classifier")
    batch = task.sources(network, 0)["test"].batch(slice(0, 3))
    torch.testing.assert_close(network.head(task.encode(network, batch)), network(batch["words"]))


def test_sentences_of_the_users_own_are_learned_and_read_by_another_run(tmp_path):
    file = tmp_path / "own.csv"
    file.write_text("text,label\n" + "the meal was good,positive\nthe room was zorblax,negative\n" * 20)
    task, network = build("sentiment-classifier")
    name = f"sentences:{file}"
    own = tasks.get(name)
    assert own.compute_baseline(0).value == 1.0 and own.dataset.classes == ("negative", "positive")
    source = task.adapt(network, name, data.load(name)["train"], 0)
    vocabulary = data.word_vocabulary("sentiment")
    batch = source.batch(slice(0, 10))
    texts = {
        (" ".join(vocabulary[k] for k in row if k), int(t))
        for row, t in zip(batch["words"], batch["target"], strict=True)
    }
    assert texts == {("the meal was good", 2), ("the room was <unk>", 0)}
    with pytest.raises(UserError, match="has no sentences"):
        task.adapt(network, "iris", data.load("iris")["train"], 0)


def test_the_negative_sampling_loss_is_the_papers():
    task, network = build("word2vec-cbow")
    torch.nn.init.normal_(network.output.weight)
    batch = task.sources(network, 0)["test"].batch(slice(0, 20))
    v, u = network.input.weight.detach().double().numpy(), network.output.weight.detach().double().numpy()
    losses = []
    for context, (target, *negatives) in zip(batch["inputs"].tolist(), batch["candidates"].tolist(), strict=True):
        h = np.mean([v[word] for word in context if word], axis=0)
        sigmoid = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
        losses.append(-math.log(sigmoid(u[target] @ h)) - sum(math.log(sigmoid(-u[n] @ h)) for n in negatives))
    with torch.no_grad():
        loss = task.losses(task.forward(network, batch, CONTEXT), batch, CONTEXT)["loss"].item()
    assert loss == pytest.approx(np.mean(losses), rel=1e-5) and batch["candidates"].shape[1] == 6


def test_the_loss_of_glove_is_the_papers():
    task, network = build("glove")
    source = task.sources(network, 0)["train"]
    batch = source.batch(torch.arange(0, len(source), 997))
    counts = cooccurrences(data.load("corpus", 0)["train"][0], task.dataset.sizes["vocabulary"])
    w, u, b, c = (
        e.weight.detach().double().numpy()
        for e in (network.input, network.output, network.input_bias, network.output_bias)
    )
    losses = []
    for i, j in zip(batch["inputs"][:, 0].tolist(), batch["candidates"][:, 0].tolist(), strict=True):
        error = w[i] @ u[j] + b[i, 0] + c[j, 0] - math.log(counts[i, j])
        losses.append(min(1, (counts[i, j] / 100) ** 0.75) * error**2)
    assert len(source) == (counts > 0).sum()
    with torch.no_grad():
        loss = task.losses(task.forward(network, batch, CONTEXT), batch, CONTEXT)["loss"].item()
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_optimum_of_skip_gram_is_pmi_minus_log_k():
    """Levy, Goldberg 2014: with noise of the words' own frequencies, u . v = PMI - log k, on a tiny joint table."""
    rng = np.random.default_rng(0)
    joint = rng.dirichlet(np.ones(16)).reshape(4, 4)
    p, q = joint.sum(1), joint.sum(0)
    k = 5
    network = models.build("word2vec-skipgram", vocab_size=4 + 1, embedding_size=4).double()
    torch.nn.init.normal_(network.output.weight)
    torch.nn.init.normal_(network.input.weight)
    centers = torch.arange(1, 5)[:, None]
    positive, negative = torch.from_numpy(joint), torch.from_numpy(k * np.outer(p, q))
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=3000, tolerance_grad=1e-12, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        scores = network(centers, torch.arange(1, 5).expand(4, 4))
        loss = -(positive * scores.sigmoid().log() + negative * (-scores).sigmoid().log()).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    scores = network(centers, torch.arange(1, 5).expand(4, 4)).detach().numpy()
    np.testing.assert_allclose(scores, np.log(joint / np.outer(p, q)) - math.log(k), atol=1e-3)


def test_glove_fits_a_tiny_table_exactly():
    rng = np.random.default_rng(0)
    logs = torch.from_numpy(np.log(rng.uniform(1, 50, (5, 5))))
    torch.manual_seed(0)
    network = models.build("glove", vocab_size=5, embedding_size=5).double()
    words, others = torch.arange(5)[:, None], torch.arange(5).expand(5, 5)
    optimizer = torch.optim.LBFGS(
        network.parameters(), max_iter=2000, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        loss = (network(words, others) - logs).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert (network(words, others) - logs).abs().max() < 1e-3


def test_neighbors_and_analogies_by_brute_force():
    generator = torch.Generator().manual_seed(1)
    vectors = torch.randn(14, 3, generator=generator)
    tokens = torch.arange(2, 14)
    groups = ["x"] * 5 + ["y"] * 4 + ["z"] * 3
    cosine = torch.nn.functional.cosine_similarity
    shares = []
    for k, token in enumerate(tokens):
        if groups[k] == "z":
            continue
        others = sorted((t for t in tokens if t != token), key=lambda t: -cosine(vectors[t], vectors[token], dim=0))
        nearest = others[: min(5, groups.count(groups[k]) - 1)]
        shares.append(sum(groups[t - 2] == groups[k] for t in nearest) / len(nearest))
    assert similarity.neighbor_share(vectors, tokens, groups) == pytest.approx(sum(shares) / len(shares))
    assert similarity.neighbor_share_at_random(groups) == pytest.approx((5 * 4 / 11 + 4 * 3 / 11) / 9)
    pairs = [(2, 3), (4, 5), (6, 7)]
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    hits = []
    for (a, b), (c, d) in itertools.permutations(pairs, 2):
        query = unit[b] - unit[a] + unit[c]
        candidates = [t for t in tokens.tolist() if t not in (a, b, c)]
        hits.append(max(candidates, key=lambda t: float(unit[t] @ query)) == d)
    assert similarity.analogy_accuracy(vectors, {"r": pairs}, tokens) == pytest.approx(sum(hits) / len(hits))
    exact = torch.eye(6)
    exact[5] = exact[4] + exact[3] - exact[2]  # normalized, it is still the nearest
    assert similarity.analogy_accuracy(exact, {"r": [(2, 3), (4, 5)]}, torch.arange(6)) >= 0.5


def test_words_are_asked_for():
    task, network = build("word2vec-skipgram")
    answer = json.loads(json.dumps(task.respond(network, {"word": "Paris"}, 0)))
    assert len(answer["words"]) == 10 and "Paris" not in answer["words"]
    v = network.input.weight.detach()
    vocabulary = data.word_vocabulary("corpus")
    expected = torch.nn.functional.cosine_similarity(v, v[vocabulary.index("Paris")], dim=1)[
        vocabulary.index(answer["words"][0])
    ]
    assert answer["cosines"][0] == pytest.approx(float(expected), abs=1e-6) and answer["cosines"] == sorted(
        answer["cosines"], reverse=True
    )
    analogy = task.respond(network, {"a": "Italy", "b": "Rome", "c": "France"}, 0)
    assert analogy["question"] == "Italy is to Rome as France is to" and not {"Italy", "Rome", "France"} & {
        *analogy["words"]
    }
    with pytest.raises(UserError, match=r"no vector for 'kng'.* Did you mean king"):
        task.respond(network, {"word": "kng"}, 0)
    with pytest.raises(UserError, match="Ask for a word"):
        task.respond(network, {"a": "Italy"}, 0)
    with pytest.raises(UserError, match="map must be pca or tsne"):
        task.respond(network, {"map": "umap"}, 0)
    for method in ("pca", "tsne"):
        drawing = task.respond(network, {"map": method}, 0)
        assert len(drawing["points"]) == len(drawing["words"]) == len(drawing["groups"]) > 100
    vectors, columns = task.encodings(network, task.sources(network, 0)["test"])
    assert vectors.shape == (len(columns["word"]), 32) and torch.equal(vectors[0], v[2])


def test_without_known_categories_the_baseline_is_a_loss(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("the cat and the dog run . a bird and a fish swim . cats like fish .\n" * 20)
    task = tasks.get(f"words:{file}")
    network = models.build("word2vec-skipgram", "mini", vocab_size=task.dataset.sizes["vocabulary"])
    metrics = task.evaluate(network, task.sources(network, 0)["test"])
    assert metrics == {"loss": pytest.approx(task.compute_baseline(0).value, rel=1e-5)}  # output vectors are 0 at first


def test_caption_scores_are_sacrebleus():
    import sacrebleu

    captions = ["a red circle left of a blue square".split(), "a red circle above a green cross".split()]
    references = [
        ["a red circle left of a blue square".split(), "a blue square right of a red circle".split()],
        ["a red square above a green cross".split(), "a green cross below a red square".split()],
    ]
    scores = caption_scores(captions, references)
    columns = [[" ".join(row[k]) for row in references] for k in range(2)]
    expected = sacrebleu.corpus_bleu([" ".join(c) for c in captions], columns, tokenize="none").score
    assert scores == pytest.approx(dict(bleu=expected, exact=0.5, names=7 / 8))


@torch.no_grad()
def test_the_captioner_writes_as_it_is_trained():
    task, network = build("captioner")
    image = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    tokens = torch.randint(4, 18, (3, 2, 6), generator=torch.Generator().manual_seed(3))
    logits, state = network(image, tokens), network.start(image)
    for k in range(6):
        step, state = network.step(tokens[:, 0, k], state)
        torch.testing.assert_close(step, logits[:, 0, k])
    vocabulary = data.word_vocabulary("scene-captions")
    greedy = task.write(network, image)
    assert task.write(network, image, SampleRequest(top_k=1)) == greedy
    assert [task._words(beam_search(network, one[None], vocabulary, 1)) for one in image] == greedy
    assert all(set(caption) <= set(vocabulary[4:]) for caption in greedy)


@torch.no_grad()
def test_a_wide_beam_finds_the_best_caption():
    """Against all captions of a vocabulary of two words and the end."""

    class Tiny(torch.nn.Module):
        """Probabilities that depend on the word before and the step."""

        def __init__(self):
            super().__init__()
            self.table = torch.randn(4, 5, 5, generator=torch.Generator().manual_seed(4))

        def start(self, image):
            return (torch.zeros(1, 1, 1),)

        def step(self, token, state):
            step = state[0][0, :, 0].long().clamp(max=3)
            logits = self.table[step, (token - 2).clamp(max=4)].clone()
            logits = torch.cat([torch.zeros(len(token), 3), logits[:, :3]], dim=1)
            logits[step >= 3, 4:] = -torch.inf  # the end
            return logits, (state[0] + 1,)

    vocabulary = ("<pad>", "<unk>", "<start>", "<end>", "x", "y")
    network = Tiny()

    def score(words):
        total, previous = 0.0, 2
        for step, token in enumerate([*words, 3]):
            logits, _ = network.step(torch.tensor([previous]), (torch.full((1, 1, 1), float(step)),))
            total += float(logits[0, 3:].log_softmax(dim=0)[token - 3])
            previous = token
        return total / (len(words) + 1)

    every = [words for length in range(4) for words in itertools.product((4, 5), repeat=length)]
    best = max(every, key=score)
    caption = beam_search(network, torch.zeros(1, 3, 2, 2), vocabulary, 64)
    assert caption[1:-1] == list(best) and caption[-1] == 3
