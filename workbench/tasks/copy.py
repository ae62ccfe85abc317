"""The copying problem: a network returns the symbols at the start of a sequence at its end."""

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.tracing import example_inputs
from workbench import data
from workbench.data import copy
from workbench.data.sources import Batch, Resident, Source
from workbench.errors import UserError
from workbench.tasks.base import VISUALIZED_SAMPLES, Baseline, StepContext, Task, Visualization
from workbench.tasks.memory import check_outputs, read_steps

LETTERS = "ABCDEFGH"  # of tokens 1 to 8
MAX_STEPS = 10_000  # steps of a sequence that is asked about


class Copying(Task):
    """Cross-entropy and accuracy of the symbols that a network returns at the last steps.

    A batch holds `tokens` (N, steps) and `target` (N, 4). A network returns logits (N, steps, vocabulary). Sequences
    have as many steps as the network's example inputs.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        steps = read_steps(network, torch.zeros(1, 1, dtype=torch.int64), copy.MIN_STEPS)
        splits = data.deal({"train": copy.load(steps)}, seed)
        return {
            split: Resident(tokens=torch.from_numpy(tokens), target=torch.from_numpy(symbols))
            for split, (tokens, symbols) in splits.items()
        }

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Tensor:
        """Return the logits (N, 4, vocabulary) at the last steps."""
        vocabulary = self.dataset.sizes["vocabulary"]
        return check_outputs(network(batch["tokens"]), vocabulary, f"logits of {vocabulary} tokens")[:, -copy.SYMBOLS :]

    def losses(self, outputs: Tensor, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(outputs.flatten(0, 1), batch["target"].flatten())}

    def meter(self) -> "SymbolMeter":
        return SymbolMeter()

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the cross-entropy of a guess."""
        return Baseline("a guess", "cross_entropy", math.log(copy.KINDS))

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return a text for each of some sequences: its symbols, and those that the network returns."""
        batch = source.batch(slice(0, VISUALIZED_SAMPLES))
        returned = self.predict(network, batch).argmax(dim=2)
        pairs = zip(batch["target"].tolist(), returned.tolist(), strict=True)
        texts = [{"caption": f"{_spell(target)} is copied as", "lines": [_spell(copied)]} for target, copied in pairs]
        return [{"kind": "text", "texts": texts}]

    @property
    def questions(self) -> Mapping[str, str]:
        return {
            "symbols": f"{copy.SYMBOLS} letters from {LETTERS[0]} to {LETTERS[-1]}, such as {LETTERS[: copy.SYMBOLS]}",
            "steps": f"the number of steps of the sequence, {copy.MIN_STEPS} or more; default: as in training",
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the symbols that the network returns for a sequence."""
        self.check_question(question)
        letters = question.get("symbols", "").strip().upper()
        if len(letters) != copy.SYMBOLS or not set(letters) <= set(LETTERS):
            raise UserError(f"symbols must be {self.questions['symbols']}, not {letters[:40]!r}.")
        typed = question.get("steps", "").strip() or str(example_inputs(network)[0].shape[1])
        if not typed.isdecimal() or not copy.MIN_STEPS <= int(typed) <= MAX_STEPS:
            raise UserError(f"steps must be an integer from {copy.MIN_STEPS} to {MAX_STEPS:,}, not {typed[:40]!r}.")
        symbols = np.array([[LETTERS.index(letter) + 1 for letter in letters]])
        tokens = torch.from_numpy(copy.sequences(symbols, int(typed)))
        copied = _spell(self.predict(network, {"tokens": tokens}).argmax(dim=2)[0].tolist())
        texts = [{"caption": f"{letters} is copied after {typed} steps as", "lines": [copied]}]
        return {"kind": "text", "texts": texts, "symbols": letters, "text": copied}


class SymbolMeter:
    """Cross-entropy per symbol and accuracy."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: list[Tensor] = []  # of each batch: negative log-likelihood, and correct symbols

    def update(self, logits: Tensor, batch: Batch) -> None:
        """Take in the logits (N, 4, vocabulary) of a batch."""
        logits, targets = logits.flatten(0, 1), batch["target"].flatten()
        loss = F.cross_entropy(logits, targets, reduction="sum")
        self._sums.append(torch.stack([loss, (logits.argmax(dim=1) == targets).sum().to(loss.dtype)]))
        self.count += len(targets)

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        loss, accuracy = (torch.stack(self._sums).cpu().double().sum(dim=0) / self.count).tolist()
        return {"cross_entropy": loss, "accuracy": accuracy}


def _spell(tokens: list[int]) -> str:
    """Return tokens as letters; a dot for blanks and other tokens."""
    return "".join(LETTERS[token - 1] if 1 <= token <= len(LETTERS) else "." for token in tokens)


TASK = Copying(
    data="copy",
    title="repeat the first symbols of a sequence at its end",
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocabulary]"),
    metrics=dict(cross_entropy="min", accuracy="max"),
)
