"""The choice of the next token, and what a user may ask for when a network generates samples."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from workbench.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MAX_COUNT, MAX_LENGTH, MAX_TEMPERATURE, MAX_BEAMS = 1000, 5000, 10.0, 64
# Request -> the smallest and the largest value of each number in it.
LIMITS: dict[str, tuple[float, float]] = dict(
    count=(1, MAX_COUNT),
    length=(0, MAX_LENGTH),
    temperature=(0, MAX_TEMPERATURE),
    top_k=(0, 1_000_000),
    top_p=(0, 1),
    beams=(1, MAX_BEAMS),
    seed=(0, 2**63 - 1),
)


@dataclass(frozen=True)
class SampleRequest:
    """A request for samples of a network.

    Attributes:
        prompt: The start of a text, or the text to translate; empty without one.
        count: The number of samples.
        length: The number of tokens of a sample; 0 for the task's default.
        temperature: What the logits are divided by before the softmax; 0 for always the most probable token.
        top_k: The number of most probable tokens to choose from; 0 for all.
        top_p: The probability of the most probable tokens to choose from: the smallest set of tokens that has it.
        beams: The number of beams of a beam search; 1 for none. A beam search is not random.
        seed: The seed of the RNG.

    Raises:
        UserError: If a number is out of range.
    """

    prompt: str = ""
    count: int = 1
    length: int = 0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    beams: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if not least <= value <= most or (name == "top_p" and value == 0):  # NaN compares as false
                limits = "above 0 and at most 1" if name == "top_p" else f"from {least:g} to {most:.15g}"
                raise UserError(f"{name} must be a number {limits}, not {value:g}.")
        if self.beams > 1 and (self.top_k or self.top_p < 1):
            raise UserError("A beam search keeps the most probable sequences: leave top_k and top_p out, or beams.")

    def generator(self) -> "torch.Generator":
        """Return a new RNG with the seed of the request."""
        import torch

        return torch.Generator().manual_seed(self.seed)

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of what can be asked for."""
        return [field.name for field in fields(cls)]


def choose(logits: "Tensor", request: SampleRequest, generator: "torch.Generator") -> "Tensor":
    """Return a token (N,) for each row of logits (N, vocabulary), by temperature, top-k and then top-p."""
    if request.temperature == 0:
        return logits.argmax(dim=1)
    return draw(restrict(logits / request.temperature, request.top_k, request.top_p), generator)


def draw(logits: "Tensor", generator: "torch.Generator") -> "Tensor":
    """Return a token (N,) for each row of logits (N, vocabulary), drawn with the probabilities of their softmax."""
    probabilities = (logits - logits.amax(dim=1, keepdim=True)).softmax(dim=1)
    return probabilities.multinomial(1, generator=generator)[:, 0]


def restrict(logits: "Tensor", top_k: int = 0, top_p: float = 1.0) -> "Tensor":
    """Return logits (N, vocabulary) that are -infinity for tokens that must not be chosen.

    Top-k: Fan et al., Hierarchical neural story generation (2018). Top-p, or nucleus sampling: Holtzman et al., The
    curious case of neural text degeneration (2019).

    Args:
        logits: One row for each sample.
        top_k: The number of tokens that remain; 0 for all. Of equal logits, the first ones remain.
        top_p: The smallest number of most probable tokens remains whose probabilities sum to at least this.
    """
    if top_k <= 0 and top_p >= 1:
        return logits
    order = logits.argsort(dim=1, descending=True, stable=True)
    ranked = logits.gather(1, order)
    if top_k > 0:
        ranked[:, top_k:] = -float("inf")
    probabilities = ranked.softmax(dim=1)
    before = probabilities.cumsum(dim=1) - probabilities  # the probability of all tokens that rank higher
    ranked[before >= top_p] = -float("inf")
    return logits.new_empty(logits.shape).scatter(1, order, ranked)


def request_of(values: dict[str, Any]) -> SampleRequest:
    """Return a request from plain data.

    Raises:
        UserError: If a number is out of range.
    """
    return SampleRequest(**{name: value for name, value in values.items() if name in SampleRequest.names()})
