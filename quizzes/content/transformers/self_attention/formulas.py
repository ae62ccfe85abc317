"""Self-attention and positional encoding: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix

SELF_ATTENTION = Formula(
    "self-attention",
    """
    S[i, j] = sum(k, Q[i, k]*K[j, k])/sqrt(d_k)
    A[i, j] = exp(S[i, j])/sum(m, exp(S[i, m]))
    O[i, k] = sum(j, A[i, j]*V[j, k])
    """,
    title="Scaled dot-product attention",
    source="Vaswani et al., Attention Is All You Need, 2017 (arXiv:1706.03762)",
    Q=Matrix(meaning="queries, one row per token"),
    K=Matrix(meaning="keys, one row per token"),
    V=Matrix(meaning="values, one row per token"),
    d_k=Int(1, 512, "key dimension"),
    S=Matrix(meaning="scaled scores"),
    A=Matrix(meaning="attention weights, one row per query"),
    O=Matrix(meaning="output, one row per query"),
)
