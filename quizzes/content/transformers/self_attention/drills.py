"""Self-attention and positional encoding: drills."""

from random import Random

from quizzes.content.transformers.self_attention.formulas import SELF_ATTENTION
from quizzes.drill import Inputs, Mistake, drill


@drill(
    SELF_ATTENTION,
    tier=2,
    asks=("A", "O"),
    visualization="matrices Q K V",
    prompt="One head of scaled dot-product attention, without a mask, has one row for each of {tokens} tokens:\n"
    "  Q = {Q}\n  K = {K}\n  V = {V}\n"
    "The key dimension is d_k = {d_k}. What are the attention weights A (one row per query) and the output O?",
    hint="The scores are Q K^T divided by the square root of d_k. Apply softmax to each row, then multiply by V.",
    mistakes=[
        Mistake(
            "not-scaled",
            "S[i, j] = sum(k, Q[i, k]*K[j, k])",
            "You did not scale the scores. Divide them by the square root of d_k before the softmax.",
        ),
        Mistake(
            "scaled-by-d",
            "S[i, j] = sum(k, Q[i, k]*K[j, k])/d_k",
            "You divided the scores by d_k. Divide them by its square root.",
        ),
        Mistake(
            "softmax-over-columns",
            "A[i, j] = exp(S[i, j])/sum(m, exp(S[m, j]))",
            "You applied softmax to the columns. Each query distributes its attention over the keys, so each row "
            "adds up to 1.",
        ),
        Mistake(
            "keys-for-values",
            "O[i, k] = sum(j, A[i, j]*K[j, k])",
            "You multiplied the weights by K. The keys only determine the scores; multiply the weights by V.",
        ),
    ],
)
def self_attention_hand(rng: Random) -> Inputs:
    """Self-attention by hand"""
    tokens = rng.choice([2, 3, 3])

    def small() -> list[list[int]]:
        return [[rng.randint(-1, 2) for _ in range(2)] for _ in range(tokens)]

    return dict(Q=small(), K=small(), V=small(), d_k=2, tokens=tokens)
