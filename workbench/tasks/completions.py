"""Completion of prompts by a language model: each has one correct completion, which ends with a line break.

The network reads prompt and completion as one text; the tokens of the prompt have no part in the loss. A completion is
generated greedily. ROUGE-L (Lin, ROUGE, 2004) is the F1 of the longest common subsequence of words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data.sources import Batch, Resident, Source
from workbench.data.text import Tokenizer
from workbench.errors import UserError
from workbench.tasks import next_token
from workbench.tasks.base import (
    VISUALIZED_SAMPLES,
    Baseline,
    Metrics,
    StepContext,
    Task,
    Visualization,
    device_of,
    evaluation_mode,
)
from workbench.tasks.language_modeling import IGNORED, LanguageModeling, caption, check_reads_tokens
from workbench.tasks.sampling import SampleRequest

MAX_LENGTH = 40  # tokens of a completion
END = "\n"


@dataclass
class Outputs:
    """The outputs of a network for a batch: its logits (N, length, vocabulary), and itself, to generate."""

    network: nn.Module
    logits: Tensor


class Completions(LanguageModeling):
    """Cross-entropy per token of the completion, exact match, ROUGE-L and accuracy.

    A batch holds `tokens` (N, length), `targets` (N, length), the token after each, which is -100 outside of the
    completion, and `start` (N,), the number of tokens of the prompt.
    """

    is_stackable = False

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        check_reads_tokens(network)
        splits = data.load(self.data, seed)
        longest, context = splits["train"][0].shape[1] - 1, getattr(network, "max_length", None)
        if context is not None and context < longest:
            raise UserError(
                f"A prompt with its completion has up to {longest} tokens, and the network reads at most {context}: "
                f"set its max_length to {longest} or more."
            )
        sources: dict[str, Source] = {}
        for split, columns in splits.items():
            tokens, starts, ends = map(torch.from_numpy, columns)
            positions = torch.arange(1, tokens.shape[1])
            is_completion = (positions >= starts[:, None]) & (positions < ends[:, None])
            targets = torch.where(is_completion, tokens[:, 1:], IGNORED)
            sources[split] = Resident(tokens=tokens[:, :-1].contiguous(), targets=targets, start=starts)
        return sources

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Outputs:
        return Outputs(network, network(batch["tokens"]))

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:  # type: ignore[override]
        logits = outputs.logits.flatten(0, 1)
        return {"loss": F.cross_entropy(logits, batch["targets"].flatten(), ignore_index=IGNORED)}

    def weight(self, batch: Batch) -> int:
        return int((batch["targets"] != IGNORED).sum())

    def meter(self) -> "CompletionMeter":  # type: ignore[override]  # it measures other outputs
        return CompletionMeter(self.tokenizer)

    def training_metrics(self, outputs: Outputs, batch: Batch) -> Metrics:
        """Return the accuracy of the next token: nothing is generated in a training step."""
        correct = (outputs.logits.argmax(dim=2) == batch["targets"]).sum()
        return {"token_accuracy": float(correct) / self.weight(batch)}

    def check(self, network: nn.Module, source: Source) -> list[str]:
        next_token.check_generates(network)
        size = network(torch.zeros(1, 1, dtype=torch.int64, device=device_of(network))).shape[-1]
        if size < self.vocabulary:
            raise UserError(
                f"This network has {size} tokens, and the text needs {self.vocabulary}. Set its vocab_size to that."
            )
        return Task.check(self, network, source)

    def compute_baseline(self, seed: int) -> Baseline:
        """Return ROUGE-L of the first sentence of each prompt."""
        pairs = self._texts(data.load(self.data, seed)["test"])
        scores = [rouge_l(prompt.partition(".")[0] + ".", completion) for prompt, completion in pairs]
        return Baseline("the first sentence of the story", "rouge_l", sum(scores) / len(scores))

    def _texts(self, columns: Sequence[Any]) -> list[tuple[str, str]]:
        """Return prompts and completions as texts."""
        return [
            (self.tokenizer.decode(row[:start]), self.tokenizer.decode(row[start:end]).removesuffix(END).strip())
            for row, start, end in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _texts_of(self, batch: Batch) -> list[tuple[str, str]]:
        """Return the prompts and the true completions of a batch."""
        rows = zip(*(batch[name].tolist() for name in ("tokens", "targets", "start")), strict=True)
        return [
            (self.tokenizer.decode(tokens[:start]), _completion(targets, self.tokenizer))
            for tokens, targets, start in rows
        ]

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return prompts with their true and their generated completions."""
        batch = source.batch(slice(0, VISUALIZED_SAMPLES))
        texts = []
        rows = zip(self._texts_of(batch), complete(network, self.tokenizer, batch), strict=True)
        for (prompt, completion), predicted in rows:
            true = completion.strip()
            texts.append(caption("correct" if predicted == true else f"true: {true}", f"{prompt} {predicted}"))
        return [{"kind": "text", "texts": texts}]

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        """Return completions of a prompt, cut at the first line break."""
        [visualization] = super().sample(network, request, seed)
        answers = [answer.partition(END)[0] for answer in visualization["samples"]]
        texts = [
            caption(text["caption"], request.prompt + answer)
            for text, answer in zip(visualization["texts"], answers, strict=True)
        ]
        return [{**visualization, "texts": texts, "samples": answers}]


class CompletionMeter:
    """Exact match and ROUGE-L of generated completions, and the accuracy of the next token after the true ones.

    Args:
        tokenizer: What turns tokens into texts.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._matches: list[bool] = []
        self._scores: list[float] = []
        self._correct, self._tokens = 0, 0

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        targets = batch["targets"]
        predicted = complete(outputs.network, self._tokenizer, batch)
        for row, text in zip(targets.tolist(), predicted, strict=True):
            true = _completion(row, self._tokenizer).strip()
            self._matches.append(text == true)
            self._scores.append(rouge_l(text, true))
        self._correct += int((outputs.logits.argmax(dim=2) == targets).sum())
        self._tokens += int((targets != IGNORED).sum())

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        return {
            "exact_match": sum(self._matches) / len(self._matches),
            "rouge_l": sum(self._scores) / len(self._scores),
            "token_accuracy": self._correct / self._tokens,
        }


def _completion(targets: list[int], tokenizer: Tokenizer) -> str:
    return tokenizer.decode(token for token in targets if token != IGNORED)


@torch.inference_mode()
def complete(network: Any, tokenizer: Tokenizer, batch: Batch) -> list[str]:
    """Return the most probable completion of each prompt, token by token, up to a line break; without spaces around."""
    starts, texts = batch["start"].tolist(), [""] * len(batch["start"])
    end = int(tokenizer.encode(END)[0])
    device = device_of(network)
    with evaluation_mode(network):
        for start in sorted(set(starts)):  # prompts of one length are read at once
            rows = [row for row, length in enumerate(starts) if length == start]
            logits, cache = next_token.read_prompt(network, batch["tokens"][rows, :start].to(device))
            tokens, has_ended = [], torch.zeros(len(rows), dtype=torch.bool, device=device)
            for _ in range(MAX_LENGTH):
                token = logits[:, : tokenizer.size].argmax(dim=1)
                tokens.append(token)
                has_ended |= token == end
                if has_ended.all():
                    break
                logits, cache = network.step(token, cache)
            for row, generated in zip(rows, torch.stack(tokens, dim=1).tolist(), strict=True):
                texts[row] = tokenizer.decode(generated).partition(END)[0].strip()
    return texts


def rouge_l(text: str, reference: str) -> float:
    """Return the F1 of the longest common subsequence of the words of two texts; 0 if one has no words."""
    words, others = text.split(), reference.split()
    lengths = [0] * (len(others) + 1)  # of the common subsequence with the first words of the reference
    for word in words:
        diagonal = 0
        for k, other in enumerate(others, 1):
            diagonal, lengths[k] = lengths[k], diagonal + 1 if word == other else max(lengths[k], lengths[k - 1])
    return 2 * lengths[-1] / (len(words) + len(others)) if words and others else 0.0
