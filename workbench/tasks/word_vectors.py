"""Word vectors, learned from which words occur near each other."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data import contexts, words
from workbench.data.sources import Batch, Resident, Source
from workbench.errors import UserError
from workbench.tasks import similarity
from workbench.tasks.base import Baseline, Metrics, StepContext, Task, Visualization

WINDOW, NEGATIVES = 4, 5  # words to either side, and negative samples of each
THRESHOLD = 1e-2  # of subsampling: that of the papers, 1e-5, is for texts of a billion words
PASSES = 4  # through the text in an epoch, each with windows and negative samples of its own
SIMILAR = 10  # words of an answer
MAX_MAPPED = 400  # words of a map
METHODS = {"pca": "PCA", "tsne": "t-SNE"}


class Lexicon(NamedTuple):
    """The words of a dataset, with their categories and pairs.

    Attributes:
        vocabulary: The word of each token.
        tokens: Word -> token, of the words that the training set has.
        groups: Word -> its category, of those; empty if the categories are not dictionary.
        relations: The pairs of tokens of each relation, as far as they are dictionary.
    """

    vocabulary: tuple[str, ...]
    tokens: dict[str, int]
    groups: dict[str, str]
    relations: dict[str, list[tuple[int, int]]]


class WordVectors(Task):
    """The loss of the network's objective, the share of neighbors of one category, and the accuracy of analogies.

    A batch holds `inputs` (N, words) and `candidates` (N, candidates), of which a network returns scores. Its attribute
    `objective` decides what they are:

    - `skip-gram`: a word, and one word of its context, followed by 5 negative samples
    - `cbow`: the context of a word, padded with 0, and the word, followed by 5 negative samples
    - `glove`: a word, and a word near it; also `log_counts` (N, 1) and `weights` (N, 1)

    Its method `word_vectors()` returns the vector of each token. Neighbors and analogies need a corpus whose categories
    and pairs are dictionary.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        objective = getattr(network, "objective", "")
        if not hasattr(network, "word_vectors") or objective not in ("skip-gram", "cbow", "glove"):
            raise UserError("This network has no word vectors. Choose one that has: see 'workbench models list'.")
        splits = {split: tokens for split, (tokens,) in data.load(self.data, seed).items()}
        vocab_size = self.dataset.sizes["vocabulary"]
        if (size := len(read_vectors(network))) < vocab_size:
            raise UserError(
                f"This network has {size} tokens, and the text needs {vocab_size}. Set its vocab_size to that."
            )
        if objective == "glove":
            return {split: _counted(splits, split, vocab_size) for split in splits}
        return {split: _sampled(splits, split, vocab_size, objective, seed) for split in splits}

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Tensor:
        scores: Tensor = network(batch["inputs"], batch["candidates"])
        return scores

    def losses(self, outputs: Tensor, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        if "log_counts" in batch:
            return {"loss": (batch["weights"] * (outputs - batch["log_counts"]).square()).mean()}
        signs = torch.full_like(outputs, -1.0)
        signs[:, 0] = 1.0
        return {"loss": -F.logsigmoid(signs * outputs).sum(dim=1).mean()}

    def evaluate(self, network: nn.Module, source: Source, limit: int | None = None) -> Metrics:
        metrics = super().evaluate(network, source, limit)
        dictionary = lexicon(self.data, self.dataset.sizes["vocabulary"])
        if not dictionary.groups:
            return metrics
        vectors = read_vectors(network)
        tokens = torch.tensor([dictionary.tokens[word] for word in dictionary.groups])
        allowed = torch.tensor(list(dictionary.tokens.values()))
        return metrics | {
            "neighbors": similarity.neighbor_share(vectors, tokens, list(dictionary.groups.values())),
            "analogies": similarity.analogy_accuracy(vectors, dictionary.relations, allowed),
        }

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the share of random neighbors of a word's category; without categories, the loss of scores of 0."""
        dictionary = lexicon(self.data, self.dataset.sizes["vocabulary"])
        if not dictionary.groups:
            return Baseline("scores of 0", "loss", (1 + NEGATIVES) * float(np.log(2)))
        share = similarity.neighbor_share_at_random(list(dictionary.groups.values()))
        return Baseline("random neighbors", "neighbors", share)

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return a map of the words by principal components."""
        return [self._map(network, "pca")]

    def _map(self, network: nn.Module, method: str) -> Visualization:
        dictionary = lexicon(self.data, self.dataset.sizes["vocabulary"])
        groups = dictionary.groups or dict.fromkeys(dictionary.tokens, "word")
        mapped = sorted(groups, key=lambda word: dictionary.tokens[word])[:MAX_MAPPED]
        vectors = read_vectors(network)[[dictionary.tokens[word] for word in mapped]]
        points = similarity.project(vectors, method)
        return {
            "kind": "map",
            "method": METHODS[method],
            "words": mapped,
            "groups": [groups[word] for word in mapped],
            "points": points.round(4).tolist(),
        }

    @property
    def questions(self) -> Mapping[str, str]:
        return {
            "word": "a word, to see the most similar ones",
            "a": "an analogy: a is to b as c is to ...",
            "b": "its second word",
            "c": "its third word",
            "map": "a map of all words: pca or tsne",
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the words that are most similar to one, the answer to an analogy, or a map."""
        self.check_question(question)
        names = set(question)
        if names == {"map"}:
            method = question["map"].strip().lower().replace("-", "")
            if method not in METHODS:
                raise UserError(f"map must be pca or tsne, not {question['map'][:40]!r}.")
            return self._map(network, method)
        if names not in ({"word"}, {"a", "b", "c"}):
            raise UserError("Ask for a word, such as word=Paris, for an analogy by a, b and c, or for a map.")
        dictionary = lexicon(self.data, self.dataset.sizes["vocabulary"])
        tokens = [self._token(question[name].strip(), dictionary) for name in sorted(names)]
        vectors = read_vectors(network)
        query = vectors[tokens[0]] if names == {"word"} else similarity.analogy_vector(vectors, *tokens)
        similarities = similarity.cosines(vectors, query)
        nearest = similarity.rank(similarities, list(dictionary.tokens.values()), tokens, SIMILAR)
        question_words = [dictionary.vocabulary[token] for token in tokens]
        text = (
            f"most similar to {question_words[0]}"
            if len(question_words) == 1
            else "{} is to {} as {} is to".format(*question_words)
        )
        return {
            "kind": "neighbors",
            "question": text,
            "words": [dictionary.vocabulary[token] for token in nearest],
            "cosines": [float(similarities[token]) for token in nearest],
        }

    def _token(self, word: str, dictionary: Lexicon) -> int:
        """Return the token of a word.

        Raises:
            UserError: If the network doesn't know it.
        """
        for spelling in (word, word.lower()):
            if spelling in dictionary.tokens:
                return dictionary.tokens[spelling]
        close = words.similar(word, dictionary.vocabulary)
        hint = f" Did you mean {' or '.join(close)}?" if close else " Choose a word of its training set."
        raise UserError(f"This network has no vector for {word[:40]!r}, a word that it has not seen in training.{hint}")

    def encodings(self, network: nn.Module, source: Source) -> tuple[Tensor, dict[str, list[Any]]]:
        """Return the vector of each word of the training set, and the words."""
        dictionary = lexicon(self.data, self.dataset.sizes["vocabulary"])
        vectors = read_vectors(network)
        return vectors[list(dictionary.tokens.values())], {"word": list(dictionary.tokens)}


def read_vectors(network: Any) -> Tensor:
    """Return the vector of each token (vocabulary, features), on the CPU."""
    vectors: Tensor = network.word_vectors()
    return vectors.detach().cpu()


def lexicon(name: str, vocab_size: int) -> Lexicon:
    """Return what is known of the words of a dataset."""
    return _lexicon(name, vocab_size, data.fingerprint(name))


@lru_cache(maxsize=2)
def _lexicon(name: str, vocab_size: int, state: str) -> Lexicon:
    vocabulary = data.word_vocabulary(name)
    tokens = {word: token for token, word in enumerate(vocabulary) if token > words.UNKNOWN_TOKEN}
    groups = {word: group for word, group in data.word_groups(name).items() if word in tokens}
    relations = {
        relation: [(tokens[one], tokens[other]) for one, other in pairs if one in tokens and other in tokens]
        for relation, pairs in data.word_pairs(name).items()
    }
    return Lexicon(vocabulary, tokens, groups, relations)


def _counted(splits: dict[str, np.ndarray], split: str, vocab_size: int) -> Resident:
    """Return the pairs of words that occur near each other; counts are scaled to the size of the training set."""
    counts = contexts.cooccurrences(splits[split], vocab_size)
    scale = (splits["train"] > 0).sum() / (splits[split] > 0).sum()
    inputs, candidates = np.nonzero(counts)
    values = counts[inputs, candidates] * scale
    return Resident(
        inputs=torch.from_numpy(inputs)[:, None],
        candidates=torch.from_numpy(candidates)[:, None],
        log_counts=torch.from_numpy(np.log(values)).float()[:, None],
        weights=torch.from_numpy(contexts.glove_weight(values)).float()[:, None],
    )


def _sampled(splits: dict[str, np.ndarray], split: str, vocab_size: int, objective: str, seed: int) -> Resident:
    """Return words with their contexts and negative samples."""
    counts = contexts.count(splits["train"], vocab_size)
    rng = np.random.default_rng([seed, list(splits).index(split)])
    keep = contexts.keep_probability(counts, THRESHOLD)
    inputs: list[list[int]] = []
    targets: list[int] = []
    for _ in range(PASSES if split == "train" else 1):
        for word, context in contexts.windows(splits[split], WINDOW, keep, rng):
            if objective == "cbow":
                inputs.append(context)
                targets.append(word)
            else:
                inputs += [[word]] * len(context)
                targets += context
    negatives = rng.choice(vocab_size, (len(targets), NEGATIVES), p=contexts.noise(counts))
    candidates = np.concatenate([np.array(targets)[:, None], negatives], axis=1)
    return Resident(
        inputs=torch.from_numpy(words.pad(inputs, words.PAD_TOKEN)), candidates=torch.from_numpy(candidates)
    )


TASK = WordVectors(
    data="corpus",
    title="learn word vectors from the words near each word",
    inputs=dict(inputs="int64[words]", candidates="int64[candidates]"),
    outputs=dict(scores="float32[candidates]"),
    metrics=dict(analogies="max", neighbors="max", loss="min"),
    accepts="words",
)
