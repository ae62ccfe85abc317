"""The baseline of masked words: the word that fits best between its two neighbors, by counts of bigrams.

    score(w) = log p(w | left) + log p(right | w)      p(b | a) = (count(a, b) + p(b)) / (count(a) + 1)

p(b) is the share of b among all tokens. A neighbor that is masked itself says nothing: its term is left out.
"""

import torch
from torch import Tensor

from models.layers.tokens import PAD
from models.transformers.bert import join
from workbench.data.sources import Batch
from workbench.data.words import UNKNOWN_TOKEN
from workbench.tasks.masking import SpecialTokens


class Neighbors:
    """Counts of bigrams in pairs of sentences with [CLS] and [SEP].

    Args:
        batch: `first` and `second` (N, length), the training set.
        vocabulary: The number of words; the special tokens follow them.
    """

    def __init__(self, batch: Batch, vocabulary: int):
        self.vocabulary = vocabulary
        self.special = SpecialTokens(vocabulary, vocabulary + 1, vocabulary + 2)
        tokens, _ = join(batch["first"], batch["second"], self.special.cls, self.special.sep)
        size = vocabulary + 3
        is_pair = tokens[:, 1:] != PAD
        pairs = (tokens[:, :-1] * size + tokens[:, 1:])[is_pair]
        counts = torch.bincount(pairs, minlength=size**2).view(size, size).double()
        shares = (torch.bincount(tokens[tokens != PAD], minlength=size) + 1).double()
        shares /= shares.sum()
        self.log_next = ((counts + shares) / (counts.sum(dim=1, keepdim=True) + 1)).log()  # (token, next token)

    def predict(self, words: Tensor, is_chosen: Tensor) -> Tensor:
        """Return a word for each chosen place (places,) of inputs (N, length), whose first and last tokens stay."""
        rows, places = is_chosen.nonzero(as_tuple=True)
        left, right = words[rows, places - 1], words[rows, places + 1]
        before = self.log_next[left].masked_fill((left == self.special.mask)[:, None], 0.0)
        after = self.log_next[:, right].T.masked_fill((right == self.special.mask)[:, None], 0.0)
        scores = (before + after)[:, UNKNOWN_TOKEN + 1 : self.vocabulary]
        return UNKNOWN_TOKEN + 1 + scores.argmax(dim=1)
