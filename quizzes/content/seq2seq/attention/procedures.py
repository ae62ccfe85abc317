"""Attention: procedures."""

from collections.abc import Iterator

from quizzes.content.seq2seq.attention.formulas import ATTENTION_FROM_X, DOT_ATTENTION
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, list_text, number_text, procedure
from quizzes.question import Params, Visualization

Rows = list[list[Value]]


def _weighted_sum(weights: list[Value], rows: Rows) -> str:
    """Return the text of a sum of rows with weights; rows with the weight 0 are left out."""
    terms = [f"{in_parentheses(a)}*{list_text(row)}" for a, row in zip(weights, rows, strict=True) if a]
    return " + ".join(terms)


@procedure(
    "dot-attention",
    DOT_ATTENTION,
    title="Attention of a decoder state: scores, weights, context",
    example=dict(s=[2, 1], H=[[1, 0], [0, 1], [1, 1]]),
)
def dot_attention(s: list[Value], H: Rows) -> Iterator[State]:
    """Score each encoder state, turn the scores into weights by softmax, and average the states."""
    result = DOT_ATTENTION.evaluate(dict(s=s, H=H))
    score, a, c = (result[name] for name in ("score", "a", "c"))
    values: Params = {}
    for j, h in enumerate(H):
        position = j + 1
        products = [f"{number_text(x)}*{in_parentheses(y)}" for x, y in zip(s, h, strict=True)]
        values = dict(position=position, score=score[:position])
        yield State(
            f"Position {position}: the score is the dot product of the decoder state and the encoder state: "
            f"{' + '.join(products)} = {number_text(score[j])}.",
            values,
            Visualization("matrices", dict(s=s, H=H, score=score[:position])),
        )
    yield State(
        f"Softmax turns the scores into weights that add up to 1: {list_text(a)}.",
        dict(values, a=a),
        Visualization("matrices", dict(score=score, a=a)),
    )
    yield State(
        f"The context is the weighted mean of the encoder states: {_weighted_sum(a, H)} = {list_text(c)}.",
        dict(values, a=a, c=c),
        Visualization("matrices", dict(a=a, H=H, c=c)),
    )


@procedure(
    "attention-from-x",
    ATTENTION_FROM_X,
    title="Self-attention from inputs and weight matrices, query by query",
    example=dict(
        X=[[1, 0], [0, 1], [1, 1]],
        W_q=[[1, 0], [0, 2]],
        W_k=[[0, 1], [1, 0]],
        W_v=[[1, 2], [3, 4]],
    ),
)
def attention_from_x(
    X: Rows, W_q: Rows, W_k: Rows, W_v: Rows, scale: str, mask: str, M: Rows | None = None
) -> Iterator[State]:
    """Project the inputs; for each query, score the visible keys, apply softmax, and average the values."""
    inputs = dict(X=X, W_q=W_q, W_k=W_k, W_v=W_v, scale=scale, mask=mask, M=M)
    result = ATTENTION_FROM_X.evaluate({name: value for name, value in inputs.items() if value is not None})
    Q, K, V, S, A, O = (result[name] for name in ("Q", "K", "V", "S", "A", "O"))
    visible, d = result["visible"], result["d"]
    values = dict(Q=Q, K=K, V=V, visible=visible, d=d)
    yield State(
        f"Multiply X by each weight matrix: queries Q = X W_q, keys K = X W_k, values V = X W_v. The {len(X)} rows "
        "belong to the tokens.",
        dict(values, tokens=len(X)),
        Visualization("matrices", dict(Q=Q, K=K, V=V)),
    )
    for i, row in enumerate(S):
        query = i + 1
        division = f", divided by sqrt({d})" if scale == "yes" else ""
        hidden = [j + 1 for j, flag in enumerate(visible[i]) if not flag]
        keys = f" The mask hides the keys {list_text(hidden)}: their weights are 0." if hidden else ""
        values |= dict(query=query, hidden=hidden, S=S[:query], A=A[:i], O=O[:i])
        yield State(
            f"Query {query}: its dot products with the keys{division}, are the scores {list_text(row)}.{keys}",
            dict(values),
            Visualization("matrices", dict(Q=Q, K=K, S=S[:query])),
        )
        values |= dict(A=A[:query])
        yield State(
            f"Query {query}: softmax over the {'visible ' if hidden else ''}keys gives weights that add up to 1: "
            f"{list_text(A[i])}.",
            dict(values),
            Visualization("matrices", dict(S=S[:query], A=A[:query])),
        )
        values |= dict(O=O[:query])
        yield State(
            f"Query {query}: the output is the weighted mean of the values: {_weighted_sum(A[i], V)} = "
            f"{list_text(O[i])}.",
            dict(values),
            Visualization("matrices", dict(A=A[:query], V=V, O=O[:query])),
        )
