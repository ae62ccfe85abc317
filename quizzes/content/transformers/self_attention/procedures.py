"""Self-attention and positional encoding: procedures."""

from collections.abc import Iterator

from quizzes.content.transformers.self_attention.formulas import MASKED_ATTENTION, SELF_ATTENTION
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, list_text, number_text, procedure
from quizzes.question import Params, Visualization

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


@procedure(
    "masked-attention",
    MASKED_ATTENTION,
    title="The attention matrix with masks: scores, mask, softmax, output",
    example=dict(Q=[[1, 0], [0, 1], [1, 1]], K=[[1, 0], [1, 1], [0, 1]], V=[[1, 0], [0, 2], [3, 1]]),
)
def masked_attention(
    Q: Rows, K: Rows, V: Rows, mask: str, scale: str, length: int | None = None, M: Rows | None = None
) -> Iterator[State]:
    """Compute all scores, hide keys by the masks, apply the softmax to each row, and average the values."""
    inputs = dict(Q=Q, K=K, V=V, mask=mask, scale=scale, length=length, M=M)
    result = MASKED_ATTENTION.evaluate({name: value for name, value in inputs.items() if value is not None})
    S, A, O, visible, d = (result[name] for name in ("S", "A", "O", "visible", "d"))
    products = [[sum(a * b for a, b in zip(q, k, strict=True)) for k in K] for q in Q]
    values: Params = dict(queries=len(Q), keys=len(K), products=products)

    def state(caption: str, drawing: Params, **new: object) -> State:
        values.update(new)
        return State(caption, dict(values), Visualization("matrices", drawing))

    yield state(
        f"Q K^T: the dot product of each of the {len(Q)} queries with each of the {len(K)} keys.",
        dict(Q=Q, K=K, QK=products),
    )
    division = f"Divide by the square root of the key dimension, sqrt({d})" if scale == "yes" else "No division"
    yield state(f"{division}: these are the scores S, a row per query.", dict(S=S), S=S, d=d)
    hidden = sum(not flag for row in visible for flag in row)
    yield state(
        f"The masks hide {hidden} of the {len(Q) * len(K)} pairs (0 in the matrix). Their scores become minus "
        "infinity, "
        "before the softmax.",
        dict(S=S, visible=visible),
        visible=visible,
        hidden=hidden,
        pairs=len(Q) * len(K),
    )
    for i, row in enumerate(A):
        query = i + 1
        keys = [j + 1 for j, flag in enumerate(visible[i]) if flag]
        yield state(
            f"Query {query} sees the keys {list_text(keys)}. The softmax over their scores gives the weights "
            f"{list_text(row)}.",
            dict(S=S, A=A[:query]),
            query=query,
            visible_keys=keys,
            A=A[:query],
        )
    for i, row in enumerate(O):
        query = i + 1
        terms = [f"{number_text(a)}*{list_text(v)}" for a, v in zip(A[i], V, strict=True) if a]
        yield state(
            f"Query {query}: the output is the weighted mean of the visible values: {' + '.join(terms)} = "
            f"{list_text(row)}.",
            dict(A=A, V=V, O=O[:query]),
            query=query,
            O=O[:query],
        )
