"""Prediction of the next token of a text, a character or a byte pair, by a network that has read those before it."""

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.tracing import example_inputs
from workbench import data
from workbench.data.sources import Batch, Source, TokenWindows
from workbench.data.text import Tokenizer
from workbench.errors import UserError
from workbench.tasks import attention_maps, next_token
from workbench.tasks.base import Baseline, StepContext, Task, Visualization, device_of, evaluation_mode
from workbench.tasks.ngram import MAX_NGRAMS, InterpolatedNGram
from workbench.tasks.sampling import LIMITS, MAX_LENGTH, MAX_TEMPERATURE, SampleRequest, choose, draw
from workbench.untrusted import printable_lines

ORDER = 5  # of the n-grams of the baseline
# Characters of a window of the validation or test set, about, so that few have a short history; and of all at once.
EVALUATION_LENGTH, EVALUATED_AT_ONCE = 512, 2**15
IGNORED = -100  # the target of what has no part in losses and metrics
TEMPERATURES = (0.5, 0.8, 1.0)  # of the texts that are shown
PROMPT, GENERATED = 60, 200  # tokens that a text is shown to begin with, and that a network adds
TEMPERATURE = 0.8  # of an answer
LENGTH = 200  # tokens of an answer
MAX_PROMPT = 2000  # tokens before the answer that the network reads


class LanguageModeling(Task):
    """Cross-entropy per token, perplexity, bits per character, and accuracy.

    A batch holds `tokens` (N, length) and `targets` (N, length), the token after each, or -100. A network returns
    logits (N, length, vocabulary); one that generates has a method `step(token, cache)`, which returns the logits (N,
    vocabulary) of the next token, and its cache. It may have `prefill(tokens)`, which reads a prompt at once.

    Windows of the training set are as long as the network's example inputs, and overlap by half. Those of the other
    splits are longer, unless the network's attribute `max_length` forbids it.
    """

    @property
    def vocabulary(self) -> int:
        """The number of tokens that a network must have."""
        return self.dataset.sizes["vocabulary"]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the texts."""
        return data.tokenizer(self.data)

    @cached_property
    def _characters(self) -> Tensor:
        """The number of characters of each token."""
        return torch.from_numpy(self.tokenizer.characters())

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        length = check_reads_tokens(network)
        longest = min(EVALUATION_LENGTH, getattr(network, "max_length", EVALUATION_LENGTH))
        sources: dict[str, Source] = {}
        for split, (tokens,) in data.load(self.data, seed).items():
            if split == "train":
                sources[split] = TokenWindows(torch.from_numpy(tokens), length, max(1, length // 2))
            else:
                windows = math.ceil((len(tokens) - 1) / longest)
                sources[split] = TokenWindows(torch.from_numpy(tokens), (len(tokens) - 1) // windows)
        return sources

    def losses(self, outputs: Tensor, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(outputs.flatten(0, 1), batch["targets"].flatten(), ignore_index=IGNORED)}

    def weight(self, batch: Batch) -> int:
        return batch["targets"].numel()

    def meter(self) -> "TokenMeter":
        return TokenMeter(self._characters)

    def evaluation_batch(self, network: nn.Module) -> int:
        return EVALUATED_AT_ONCE // EVALUATION_LENGTH

    def check(self, network: nn.Module, source: Source) -> list[str]:
        size = self.predict(network, {"tokens": torch.zeros(1, 1, dtype=torch.int64)}).shape[-1]
        if size < self.vocabulary:
            raise UserError(
                f"This network has {size} tokens, and the text needs {self.vocabulary}. Set its vocab_size to that."
            )
        return super().check(network, source)

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the perplexity of an interpolated 5-gram model, or of a shorter one if there are very many tokens."""
        splits = {split: tokens for split, (tokens,) in data.load(self.data, seed).items()}
        order = max(n for n in range(1, ORDER + 1) if self.vocabulary**n < MAX_NGRAMS)
        model = InterpolatedNGram(splits["train"], splits["validation"], self.vocabulary, order)
        return Baseline(f"an interpolated {order}-gram", "perplexity", model.perplexity(splits["test"]))

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return texts that the network generates at several temperatures, after the start of the source."""
        prompt = source.batch(slice(0, 1))["tokens"][0, :PROMPT]
        if not hasattr(network, "step"):
            return []
        generator, divisors = torch.Generator().manual_seed(0), torch.tensor(TEMPERATURES)[:, None]
        generated = generate(
            network,
            prompt.expand(len(TEMPERATURES), -1),
            GENERATED,
            self.tokenizer.size,
            lambda logits: draw(logits / divisors, generator),
            self.tokenizer.first,
        )
        texts = [
            caption(f"temperature {temperature:g}", self.tokenizer.decode([*prompt.tolist(), *tokens]))
            for temperature, tokens in zip(TEMPERATURES, generated.tolist(), strict=True)
        ]
        return [{"kind": "text", "texts": [caption("prompt", self.tokenizer.decode(prompt.tolist())), *texts]}]

    @property
    def questions(self) -> Mapping[str, str]:
        return {
            "prompt": "the start of a text",
            "temperature": f"0 (always the most probable token) to {MAX_TEMPERATURE:g}; default: {TEMPERATURE:g}",
            "length": f"the number of tokens to add, 1 to {MAX_LENGTH}; default: {LENGTH}",
            "top_k": "the number of most probable tokens to choose from; default: all",
            "top_p": "the probability of the most probable tokens to choose from; default: 1",
            "next": f"the number of most probable next tokens to show, 1 to {next_token.MOST}, instead of a text",
            "pick": "the places of the next tokens among the most probable ones, such as 1 or 3,1: they are added",
            "layer": f"{attention_maps.QUESTIONS['layer']}. It shows the attention between the tokens of the prompt",
            "head": attention_maps.QUESTIONS["head"],
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return a text that the network generates after a prompt, the next tokens, or the attention in the prompt."""
        self.check_question(question)
        prompt = question.get("prompt", "")
        if question.get("layer", "").strip() or question.get("head", "").strip():
            return next_token.attention(network, self.tokenizer, prompt, question)
        temperature = _number(question, "temperature", TEMPERATURE, 0, MAX_TEMPERATURE)
        request = SampleRequest(
            prompt,
            length=int(_number(question, "length", LENGTH, 1, MAX_LENGTH, is_integer=True)),
            temperature=temperature,
            top_k=int(_number(question, "top_k", 0, *LIMITS["top_k"], is_integer=True)),
            top_p=_number(question, "top_p", 1, *LIMITS["top_p"]),
        )
        if question.get("next", "").strip() or question.get("pick", "").strip():
            count = int(_number(question, "next", next_token.DEFAULT_COUNT, 1, next_token.MOST, is_integer=True))
            places = next_token.read_places(question.get("pick", ""))
            tokens = self._read(request.prompt, seed)
            return next_token.predict(network, self.tokenizer, tokens, request, count, places)
        [visualization] = self.sample(network, request, seed)
        [answer] = visualization["samples"]
        return {**visualization, "prompt": request.prompt, "text": answer, "temperature": temperature}

    def _read(self, prompt: str, seed: int) -> Tensor:
        """Return the tokens of a prompt, a line break if it is empty. Those that the training set lacks are unknown."""
        tokens = torch.from_numpy(self.tokenizer.encode(prompt or "\n"))[-MAX_PROMPT:]
        if self.tokenizer.first == 0:  # there is no unknown token
            return tokens
        in_training = torch.zeros(self.tokenizer.size, dtype=torch.bool)
        in_training[torch.from_numpy(data.load(self.data, seed)["train"][0]).unique()] = True
        return torch.where(in_training[tokens], tokens, 0)

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        """Return texts that the network generates after a prompt; under `samples` what follows the prompt in each."""
        next_token.check_generates(network)
        if request.beams > 1:
            raise UserError(
                "Beams are for translations and captions, which end: a text of any length is drawn. Leave beams out."
            )
        tokens = self._read(request.prompt, seed)
        generator = request.generator()
        generated = generate(
            network,
            tokens.expand(request.count, -1),
            request.length or LENGTH,
            self.tokenizer.size,
            lambda logits: choose(logits, request, generator),
            self.tokenizer.first,
        )
        answers = [self.tokenizer.decode(row) for row in generated.tolist()]
        heading = f"temperature {request.temperature:g}{self._notes(network, tokens)}"
        numbers = [f"{number} of {len(answers)}: " if len(answers) > 1 else "" for number in range(1, len(answers) + 1)]
        texts = [
            caption(number + heading, request.prompt + answer) for number, answer in zip(numbers, answers, strict=True)
        ]
        return [{"kind": "text", "texts": texts, "samples": answers}]

    def _notes(self, network: nn.Module, tokens: Tensor) -> str:
        """Return what of a prompt the network does not read, as a part of a caption."""
        unknown, longest = int((tokens < self.tokenizer.first).sum()), getattr(network, "max_length", len(tokens))
        notes = f"; unknown characters in the prompt: {unknown}" if unknown else ""
        if len(tokens) > longest:
            notes += f"; of the {len(tokens):,} tokens of the prompt, the last {longest:,} are read"
        return notes


def check_reads_tokens(network: nn.Module) -> int:
    """Return the number of tokens of a network's example inputs.

    Raises:
        UserError: If it does not read tokens.
    """
    examples = example_inputs(network) if hasattr(network, "example_inputs") else ()  # others read float32
    if [(example.dtype, example.dim()) for example in examples] != [(torch.int64, 2)]:
        raise UserError("This network does not read tokens. Choose one for text: see 'workbench models list'.")
    return examples[0].shape[1]


class TokenMeter:
    """Perplexity, bits per character and accuracy.

    Args:
        characters: The number of characters of each token; None if it is always 1.
    """

    def __init__(self, characters: Tensor | None = None) -> None:
        self._characters = characters
        self._sums: list[Tensor] = []  # of each batch: negative log-likelihood, correct predictions, tokens, characters

    def update(self, logits: Tensor, batch: Batch) -> None:
        """Take in the logits (N, length, vocabulary) of a batch. Negative targets don't count."""
        logits, targets = logits.flatten(0, 1), batch["targets"].flatten()
        loss = F.cross_entropy(logits, targets, reduction="sum", ignore_index=IGNORED)
        is_target = targets != IGNORED
        lengths = is_target
        if self._characters is not None:
            lengths = is_target * self._characters.to(targets.device)[targets.clamp(min=0)]
        counts = (logits.argmax(dim=1) == targets, is_target, lengths)
        self._sums.append(torch.stack([loss, *(count.sum().to(loss.dtype) for count in counts)]))

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        loss, correct, tokens, characters = torch.stack(self._sums).cpu().double().sum(dim=0).unbind()
        return {
            "perplexity": (loss / tokens).exp().item(),
            "bits_per_character": (loss / characters).item() / math.log(2),
            "accuracy": (correct / tokens).item(),
        }


@torch.inference_mode()
def generate(
    network: Any,
    prompts: Tensor,
    length: int,
    vocabulary: int,
    choose_next: Callable[[Tensor], Tensor],
    first: int = 1,
) -> Tensor:
    """Return the tokens (N, length) that a network adds to prompts.

    Args:
        network: A network with a method `step`.
        prompts: The tokens before (N, prompt length).
        length: The number of tokens to add.
        vocabulary: Tokens that can be generated are `first` to `vocabulary - 1`.
        choose_next: Returns a column (N,) for each row of logits (N, vocabulary - first), on the CPU in float32.
        first: 1 if token 0 stands for unknown characters, or 0.
    """
    device = device_of(network)
    tokens: list[Tensor] = []
    with evaluation_mode(network):
        logits, cache = next_token.read_prompt(network, prompts.to(device))
        for _ in range(length):
            token = first + choose_next(logits[:, first:vocabulary].float().cpu())
            tokens.append(token)
            logits, cache = network.step(token.to(device), cache)
    return torch.stack(tokens, dim=1)


def caption(heading: str, content: str) -> dict[str, Any]:
    """Return a text with its caption, as lines that can be printed."""
    return {"caption": heading, "lines": printable_lines(content).split("\n")}


def _number(
    question: Mapping[str, str], name: str, default: float, least: float, most: float, is_integer: bool = False
) -> float:
    """Return a number of a question.

    Raises:
        UserError: If it is not a number, or out of range.
    """
    typed = question.get(name, "").strip()
    try:
        number = (int(typed) if is_integer else float(typed)) if typed else default
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        kind = "an integer" if is_integer else "a number"
        raise UserError(f"{name} must be {kind} from {least:g} to {most:g}, not {typed[:40]!r}.")
    return number
