"""Self-attention and positional encoding: drills about attention on given queries, keys and values."""

from random import Random
from typing import Any

from quizzes.content.transformers.self_attention.formulas import (
    ATTENTION_ORDER,
    CAUSAL_ATTENTION,
    MASK_PAIRS,
    PADDED_ATTENTION,
    SELF_ATTENTION,
    THREE_ATTENTIONS,
    TWO_HEADS,
    TWO_KEYS,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


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


@drill(
    TWO_KEYS,
    id="self-attention-hand:two-keys",
    tier=1,
    asks=one_of("a", "x1"),
    prompt="A query attends to two keys by scaled dot-product attention. Its dot products with them are x1 = {x1} and "
    "x2 = {x2}, and the key dimension is d_k = {d_k}. The first key gets the weight a = {a}.",
    hint="What is divided by the square root of d_k, and which function turns the two scores into weights?",
    mistakes=[
        Mistake("not-scaled", "a = 1/(1 + exp(x2 - x1))", "You did not divide by the square root of d_k."),
        Mistake(
            "scaled-by-d",
            "a = 1/(1 + exp((x2 - x1)/d_k))",
            "You divided by d_k. Divide by its square root.",
        ),
        Mistake(
            "keys-swapped",
            "a = 1/(1 + exp((x1 - x2)/sqrt(d_k)))",
            "That is the weight of the second key. The larger score gets the larger weight.",
        ),
        Mistake(
            "multiplied",
            "a = 1/(1 + exp((x2 - x1)*sqrt(d_k)))",
            "You multiplied by the square root of d_k. Divide by it.",
        ),
    ],
)
def two_keys(rng: Random) -> Inputs:
    """Attention to two keys"""
    d_k = rng.choice([4, 8, 9, 16, 25, 32, 36, 64])
    x1, x2 = rng.sample(range(-12, 17), 2)
    if not 1 < abs(x1 - x2) < 3 * d_k**0.5:
        raise UndefinedValue("a weight that is nearly 0, 1/2 or 1")
    return dict(x1=x1, x2=x2, d_k=d_k)


def _small_rows(rng: Random, tokens: int, columns: int) -> list[list[int]]:
    return [[rng.randint(-1, 2) for _ in range(columns)] for _ in range(tokens)]


@drill(
    CAUSAL_ATTENTION,
    id="masked-attention",
    tier=2,
    asks=("A", "O"),
    visualization="matrices Q K V",
    prompt="One head of scaled dot-product attention in a decoder has one row for each of {tokens} tokens:\n"
    "  Q = {Q}\n  K = {K}\n  V = {V}\n"
    "The key dimension is d_k = {d_k}, and a causal mask hides later tokens. What are the attention weights A (one row "
    "per query) and the output O?",
    hint="Which keys may the first query see, and which the second? To what are the other scores set before the "
    "softmax?",
    mistakes=[
        Mistake(
            "zeros-before-softmax",
            "A[i, j] = exp([j <= i]*S[i, j])/sum(m, exp([m <= i]*S[i, m]))",
            "You set hidden scores to 0, and exp(0) is 1, so later tokens still get weight. Set them to minus "
            "infinity.",
        ),
        Mistake(
            "masked-after-softmax",
            "A[i, j] = [j <= i]*exp(S[i, j])/sum(m, exp(S[i, m]))",
            "You removed weights after the softmax, so the rows no longer add up to 1. Mask the scores before it.",
        ),
        Mistake(
            "mask-transposed",
            "A[i, j] = [j >= i]*exp(S[i, j])/sum(m, [m >= i]*exp(S[i, m]))",
            "You hid the earlier tokens. A query sees its own position and those before it.",
        ),
        Mistake(
            "no-mask",
            "A[i, j] = exp(S[i, j])/sum(m, exp(S[i, m]))",
            "You left out the mask. A query of a decoder may not see later tokens.",
        ),
        Mistake(
            "not-scaled",
            "S[i, j] = sum(k, Q[i, k]*K[j, k])",
            "You did not scale the scores. Divide them by the square root of d_k before the softmax.",
        ),
    ],
)
def masked_attention(rng: Random) -> Inputs:
    """Attention with a causal mask"""
    tokens = rng.choice([2, 3, 3])
    Q, K, V = (_small_rows(rng, tokens, 2) for _ in range(3))
    return dict(Q=Q, K=K, V=V, d_k=2, tokens=tokens)


@drill(
    MASK_PAIRS,
    id="masked-attention:pairs",
    tier=1,
    asks=one_of("N", "T"),
    prompt="A causal mask is applied to a sequence of {T} tokens. Each head then computes weights for {N} visible "
    "query-key pairs (a token also sees itself).",
    hint="How many keys does the first query see, how many the second, and how many the last?",
    mistakes=[
        Mistake("no-mask", "N = T^2", "You counted all pairs. The mask hides those with a later key."),
        Mistake(
            "self-hidden",
            "N = T*(T - 1)/2",
            "You hid each token from itself. The diagonal is visible.",
        ),
        Mistake(
            "not-halved",
            "N = T*(T + 1)",
            "You forgot to halve. 1 + 2 + ... + T = T(T + 1)/2.",
        ),
    ],
)
def masked_pairs(rng: Random) -> Inputs:
    """Visible pairs of a causal mask"""
    return dict(T=rng.choice([*range(4, 60), 64, 100, 128, 200, 256, 512, 1024]))


@drill(
    PADDED_ATTENTION,
    id="masked-attention:padding",
    tier=2,
    asks=("N", "A"),
    visualization="matrices S",
    prompt="A decoder reads a sequence that is padded to {T} tokens; only the first {n} are real. The scaled scores of "
    "one head are S, one row per query:\n  S = {S}\n"
    "A causal mask and a padding mask apply together. How many query-key pairs are visible (N), and what are the "
    "attention weights A?\n"
    "Conventions: the padding mask hides keys; queries at padding keep their rows.",
    hint="A key is visible if it is neither later than the query nor padding. Mark the visible keys of every row.",
    mistakes=[
        Mistake(
            "padding-ignored",
            "M[i, j] = [j <= i] for i = 1..len(S), j = 1..len(S)",
            "You ignored the padding. No query may see a key at a padding position.",
        ),
        Mistake(
            "causality-ignored",
            "M[i, j] = [j <= n] for i = 1..len(S), j = 1..len(S)",
            "You hid the padding only. Keys after the query are hidden too.",
        ),
        Mistake(
            "padding-queries-hidden",
            "N = sum(i, [i <= n]*sum(j, M[i, j]))",
            "You left out the rows of the padding. The masks hide keys, so these queries still see the real tokens.",
        ),
        Mistake(
            "not-normalized-again",
            "A[i, j] = M[i, j]*exp(S[i, j])/sum(m, exp(S[i, m]))",
            "You masked after the softmax. Every row must add up to 1, so mask before it.",
        ),
        Mistake(
            "zeros-before-softmax",
            "A[i, j] = exp(M[i, j]*S[i, j])/sum(m, exp(M[i, m]*S[i, m]))",
            "You set hidden scores to 0, and exp(0) is 1. Set them to minus infinity.",
        ),
    ],
)
def masked_padding(rng: Random) -> Inputs:
    """Causal mask and padding mask"""
    T = rng.choice([3, 4])
    S = [[rng.choice([-1, -0.5, 0, 0.5, 1, 1.5, 2]) for _ in range(T)] for _ in range(T)]
    return dict(S=S, n=rng.randint(2, T - 1), T=T)


def _match_steps(S: int, T: int, n_e: int, n_d: int, n_c: int, **_: Any) -> list[Step]:
    return [
        Step(
            f"Rows are queries, columns are keys. The encoder attends from source to source ({S}x{S}), the decoder "
            f"from target to target ({T}x{T}), and cross-attention from target to source ({T}x{S})."
        ),
        Step("The encoder sees everything.", [f"n_e = {S}^2", f"n_e = {n_e}"]),
        Step("The decoder's self-attention is masked.", [f"n_d = {T}*({T} + 1)/2", f"n_d = {n_d}"]),
        Step("The source is known from the start, so cross-attention is not masked.", [f"n_c = {T}*{S}"]),
    ]


@drill(
    THREE_ATTENTIONS,
    id="masked-attention:encoder-decoder",
    tier=2,
    asks=("sizes", "n_e", "n_d", "n_c"),
    steps=_match_steps,
    prompt="A Transformer translates {S} source tokens into {T} target tokens, in training with all target tokens at "
    "once. Rows of attention weights are queries, columns are keys; nothing is padded.\n"
    "Match each attention with the size of its weights (sizes). How many query-key pairs are visible per head in the "
    "encoder's self-attention (n_e), in the decoder's self-attention (n_d), and in cross-attention (n_c)?",
    hint="Which sequence do the queries come from, and which the keys? Which of the three attentions is masked?",
    mistakes=[
        Mistake(
            "cross-swapped",
            {"sizes": lambda S, T: dict(encoder="source", decoder="target", cross="swapped")},
            "You swapped the sides of cross-attention. Its queries come from the decoder, its keys and values from "
            "the encoder.",
        ),
        Mistake(
            "encoder-masked",
            "n_e = S*(S + 1)/2",
            "You masked the encoder. It may look at the whole source sentence.",
        ),
        Mistake(
            "decoder-not-masked",
            "n_d = T^2",
            "You left out the causal mask of the decoder's self-attention.",
        ),
        Mistake(
            "cross-masked",
            "n_c = min(S, T)*(min(S, T) + 1)/2",
            "You masked cross-attention. Every target position may see the whole source sentence.",
        ),
        Mistake(
            "cross-with-targets",
            "n_c = T*(S + T)",
            "You added the target tokens to the keys. Cross-attention has the encoder's tokens only.",
        ),
    ],
)
def masked_encoder_decoder(rng: Random) -> Inputs:
    """The three attentions of a Transformer"""
    S, T = rng.sample(range(4, 33), 2)
    return dict(S=S, T=T)


@drill(
    TWO_HEADS,
    id="self-attention-hand:two-heads",
    tier=3,
    asks=("A1", "A2", "O"),
    visualization="matrices Q K / V",
    prompt="Self-attention with 2 heads and model width 4 has these projected queries, keys and values, one row per "
    "token:\n  Q = {Q}\n  K = {K}\n  V = {V}\n"
    "The first head has the first two columns. There is no mask. What are the attention weights A1 and A2 of the two "
    "heads, and the concatenated output O, before the output projection?",
    hint="Which columns belong to each head, and what is its key dimension?",
    mistakes=[
        Mistake(
            "scaled-by-width",
            "S1[i, j] = (Q[i, 1]*K[j, 1] + Q[i, 2]*K[j, 2])/sqrt(4); "
            "S2[i, j] = (Q[i, 3]*K[j, 3] + Q[i, 4]*K[j, 4])/sqrt(4)",
            "You divided by the square root of the model width. Each head has the key dimension 4/2 = 2.",
        ),
        Mistake(
            "not-split",
            "S1[i, j] = sum(k, Q[i, k]*K[j, k])/sqrt(4); S2[i, j] = sum(k, Q[i, k]*K[j, k])/sqrt(4)",
            "You used all columns in both heads. Each head has columns of its own.",
        ),
        Mistake(
            "interleaved",
            "S1[i, j] = (Q[i, 1]*K[j, 1] + Q[i, 3]*K[j, 3])/sqrt(2); "
            "S2[i, j] = (Q[i, 2]*K[j, 2] + Q[i, 4]*K[j, 4])/sqrt(2)",
            "You gave each head every second column. Neighboring columns form a head.",
        ),
        Mistake(
            "not-scaled",
            "S1[i, j] = Q[i, 1]*K[j, 1] + Q[i, 2]*K[j, 2]; S2[i, j] = Q[i, 3]*K[j, 3] + Q[i, 4]*K[j, 4]",
            "You did not scale the scores. Divide them by the square root of 2.",
        ),
        Mistake(
            "weights-averaged",
            "O[i, k] = sum(j, (A1[i, j] + A2[i, j])/2*V[j, k])",
            "You averaged the heads. Each head averages its own columns of V, and the results are concatenated.",
        ),
        Mistake(
            "first-head-only",
            "O[i, k] = sum(j, A1[i, j]*V[j, k])",
            "You used the weights of the first head for all columns. The last two columns belong to the second head.",
        ),
    ],
)
def self_attention_two_heads(rng: Random) -> Inputs:
    """Attention with two heads"""
    Q, K, V = (_small_rows(rng, 2, 4) for _ in range(3))
    return dict(Q=Q, K=K, V=V)


def _order_steps(B: int, T: int, d: int, h: int, S: list[int], **_: Any) -> list[Step]:
    return [
        Step("Project the inputs to queries, keys and values first, then split each into heads."),
        Step(f"Move the heads before the tokens: {B}x{h}x{T}x{d // h}. view alone would mix tokens and heads."),
        Step("Scores, mask, softmax: a mask after the softmax would leave rows that don't add up to 1."),
        Step(f"Each query has a score for each key, per head: {'x'.join(map(str, S))}.", [f"d_k = {d}/{h}"]),
        Step("Multiply by the values, move the heads back, and concatenate them."),
    ]


@drill(
    ATTENTION_ORDER,
    id="self-attention-hand:order",
    tier=2,
    asks=("steps", "S"),
    steps=_order_steps,
    prompt="The input x of causal multi-head self-attention has the shape {B}x{T}x{d}, and there are {h} heads. qkv is "
    "a linear layer from {d} to 3*{d} features; later is True for keys after the query.\n"
    "Put the lines of the program in order (two of them don't belong). What is the shape S of the scores s, as "
    "NxHxQxK?",
    hints=(
        "What must be done before the softmax, and what after it?",
        "The scores are q k^T divided by the square root of the head size. Hidden scores become minus infinity.",
        "First step: one linear layer computes queries, keys and values together.",
    ),
    mistakes=[
        Mistake(
            "masked-after-softmax",
            {"steps": lambda B, T, d, h, **_: ["project", "split", "scores", "softmax", "zeros", "merge"]},
            "You masked after the softmax, so the rows no longer add up to 1. Set hidden scores to minus infinity "
            "before it.",
        ),
        Mistake(
            "view-only",
            {"steps": lambda B, T, d, h, **_: ["project", "view", "scores", "mask", "softmax", "merge"]},
            "That view mixes tokens and heads. Split the last dimension, then transpose.",
        ),
        Mistake(
            "no-heads",
            {"S": lambda B, T, d, h, **_: [B, 1, T, T]},
            "You left out the heads. Every head has scores of its own.",
        ),
        Mistake(
            "head-size-for-keys",
            {"S": lambda B, T, d, h, **_: [B, h, T, d // h]},
            "That is the shape of q. The product with the transposed keys has one score per query and key.",
        ),
        Mistake(
            "width-for-tokens",
            {"S": lambda B, T, d, h, **_: [B, h, d // h, d // h]},
            "You multiplied over the tokens. The product runs over the head size, and leaves queries and keys.",
        ),
    ],
)
def attention_order(rng: Random) -> Inputs:
    """Program of causal multi-head attention"""
    h = rng.choice([2, 3, 4, 6, 8, 12])
    B, T, d = rng.choice([2, 4, 8, 16, 32]), rng.choice([5, 7, 10, 20, 50, 100]), h * rng.choice([4, 8, 16, 32, 64])
    return dict(B=B, T=T, d=d, h=h)
