"""Attention: drills."""

from random import Random
from typing import Any

from quizzes.content.seq2seq.attention.formulas import (
    ADDITIVE_ATTENTION,
    ATTENTION_STEP,
    DOT_ATTENTION,
    GENERAL_ATTENTION,
    QUERY_GRADIENT,
    SCORE_GRADIENT,
    TWO_STATES,
    WRONG_AXIS,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue, exact
from quizzes.question import Step

NO_SOFTMAX = Mistake(
    "no-softmax",
    "c[k] = sum(j, score[j]*H[j, k])",
    "You weighted the states by the scores. Turn the scores into weights by softmax first.",
)

SCORES_NORMALIZED = Mistake(
    "scores-normalized",
    "a[j] = score[j]/sum(m, score[m])",
    "You divided the scores by their sum. Softmax exponentiates them first, so that all weights are positive.",
)

BEST_STATE_ONLY = Mistake(
    "best-state-only",
    "c[k] = H[argmax(score), k]",
    "You took the state with the largest score. Soft attention averages all states by their weights.",
)

PLAIN_MEAN = Mistake(
    "plain-mean", "c[k] = mean(j, H[j, k])", "You averaged the states equally. Each has its attention weight."
)


def _small(rng: Random, rows: int, columns: int) -> list[list[int]]:
    """Return rows of small integers, no two of them equal."""
    H = [[rng.choice([-1, 0, 1, 1, 2]) for _ in range(columns)] for _ in range(rows)]
    if len({tuple(row) for row in H}) < rows:
        raise UndefinedValue("equal states")
    return H


@drill(
    DOT_ATTENTION,
    id="seq2seq-attention",
    tier=2,
    asks=("score", "a", "c"),
    visualization="matrices s H",
    prompt="A decoder in the state s = {s} attends to encoder states, one per row:\n  H = {H}\n"
    "What are the dot-product scores (score), the attention weights a, and the context vector c?",
    hint="Which number says how well an encoder state fits the decoder state? Which function makes weights of scores?",
    mistakes=[
        SCORES_NORMALIZED,
        Mistake(
            "scaled",
            "a[j] = exp(score[j]/sqrt(len(s)))/sum(m, exp(score[m]/sqrt(len(s))))",
            "You divided the scores by the square root of the state's size. Dot-product scores are not scaled here.",
        ),
        NO_SOFTMAX,
        BEST_STATE_ONLY,
        PLAIN_MEAN,
    ],
)
def seq2seq_attention(rng: Random) -> Inputs:
    """Dot-product attention of a decoder"""
    rows = rng.choice([3, 3, 4])
    return dict(s=[rng.choice([-1, 1, 2]) for _ in range(2)], H=_small(rng, rows, 2))


@drill(
    GENERAL_ATTENTION,
    id="seq2seq-attention:general",
    tier=2,
    asks=("score", "a", "c"),
    visualization="matrices s W H",
    prompt="A decoder in the state s = {s} attends to encoder states, one per row:\n  H = {H}\n"
    "The score of a state h is s W h with W = {W}.\n"
    "What are the scores (score), the attention weights a, and the context vector c?",
    hint="Multiply s by W first. What remains is a dot product with each encoder state.",
    mistakes=[
        Mistake(
            "transposed",
            "score[j] = sum(i, sum(k, s[i]*W[k, i]*H[j, k]))",
            "You used the transposed W. In s W h, the rows of W belong to the entries of s.",
        ),
        Mistake(
            "weights-left-out",
            "score[j] = sum(k, s[k]*H[j, k])",
            "That is the dot-product score. Multiply s by W first.",
        ),
        NO_SOFTMAX,
        BEST_STATE_ONLY,
    ],
)
def seq2seq_attention_general(rng: Random) -> Inputs:
    """General attention of a decoder"""
    W = [[rng.choice([-1, 0, 1, 2]) for _ in range(2)] for _ in range(2)]
    if W[0][1] == W[1][0]:
        raise UndefinedValue("a symmetric W hides a transposition")
    return dict(s=[rng.choice([-1, 1]) for _ in range(2)], W=W, H=_small(rng, 3, 2))


@drill(
    ADDITIVE_ATTENTION,
    id="seq2seq-attention:additive",
    tier=3,
    asks=("score", "a", "c"),
    visualization="matrices s H v / W_s W_h",
    prompt="A decoder in the state s = {s} attends to encoder states, one per row:\n  H = {H}\n"
    "The score of a state h is v . tanh(W_s s + W_h h) with W_s = {W_s}, W_h = {W_h} and v = {v}.\n"
    "What are the scores (score), the attention weights a, and the context vector c?",
    hint="W_s s is the same for all encoder states, so compute it once. To what is tanh applied?",
    mistakes=[
        Mistake(
            "tanh-left-out",
            "score[j] = sum(m, v[m]*(sum(k, W_s[m, k]*s[k]) + sum(k, W_h[m, k]*H[j, k])))",
            "You left out tanh. Without it, the share of s would be equal for all states and cancel in the softmax.",
        ),
        Mistake(
            "state-left-out",
            "score[j] = sum(m, v[m]*tanh(sum(k, W_h[m, k]*H[j, k])))",
            "You left out the decoder state. The weights would be the same at every step of the decoder.",
        ),
        Mistake(
            "v-left-out",
            "score[j] = sum(m, tanh(sum(k, W_s[m, k]*s[k]) + sum(k, W_h[m, k]*H[j, k])))",
            "You left out v. Multiply each entry of the tanh by its weight in v.",
        ),
        NO_SOFTMAX,
        BEST_STATE_ONLY,
    ],
)
def seq2seq_attention_additive(rng: Random) -> Inputs:
    """Additive attention of a decoder"""

    def weights() -> list[list[float]]:
        return [[rng.choice([-1, -0.5, 0.5, 1]) for _ in range(2)] for _ in range(2)]

    v = [rng.choice([-2, -1, 2, 3]) for _ in range(2)]
    return dict(s=[rng.choice([-1, 1]) for _ in range(2)], H=_small(rng, 3, 2), W_s=weights(), W_h=weights(), v=v)


@drill(
    TWO_STATES,
    id="seq2seq-attention:two-states",
    tier=1,
    asks=one_of("c", "d"),
    prompt="A decoder attends to two encoder states of size 1, h1 = {h1} and h2 = {h2}. The score of the first is "
    "larger by d = {d} (e1 - e2, negative if it is smaller). The context is {c}.",
    hint="Which weight does the softmax give the first state? Divide by its exponential.",
    mistakes=[
        Mistake(
            "weights-swapped",
            "c = h2 + (h1 - h2)/(1 + exp(d))",
            "You swapped the weights. The state with the larger score gets the larger weight.",
        ),
        Mistake(
            "no-softmax",
            "c = h2 + (h1 - h2)*d",
            "You used the difference of the scores as weight. Apply softmax: the weight is 1/(1 + exp(-d)).",
        ),
        Mistake(
            "base-2",
            "c = h2 + (h1 - h2)/(1 + 2^(-d))",
            "You used powers of 2. Softmax uses powers of e.",
        ),
        Mistake(
            "plain-mean",
            "c = h2 + (h1 - h2)*(1 + d)/2",
            "You shifted the mean in proportion to d. Softmax gives the first state the weight 1/(1 + exp(-d)).",
        ),
    ],
)
def two_states(rng: Random) -> Inputs:
    """Attention over two states"""
    h1, h2 = rng.sample(range(-5, 9), 2)
    return dict(h1=h1, h2=h2, d=rng.choice([-1, 1]) * rng.randint(2, 30) / 10)


def _gradient_steps(al: list[float], v: list[float], ctx: float, g: list[float], **_: Any) -> list[Step]:
    terms = " + ".join(f"{a:g}*({value:g})" for a, value in zip(al, v, strict=True))
    return [
        Step(
            "e_j changes all weights: its own by alpha_j (1 - alpha_j), another one, i, by -alpha_i alpha_j.",
            ["g_j = alpha_j*v_j - alpha_j*(sum of alpha_i*v_i)", "g_j = alpha_j*(v_j - c)"],
        ),
        Step("Compute the context.", [f"c = {terms}", f"c = {ctx:g}"]),
        Step("Insert the numbers.", [f"g[1] = {al[0]:g}*({v[0]:g} - ({ctx:g}))", f"g = {[round(x, 4) for x in g]}"]),
        Step("A score has the derivative 0 if its value equals the context."),
    ]


@drill(
    SCORE_GRADIENT,
    tier=3,
    asks=(derive("g_j"), "g", "zero"),
    steps=_gradient_steps,
    prompt="The weights alpha = softmax(e) give the context c, the sum of alpha_j v_j with scalar values v_j.\n"
    "Derive g_j, the derivative of c with respect to the score e_j, in terms of alpha_j, v_j and c. What are the "
    "derivatives g for the weights {al} and the values {v}? Which score has the derivative 0 (zero)?",
    hints=(
        "A larger score raises its own weight. What happens to the other weights?",
        "The softmax has d alpha_i/d e_j = alpha_i ([i = j] - alpha_j).",
        "First step: write the derivative as alpha_j v_j minus alpha_j times a sum over all positions.",
    ),
    mistakes=[
        Mistake(
            "normalizer-left-out",
            "g_j = alpha_j*v_j; g[j] = al[j]*v[j]",
            "You treated the normalizer of the softmax as a constant. It grows with e_j, which lowers all weights.",
        ),
        Mistake(
            "diagonal-only",
            "g_j = alpha_j*(1 - alpha_j)*v_j; g[j] = al[j]*(1 - al[j])*v[j]",
            "You used the change of alpha_j only. The other weights change too, and with them their values' shares.",
        ),
        Mistake(
            "weight-left-out",
            "g_j = v_j - c; g[j] = v[j] - ctx",
            "You left out alpha_j. A position with little weight has little influence.",
        ),
        Mistake(
            "another-score",
            "zero = 1 + [v[1] = ctx] + [v[2] != ctx]*[v[1] != ctx]",
            "Look for the value that equals the context. Moving weight to or from it does not change the mean.",
        ),
    ],
)
def attention_score_gradient(rng: Random) -> Inputs:
    """Gradient of the context with respect to the scores"""
    weights = rng.choice([(5, 3, 2), (6, 3, 1), (4, 3, 3), (5, 4, 1), (7, 2, 1), (4, 4, 2), (3, 5, 2), (1, 6, 3)])
    center, step, (one, two, middle) = rng.randint(-2, 3), rng.choice([-1, 1]), rng.sample(range(3), 3)
    v = [0, 0, 0]
    v[one], v[two], v[middle] = center + step * weights[two], center - step * weights[one], center
    variables = {"alpha_j": [0.05, 0.95], "v_j": [-5, 5], "c": [-5, 5]}
    return dict(al=[weight / 10 for weight in weights], v=v, variables=variables)


@drill(
    QUERY_GRADIENT,
    id="attention-score-gradient:query",
    tier=3,
    asks=("c", "g_q"),
    visualization="table k v",
    prompt="One query q = {q} attends to three positions with the scalar keys k = {k} and values v = {v}. The scores "
    "are e_j = q k_j, and the weights are their softmax.\n"
    "What are the context c and its derivative g_q with respect to the query?",
    hint="On which paths does q change the context? Each score has its own derivative of the context.",
    mistakes=[
        Mistake(
            "no-softmax",
            "c = sum(j, q*k[j]*v[j])",
            "You weighted the values by the scores. Apply softmax to the scores first.",
        ),
        Mistake(
            "normalizer-left-out",
            "g_q = sum(j, a[j]*k[j]*v[j])",
            "You treated the normalizer of the softmax as a constant. Subtract the context from each value.",
        ),
        Mistake(
            "keys-left-out",
            "g_q = sum(j, a[j]^2*(v[j] - c))",
            "You left out the keys. The score e_j = q k_j has the derivative k_j.",
        ),
        Mistake(
            "weights-left-out",
            "g_q = sum(j, k[j]*(v[j] - c))",
            "You left out the attention weights. The derivative with respect to e_j is a_j (v_j - c).",
        ),
    ],
)
def attention_query_gradient(rng: Random) -> Inputs:
    """Gradient of the context with respect to the query"""
    return dict(q=rng.choice([-1, -0.5, 0.5, 1, 1.5]), k=rng.sample(range(-2, 4), 3), v=rng.sample(range(-3, 6), 3))


def _tenths(rng: Random, count: int) -> list[int]:
    """Return positive integers that add up to 10."""
    cuts = sorted(rng.sample(range(1, 10), count - 1))
    return [b - a for a, b in zip([0, *cuts], [*cuts, 10], strict=True)]


def _attention_matrix(rng: Random, bug: str) -> list[list[float]]:
    if bug == "query":
        row = [value / 10 for value in _tenths(rng, 3)]
        return [list(row) for _ in range(3)]
    if bug == "mask":
        first, second = _tenths(rng, 2), _tenths(rng, 3)
        return [[1, 0, 0], [first[0] / 10, first[1] / 10, 0], [value / 10 for value in second]]
    if bug == "exponentials":
        return [[rng.choice([0.37, 0.61, 1, 1.65, 2.72, 4.48]) for _ in range(3)] for _ in range(3)]
    columns = [_tenths(rng, 3) for _ in range(3)]
    return [[column[i] / 10 for column in columns] for i in range(3)]


@drill(
    WRONG_AXIS,
    tier=2,
    asks=("r", "bug", "x"),
    visualization="matrices A",
    prompt="A cross-attention matrix has a row per target position and a column per source position:\n  A = {A}\n"
    "What are its row sums r, and what is the problem (bug)? If all encoder states equal {u}, what is the context "
    "vector x of the second target position, computed with this matrix?",
    hint="What must the weights of one target position add up to? Compare rows and columns.",
    mistakes=[
        Mistake(
            "column-sums",
            {"r": lambda A, u: [sum(column) for column in zip(*A, strict=True)]},
            "You added up the columns. The weights of a target position are in a row.",
        ),
        Mistake(
            "mean-of-the-row",
            "r[i] = mean(j, A[i, j])",
            "You divided by the number of source positions. A row sum is not divided.",
        ),
        Mistake(
            "another-problem",
            {"bug": lambda A, u: "mask" if A[0][2] else "query"},
            "Compare the sums of the rows with those of the columns, and the rows with each other.",
        ),
        Mistake(
            "correct-softmax",
            "x[k] = u[k]",
            "That is the context with weights that add up to 1. Multiply by the sum of this row.",
        ),
        Mistake(
            "column-for-row",
            "x[k] = sum(i, A[i, 2])*u[k]",
            "You used the second column. The second target position has the second row.",
        ),
        Mistake(
            "first-row",
            "x[k] = r[1]*u[k]",
            "You used the first row. The second target position has the second row.",
        ),
        Mistake(
            "divided-by-count",
            "x[k] = r[2]*u[k]/len(A)",
            "A context is a weighted sum. It is not divided by the count.",
        ),
    ],
)
def attention_wrong_axis(rng: Random) -> Inputs:
    """Problems of an attention matrix"""
    bug = rng.choice(["axis", "exponentials", "query", "mask"])
    A = _attention_matrix(rng, bug)
    if bug == "axis" and (any(sum(row) == 1 for row in A) or A[0] == A[1]):
        raise UndefinedValue("a row adds up to 1 by accident")
    return dict(A=A, u=[rng.choice([1, 2, 3]), rng.choice([-3, -2, -1, 4])])


@drill(
    ATTENTION_STEP,
    id="chain-attention-step",
    tier=3,
    asks=("a", "c", "L", "g_e"),
    visualization="matrices s H",
    prompt="A decoder in the state s = {s} attends to encoder states, one per row, by dot-product scores:\n  H = "
    "{H}\n"
    "The two entries of the context c are the logits of two words, and the first word is correct.\n"
    "What are the attention weights a, the context c, the cross-entropy L, and its derivatives g_e with respect to the "
    "scores?\n"
    "Conventions: natural logarithm.",
    hints=(
        "Go backward: from the loss to the logits, and from the context to the scores.",
        "The derivative of L with respect to c is softmax(c) - (1, 0). That of c with respect to e_j is a_j (h_j - c).",
        "First step: compute the three dot products, and their softmax.",
    ),
    mistakes=[
        SCORES_NORMALIZED,
        NO_SOFTMAX,
        BEST_STATE_ONLY,
        Mistake(
            "other-word",
            "L = ln(sum(k, exp(c[k]))) - c[2]",
            "That is the loss of the second word. The first word is correct.",
        ),
        Mistake(
            "normalizer-left-out",
            "g_e[j] = a[j]*sum(k, g_c[k]*H[j, k])",
            "You treated the normalizer of the softmax as a constant. Use h_j - c in place of h_j.",
        ),
        Mistake(
            "weight-left-out",
            "g_e[j] = sum(k, g_c[k]*(H[j, k] - c[k]))",
            "You left out a_j. A state with little weight has little influence.",
        ),
    ],
)
def chain_attention_step(rng: Random) -> Inputs:
    """Attention, loss and gradient"""
    s = [rng.choice([0, 0.5, 0.6931, 1, 1.0986, -0.5, -1]) for _ in range(2)]
    H = _small(rng, 3, 2)
    if s[0] == s[1]:
        raise UndefinedValue("equal entries of the decoder state")
    values = ATTENTION_STEP.evaluate(dict(s=exact(s), H=H))
    if len({*values["score"]}) == 1 or abs(values["c"][0] - values["c"][1]) < 0.05:
        raise UndefinedValue("equal scores, or equal entries of the context")
    return dict(s=s, H=H)
