"""Self-attention and positional encoding: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber, Match, Order
from quizzes.content.transformers.shared import (
    BATCH_SIZE,
    GROUPED_QUERIES,
    HEAD_SIZE,
    HIDDEN_WIDTH,
    LAYER_SYMBOLS,
    MODEL_WIDTH,
    NUM_HEADS,
    RMS_NORM,
    SEQUENCE_LENGTH,
    SWIGLU,
    VASWANI,
    VOCABULARY_SIZE,
    check_heads,
    layer_parameters,
    table_of,
)
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Shape, Table, Vector, Word
from workbench.errors import UserError

Rows = list[list[Value]]

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


TWO_KEYS = Formula(
    "two-key-attention",
    "a = 1/(1 + exp((x2 - x1)/sqrt(d_k)))",
    title="Attention of a query to two keys",
    source=f"{VASWANI}; derivation: the softmax of (x1, x2)/sqrt(d_k) gives the first key 1/(1 + exp((x2 - "
    "x1)/sqrt(d_k)))",
    x1=Real(-10000, 10000, "dot product of the query and the first key"),
    x2=Real(-10000, 10000, "dot product of the query and the second key"),
    d_k=Int(1, 512, "key dimension"),
    a=Real(0, 1, "attention weight of the first key"),
)


CAUSAL_ATTENTION = Formula(
    "causal-attention",
    """
    S[i, j] = sum(k, Q[i, k]*K[j, k])/sqrt(d_k)
    A[i, j] = [j <= i]*exp(S[i, j])/sum(m, [m <= i]*exp(S[i, m]))
    O[i, k] = sum(j, A[i, j]*V[j, k])
    """,
    title="Scaled dot-product attention with a causal mask",
    source=f"{VASWANI}, section 3.2.3: scores of later positions are set to minus infinity before the softmax",
    Q=Matrix(meaning="queries, one row per token"),
    K=Matrix(meaning="keys, one row per token"),
    V=Matrix(meaning="values, one row per token"),
    d_k=Int(1, 512, "key dimension"),
    S=Matrix(meaning="scaled scores, before the mask"),
    A=Matrix(meaning="attention weights, one row per query"),
    O=Matrix(meaning="output, one row per query"),
)


def visible_keys(queries: int, keys: int, mask: str, length: int | None = None, M: Rows | None = None) -> Rows:
    """Return 1 for each visible key of each query, and 0 for each hidden one.

    Args:
        queries: The number of queries.
        keys: The number of keys.
        mask: none or causal; the last query sees all keys.
        length: The number of keys before the padding; None for no padding.
        M: A further mask; None for no other.

    Raises:
        UserError: If the masks don't fit, or hide every key of a query.
    """
    if mask == "causal" and queries > keys:
        raise UserError(f"A causal mask needs at least as many keys as queries, not {keys} for {queries}.")
    if M is not None and (len(M), len(M[0])) != (queries, keys):
        raise UserError(f"M must have a row per query and a column per key: {queries}x{keys}.")
    if length is not None and length > keys:
        raise UserError(f"length must be at most the number of keys, {keys}, not {length}.")
    visible = [
        [
            int(
                (mask == "none" or j <= i + keys - queries)
                and (length is None or j < length)
                and (M is None or M[i][j] != 0)
            )
            for j in range(keys)
        ]
        for i in range(queries)
    ]
    for i, row in enumerate(visible, 1):
        if not any(row):
            raise UserError(f"The masks hide every key of query {i}. Leave at least one visible.")
    return visible


def _masked(
    Q: Rows, K: Rows, mask: str, scale: str, length: int | None = None, M: Rows | None = None, **_: Any
) -> dict[str, Any]:
    return {"visible": visible_keys(len(Q), len(K), mask, length, M), "d": len(Q[0]) if scale == "yes" else 1}


MASK_SYMBOLS: dict[str, Any] = dict(
    mask=Word(words=("causal", "none"), meaning="mask", default="causal"),
    scale=Word(words=("yes", "no"), meaning="division by sqrt(d_k)", default="yes"),
    length=Int(1, 1000, "number of keys before the padding, all by default", optional=True),
    M=Matrix(0, 1, "further mask, 1 for visible keys", optional=True),
)


MASKED_ATTENTION = Formula(
    "masked-attention",
    """
    S[i, j] = sum(k, Q[i, k]*K[j, k])/sqrt(d)
    A[i, j] = visible[i, j]*exp(S[i, j])/sum(m, visible[i, m]*exp(S[i, m]))
    O[i, k] = sum(j, A[i, j]*V[j, k])
    """,
    title="Attention on given Q, K, V with causal and padding masks",
    source=f"{VASWANI}, sections 3.2.1 and 3.2.3",
    conventions="""
Masks apply together: mask=causal hides later keys (with more keys than queries,
the last query sees all keys, as with a cache), length=n hides the keys after
the first n, and M hides those with 0. d_k is the number of columns of Q.
""",
    procedure=_masked,
    procedure_outputs="visible d",
    Q=Matrix(meaning="queries, one row per token"),
    K=Matrix(meaning="keys, one row per token"),
    V=Matrix(meaning="values, one row per token"),
    **MASK_SYMBOLS,
    visible=Matrix(meaning="visible keys, one row per query"),
    d=Int(meaning="key dimension, whose square root divides the scores; 1 without scaling"),
    S=Matrix(meaning="scores, before the mask"),
    A=Matrix(meaning="attention weights, one row per query"),
    O=Matrix(meaning="output, one row per query"),
)


def _multi_head(Q: Rows, K: Rows, V: Rows, heads: int, **masks: Any) -> dict[str, Any]:
    for name, rows in (("Q", Q), ("K", K), ("V", V)):
        if len(rows[0]) % heads:
            raise UserError(f"The columns of {name} ({len(rows[0])}) must be a multiple of heads ({heads}).")
    if len(K) != len(V):
        raise UserError(f"K has {len(K)} rows and V has {len(V)}. Give both the same number of rows.")
    outputs: Rows = [[] for _ in Q]
    weights: Rows = []
    for head in range(heads):
        q, k, v = (
            [row[head * len(row) // heads : (head + 1) * len(row) // heads] for row in rows] for rows in (Q, K, V)
        )
        values = MASKED_ATTENTION.solve(
            Q=q, K=k, V=v, **{name: value for name, value in masks.items() if value is not None}
        )
        outputs = [row + part for row, part in zip(outputs, values["O"], strict=True)]
        weights += values["A"]
    return {"A": weights, "O": outputs, "d_k": len(Q[0]) // heads}


MULTI_HEAD_ATTENTION = Formula(
    "multi-head-attention",
    "",
    statement="""
head_h = softmax(Q_h K_hᵀ/√d_k) V_h, with a softmax over each row
O = [head_1, head_2, ...], side by side
""",
    title="Multi-head attention on given Q, K, V",
    source=f"{VASWANI}, section 3.2.2",
    conventions="The columns of Q, K and V are split into heads of neighboring columns, and the outputs of the heads "
    "are concatenated. Projections are not applied.",
    procedure=_multi_head,
    procedure_outputs="A O d_k",
    Q=Matrix(meaning="queries, one row per token"),
    K=Matrix(meaning="keys, one row per token"),
    V=Matrix(meaning="values, one row per token"),
    heads=Int(1, 64, "number of heads", default=1),
    **MASK_SYMBOLS,
    d_k=Int(meaning="head size"),
    A=Matrix(meaning="attention weights, one row per query, head after head"),
    O=Matrix(meaning="concatenated outputs of the heads, one row per query"),
)


TWO_HEADS = Formula(
    "two-head-attention",
    """
    S1[i, j] = (Q[i, 1]*K[j, 1] + Q[i, 2]*K[j, 2])/sqrt(2)
    S2[i, j] = (Q[i, 3]*K[j, 3] + Q[i, 4]*K[j, 4])/sqrt(2)
    A1[i, j] = exp(S1[i, j])/sum(m, exp(S1[i, m]))
    A2[i, j] = exp(S2[i, j])/sum(m, exp(S2[i, m]))
    O[i, k] = where(k <= 2, sum(j, A1[i, j]*V[j, k]), sum(j, A2[i, j]*V[j, k]))
    """,
    title="Attention with two heads of size 2",
    source=f"{VASWANI}, section 3.2.2",
    shapes="Q[n, 4]; K[n, 4]; V[n, 4]",
    Q=Matrix(meaning="queries, one row per token"),
    K=Matrix(meaning="keys, one row per token"),
    V=Matrix(meaning="values, one row per token"),
    S1=Matrix(meaning="scores of the first head"),
    S2=Matrix(meaning="scores of the second head"),
    A1=Matrix(meaning="attention weights of the first head"),
    A2=Matrix(meaning="attention weights of the second head"),
    O=Matrix(meaning="concatenated outputs, before the output projection"),
)


MASK_PAIRS = Formula(
    "causal-pairs",
    "N = T*(T + 1)/2",
    title="Query-key pairs that a causal mask leaves",
    source="derivation: the query at position i sees i keys, and 1 + 2 + ... + T = T(T + 1)/2",
    T=SEQUENCE_LENGTH,
    N=Int(1, meaning="number of visible query-key pairs"),
)


PADDED_ATTENTION = Formula(
    "padded-attention",
    """
    M[i, j] = [j <= i]*[j <= n] for i = 1..len(S), j = 1..len(S)
    N = sum(i, sum(j, M[i, j]))
    A[i, j] = M[i, j]*exp(S[i, j])/sum(m, M[i, m]*exp(S[i, m]))
    """,
    title="Attention weights with a causal mask and a padding mask",
    source="derivation: a key is visible if both masks allow it; hidden scores are minus infinity, so their "
    "exponentials are 0",
    S=Matrix(meaning="scaled scores, one row per query"),
    n=Int(1, 1000, "number of tokens before the padding"),
    M=Matrix(meaning="visible keys, one row per query"),
    N=Int(meaning="number of visible query-key pairs"),
    A=Matrix(meaning="attention weights, one row per query"),
)


def _match_weights(S: int, T: int, **_: Any) -> dict[str, dict[str, str]]:
    return {"sizes": dict(encoder="source", decoder="target", cross="both")}


THREE_ATTENTIONS = Formula(
    "three-attentions",
    """
    n_e = S^2
    n_d = T*(T + 1)/2
    n_c = T*S
    """,
    title="Visible query-key pairs in the three attentions of a Transformer",
    source=f"{VASWANI}, section 3.2.3: the queries of cross-attention belong to the decoder, its keys and values to "
    "the encoder",
    procedure=_match_weights,
    procedure_outputs="sizes",
    S=Int(1, 100000, "number of source tokens"),
    T=Int(1, 100000, "number of target tokens"),
    sizes=Match(
        meaning="size of the weights of each attention (rows are queries)",
        items=dict(
            encoder="self-attention of the encoder",
            decoder="self-attention of the decoder",
            cross="cross-attention",
        ),
        options=dict(source="{S}x{S}", target="{T}x{T}", both="{T}x{S}", swapped="{S}x{T}"),
    ),
    n_e=Int(meaning="visible pairs per head in the encoder's self-attention"),
    n_d=Int(meaning="visible pairs per head in the decoder's self-attention"),
    n_c=Int(meaning="visible pairs per head in cross-attention"),
)


def _diagnose_leak(A: Rows) -> dict[str, str]:
    if len(A) != len(A[0]) or len(A) < 4:
        raise UserError("A must be a square matrix with at least four rows.")
    reach = max(j - i for i, row in enumerate(A) for j, value in enumerate(row) if value)
    return {"bug": {1: "one", 2: "two"}.get(reach, "none")}


CAUSAL_LEAK = Formula(
    "causal-leak",
    """
    n = sum(i, sum(j, [j > i]*[A[i, j] > 0]))
    w = sum(i, sum(j, [j > i]*A[i, j]))
    r[j] = [j <= 2]*A[2, j]/(A[2, 1] + A[2, 2])
    """,
    title="Leaks of a causal mask in an attention matrix",
    source="derivation: query i may see keys 1 to i; a softmax over fewer keys divides their weights by their sum",
    procedure=_diagnose_leak,
    procedure_outputs="bug",
    A=Matrix(0, 1, "attention weights, one row per query"),
    n=Int(meaning="number of nonzero weights of later positions"),
    w=Real(0, meaning="sum of these weights over all rows"),
    r=Vector(meaning="row 2 with the correct mask and the same scores"),
    bug=Choice(
        meaning="problem of the mask",
        options=dict(
            one="each query also sees the next position",
            two="each query also sees the next two positions",
            none="the mask is not applied at all",
        ),
        supported_by="n w",
    ),
)


MHA_PARAMS = Formula(
    "mha-params",
    """
    P = 4*d*(d + 1)
    d_k = d/h
    """,
    title="Parameters of multi-head attention",
    source=f"{VASWANI}, section 3.2.2; derivation: W_Q, W_K, W_V and W_O have d x d weights each, however many heads "
    "share their columns, and d biases each",
    integer_constraints="d/h",
    d=MODEL_WIDTH,
    h=NUM_HEADS,
    P=Int(meaning="number of parameters, with biases"),
    d_k=Int(meaning="head size"),
)


MHA_BUDGET = Formula(
    "mha-budget",
    """
    d_k = floor((sqrt(M + 1) - 1)/(2*h))
    d = h*d_k
    P = 4*d*(d + 1)
    """,
    title="Largest width of multi-head attention within a parameter budget",
    source="derivation: 4d^2 + 4d <= M is (2d + 1)^2 <= M + 1, and d must be a multiple of the number of heads",
    M=Int(8, 1000000000000, "parameter budget"),
    h=NUM_HEADS,
    d_k=Int(meaning="head size"),
    d=Int(meaning="largest width that is a multiple of the number of heads"),
    P=Int(meaning="number of parameters of that attention"),
)


def _attention_table(width: int, heads: int, biases: str, **options: Any) -> dict[str, Any]:
    size, groups = check_heads(width, heads, **options)
    layers = {
        "W_q": (width, heads * size),
        "W_k": (width, groups * size),
        "W_v": (width, groups * size),
        "W_o": (heads * size, width),
    }
    table = [
        dict(layer=name, weights=i * o, biases=o * (biases == "yes"), parameters=(i + (biases == "yes")) * o)
        for name, (i, o) in layers.items()
    ]
    return {"table": table, "head_size_used": size, "params": sum(row["parameters"] for row in table)}


ATTENTION_PARAMS = Formula(
    "attention-params",
    "",
    title="Parameters of multi-head or grouped-query attention, from its configuration",
    source=f"{VASWANI}, section 3.2.2; {GROUPED_QUERIES}",
    procedure=_attention_table,
    procedure_outputs="table head_size_used params",
    width=MODEL_WIDTH,
    heads=NUM_HEADS,
    biases=Word(words=("yes", "no"), meaning="biases of the projections", default="yes"),
    kv_heads=Int(1, 1000, "number of key-value heads, that of the query heads by default", optional=True),
    head_size=Int(1, 10000, "head size, width/heads by default", optional=True),
    table=Table(meaning="parameters of each projection"),
    head_size_used=Int(meaning="head size"),
    params=Int(meaning="number of parameters"),
)


GROUPED_PARAMS = Formula(
    "grouped-query-params",
    """
    w = g*e
    P = 2*d*h*e + 2*d*w
    r = P/(4*d*h*e)
    """,
    title="Parameters of attention with grouped queries",
    source=f"{GROUPED_QUERIES}; derivation: W_Q and W_O have d h e weights each, and W_K and W_V d g e each",
    conventions="No biases. g = h is multi-head attention, and g = 1 multi-query attention.",
    integer_constraints="h/g",
    d=MODEL_WIDTH,
    h=Int(1, 1000, "number of query heads"),
    g=Int(1, 1000, "number of key-value heads"),
    e=HEAD_SIZE,
    w=Int(meaning="columns of W_K, which are those of W_V"),
    P=Int(meaning="number of weights of the attention"),
    r=Real(0, 1, "ratio to the weights with a key-value head per query head"),
)


def _head_shapes(B: int, T: int, d: int, h: int, **_: Any) -> dict[str, list[int]]:
    size, _groups = check_heads(d, h)
    return {"q": [B, h, T, size], "S": [B, h, T, T], "O": [B, T, d]}


HEAD_SHAPES = Formula(
    "multi-head-shapes",
    "",
    title="Shapes in multi-head self-attention",
    source=f"{VASWANI}, section 3.2.2; PyTorch documentation, torch.nn.functional.scaled_dot_product_attention: the "
    "query has the shape (N, heads, L, E)",
    procedure=_head_shapes,
    procedure_outputs="q S O",
    B=BATCH_SIZE,
    T=SEQUENCE_LENGTH,
    d=MODEL_WIDTH,
    h=NUM_HEADS,
    q=Shape(meaning="shape of the queries, split into heads"),
    S=Shape(meaning="shape of the scores"),
    O=Shape(meaning="shape of the output, after the heads are merged"),
)


ATTENTION_ORDER = Formula(
    "attention-program",
    "",
    title="Order of a program for causal multi-head attention",
    source=f"{VASWANI}, sections 3.2.1 to 3.2.3",
    procedure=lambda steps=None, **sizes: {"S": _head_shapes(**sizes)["S"]},
    procedure_outputs="S",
    B=BATCH_SIZE,
    T=SEQUENCE_LENGTH,
    d=MODEL_WIDTH,
    h=NUM_HEADS,
    steps=Order(
        meaning="lines of the program, first to last",
        items=dict(
            project="q, k, v = qkv(x).chunk(3, dim=-1)",
            split="q, k, v = (t.view({B}, {T}, {h}, -1).transpose(1, 2) for t in (q, k, v))",
            scores="s = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))",
            mask="s = s.masked_fill(later, -math.inf)",
            softmax="a = s.softmax(dim=-1)",
            merge="y = (a @ v).transpose(1, 2).reshape({B}, {T}, {d})",
        ),
        distractors=dict(
            zeros="a = a.masked_fill(later, 0)",
            view="q, k, v = (t.view({B}, {h}, {T}, -1) for t in (q, k, v))",
        ),
    ),
    S=Shape(meaning="shape of s"),
)


HEAD_SPLIT_VIEW, MERGE = 4, 6  # the lines of the two programs that are wrong


def split_heads(T: int, d: int, h: int, is_correct: bool) -> list[Rows]:
    """Return the heads of tokens whose values count from 0: each has a row per token."""
    size = d // h
    if is_correct:
        return [[[t * d + head * size + k for k in range(size)] for t in range(T)] for head in range(h)]
    return [[[(head * T + t) * size + k for k in range(size)] for t in range(T)] for head in range(h)]


def _split(T: int, d: int, h: int, m: int, line: int | None = None, fix: Any = None) -> dict[str, Any]:
    actual, correct = (split_heads(T, d, h, is_correct) for is_correct in (False, True))
    flat = [[value for head in heads for row in head for value in row] for heads in (actual, correct)]
    return {"prints": actual[m], "fixed": correct[m], "count": sum(a != b for a, b in zip(*flat, strict=True))}


HEAD_SPLIT = Formula(
    "head-split",
    "",
    title="Heads that are split without a transposition",
    source="PyTorch documentation, torch.Tensor.view: it keeps the order of the elements, and moves no dimension",
    procedure=_split,
    procedure_outputs="prints fixed count",
    T=Int(2, 100, "number of tokens"),
    d=Int(2, 100, "model width"),
    h=Int(2, 50, "number of heads"),
    m=Int(0, 49, "index of the head that is printed"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected"),
    prints=Matrix(meaning="rows that are printed"),
    fixed=Matrix(meaning="rows that the corrected program prints"),
    count=Int(meaning="number of values of q that are in the wrong place"),
)


def _merge(T: int, d: int, h: int, m: int, line: int | None = None, fix: Any = None) -> dict[str, Any]:
    size = d // h
    by_head = [head * 100 + t for head in range(h) for t in range(T) for _ in range(size)]
    return {"prints": by_head[m * d : (m + 1) * d], "fixed": [head * 100 + m for head in range(h) for _ in range(size)]}


HEAD_MERGE = Formula(
    "head-merge",
    "",
    title="Heads that are merged without a transposition",
    source="PyTorch documentation, torch.Tensor.reshape: it keeps the order of the elements, and moves no dimension",
    procedure=_merge,
    procedure_outputs="prints fixed",
    T=Int(2, 100, "number of tokens"),
    d=Int(2, 100, "model width"),
    h=Int(2, 50, "number of heads"),
    m=Int(0, 99, "index of the token that is printed"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected"),
    prints=Vector(meaning="values that are printed"),
    fixed=Vector(meaning="values that the corrected program prints"),
)


LOGIT_VARIANCE = Formula(
    "logit-variance",
    """
    var = d*((a + n^2)*(b + m^2) - n^2*m^2)
    c = 1/sqrt(var)
    """,
    title="Variance of a dot product, and the factor that scales it to 1",
    source="derivation: Var(q k) = E[q^2] E[k^2] - (E[q] E[k])^2 for independent q and k, and the variances of d "
    f"independent products add up; for means 0 and variances 1, {VASWANI}, footnote 4",
    d=Int(1, 10000, "number of entries of the query and the key"),
    n=Real(-10, 10, "mean of the query's entries"),
    m=Real(-10, 10, "mean of the key's entries"),
    a=Real(0, 100, "variance of the query's entries"),
    b=Real(0, 100, "variance of the key's entries"),
    var=Real(0, meaning="variance of the dot product"),
    c=Real(0, meaning="factor that scales the dot product to variance 1"),
)


POSITIONAL_ENCODING = Formula(
    "positional-encoding",
    """
    w[i] = pos/base^(2*(i - 1)/d) for i = 1..d/2
    P[k] = where(floor(k/2) = k/2, cos(w[floor((k + 1)/2)]), sin(w[floor((k + 1)/2)])) for k = 1..d
    """,
    title="Sinusoidal positional encoding",
    source=f"{VASWANI}, section 3.5: PE(pos, 2i) = sin(pos/10000^(2i/d)), PE(pos, 2i + 1) = cos(pos/10000^(2i/d))",
    conventions="Positions, and the pairs i of the paper, count from 0. The first value is the sine of the first pair.",
    integer_constraints="d/2",
    pos=Int(0, 1000000, "position, from 0"),
    d=Int(2, 4096, "model width"),
    base=Real(1, meaning="base of the wavelengths", default=10000),
    w=Vector(meaning="angle of each pair, in radians"),
    P=Vector(-1, 1, "positional encoding"),
)


WAVELENGTH = Formula(
    "positional-wavelength",
    "lam = 2*pi*base^(2*i/d)",
    title="Wavelength of a pair of the positional encoding",
    source=f"{VASWANI}, section 3.5: the wavelengths form a geometric progression from 2 pi to 10000 * 2 pi",
    i=Int(0, 4096, "pair, from 0"),
    d=Int(2, 8192, "model width"),
    base=Real(1, meaning="base of the wavelengths", default=10000),
    lam=Real(0, meaning="wavelength", unit="positions"),
)


POSITION_SHIFT = Formula(
    "positional-shift",
    """
    u = s*cos(w*k) + c*sin(w*k)
    v = c*cos(w*k) - s*sin(w*k)
    """,
    title="A pair of the positional encoding, k positions later",
    source=f"{VASWANI}, section 3.5; derivation: sin(x + y) = sin x cos y + cos x sin y, and cos(x + y) = cos x cos y "
    "- sin x sin y",
    w=Real(0, 1, "frequency of the pair, in radians per position"),
    k=Int(-1000, 1000, "number of positions"),
    s=Real(-1, 1, "sine of the pair at the position"),
    c=Real(-1, 1, "cosine of the pair at the position"),
    u=Real(meaning="sine of the pair k positions later"),
    v=Real(meaning="cosine of the pair k positions later"),
)


POSITION_SIMILARITY = Formula(
    "positional-similarity",
    "r = sum(i = 0..d/2 - 1, cos((q - p)/base^(2*i/d)))",
    title="Dot product of two positional encodings",
    source="derivation: a pair adds sin x sin y + cos x cos y = cos(x - y), so the dot product depends on the distance "
    "of the positions alone",
    integer_constraints="d/2",
    p=Int(0, 1000000, "first position"),
    q=Int(0, 1000000, "second position"),
    d=Int(2, 128, "model width"),
    base=Real(1, meaning="base of the wavelengths", default=10000),
    r=Real(meaning="dot product of the encodings"),
)


LAYER_LETTERS: dict[str, Any] = dict(
    d=MODEL_WIDTH,
    f=HIDDEN_WIDTH,
    h=NUM_HEADS,
    A=Int(meaning="number of parameters of the attention"),
    F=Int(meaning="number of parameters of the feed-forward network"),
    N=Int(meaning="number of parameters of the normalizations"),
    P=Int(meaning="number of parameters of the layer"),
)


ENCODER_LAYER = Formula(
    "encoder-layer-params",
    """
    A = 4*d*(d + 1)
    F = 2*d*f + f + d
    N = 4*d
    P = A + F + N
    """,
    title="Parameters of a Transformer encoder layer",
    source=f"{VASWANI}, section 3; derivation: four d x d matrices, two layers d to f to d, and two LayerNorms of 2d, "
    "all with biases, as in torch.nn.TransformerEncoderLayer",
    **LAYER_LETTERS,
)


DECODER_LAYER = Formula(
    "decoder-layer-params",
    """
    A = 8*d*(d + 1)
    F = 2*d*f + f + d
    N = 6*d
    P = A + F + N
    """,
    title="Parameters of a Transformer decoder layer",
    source=f"{VASWANI}, section 3; derivation: self-attention and cross-attention of four d x d matrices each, two "
    "layers d to f to d, and three LayerNorms of 2d, all with biases, as in torch.nn.TransformerDecoderLayer",
    **LAYER_LETTERS,
)


LAYER_BUDGET = Formula(
    "layer-budget",
    """
    R = 4*n*d*(d + 1) + 2*(n + 1)*d
    f = floor((M - R - d)/(2*d + 1))
    P = R + 2*d*f + f + d
    """,
    title="Largest hidden width of a Transformer layer within a parameter budget",
    source="derivation: n attentions of 4d^2 + 4d, n + 1 LayerNorms of 2d, and a feed-forward network of (2d + 1) f + "
    "d "
    "parameters",
    M=Int(1, 1000000000000, "parameter budget"),
    d=MODEL_WIDTH,
    n=Int(1, 2, "number of attentions: 1 in an encoder layer, 2 in a decoder layer"),
    R=Int(meaning="number of parameters of the attentions and the normalizations"),
    f=Int(0, meaning="largest hidden width within the budget"),
    P=Int(meaning="number of parameters of that layer"),
)


TRANSFORMER_SIZE = Formula(
    "transformer-size",
    """
    E = 4*d^2 + 2*d*f + f + d + 4*d
    D = 8*d^2 + 2*d*f + f + d + 6*d
    P = L*(E + D) + V*d
    """,
    title="Parameters of the Transformer for translation",
    source=f"{VASWANI}, section 3: the attention has no biases, and one matrix serves both embeddings and the output",
    conventions="Post-norm without a LayerNorm after the stacks, as in the paper; sinusoidal positions.",
    d=MODEL_WIDTH,
    f=HIDDEN_WIDTH,
    L=Int(1, 1000, "number of layers of the encoder, and of the decoder"),
    V=VOCABULARY_SIZE,
    E=Int(meaning="number of parameters of an encoder layer"),
    D=Int(meaning="number of parameters of a decoder layer"),
    P=Int(meaning="number of parameters of the network"),
)


def _layer_table(kind: str, **options: Any) -> dict[str, Any]:
    parts = layer_parameters(**options, attentions=2 if kind == "decoder" else 1)
    return {"table": table_of(parts, {}), "params": sum(parts.values())}


TRANSFORMER_LAYER = Formula(
    "transformer-layer",
    "",
    title="Parameters of an encoder or decoder layer, from its configuration",
    source=f"{VASWANI}; {SWIGLU}; {GROUPED_QUERIES}; {RMS_NORM}",
    conventions="""
A decoder layer has cross-attention too; the layers of a GPT have none, so use
kind=encoder for them. SwiGLU has three matrices, and RMSNorm has no bias.
""",
    procedure=_layer_table,
    procedure_outputs="table params",
    kind=Word(words=("encoder", "decoder"), meaning="kind of layer", default="encoder"),
    **LAYER_SYMBOLS,
    table=Table(meaning="parameters of each part"),
    params=Int(meaning="number of parameters of the layer"),
)


def _translator(
    layers: int, width: int, heads: int, ffn: int, vocabulary: int, attention_biases: str, final_norms: str
) -> dict[str, Any]:
    check_heads(width, heads)
    bias = 4 * width * (attention_biases == "yes")
    feed_forward = 2 * width * ffn + ffn + width
    parts = {
        "embedding": vocabulary * width,
        "encoder_layer": 4 * width**2 + bias + feed_forward + 4 * width,
        "decoder_layer": 2 * (4 * width**2 + bias) + feed_forward + 6 * width,
        "final_norms": 4 * width * (final_norms == "yes"),
    }
    table = table_of(parts, dict(encoder_layer=layers, decoder_layer=layers))
    return {"table": table, "params": sum(row["total"] for row in table)}


TRANSFORMER_PARAMS = Formula(
    "transformer-params",
    "",
    title="Parameters of the Transformer for translation, from its configuration",
    source=f"{VASWANI}, table 3; PyTorch documentation, torch.nn.Transformer, which has biases in the attention and a "
    "LayerNorm after each stack",
    conventions="One matrix serves both embeddings and the output; sinusoidal positions.",
    procedure=_translator,
    procedure_outputs="table params",
    layers=Int(1, 1000, "number of layers of each stack", default=6),
    width=Int(1, 1000000, "model width", default=512),
    heads=Int(1, 1000, "number of heads", default=8),
    ffn=Int(1, 4000000, "width of the hidden layer of the feed-forward network", default=2048),
    vocabulary=Int(2, 10000000, "vocabulary size", default=37000),
    attention_biases=Word(words=("no", "yes"), meaning="biases in the attention", default="no"),
    final_norms=Word(words=("no", "yes"), meaning="LayerNorm after each stack", default="no"),
    table=Table(meaning="parameters of each part"),
    params=Int(meaning="number of parameters"),
)


ATTENTION_COST = Formula(
    "attention-cost",
    """
    M = 4*T*d^2 + 2*T^2*d
    S = h*T^2
    """,
    title="MACs and scores of a self-attention layer",
    source="derivation: four projections of T d^2 MACs each, and T^2 d MACs each for Q K^T and A V, summed over the "
    "heads; each head has T^2 scores",
    conventions="A MAC is one multiplication with one addition, so FLOPs are twice the MACs. Masked pairs count too.",
    T=SEQUENCE_LENGTH,
    d=MODEL_WIDTH,
    h=NUM_HEADS,
    M=Int(meaning="MACs of the layer, for one sequence"),
    S=Int(meaning="number of scores of the layer, for one sequence"),
)


ATTENTION_MEMORY = Formula(
    "attention-memory",
    "M = B*h*T^2*b/2^20",
    title="Memory of the attention weights of a layer",
    source="derivation: a weight per sequence, head, query and key, of b bytes",
    conventions="Fused attention, such as FlashAttention, doesn't store the weights.",
    B=BATCH_SIZE,
    h=NUM_HEADS,
    T=Int(1, 100000, "number of tokens"),
    b=Int(1, 8, "bytes per number: 4 in float32, 2 in float16", default=4),
    M=Real(0, meaning="memory", unit="MiB"),
)


ATTENTION_SHARE = Formula(
    "attention-share",
    "T = (m + 2)*d*q/(1 - q)",
    title="Length at which the quadratic part has a share of a layer's MACs",
    source="derivation: 2T^2 d/(4T d^2 + 2m T d^2 + 2T^2 d) = T/((m + 2) d + T) = q, solved for T",
    m=Real(0, 100, "hidden width of the feed-forward network over the model width"),
    q=Real(0, 0.999, "share of the MACs that grow with the square of the length"),
    d=Real(1, 100000, "model width"),
    T=Real(0, meaning="number of tokens"),
)


LAYER_COST = Formula(
    "layer-cost",
    """
    A = 4*T*d^2 + 2*T^2*d
    F = 2*T*d*f
    C = 2*(A + F)
    g = (4*(2*T)*d^2 + 2*(2*T)^2*d + 2*(2*T)*d*f)/(A + F)
    """,
    title="Cost of an encoder layer, and its growth if the length doubles",
    source="derivation: attention 4T d^2 + 2T^2 d MACs, feed-forward network T d f MACs in each of its two layers; a "
    "MAC is 2 FLOPs",
    T=SEQUENCE_LENGTH,
    d=MODEL_WIDTH,
    f=HIDDEN_WIDTH,
    A=Int(meaning="MACs of the attention"),
    F=Int(meaning="MACs of the feed-forward network"),
    C=Int(meaning="FLOPs of the layer"),
    g=Real(0, meaning="factor by which the cost grows for twice as many tokens"),
)


ATTENTION_OR_RECURRENCE = Formula(
    "attention-or-recurrence",
    """
    M = 2*T^2*d
    R = 2*T*d^2
    s = T
    cheaper = where(M < R, 1, 2)
    """,
    title="Self-attention and recurrence: MACs and sequential steps",
    source=f"{VASWANI}, table 1: T^2 d against T d^2 per layer, O(1) against O(T) sequential operations; derivation of "
    "the factors: Q K^T and A V, and the two matrices of a recurrent layer",
    T=SEQUENCE_LENGTH,
    d=MODEL_WIDTH,
    M=Int(meaning="MACs of the products Q K^T and A V"),
    R=Int(meaning="MACs of a recurrent layer with two d x d matrices"),
    s=Int(meaning="number of steps that the recurrent layer computes one after the other"),
    cheaper=Choice(
        meaning="layer with fewer MACs",
        options=dict(attention="self-attention", recurrence="the recurrent layer"),
        supported_by="M R",
    ),
)
