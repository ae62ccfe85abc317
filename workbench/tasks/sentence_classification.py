"""Classification of sentences, such as by their sentiment."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.tracing import example_inputs
from workbench import data
from workbench.data import words
from workbench.data.sources import Batch, Merged, Ragged, Resident, Source
from workbench.errors import UserError
from workbench.tasks import text_attention
from workbench.tasks.base import Baseline, Visualization
from workbench.tasks.classification import Classification

EVALUATED_AT_ONCE = 256  # sentences


class SentenceClassification(Classification):
    """Cross-entropy, accuracy, F1 and the area under the ROC curve.

    A batch holds `words` (N, length), tokens padded with 0, `words_mask` (N, length) and `target` (N,), the classes. A
    network returns logits (N, classes); one whose sentence vectors can be read has a method `encode(words)`.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        check_reads_words(network, self.dataset.sizes["vocabulary"])
        return {
            split: Merged(read_words(tokens), Resident(**self._targets(split, classes)))
            for split, (tokens, classes) in data.load(self.data, seed).items()
        }

    def evaluation_batch(self, network: nn.Module) -> int:
        return EVALUATED_AT_ONCE

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the accuracy of logistic regression on a bag of words, which has no order."""
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        splits = data.load(self.data, seed)
        size = self.dataset.sizes["vocabulary"]
        bags = {split: csr_matrix(count_words(tokens, size)) for split, (tokens, _) in splits.items()}
        model = LogisticRegression(max_iter=1000).fit(bags["train"], splits["train"][1])
        accuracy = float(model.score(bags["test"], splits["test"][1]))
        return Baseline("logistic regression on a bag of words", "accuracy", accuracy)

    def visualize_input(self, batch: Batch, k: int) -> dict[str, Any]:
        """Return the words of a sentence."""
        return {"words": words.decode(batch["words"][k].tolist(), data.word_vocabulary(self.data))}

    def adapt(self, network: nn.Module, name: str, columns: tuple[np.ndarray, ...], seed: int) -> Source:
        other = data.info(name)
        if other.modality != "sentences":
            raise UserError(f"{other.name} has no sentences, and a network of {self.dataset.name} reads sentences.")
        target = self.adapt_classes(name, columns[1])
        own = {word: token for token, word in enumerate(data.word_vocabulary(self.data))}
        tokens = np.array([own.get(word, words.UNKNOWN_TOKEN) for word in data.word_vocabulary(name)])
        return Merged(read_words(tokens[columns[0]]), Resident(target=target))

    def encode(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the vector of each sentence (N, features)."""
        if not hasattr(network, "encode"):
            raise UserError("This network has no sentence vectors: it has no method encode.")
        encoding: Tensor = network.encode(batch["words"])  # type: ignore[operator]
        return encoding

    @property
    def questions(self) -> Mapping[str, str]:
        """A sentence, and which attention to it is shown."""
        return {"text": "a sentence", **text_attention.QUESTIONS}

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the probability of each class for a sentence, and which of its words are unknown.

        With a layer or a head, the answer is a transformer's attention.
        """
        self.check_question(question)
        sentence = words.split_words(question.get("text", ""))
        batch, about = read_sentence(sentence, self.data, seed)
        if text_attention.is_requested(question):
            labels = text_attention.label(sentence, about["unknown"])
            return text_attention.visualize(network, lambda: self.predict(network, batch), labels, question) | about
        return {**self.visualize_probabilities(self.probabilities(network, batch)[0]), **about}


def check_reads_words(network: nn.Module, vocabulary: int) -> None:
    """Check that a network reads the tokens of a vocabulary.

    Raises:
        UserError: If it doesn't.
    """
    examples = example_inputs(network) if hasattr(network, "example_inputs") else ()
    if [(example.dtype, example.dim()) for example in examples] != [(torch.int64, 2)]:
        raise UserError("This network does not read words. Choose one for sentences: see 'workbench models list'.")
    embedding = next((module for module in network.modules() if isinstance(module, nn.Embedding)), None)
    # Some networks have more tokens than their vocabulary has words.
    size = getattr(network, "vocab_size", None if embedding is None else embedding.num_embeddings)
    if size is not None and size < vocabulary:
        raise UserError(
            f"This network has {size} tokens, and the sentences need {vocabulary}. Set its vocab_size to that."
        )


def read_words(tokens: np.ndarray) -> Ragged:
    """Return sentences (N, length), padded with 0, as a source."""
    values = torch.from_numpy(tokens)
    return Ragged.from_padded("words", values, values != words.PAD_TOKEN)


def count_words(tokens: np.ndarray, size: int) -> np.ndarray:
    """Return how often each word of a vocabulary occurs in each sentence (N, size), float32."""
    counts = np.zeros((len(tokens), size), np.float32)
    rows = np.repeat(np.arange(len(tokens)), tokens.shape[1])
    np.add.at(counts, (rows, tokens.ravel()), 1)
    counts[:, words.PAD_TOKEN] = 0
    return counts


def read_sentence(sentence: list[str], name: str, seed: int) -> tuple[Batch, dict[str, Any]]:
    """Return a sentence as a batch of one, and under `sentence` and `unknown` all of its words and the unknown ones.

    Args:
        sentence: Its words.
        name: The dataset of the network.
        seed: The seed of the run: words that were rare in its training set are unknown.

    Raises:
        UserError: If it is empty or too long.
    """
    if not sentence:
        raise UserError("Give a sentence: text='the view was not bad'.")
    if len(sentence) > words.MAX_LENGTH:
        raise UserError(
            f"A sentence must have at most {words.MAX_LENGTH} words, not {len(sentence)}. Give a part of it."
        )
    tokens = words.encode([sentence], data.word_vocabulary(name))
    tokens[~np.isin(tokens, data.load(name, seed)["train"][0])] = words.UNKNOWN_TOKEN
    unknown = [word for word, token in zip(sentence, tokens[0], strict=True) if token == words.UNKNOWN_TOKEN]
    return read_words(tokens).batch(slice(0, 1)), {"sentence": sentence, "unknown": unknown}
