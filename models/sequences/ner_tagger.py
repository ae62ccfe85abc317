"""The bidirectional LSTM tagger: Huang, Xu, Yu, Bidirectional LSTM-CRF models for sequence tagging (2015).

The tag of a word depends on the words before and after it: in "Washington said" it is a person, in "the mayor of
Washington" a place. So one LSTM reads the sentence from its start, another one from its end, and a dense layer maps
both outputs at each word to the logits of its tags. A softmax for each word decides alone; the paper's CRF, which
scores sequences of tags, is left out: this is its BI-LSTM network.

The paper preset has the sizes of Lample et al., Neural architectures for named entity recognition (2016), without their
vectors of characters: 100 features per word, 100 hidden units in each direction, dropout 0.5. Its 9 tags are the BIO
tags of four types. A sentence of 20 words:

    layer               output    parameters
    words               20
    encoder.embedding   20x100    20,000*100                        = 2,000,000
    encoder.recurrent   20x200    2 * 4*(100*100 + 100*100 + 2*100) =   161,600
    head                20x9      200*9 + 9                         =     1,809
                                                              total   2,163,409

The mini has 32 features and 32 hidden units in each direction.
"""

import torch
from torch import Tensor, nn

from models.layers.word_encoder import WordEncoder

LENGTH = 20  # of the example inputs; a sentence may have any length


class NERTagger(nn.Module):
    """An embedding, a bidirectional LSTM, and a dense layer to the logits of the tags of each word.

    Args:
        vocab_size: The number of tokens; token 0 is padding, and token 1 an unknown word.
        embedding_size: Features of a word.
        hidden_size: Hidden units in each direction.
        num_tags: The number of tags.
        dropout: Probability that an output is dropped in a training step.
        word_dropout: Probability that a word is replaced by the unknown word in a training step.
        bidirectional: Whether the sentence is also read from its end.
    """

    def __init__(
        self,
        vocab_size: int = 20_000,
        embedding_size: int = 100,
        hidden_size: int = 100,
        num_tags: int = 9,
        dropout: float = 0.5,
        word_dropout: float = 0.0,
        bidirectional: bool = True,
    ):
        super().__init__()
        self.encoder = WordEncoder(vocab_size, embedding_size, hidden_size, "LSTM", bidirectional, word_dropout)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear((2 if bidirectional else 1) * hidden_size, num_tags)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return sentences (batch_size, 20) of unknown words."""
        return (torch.ones(batch_size, LENGTH, dtype=torch.int64, device=self.head.weight.device),)

    def forward(self, words: Tensor) -> Tensor:
        """Return the logits (N, length, num_tags), for tokens (N, length)."""
        outputs, _ = self.encoder(words)
        logits: Tensor = self.head(self.dropout(outputs))
        return logits


FAMILY = dict(
    family="ner-tagger",
    year=2015,
    paper="arXiv:1508.01991",
    topic="sequence-tasks",
    task="entities",
    contribution="Two LSTMs, which read a sentence from either end, tag each word by all that is before and after it.",
    builds_on=("lstm",),
    network="NERTagger",
    names={"ner-tagger": dict()},
    inputs=dict(words="int64[length]"),
    outputs=dict(logits="float32[length, num_tags]"),
    sizes=dict(vocabulary="vocab_size", classes="num_tags"),
    parts=dict(backbone=("encoder.",)),
    params={"ner-tagger": 2_163_409},
    mini=dict(embedding_size=32, hidden_size=32, num_tags=7, dropout=0.2, word_dropout=0.05),
    recipe=dict(epochs=6, schedule="one-cycle", lr=0.01, batch_size=32, clip_norm=1.0),
    reference=None,
)
