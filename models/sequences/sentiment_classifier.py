"""A sentence classifier: an LSTM or a GRU reads the words of a sentence, and a dense layer its last state.

Dai, Le, Semi-supervised sequence learning (2015), classify texts by the last state of an LSTM, whose embedding and
weights they trained before as a language model. A network that reads a sentence word by word knows their order, which a
bag of words doesn't: "good but not cheap" and "not good but cheap" have the same words.

The paper preset has the conventional sizes of 20,000 words and 128 features. A sentence of 20 words and 2 classes:

    layer               output    parameters
    words               20
    encoder.embedding   20x128    20,000*128                      = 2,560,000
    encoder.recurrent   20x128    4*(128*128 + 128*128 + 2*128)   =   132,096
    head                2         128*2 + 2                       =       258
                                                            total   2,692,354

Differences from the paper: nothing is trained before, and its LSTM is larger. `pooling="mean"` reads the mean of the
outputs at all words in place of the last state; padding counts in neither. The mini has 32 and 32 features.
"""

import torch
from torch import Tensor, nn

from models.layers.word_encoder import WordEncoder, mean_over_words

LENGTH = 20  # of the example inputs; a sentence may have any length


class SentimentClassifier(nn.Module):
    """An embedding, a recurrent layer, and a dense layer to the logits of the classes.

    Args:
        vocab_size: The number of tokens; token 0 is padding, and token 1 an unknown word.
        embedding_size: Features of a word.
        hidden_size: Hidden units, and features of a sentence.
        num_classes: The number of classes.
        cell: `LSTM`, `GRU` or `RNN`.
        pooling: `last` for the last state, or `mean` for the mean of the outputs.
        dropout: Probability that a feature of the sentence is dropped in a training step.
        word_dropout: Probability that a word is replaced by the unknown word in a training step.
    """

    def __init__(
        self,
        vocab_size: int = 20_000,
        embedding_size: int = 128,
        hidden_size: int = 128,
        num_classes: int = 2,
        cell: str = "LSTM",
        pooling: str = "last",
        dropout: float = 0.0,
        word_dropout: float = 0.0,
    ):
        super().__init__()
        if pooling not in ("last", "mean"):
            raise ValueError("pooling must be last or mean")
        self.encoder = WordEncoder(vocab_size, embedding_size, hidden_size, cell, word_dropout=word_dropout)
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, num_classes)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return sentences (batch_size, 20) of unknown words."""
        return (torch.ones(batch_size, LENGTH, dtype=torch.int64, device=self.head.weight.device),)

    def encode(self, words: Tensor) -> Tensor:
        """Return the vector of each sentence (N, hidden_size), for tokens (N, length)."""
        outputs, last = self.encoder(words)
        return mean_over_words(outputs, words) if self.pooling == "mean" else last

    def forward(self, words: Tensor) -> Tensor:
        """Return the logits (N, num_classes), for tokens (N, length)."""
        logits: Tensor = self.head(self.dropout(self.encode(words)))
        return logits


FAMILY = dict(
    family="sentiment-classifier",
    year=2015,
    paper="arXiv:1511.01432",
    topic="sequence-tasks",
    task="sentiment",
    contribution=(
        "The last state of a recurrent layer that has read all words in their order is the vector of a text, by which "
        "it is classified."
    ),
    network="SentimentClassifier",
    names={"sentiment-classifier": dict()},
    inputs=dict(words="int64[length]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(vocabulary="vocab_size", outputs="num_classes"),
    parts=dict(backbone=("encoder.",)),
    params={"sentiment-classifier": 2_692_354},
    mini=dict(embedding_size=32, hidden_size=32, num_classes=3, word_dropout=0.05),
    recipe=dict(epochs=12, schedule="one-cycle", lr=0.01, batch_size=32, clip_norm=1.0),
    reference=None,
)
