"""Self-attention."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.transformers import SELF_ATTENTION


@drill(
    SELF_ATTENTION,
    tier=2,
    asks="A O",
    visualization="matrices Q K V",
    prompt="One head of scaled dot-product attention, a row for each of {tokens} tokens, no mask:\n"
    "  Q = {Q}\n  K = {K}\n  V = {V}\nThe width of a key is d_k = {d_k}. "
    "What are the attention weights A (a row for each query) and the output O?",
    hint="Scores are Q times K transposed, over the root of d_k; softmax along each row; then mix the rows of V.",
)
def self_attention_hand(rng: Random) -> dict[str, Any]:
    """Self-attention by hand"""
    tokens = rng.choice([2, 3, 3])

    def small() -> list[list[int]]:
        return [[rng.randint(-1, 2) for _ in range(2)] for _ in range(tokens)]

    return dict(Q=small(), K=small(), V=small(), d_k=2, tokens=tokens)


self_attention_hand.mistake(
    "not-scaled", "S[i, j] = sum(k, Q[i, k]*K[j, k])", "Divide the scores by the root of d_k before the softmax."
)
self_attention_hand.mistake(
    "scaled-by-d", "S[i, j] = sum(k, Q[i, k]*K[j, k])/d_k", "The scores are divided by the root of d_k, not by d_k."
)
self_attention_hand.mistake(
    "softmax-over-columns",
    "A[i, j] = exp(S[i, j])/sum(m, exp(S[m, j]))",
    "Each query spreads its attention over the keys: the softmax runs along a row, which then adds up to 1.",
)
self_attention_hand.mistake(
    "keys-for-values",
    "O[i, k] = sum(j, A[i, j]*K[j, k])",
    "The weights mix the values V; the keys only make the scores.",
)
self_attention_hand.torch(
    """
A = F.scaled_dot_product_attention(Q[None], K[None], torch.eye(tokens)[None])[0]
O = F.scaled_dot_product_attention(Q[None], K[None], V[None])[0]
"""
)
