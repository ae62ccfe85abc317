"""Prediction of the next character of a text, by a network that has read the characters before it."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.tracing import example_inputs
from workbench import data
from workbench.data import text
from workbench.data.sources import Batch, Source, TokenWindows
from workbench.errors import UserError
from workbench.tasks.base import Baseline, StepContext, Task, Visualization, device_of, evaluation_mode
from workbench.tasks.ngram import InterpolatedNGram
from workbench.tasks.sampling import MAX_LENGTH, MAX_TEMPERATURE, SampleRequest, choose, draw
from workbench.untrusted import printable_lines

ORDER = 5  # of the n-grams of the baseline
# Characters of a window of the validation or test set, about, so that few have a short history; and of all at once.
EVALUATION_LENGTH, EVALUATED_AT_ONCE = 512, 2**15
TEMPERATURES = (0.5, 0.8, 1.0)  # of the texts that are shown
PROMPT, GENERATED = 60, 200  # characters that a text is shown to begin with, and that a network adds
TEMPERATURE = 0.8  # of an answer
LENGTH = 200  # characters of an answer
MAX_PROMPT = 2000  # characters before the answer that the network reads


class LanguageModeling(Task):
    """Cross-entropy per token, perplexity, bits per character, and accuracy.

    A batch holds `tokens` (N, length) and `targets` (N, length), the token after each. A network returns logits
    (N, length, vocabulary); one that generates has a method `step(token, cache)`, which returns the logits (N,
    vocabulary) of the next token, and its cache.

    Windows of the training set are as long as the network's example inputs, and overlap by half. Those of the other
    splits are longer, unless the network's attribute `max_length` forbids it.
    """

    @property
    def vocabulary(self) -> int:
        """The number of tokens that a network must have."""
        return self.dataset.sizes["vocabulary"]

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        examples = example_inputs(network) if hasattr(network, "example_inputs") else ()  # others read float32
        if [(example.dtype, example.dim()) for example in examples] != [(torch.int64, 2)]:
            raise UserError("This network does not read tokens. Choose one for text: see 'workbench models list'.")
        length = examples[0].shape[1]
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
        return {"loss": F.cross_entropy(outputs.flatten(0, 1), batch["targets"].flatten())}

    def weight(self, batch: Batch) -> int:
        return batch["targets"].numel()

    def meter(self) -> "TokenMeter":
        return TokenMeter()

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
        """Return the perplexity of an interpolated 5-gram model."""
        splits = {split: tokens for split, (tokens,) in data.load(self.data, seed).items()}
        model = InterpolatedNGram(splits["train"], splits["validation"], self.vocabulary, ORDER)
        return Baseline(f"an interpolated {ORDER}-gram", "perplexity", model.perplexity(splits["test"]))

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return texts that the network generates at several temperatures, after the start of the source."""
        prompt = source.batch(slice(0, 1))["tokens"][0, :PROMPT]
        characters = data.vocabulary(self.data)
        if not hasattr(network, "step"):
            return []
        generator, divisors = torch.Generator().manual_seed(0), torch.tensor(TEMPERATURES)[:, None]
        generated = generate(
            network,
            prompt.expand(len(TEMPERATURES), -1),
            GENERATED,
            len(characters),
            lambda logits: draw(logits / divisors, generator),
        )
        start = text.decode(prompt.tolist(), characters)
        texts = [
            _caption(f"temperature {temperature:g}", start + text.decode(tokens, characters))
            for temperature, tokens in zip(TEMPERATURES, generated.tolist(), strict=True)
        ]
        return [{"kind": "text", "texts": [_caption("prompt", start), *texts]}]

    @property
    def questions(self) -> Mapping[str, str]:
        return {
            "prompt": "the start of a text",
            "temperature": f"0 (always the most probable character) to {MAX_TEMPERATURE:g}; default: {TEMPERATURE:g}",
            "length": f"the number of characters to add, 1 to {MAX_LENGTH}; default: {LENGTH}",
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return a text that the network generates after a prompt."""
        self.check_question(question)
        temperature = _number(question, "temperature", TEMPERATURE, 0, MAX_TEMPERATURE)
        length = int(_number(question, "length", LENGTH, 1, MAX_LENGTH, is_integer=True))
        request = SampleRequest(question.get("prompt", ""), length=length, temperature=temperature)
        [visualization] = self.sample(network, request, seed)
        [answer] = visualization["samples"]
        return {**visualization, "prompt": request.prompt, "text": answer, "temperature": temperature}

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        """Return texts that the network generates after a prompt; under `samples` what follows the prompt in each."""
        if not hasattr(network, "step"):
            raise UserError("This network can't generate a text: it has no method step.")
        if request.beams > 1:
            raise UserError(
                "Beams are for translations and captions, which end: a text of any length is drawn. Leave beams out."
            )
        characters = data.vocabulary(self.data)
        tokens = torch.from_numpy(text.encode(request.prompt or "\n", characters))[-MAX_PROMPT:]
        in_training = torch.zeros(len(characters), dtype=torch.bool)
        in_training[torch.from_numpy(data.load(self.data, seed)["train"][0]).unique()] = True
        tokens = torch.where(in_training[tokens], tokens, 0)
        generator = request.generator()
        generated = generate(
            network,
            tokens.expand(request.count, -1),
            request.length or LENGTH,
            len(characters),
            lambda logits: choose(logits, request, generator),
        )
        answers = [text.decode(row, characters) for row in generated.tolist()]
        caption = f"temperature {request.temperature:g}"
        if (tokens == 0).any():
            caption += f"; unknown characters in the prompt: {int((tokens == 0).sum())}"
        numbers = [f"{number} of {len(answers)}: " if len(answers) > 1 else "" for number in range(1, len(answers) + 1)]
        texts = [
            _caption(number + caption, request.prompt + answer) for number, answer in zip(numbers, answers, strict=True)
        ]
        return [{"kind": "text", "texts": texts, "samples": answers}]


class TokenMeter:
    """Perplexity, bits per character and accuracy."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: list[Tensor] = []  # of each batch: negative log-likelihood, and correct predictions

    def update(self, logits: Tensor, batch: Batch) -> None:
        """Take in the logits (N, length, vocabulary) of a batch."""
        logits, targets = logits.flatten(0, 1), batch["targets"].flatten()
        losses = F.cross_entropy(logits, targets, reduction="sum")
        self._sums.append(torch.stack([losses, (logits.argmax(dim=1) == targets).sum().to(losses.dtype)]))
        self.count += len(targets)

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        loss, accuracy = (torch.stack(self._sums).cpu().double().sum(dim=0) / self.count).unbind()
        return {
            "perplexity": loss.exp().item(),
            "bits_per_character": loss.item() / math.log(2),
            "accuracy": accuracy.item(),
        }


@torch.inference_mode()
def generate(
    network: Any, prompts: Tensor, length: int, vocabulary: int, choose_next: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return the tokens (N, length) that a network adds to prompts.

    Args:
        network: A network with a method `step`.
        prompts: The tokens before (N, prompt length).
        length: The number of tokens to add.
        vocabulary: Tokens that can be generated are 1 to `vocabulary - 1`; token 0 stands for unknown characters.
        choose_next: Returns a column (N,) for each row of logits (N, vocabulary - 1), on the CPU in float32.
    """
    device = device_of(network)
    tokens: list[Tensor] = []
    with evaluation_mode(network):
        cache = None
        for token in prompts.to(device).unbind(dim=1):
            logits, cache = network.step(token, cache)
        for _ in range(length):
            token = 1 + choose_next(logits[:, 1:vocabulary].float().cpu())
            tokens.append(token)
            logits, cache = network.step(token.to(device), cache)
    return torch.stack(tokens, dim=1)


def _caption(caption: str, content: str) -> dict[str, Any]:
    return {"caption": caption, "lines": printable_lines(content).split("\n")}


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


TASK = LanguageModeling(
    data="help-topics",
    title="predict the next character of a text",
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocabulary]"),
    metrics=dict(perplexity="min", bits_per_character="min", accuracy="max"),
    accepts="text",
)
