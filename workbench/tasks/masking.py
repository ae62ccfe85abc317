"""The input of BERT's pre-training: pairs of sentences, of which some words are masked (Devlin et al. 2018, 3.1)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.layers.tokens import PAD
from models.transformers.bert import join
from workbench.data.sources import Batch
from workbench.data.words import UNKNOWN_TOKEN

PREDICTED = (
    0.15  # share of the tokens of an input, [CLS] and [SEP] included, that are predicted; the authors' code rounds
)
MASKED, REPLACED = 0.8, 0.1  # shares of those that become [MASK], and another word; the others stay


@dataclass(frozen=True)
class SpecialTokens:
    """The tokens [CLS], [SEP] and [MASK]."""

    cls: int
    sep: int
    mask: int


@dataclass(frozen=True)
class MaskedPairs:
    """The inputs of a network, and its targets.

    Attributes:
        words: Tokens with [CLS], [SEP] and [MASK] (N, length).
        segments: 0 for the first sentence, 1 for the second (N, length).
        targets: The tokens before some were masked (N, length).
        is_chosen: Which tokens have to be predicted (N, length).
        is_next: Whether the second sentence follows the first (N,).
    """

    words: Tensor
    segments: Tensor
    targets: Tensor
    is_chosen: Tensor
    is_next: Tensor


def make_pairs(batch: Batch, special: SpecialTokens, vocabulary: int, generator: torch.Generator) -> MaskedPairs:
    """Return pairs of a batch: in half of them, the second sentence is replaced by that of another passage.

    Args:
        batch: `first` and `second` (N, length), consecutive sentences, and `passage` (N,), their passages.
        special: The tokens [CLS], [SEP] and [MASK].
        vocabulary: The number of words.
        generator: On the CPU.
    """
    first, second, passage = batch["first"], batch["second"], batch["passage"]
    count, device = len(first), first.device
    shift = int(torch.randint(1, max(2, count), (1,), generator=generator))
    other = torch.arange(count).roll(shift).to(device)
    is_kept = (torch.rand(count, generator=generator) < 0.5).to(device)
    is_next = is_kept | (passage == passage[other])  # a batch of one passage has no other
    second = torch.where(is_next[:, None], second, second[other])
    targets, segments = join(first, second, special.cls, special.sep)
    is_chosen = choose(targets, vocabulary, generator)
    return MaskedPairs(
        corrupt(targets, is_chosen, special, vocabulary, generator), segments, targets, is_chosen, is_next
    )


def choose(tokens: Tensor, vocabulary: int, generator: torch.Generator) -> Tensor:
    """Return which tokens are predicted (N, length): 15% of each input, rounded, and at least one; known words only."""
    is_word = (tokens > UNKNOWN_TOKEN) & (tokens < vocabulary)
    counts = (PREDICTED * (tokens != PAD).sum(dim=1)).round().clamp(min=1)
    scores = torch.rand(tokens.shape, generator=generator).to(tokens.device).masked_fill(~is_word, 2.0)
    ranks = scores.argsort(dim=1).argsort(dim=1)
    return (ranks < counts[:, None]) & is_word


def corrupt(
    tokens: Tensor, is_chosen: Tensor, special: SpecialTokens, vocabulary: int, generator: torch.Generator
) -> Tensor:
    """Return the tokens with 80% of the chosen ones masked, 10% replaced by a random word, and 10% as they are."""
    shares = torch.rand(tokens.shape, generator=generator).to(tokens.device)
    random = torch.randint(UNKNOWN_TOKEN + 1, vocabulary, tokens.shape, generator=generator).to(tokens.device)
    corrupted = tokens.masked_fill(is_chosen & (shares < MASKED), special.mask)
    return torch.where(is_chosen & (shares >= MASKED) & (shares < MASKED + REPLACED), random, corrupted)
