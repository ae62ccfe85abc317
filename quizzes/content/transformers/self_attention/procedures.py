"""Self-attention and positional encoding: procedures."""

from collections.abc import Iterator

from quizzes.content.transformers.self_attention.formulas import SELF_ATTENTION
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, list_text, procedure
from quizzes.question import Visualization

Rows = list[list[Value]]


@procedure(
    "self-attention",
    SELF_ATTENTION,
    title="Scaled dot-product attention, query by query",
    example=dict(Q=[[1, 0], [0, 1], [1, 1]], K=[[1, 0], [0, 1], [1, 1]], V=[[1, 2], [3, 4], [5, 6]], d_k=2),
)
def self_attention(Q: Rows, K: Rows, V: Rows, d_k: int) -> Iterator[State]:
    """For each query, score every key, turn the scores into weights by softmax, and average the values."""
    result = SELF_ATTENTION.evaluate(dict(Q=Q, K=K, V=V, d_k=d_k))
    S, A, O = (result[name] for name in ("S", "A", "O"))
    for i, q in enumerate(Q):
        number = i + 1
        products = [sum(a * b for a, b in zip(q, key, strict=True)) for key in K]
        values = dict(query=number, products=products, S=S[:number])
        scaled = f"divided by sqrt({d_k}): {list_text(S[i])}"
        yield State(
            f"Query {number}: its dot products with the keys are {list_text(products)}, {scaled}. The division keeps "
            "the variance of the scores independent of d_k.",
            dict(values, A=A[:i], O=O[:i]),
            Visualization("matrices", dict(Q=Q, K=K, S=S[:number])),
        )
        yield State(
            f"Query {number}: softmax turns the scores into weights that add up to 1: {list_text(A[i])}.",
            dict(values, A=A[:number], O=O[:i]),
            Visualization("matrices", dict(S=S[:number], A=A[:number])),
        )
        terms = " + ".join(f"{in_parentheses(a)}*{list_text(row)}" for a, row in zip(A[i], V, strict=True))
        yield State(
            f"Query {number}: the output is the weighted mean of the values: {terms} = {list_text(O[i])}.",
            dict(values, A=A[:number], O=O[:number]),
            Visualization("matrices", dict(A=A[:number], V=V, O=O[:number])),
        )
