"""Words as vectors, read by a recurrent layer: what networks on sentences share.

Sentences of a batch have different lengths: their tokens are padded with 0 at the end. The recurrent layer never reads
the padding, so that the outputs and the last state of a sentence don't depend on the other sentences of its batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

PAD_TOKEN, UNKNOWN_TOKEN = 0, 1
CELLS: dict[str, Callable[..., nn.RNNBase]] = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


class WordEncoder(nn.Module):
    """An embedding and a recurrent layer.

    Args:
        vocab_size: The number of tokens; token 0 is padding, and token 1 an unknown word.
        embedding_size: Features of a word.
        hidden_size: Hidden units, in each direction.
        cell: `RNN`, `LSTM` or `GRU`.
        bidirectional: Whether a second layer reads the sentence from its end, so that outputs are twice as long.
        word_dropout: Probability that a word is replaced by the unknown word in a training step, so that the network
            learns what to do with unknown words.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        hidden_size: int,
        cell: str = "LSTM",
        bidirectional: bool = False,
        word_dropout: float = 0.0,
    ):
        super().__init__()
        if min(vocab_size, embedding_size, hidden_size) < 1:
            raise ValueError("vocab_size, embedding_size and hidden_size must be 1 or more")
        if cell not in CELLS:
            raise ValueError(f"cell must be {', '.join(CELLS)}")
        self.embedding = nn.Embedding(vocab_size, embedding_size, padding_idx=PAD_TOKEN)
        self.recurrent = CELLS[cell](embedding_size, hidden_size, batch_first=True, bidirectional=bidirectional)
        self.word_dropout = word_dropout

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs (N, length, features), 0 after the end of a sentence, and the last states (N, features).

        Args:
            words: Tokens (N, length).
        """
        if self.training and self.word_dropout:
            is_dropped = (torch.rand(words.shape, device=words.device) < self.word_dropout) & (words != PAD_TOKEN)
            words = words.masked_fill(is_dropped, UNKNOWN_TOKEN)
        x = self.embedding(words)
        if words.is_meta:  # there are no lengths
            outputs, state = self.recurrent(x)
        else:
            lengths = lengths_of(words).clamp(min=1)  # of nothing but padding, the first token is read
            packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
            outputs, state = self.recurrent(packed)
            outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=words.shape[1])
        h = state[0] if isinstance(state, tuple) else state  # (directions, N, hidden_size)
        return outputs, h.transpose(0, 1).flatten(1)


def lengths_of(words: Tensor) -> Tensor:
    """Return the number of words of each sentence (N,) of tokens (N, length)."""
    return (words != PAD_TOKEN).sum(dim=1)


def mean_over_words(outputs: Tensor, words: Tensor) -> Tensor:
    """Return the mean (N, features) of the outputs (N, length, features) at the words of each sentence."""
    mask = (words != PAD_TOKEN)[:, :, None]
    return (outputs * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
