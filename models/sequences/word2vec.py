"""word2vec: Mikolov, Chen, Corrado, Dean, Efficient estimation of word representations in vector space (2013), and
Mikolov, Sutskever, Chen, Corrado, Dean, Distributed representations of words and phrases and their compositionality
(2013), for negative sampling.

Words that occur in similar contexts get similar vectors. Each word has two: v as an input and u as an output. The score
of an output word is the dot product of its u with the hidden vector h:

    skip-gram    predicts the context from the center word:   h = v of the center
    CBOW         predicts the center word from its context:   h = mean of v over the context

A softmax over the whole vocabulary would be slow. So the network only learns to tell the true output word o from k
words n that are drawn at random (negative sampling), each with a probability proportional to count^0.75:

    loss = -log sigmoid(u_o . h) - sum over n of log sigmoid(-u_n . h)

For each pair of words, the optimum of skip-gram is u_o . v = PMI - log k, if the noise has the words' own frequencies:
it factors the shifted matrix of pointwise mutual information (Levy, Goldberg, 2014).

The paper preset has 300 features and a conventional 30,000 words:

    layer    output        parameters
    input    300           30,000*300 = 9,000,000
    output   candidates    30,000*300 = 9,000,000
                               total   18,000,000

As in word2vec's program, the output vectors are 0 at first, and the input vectors uniform in +-0.5/features. The mini
has 32 features.
"""

import torch
from torch import Tensor, nn

PAD_TOKEN = 0
OBJECTIVES = ("skip-gram", "cbow")
CONTEXT, CANDIDATES = 4, 6  # of the example inputs; there may be any number


class Word2Vec(nn.Module):
    """The input and the output vectors of words.

    Args:
        vocab_size: The number of tokens; token 0 is padding.
        embedding_size: Features of a word.
        objective: `skip-gram` or `cbow`: which of the center word and its context is the input.
    """

    def __init__(self, vocab_size: int = 30_000, embedding_size: int = 300, objective: str = "skip-gram"):
        super().__init__()
        if min(vocab_size, embedding_size) < 1:
            raise ValueError("vocab_size and embedding_size must be 1 or more")
        if objective not in OBJECTIVES:
            raise ValueError(f"objective must be {' or '.join(OBJECTIVES)}")
        self.objective = objective
        self.input = nn.Embedding(vocab_size, embedding_size)
        self.output = nn.Embedding(vocab_size, embedding_size)
        nn.init.uniform_(self.input.weight, -0.5 / embedding_size, 0.5 / embedding_size)
        nn.init.zeros_(self.output.weight)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return input words (batch_size, 1 or 4) and candidates (batch_size, 6)."""
        words = 1 if self.objective == "skip-gram" else CONTEXT
        sizes, device = (words, CANDIDATES), self.input.weight.device
        return tuple(torch.ones(batch_size, size, dtype=torch.int64, device=device) for size in sizes)

    def forward(self, inputs: Tensor, candidates: Tensor) -> Tensor:
        """Return the score (N, candidates) of each candidate output word.

        Args:
            inputs: Tokens (N, words): the center word, or its context, padded with 0.
            candidates: Tokens (N, candidates).
        """
        mask = (inputs != PAD_TOKEN)[:, :, None]
        h = (self.input(inputs) * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        scores: Tensor = (self.output(candidates) @ h[:, :, None])[:, :, 0]
        return scores

    def word_vectors(self) -> Tensor:
        """Return the vector of each word (vocab_size, embedding_size): that of the input."""
        return self.input.weight


FAMILY = dict(
    family="word2vec",
    year=2013,
    paper="arXiv:1310.4546",
    topic="word-representations",
    task="word-vectors",
    contribution=(
        "Word vectors are learned from raw text by predicting nearby words; telling true words from a few random ones "
        "replaces the softmax over the vocabulary."
    ),
    network="Word2Vec",
    names={"word2vec-cbow": dict(objective="cbow"), "word2vec-skipgram": dict(objective="skip-gram")},
    inputs=dict(inputs="int64[words]", candidates="int64[candidates]"),
    outputs=dict(scores="float32[candidates]"),
    sizes=dict(vocabulary="vocab_size"),
    parts=dict(backbone=("input.",)),
    params={"word2vec-cbow": 18_000_000, "word2vec-skipgram": 18_000_000},
    mini=dict(embedding_size=32),
    recipe=dict(epochs=6, lr=0.01, batch_size=256),
    recipes={"word2vec-cbow": dict(epochs=12)},
    reference=None,
)
