"""Prediction of the next byte pair of stories: what a network learns before it answers questions or summarizes."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from workbench import data
from workbench.data.sources import Batch, Resident, Source
from workbench.tasks.base import Baseline
from workbench.tasks.language_modeling import IGNORED, ORDER, LanguageModeling, check_reads_tokens
from workbench.tasks.ngram import InterpolatedNGram


class Documents(LanguageModeling):
    """Language modeling in which a sample is a whole line of the text, not a window that begins anywhere.

    A sample ends with the line break, and is cut at the context of the network. Its first token is not predicted.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        check_reads_tokens(network)
        longest = getattr(network, "max_length", None)
        sources: dict[str, Source] = {}
        for split, (tokens,) in data.load(self.data, seed).items():
            lines = [tokens[start:end] for start, end in pairwise(self._starts(tokens))]
            rows = np.full((len(lines), max(map(len, lines))), IGNORED)
            for row, line in zip(rows, lines, strict=True):
                row[: len(line)] = line
            columns = torch.from_numpy(rows)[:, : longest + 1 if longest else None]
            sources[split] = Resident(tokens=columns[:, :-1].clamp(min=0), targets=columns[:, 1:].contiguous())
        return sources

    def weight(self, batch: Batch) -> int:
        return int((batch["targets"] != IGNORED).sum())

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the perplexity of an interpolated 5-gram model of the tokens that a network predicts."""
        splits = {split: tokens for split, (tokens,) in data.load(self.data, seed).items()}
        model = InterpolatedNGram(splits["train"], splits["validation"], self.vocabulary, ORDER)
        starts = self._starts(splits["test"])
        probabilities = model.probabilities(splits["test"])
        is_predicted = np.zeros(len(probabilities), bool)
        is_predicted[starts[0] : starts[-1]] = True
        is_predicted[starts[:-1]] = False
        probabilities = probabilities[is_predicted]
        return Baseline(f"an interpolated {ORDER}-gram", "perplexity", float(np.exp(-np.log(probabilities).mean())))

    def _starts(self, tokens: np.ndarray) -> np.ndarray:
        """Return where whole lines of a stream begin, and where the last one ends. The split may cut the outer ones."""
        [line_break] = self.tokenizer.encode("\n")
        return np.flatnonzero(tokens == line_break) + 1


TASK = Documents(
    data="stories",
    title="predict the next byte pair of a story",
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocabulary]"),
    metrics=dict(perplexity="min", bits_per_character="min", accuracy="max"),
)
