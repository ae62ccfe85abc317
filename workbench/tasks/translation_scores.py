"""The scores of translations: BLEU by sacrebleu, exact matches, and the accuracy of tokens."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from torch import Tensor

from models.layers.tokens import END, PAD
from workbench.data.sources import Batch

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

    from workbench.tasks.translator import Outputs

Texts = Sequence[Sequence[int]]  # the tokens of each text, without the one that ends it


@cache
def _metric() -> "BLEU":
    from sacrebleu.metrics.bleu import BLEU

    # Without effective_order, a correct text of fewer than 4 tokens has a BLEU of 0, because it has no 4-grams.
    return BLEU(tokenize="none", effective_order=True)


def bleu(predicted: Texts, references: Texts) -> float:
    """Return the BLEU-4 of a corpus, 0 to 100, by sacrebleu (Post 2018), each token counting as a word."""
    texts, others = ([" ".join(map(str, text)) for text in each] for each in (predicted, references))
    return float(_metric().corpus_score(texts, [others]).score)


def score(predicted: Texts, references: Texts) -> dict[str, float]:
    """Return the scores of translations.

    Returns:
        `bleu`, 0 to 100; `exact_match`, the share of texts without an error; `token_accuracy`, the share of the
        references' tokens, their ends included, that are at the same position of the prediction.
    """
    correct = total = exact = 0
    for text, reference in zip(predicted, references, strict=True):
        correct += sum(a == b for a, b in zip([*text, END], [*reference, END], strict=False))
        total += len(reference) + 1
        exact += list(text) == list(reference)
    return {
        "bleu": bleu(predicted, references),
        "exact_match": exact / len(references),
        "token_accuracy": correct / total,
    }


def texts_of(tokens: Tensor) -> list[list[int]]:
    """Return the tokens of each text (N, length) before its first `END`, and without padding."""
    return [
        row[: row.index(END)] if END in row else [token for token in row if token != PAD] for row in tokens.tolist()
    ]


class TranslationMeter:
    """The scores of greedy translations, and the accuracy of each next token under teacher forcing."""

    def __init__(self) -> None:
        self.predicted: list[list[int]] = []
        self.references: list[list[int]] = []
        self._forced = self._tokens = 0

    def update(self, outputs: "Outputs", batch: Batch) -> None:
        """Take in a batch, which is translated greedily."""
        target = batch["target"]
        self._forced += int(correct_tokens(outputs.logits, target))
        self._tokens += int((target != PAD).sum())
        self.predicted += texts_of(outputs.translate(batch["source"]))
        self.references += texts_of(target)

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        return {**score(self.predicted, self.references), "forced_accuracy": self._forced / self._tokens}


def correct_tokens(logits: Tensor, target: Tensor) -> Tensor:
    """Return how many tokens of targets (N, length) have the largest of their logits (N, length, vocabulary)."""
    return ((logits.argmax(dim=2) == target) & (target != PAD)).sum()
