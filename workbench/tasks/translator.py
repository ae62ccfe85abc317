"""The networks that translate: what a task calls, and their outputs."""

from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from models.layers.tokens import END, PAD, START, UNKNOWN
from models.tracing import example_inputs
from workbench.errors import UserError
from workbench.tasks.beam_search import State, Step, decode

NEVER_OUTPUT = [PAD, START, UNKNOWN]


class Translator(Protocol):
    """A network that translates. One with attention also has `attend`, which returns logits and weights."""

    def __call__(self, source: Tensor, target_in: Tensor) -> Tensor:
        """Return the logits (N, target length, vocabulary) of each next token after the true ones."""
        ...

    def encode(self, source: Tensor) -> State:
        """Return the state before the first step."""
        ...

    def step(self, token: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the logits (N, vocabulary) of the next token, and the new state."""
        ...

    def sentence_vector(self, source: Tensor) -> Tensor:
        """Return all that the decoder's first state knows of each source, in a vector (N, features)."""
        ...


@dataclass
class Outputs:
    """The outputs of a network for a batch.

    Attributes:
        network: The network, which translates step by step.
        logits: Its logits under teacher forcing (N, target length, vocabulary).
        max_length: The largest number of tokens of a translation.
    """

    network: Translator
    logits: Tensor
    max_length: int

    def translate(self, source: Tensor) -> Tensor:
        """Return greedy translations (N, length) of sources (N, source length)."""
        step = allowed(self.network.step, self.logits.shape[2])
        return decode(step, self.network.encode(source), START, END, self.max_length)


def allowed(step: Step, vocabulary: int) -> Step:
    """Return a network's step whose logits are -infinity for tokens that no text contains."""

    def allowed_step(token: Tensor, state: State) -> tuple[Tensor, State]:
        logits, state = step(token, state)
        logits = logits.clone()
        logits[:, NEVER_OUTPUT] = -torch.inf
        logits[:, vocabulary:] = -torch.inf
        return logits, state

    return allowed_step


def check_network(network: nn.Module) -> None:
    """Check that a network translates.

    Raises:
        UserError: If it doesn't.
    """
    examples = example_inputs(network) if hasattr(network, "example_inputs") else ()
    reads_texts = [(example.dtype, example.dim()) for example in examples] == [(torch.int64, 2)] * 2
    if not (hasattr(network, "encode") and hasattr(network, "step") and reads_texts):
        raise UserError(
            "This network does not translate. Choose an encoder-decoder, such as luong-attention: see "
            "'workbench models list'."
        )


def read_as_translator(network: nn.Module) -> Translator:
    """Return a network as a translator.

    Raises:
        UserError: If it is not one.
    """
    check_network(network)
    return cast(Translator, network)
