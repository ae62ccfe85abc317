"""Claims about words: word vectors, maps of them, and the order of words."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal


def trained_neighbors(seed: int, *, steps: int) -> float:
    """Return the share of the nearest neighbors of a word that have its category, for skip-gram after some steps."""
    import torch

    from workbench.engine import RunSpec, train

    torch.set_num_threads(1)
    if steps == 0:
        import models
        from workbench import tasks

        torch.manual_seed(seed)
        task = tasks.get("word-vectors")
        network = models.build("word2vec-skipgram", "mini", vocab_size=task.dataset.sizes["vocabulary"])
        return float(task.evaluate(network, task.sources(network, seed)["test"])["neighbors"])
    spec = RunSpec.create("word2vec-skipgram", seed=seed, steps=steps, optimizer="adam", lr=0.01, batch_size=256)
    *_, end = train(spec)
    neighbors: Any = end["metrics"]["neighbors"]
    return float(neighbors)


WORD2VEC_SEMANTICS = Empirical(
    id="word2vec-semantics",
    statement=(
        "After training by skip-gram, the nearest neighbors of a word have its category more often than at the initial "
        "weights, by 0.3 or more."
    ),
    topic="word-representations",
    arms={"trained": trial(trained_neighbors, steps=3000), "initial weights": trial(trained_neighbors, steps=0)},
    measure="share of neighbors",
    decider=Paired(min_effect=0.3),
    expected="holds",
    source="Mikolov, Sutskever, Chen, Corrado, Dean, Distributed representations of words and phrases (2013)",
    note="On a corpus that a grammar wrote, whose 31 categories are known; words of a category rarely occur together.",
)


def inputs_and_targets(seed: int) -> Iterator[Evidence]:
    import models
    from workbench import data, tasks
    from workbench.data.words import PAD_TOKEN

    task = tasks.get("word-vectors")
    tokens = data.load(task.data, seed)["test"][0]
    sentences = [row[row != PAD_TOKEN].tolist() for row in tokens]
    size = task.dataset.sizes["vocabulary"]
    near = {
        (sentence[i], sentence[j])
        for sentence in sentences
        for i in range(len(sentence))
        for j in range(len(sentence))
        if i != j
    }
    for name, words in (("word2vec-skipgram", 1), ("word2vec-cbow", 8)):
        network = models.build(name, "mini", vocab_size=size)
        batch = task.sources(network, seed)["test"].batch(slice(0, 500))
        yield equal(f"words that {name} reads at most", batch["inputs"].shape[1], words)
        pairs = [
            (word, row[0])
            for inputs, row in zip(batch["inputs"].tolist(), batch["candidates"].tolist(), strict=True)
            for word in inputs
            if word != PAD_TOKEN
        ]
        yield equal(f"pairs of {name} that occur in no sentence", sum(pair not in near for pair in pairs), 0)


CBOW_PREDICTS_CENTER = Exact(
    id="cbow-predicts-centre",
    statement="Skip-gram predicts a context word from the center word, and CBOW the center word from its context.",
    topic="word-representations",
    evidence=inputs_and_targets,
    is_structural=True,
    expected="holds",
    source="Mikolov, Chen, Corrado, Dean, Efficient estimation of word representations (2013), section 3",
    note="The notes have word vectors learned by predicting context words, which is skip-gram alone.",
)


def neighborhoods(seed: int, *, method: str, shuffled: bool = False) -> float:
    """Return the trustworthiness of a map of 500 digits in the plane: whether near points were near before.

    Args:
        seed: Seed of the digits that are drawn, and of t-SNE.
        method: `pca` or `tsne`.
        shuffled: Whether the points of the map are shuffled, so that no map preserves anything.
    """
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE, trustworthiness

    rng = np.random.default_rng(seed)
    x = load_digits().data
    x = x[rng.permutation(len(x))[:500]]
    kind = PCA(2, random_state=seed) if method == "pca" else TSNE(2, perplexity=20, init="pca", random_state=seed)
    points = kind.fit_transform(x)
    if shuffled:
        points = rng.permutation(points)
    return float(trustworthiness(x, points, n_neighbors=5))


TSNE_PRESERVES_LOCAL = Empirical(
    id="tsne-preserves-local",
    statement="t-SNE preserves the neighborhoods of digits better than PCA, by a trustworthiness of 0.1 or more.",
    topic="word-representations",
    arms={name: trial(neighborhoods, method=name) for name in ("tsne", "pca")},
    control=dict(shuffled=True),
    measure="trustworthiness",
    decider=Paired(min_effect=0.1),
    expected="holds",
    source="van der Maaten, Hinton, Visualizing data using t-SNE (2008); Venna, Kaski (2001) for trustworthiness",
    note="Distances between clusters of a t-SNE map mean little: its objective is about near points.",
)


def sentiment_accuracy(seed: int, *, reads_order: bool, contrast: bool = True) -> float:
    """Return the test accuracy on sentences with negation and contrast, with templates that training doesn't have.

    Args:
        seed: Seed.
        reads_order: Whether an LSTM reads the words in their order; else logistic regression on a bag of words.
        contrast: Whether all test sentences count; else only those without negation, "but" and "although".
    """
    import torch

    from workbench import data, tasks
    from workbench.engine.spec import RunSpec
    from workbench.engine.training.trainer import SeedRun, Trainer

    torch.set_num_threads(1)
    task = tasks.get("sentiment")
    tokens, target = data.load("sentiment", seed)["test"]
    vocabulary = data.word_vocabulary("sentiment")
    marks = ("not", "never", "neither", "nor", "nobody", "but", "although")
    keep = (
        np.ones(len(tokens), bool) if contrast else ~np.isin(tokens, [vocabulary.index(mark) for mark in marks]).any(1)
    )
    if not reads_order:
        return _bag_accuracy(tokens[keep], target[keep], seed)
    run = SeedRun(RunSpec.create("sentiment-classifier", seed=seed, epochs=12))
    list(Trainer([run]).run())
    batch = task.sources(run.state.network, seed)["test"].batch(torch.from_numpy(np.flatnonzero(keep)))
    return float((task.predict(run.state.network, batch).argmax(1) == batch["target"]).double().mean())


def _bag_accuracy(tokens: np.ndarray, target: np.ndarray, seed: int) -> float:
    from sklearn.linear_model import LogisticRegression

    from workbench import data
    from workbench.tasks.sentence_classification import count_words

    train_tokens, train_target = data.load("sentiment", seed)["train"]
    size = len(data.word_vocabulary("sentiment"))
    model = LogisticRegression(max_iter=1000).fit(count_words(train_tokens, size), train_target)
    return float(model.score(count_words(tokens, size), target))


BAG_OF_WORDS_NEGATION = Empirical(
    id="bag-of-words-negation",
    statement=(
        "On sentences whose sentiment depends on negation and contrast, an LSTM is more accurate than logistic "
        "regression on a bag of words, by 0.15 or more."
    ),
    topic="sequence-tasks",
    arms={
        "lstm": trial(sentiment_accuracy, reads_order=True),
        "bag of words": trial(sentiment_accuracy, reads_order=False),
    },
    control=dict(contrast=False),
    measure="test accuracy",
    decider=Paired(min_effect=0.15),
    expected="holds",
    note=(
        'Derivation: "good but not cheap" and "not good but cheap" have the same bag of words, so no function of it '
        "can tell them apart; a recurrent layer reads their order."
    ),
)
