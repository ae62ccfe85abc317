"""Attention: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector, Word
from workbench.errors import UserError

LUONG = "Luong, Pham & Manning, Effective Approaches to Attention-based NMT, 2015 (arXiv:1508.04025), section 3.1"

BAHDANAU = "Bahdanau, Cho & Bengio, 2015 (arXiv:1409.0473), section 3.1 and appendix A.1.2"

WEIGHTS_AND_CONTEXT = """
    a[j] = exp(score[j])/sum(m, exp(score[m]))
    c[k] = sum(j, a[j]*H[j, k])
"""

DECODER_STATE = Vector(meaning="decoder state")

ENCODER_STATES = Matrix(meaning="encoder states, a row per source position")

# What attention of a decoder state computes.
OUTPUTS: dict[str, Any] = dict(
    score=Vector(meaning="scores, one per source position"),
    a=Vector(meaning="attention weights alpha"),
    c=Vector(meaning="context vector"),
)


DOT_ATTENTION = Formula(
    "dot-attention",
    f"""
    score[j] = sum(k, s[k]*H[j, k])
    {WEIGHTS_AND_CONTEXT}
    """,
    title="Attention of a decoder state with dot-product scores",
    source=LUONG,
    s=DECODER_STATE,
    H=ENCODER_STATES,
    **OUTPUTS,
)


GENERAL_ATTENTION = Formula(
    "general-attention",
    f"""
    score[j] = sum(i, sum(k, s[i]*W[i, k]*H[j, k]))
    {WEIGHTS_AND_CONTEXT}
    """,
    title="Attention of a decoder state with general (bilinear) scores",
    source=LUONG,
    s=DECODER_STATE,
    H=ENCODER_STATES,
    W=Matrix(meaning="weights of the score s W h, a row per entry of s"),
    **OUTPUTS,
)


ADDITIVE_ATTENTION = Formula(
    "additive-attention",
    f"""
    score[j] = sum(m, v[m]*tanh(sum(k, W_s[m, k]*s[k]) + sum(k, W_h[m, k]*H[j, k])))
    {WEIGHTS_AND_CONTEXT}
    """,
    title="Attention of a decoder state with additive scores",
    source=BAHDANAU,
    s=DECODER_STATE,
    H=ENCODER_STATES,
    W_s=Matrix(meaning="weights of the decoder state"),
    W_h=Matrix(meaning="weights of the encoder states"),
    v=Vector(meaning="weights of the output of tanh"),
    **OUTPUTS,
)


TWO_STATES = Formula(
    "two-state-attention",
    "c = h2 + (h1 - h2)/(1 + exp(-d))",
    title="Attention over two encoder states of size 1",
    source="derivation: the softmax of (e1, e2) gives h1 the weight 1/(1 + exp(e2 - e1))",
    h1=Real(-1000, 1000, "first encoder state"),
    h2=Real(-1000, 1000, "second encoder state"),
    d=Real(-20, 20, "difference of the scores, e1 - e2"),
    c=Real(meaning="context"),
)


SCORES = dict(e1="e1", e2="e2", e3="e3")

SCORE_GRADIENT = Formula(
    "attention-score-gradient",
    """
    g_j = alpha_j*(v_j - c)
    ctx = sum(j, al[j]*v[j])
    g[j] = al[j]*(v[j] - ctx)
    zero = sum(j, j*[v[j] = ctx])
    """,
    title="Gradient of the context with respect to a score",
    source="derivation: a softmax has d alpha_i/d e_j = alpha_i ([i = j] - alpha_j), so dc/de_j = alpha_j v_j - "
    "alpha_j sum alpha_i v_i",
    alpha_j=Real(0.05, 0.95, "weight of position j"),
    v_j=Real(-5, 5, "value of position j"),
    c=Real(-5, 5, "context"),
    al=Vector(0, 1, "attention weights"),
    v=Vector(meaning="values"),
    g_j=Real(meaning="derivative of c with respect to the score e_j"),
    ctx=Real(meaning="context of these weights and values"),
    g=Vector(meaning="derivatives of the context with respect to the scores"),
    zero=Choice(meaning="score whose derivative is 0", options=SCORES, supported_by="g"),
)


QUERY_GRADIENT = Formula(
    "attention-query-gradient",
    """
    a[j] = exp(q*k[j])/sum(m, exp(q*k[m]))
    c = sum(j, a[j]*v[j])
    g_q = sum(j, a[j]*k[j]*(v[j] - c))
    """,
    title="Gradient of the context with respect to the query",
    source="derivation: dc/de_j = a_j (v_j - c), and e_j = q k_j has the derivative k_j with respect to q",
    q=Real(-100, 100, "query"),
    k=Vector(meaning="keys"),
    v=Vector(meaning="values"),
    a=Vector(meaning="attention weights"),
    c=Real(meaning="context"),
    g_q=Real(meaning="derivative of the context with respect to the query"),
)


def _diagnose_axis(A: list[list[Value]], u: list[Value]) -> dict[str, str]:
    if len(A) != len(A[0]) or len(A) < 2:
        raise UserError("A must be a square matrix with at least two rows.")
    if any(A[i][j] for i in range(len(A)) for j in range(i + 1, len(A))):
        rows, columns = ([float(sum(line)) for line in lines] for lines in (A, zip(*A, strict=True)))
        are_rows, are_columns = (all(abs(total - 1) < 1e-3 for total in totals) for totals in (rows, columns))
        return {"bug": "query" if are_rows else "axis" if are_columns else "exponentials"}
    return {"bug": "mask"}


WRONG_AXIS = Formula(
    "attention-wrong-axis",
    """
    r[i] = sum(j, A[i, j])
    x[k] = r[2]*u[k]
    """,
    title="Problems of an attention matrix",
    source="derivation: the weights of one target position must be positive and add up to 1 over the source positions",
    procedure=_diagnose_axis,
    procedure_outputs="bug",
    A=Matrix(0, meaning="attention matrix, a row per target position"),
    u=Vector(meaning="the encoder state of every source position"),
    r=Vector(meaning="row sums"),
    bug=Choice(
        meaning="problem",
        options=dict(
            axis="the softmax runs over the target positions",
            exponentials="the exponentials are not normalized",
            query="the scores do not depend on the target position",
            mask="a causal mask hides source positions",
        ),
        supported_by="r",
    ),
    x=Vector(meaning="context vector of the second target position"),
)


ATTENTION_STEP = Formula(
    "attention-step",
    f"""
    score[j] = sum(k, s[k]*H[j, k])
    {WEIGHTS_AND_CONTEXT}
    L = ln(sum(k, exp(c[k]))) - c[1]
    g_c[k] = exp(c[k])/sum(m, exp(c[m])) - [k = 1]
    g_e[j] = a[j]*sum(k, g_c[k]*(H[j, k] - c[k]))
    """,
    title="Attention with the context as logits: loss and gradient",
    source="derivation: the cross-entropy has dL/dc = softmax(c) - (1, 0, ...), and dc/de_j = a_j (h_j - c)",
    s=DECODER_STATE,
    H=ENCODER_STATES,
    **OUTPUTS,
    L=Real(0, meaning="cross-entropy of the first word"),
    g_c=Vector(meaning="derivatives of the loss with respect to the context"),
    g_e=Vector(meaning="derivatives of the loss with respect to the scores"),
)


def _read_mask(
    X: list[list[Value]], W_q: Any, W_k: Any, W_v: Any, scale: str, mask: str, M: list[list[Value]] | None = None
) -> dict[str, Any]:
    tokens = len(X)
    if M is None:
        M = [[int(mask == "none" or j <= i) for j in range(tokens)] for i in range(tokens)]
    if len(M) != tokens or len(M[0]) != tokens or any(value not in (0, 1) for row in M for value in row):
        raise UserError(f"M must have {tokens} rows and columns of 0 (hidden) and 1 (visible), one per token.")
    for i, row in enumerate(M, 1):
        if not any(row):
            raise UserError(f"Row {i} of M hides every key. Leave at least one 1 per row.")
    return {"visible": M, "d": len(W_q[0]) if scale == "yes" else 1}


ATTENTION_FROM_X = Formula(
    "attention-from-x",
    """
    Q[i, k] = sum(m, X[i, m]*W_q[m, k])
    K[i, k] = sum(m, X[i, m]*W_k[m, k])
    V[i, k] = sum(m, X[i, m]*W_v[m, k])
    S[i, j] = sum(k, Q[i, k]*K[j, k])/sqrt(d)
    A[i, j] = visible[i, j]*exp(S[i, j])/sum(m, visible[i, m]*exp(S[i, m]))
    O[i, k] = sum(j, A[i, j]*V[j, k])
    """,
    title="Self-attention from inputs and weight matrices",
    source="Vaswani et al., Attention Is All You Need, 2017 (arXiv:1706.03762), section 3.2.1",
    conventions="""
Q = X W_q, K = X W_k, V = X W_v, without biases. The key dimension is the number
of columns of W_q; scale=no leaves out the division by its square root. A mask is
none, causal, or a matrix M with 1 for visible and 0 for hidden keys.
""",
    procedure=_read_mask,
    procedure_outputs="visible d",
    X=Matrix(meaning="inputs, a row per token"),
    W_q=Matrix(meaning="weights of the queries"),
    W_k=Matrix(meaning="weights of the keys"),
    W_v=Matrix(meaning="weights of the values"),
    scale=Word(words=("yes", "no"), meaning="division by sqrt(d_k)", default="yes"),
    mask=Word(words=("none", "causal"), meaning="mask", default="none"),
    M=Matrix(0, 1, "mask as a matrix, 1 for visible keys", optional=True),
    visible=Matrix(meaning="visible keys, a row per query"),
    d=Int(meaning="key dimension, whose square root divides the scores; 1 without scaling"),
    Q=Matrix(meaning="queries"),
    K=Matrix(meaning="keys"),
    V=Matrix(meaning="values"),
    S=Matrix(meaning="scores"),
    A=Matrix(meaning="attention weights, a row per query"),
    O=Matrix(meaning="output, a row per query"),
)
