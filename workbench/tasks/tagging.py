"""Tagging: a tag for each word of a sentence, which together are its named entities."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data import words
from workbench.data.entity_tags import entities
from workbench.data.sources import Batch, Merged, Ragged, Source
from workbench.errors import UserError
from workbench.tasks.base import VISUALIZED_SAMPLES, Baseline, Metrics, StepContext, Task, Visualization
from workbench.tasks.entity_meter import EntityMeter, entity_scores
from workbench.tasks.sentence_classification import check_reads_words, read_sentence, read_words

EVALUATED_AT_ONCE = 256  # sentences


class Tagging(Task):
    """Cross-entropy per word, and precision, recall and F1 of entities.

    A batch holds `words` (N, length), tokens padded with 0, and `tags` (N, length), with `words_mask` and `tags_mask`
    (N, length). A network returns logits (N, length, tags); padding counts nowhere.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        check_reads_words(network, self.dataset.sizes["vocabulary"])
        sources: dict[str, Source] = {}
        for split, (tokens, tags) in data.load(self.data, seed).items():
            values = torch.from_numpy(tags)
            sources[split] = Merged(read_words(tokens), Ragged.from_padded("tags", values, values != words.NO_TAG))
        return sources

    def check(self, network: nn.Module, source: Source) -> list[str]:
        terms = super().check(network, source)
        size = self.predict(network, source.batch(slice(0, 1))).shape[2]
        if size != len(self.dataset.classes):
            raise UserError(
                f"This network has {size} outputs per word, and there are {len(self.dataset.classes)} tags: train a "
                "network such as ner-tagger."
            )
        return terms

    def losses(self, outputs: Tensor, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        mask = batch["tags_mask"]
        return {"loss": F.cross_entropy(outputs[mask], batch["tags"][mask])}

    def weight(self, batch: Batch) -> int:
        return int(batch["tags_mask"].sum())

    def meter(self) -> EntityMeter:
        return EntityMeter(self.dataset.classes)

    def training_metrics(self, outputs: Tensor, batch: Batch) -> Metrics:
        """Return the accuracy of the tags: F1 needs more entities than a batch has."""
        mask = batch["tags_mask"]
        hits = (outputs.argmax(dim=2) == batch["tags"])[mask]
        return {"accuracy": hits.double().mean().item()}

    def evaluation_batch(self, network: nn.Module) -> int:
        return EVALUATED_AT_ONCE

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the F1 of each word's most frequent tag in the training set; O for words that it doesn't have."""
        splits, names = data.load(self.data, seed), self.dataset.classes
        counts = np.zeros((self.dataset.sizes["vocabulary"], len(names)), np.int64)
        tokens, tags = splits["train"]
        np.add.at(counts, (tokens[tags >= 0], tags[tags >= 0]), 1)
        most_frequent = counts.argmax(axis=1)
        if "O" in names:
            most_frequent[counts.sum(axis=1) == 0] = names.index("O")
        tokens, tags = splits["test"]
        is_word = tags >= 0
        target, predicted = (
            [[names[tag] for tag in row[mask]] for row, mask in zip(rows, is_word, strict=True)]
            for rows in (tags, most_frequent[tokens])
        )
        return Baseline("the most frequent tag of each word", "f1", entity_scores(target, predicted)["f1"])

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return sentences with their true and their predicted tags."""
        batch = source.batch(slice(0, VISUALIZED_SAMPLES))
        predicted = self.predict(network, batch).argmax(dim=2)
        vocabulary = data.word_vocabulary(self.data)
        sentences = []
        for k, mask in enumerate(batch["tags_mask"]):
            sentences.append(
                {
                    "words": words.decode(batch["words"][k].tolist(), vocabulary),
                    "target": self._names(batch["tags"][k][mask]),
                    "predicted": self._names(predicted[k][mask]),
                }
            )
        return [{"kind": "tags", "sentences": sentences}]

    def _names(self, tags: Tensor) -> list[str]:
        return [self.dataset.classes[tag] for tag in tags.tolist()]

    @property
    def questions(self) -> Mapping[str, str]:
        """A sentence."""
        return {"text": "a sentence, with its punctuation marks"}

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the tag of each word of a sentence, its entities, and which words are unknown."""
        self.check_question(question)
        sentence = words.WORD.findall(question.get("text", ""))
        batch, about = read_sentence(sentence, self.data, seed)
        tags = self._names(self.predict(network, batch).argmax(dim=2)[0])
        phrases = [{"type": kind, "words": sentence[start:end]} for kind, start, end in entities(tags)]
        answer: dict[str, Any] = {"words": sentence, "target": None, "predicted": tags}
        return {"kind": "tags", "sentences": [answer], "entities": phrases, **about}
