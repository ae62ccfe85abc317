"""Precision, recall and F1 of entities, as conlleval and seqeval compute them."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from workbench.data.entity_tags import entities
from workbench.data.sources import Batch


def entity_scores(target: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> dict[str, float]:
    """Return the precision, recall and F1 of the entities of sentences, and the accuracy of the tags.

    An entity is correct if its type, its first word and its last word are. All entities count the same
    (the micro average). A share of nothing is 0, as in seqeval.

    Args:
        target: The tags of each sentence.
        predicted: As many predicted tags.
    """
    correct = predictions = targets = hits = words = 0
    for own, other in zip(target, predicted, strict=True):
        true_entities, predicted_entities = set(entities(own)), set(entities(other))
        correct += len(true_entities & predicted_entities)
        predictions += len(predicted_entities)
        targets += len(true_entities)
        hits += sum(a == b for a, b in zip(own, other, strict=True))
        words += len(own)
    return {
        "f1": 2 * correct / max(1, predictions + targets),
        "precision": correct / max(1, predictions),
        "recall": correct / max(1, targets),
        "accuracy": hits / max(1, words),
    }


class EntityMeter:
    """The scores of a network's tags.

    Args:
        tags: The name of each tag.
    """

    def __init__(self, tags: Sequence[str]):
        self.tags = tags
        self._targets: list[Tensor] = []
        self._predictions: list[Tensor] = []

    def update(self, logits: Tensor, batch: Batch) -> None:
        """Take in the logits (N, length, tags) of a batch."""
        mask = batch["tags_mask"]
        target = torch.where(mask, batch["tags"], -1)
        self._targets.append(target)
        self._predictions.append(torch.where(mask, logits.argmax(dim=2), -1))

    def compute(self) -> dict[str, float]:
        """Return the scores of all batches so far."""
        return entity_scores(*(list(self._names(batches)) for batches in (self._targets, self._predictions)))

    def _names(self, batches: list[Tensor]) -> Iterable[list[str]]:
        for batch in batches:
            for row in batch.tolist():
                yield [self.tags[tag] for tag in row if tag >= 0]
