"""GloVe: Pennington, Socher, Manning, GloVe: global vectors for word representation (2014).

word2vec goes through a text window by window; GloVe first counts how often each word j occurs near each word i, and
then fits the logarithms of these counts. X_ij sums 1/d over all occurrences of j at a distance d from i of up to 10
words. Each word has two vectors, w and u, and a bias for each:

    loss = sum over X_ij > 0 of f(X_ij) * (w_i . u_j + b_i + c_j - log X_ij)^2
    f(x) = min(1, (x / 100)^0.75)

The weight f keeps rare pairs, whose counts are noisy, and very frequent ones from dominating. Ratios of counts tell
what distinguishes two words, and differences of vectors fit the logarithms of these ratios. The sum w + u is the vector
of a word.

The paper's largest vectors have 300 features; a conventional 30,000 words:

    layer          output        parameters
    input          300           30,000*300 = 9,000,000
    input_bias     1             30,000     =    30,000
    output         candidates    30,000*300 = 9,000,000
    output_bias    candidates    30,000     =    30,000
                                     total   18,060,000

The paper trains with AdaGrad and a learning rate of 0.05; `--optimizer adagrad --lr 0.05` does, too. The mini has 32
features.
"""

import torch
from torch import Tensor, nn


class GloVe(nn.Module):
    """Two vectors and two biases of each word.

    Args:
        vocab_size: The number of tokens.
        embedding_size: Features of a word.
    """

    objective = "glove"

    def __init__(self, vocab_size: int = 30_000, embedding_size: int = 300):
        super().__init__()
        if min(vocab_size, embedding_size) < 1:
            raise ValueError("vocab_size and embedding_size must be 1 or more")
        self.input = nn.Embedding(vocab_size, embedding_size)
        self.output = nn.Embedding(vocab_size, embedding_size)
        self.input_bias = nn.Embedding(vocab_size, 1)
        self.output_bias = nn.Embedding(vocab_size, 1)
        for embedding in (self.input, self.output, self.input_bias, self.output_bias):
            nn.init.uniform_(embedding.weight, -0.5 / embedding_size, 0.5 / embedding_size)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return words (batch_size, 1) and words near them (batch_size, 1)."""
        ones = torch.ones(batch_size, 1, dtype=torch.int64, device=self.input.weight.device)
        return ones, ones

    def forward(self, inputs: Tensor, candidates: Tensor) -> Tensor:
        """Return the predicted log of the count (N, candidates) of each candidate near the input word.

        Args:
            inputs: Tokens (N, 1).
            candidates: Tokens (N, candidates).
        """
        products: Tensor = (self.output(candidates) @ self.input(inputs).transpose(1, 2))[:, :, 0]
        biases: Tensor = self.input_bias(inputs)[:, :, 0] + self.output_bias(candidates)[:, :, 0]
        return products + biases

    def word_vectors(self) -> Tensor:
        """Return the vector of each word (vocab_size, embedding_size): the sum of its two."""
        return self.input.weight + self.output.weight


FAMILY = dict(
    family="glove",
    year=2014,
    paper="aclanthology.org/D14-1162",
    topic="word-representations",
    task="word-vectors",
    contribution="Word vectors are fitted to the logarithms of how often words occur near each other in a whole text.",
    builds_on=("word2vec",),
    network="GloVe",
    names={"glove": dict()},
    inputs=dict(inputs="int64[words]", candidates="int64[candidates]"),
    outputs=dict(scores="float32[candidates]"),
    sizes=dict(vocabulary="vocab_size"),
    parts=dict(backbone=("input.",)),
    params={"glove": 18_060_000},
    mini=dict(embedding_size=32),
    recipe=dict(epochs=40, schedule="cosine", lr=0.02, batch_size=512),
    reference=None,
)
