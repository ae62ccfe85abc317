"""BERT: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber
from quizzes.content.transformers.shared import (
    MODEL_WIDTH,
    NUM_LAYERS,
    VOCABULARY_SIZE,
    layer_parameters,
    table_of,
)
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Table, Vector, Word
from workbench.errors import UserError

DEVLIN = "Devlin et al., BERT, 2018 (arXiv:1810.04805)"

POSITIONS = Int(1, 1000000, "number of learned positions")

SEGMENTS = Int(1, 100, "number of segments", default=2)


BERT_SIZE = Formula(
    "bert-size",
    """
    E = (V + C + 2)*d + 2*d
    B = 12*d^2 + 13*d
    W = d^2 + d
    P = E + L*B + W
    """,
    title="Parameters of BERT with its pooler",
    source=f"{DEVLIN}; derivation: tables of tokens, positions and two segments with a LayerNorm; a layer has 4d^2 + "
    "4d "
    "in the attention, 8d^2 + 5d in the feed-forward network and two LayerNorms; the pooler is a layer d to d",
    V=VOCABULARY_SIZE,
    C=POSITIONS,
    d=MODEL_WIDTH,
    L=NUM_LAYERS,
    E=Int(meaning="number of parameters of the embeddings with their LayerNorm"),
    B=Int(meaning="number of parameters of a layer"),
    W=Int(meaning="number of parameters of the pooler"),
    P=Int(meaning="number of parameters"),
)


BERT_VOCABULARY = Formula(
    "bert-vocabulary",
    """
    V = floor((M - (C + 4)*d)/d)
    s = 100*V*d/((V + C + 4)*d)
    """,
    title="Largest vocabulary of BERT's embeddings within a parameter budget",
    source=f"{DEVLIN}; derivation: the embeddings have (V + C + 2) d + 2d parameters",
    M=Int(1, 1000000000000, "parameter budget of the embeddings"),
    C=POSITIONS,
    d=MODEL_WIDTH,
    V=Int(0, meaning="largest vocabulary within the budget"),
    s=Real(0, 100, "share of the token table in the embeddings", unit="%"),
)


BERT_HEADS = Formula(
    "bert-heads",
    """
    M = d^2 + d + 2*d + V
    N = 2*d + 2
    r = M + N
    """,
    title="Parameters of BERT's pre-training heads",
    source=f"{DEVLIN} and its published code: the MLM head is a layer d to d, a LayerNorm, and the tied token table "
    "with a bias per token; the NSP head is a layer d to 2",
    V=VOCABULARY_SIZE,
    d=MODEL_WIDTH,
    M=Int(meaning="further parameters of the MLM head"),
    N=Int(meaning="parameters of the NSP head"),
    r=Int(meaning="further parameters of both heads"),
)


BERT_CLASSIFIER = Formula(
    "bert-classifier",
    "Q = K*(d + 1)",
    title="Parameters of a classifier on [CLS]",
    source=f"{DEVLIN}, section 4.1: fine-tuning adds a layer from the final vector of [CLS] to the classes; here with "
    "biases",
    d=Real(1, 1000000, "model width"),
    K=Real(1, 1000000, "number of classes"),
    Q=Real(1, meaning="number of parameters of the classifier"),
)


def _bert_table(
    layers: int, vocabulary: int, context: int, segments: int, pooler: str, heads_of: str, width: int, **options: Any
) -> dict[str, Any]:
    parts = dict(
        token_embedding=vocabulary * width,
        position_embedding=context * width,
        segment_embedding=segments * width,
        embedding_norm=2 * width,
    )
    parts |= layer_parameters(width=width, **options)
    if pooler == "yes":
        parts["pooler"] = width**2 + width
    if heads_of in ("mlm", "pretraining"):
        parts["mlm_head"] = width**2 + width + 2 * width + vocabulary
    if heads_of == "pretraining":
        parts["nsp_head"] = 2 * width + 2
    table = table_of(parts, dict.fromkeys(("attention", "feed_forward", "norms"), layers))
    return {"table": table, "params": sum(row["total"] for row in table)}


BERT_PARAMS = Formula(
    "bert-params",
    "",
    title="Parameters of BERT, from its configuration",
    source=DEVLIN,
    conventions="""
The defaults are those of BERT base, uncased: 109,482,240 parameters with the
pooler and without pre-training heads. heads_of=pretraining adds the MLM head,
which is tied to the token table, and the NSP head.
""",
    procedure=_bert_table,
    procedure_outputs="table params",
    layers=Int(1, 10000, "number of layers", default=12),
    width=Int(1, 1000000, "model width", default=768),
    heads=Int(1, 1000, "number of heads", default=12),
    vocabulary=Int(2, 10000000, "vocabulary size", default=30522),
    context=Int(1, 1000000, "number of learned positions", default=512),
    segments=SEGMENTS,
    ffn=Int(1, 4000000, "hidden width of the feed-forward network, 4 times the width by default", optional=True),
    pooler=Word(words=("yes", "no"), meaning="pooler", default="yes"),
    heads_of=Word(words=("none", "mlm", "pretraining"), meaning="further heads", default="none"),
    table=Table(meaning="parameters of each part"),
    params=Int(meaning="number of parameters"),
)


MLM_COUNTS = Formula(
    "mlm-counts",
    """
    n = s*T/100
    m = 80*n/100
    r = 10*n/100
    k = n - m - r
    """,
    title="Tokens of masked language modeling",
    source=f"{DEVLIN}, section 3.1 and appendix A.1: 15% of the tokens are predicted; of these, 80% become [MASK], "
    "10% a "
    "random token, and 10% stay",
    T=Int(1, 10000000000, "number of tokens"),
    s=Real(0, 100, "share of the tokens that are chosen", unit="%", default=15),
    n=Real(0, meaning="number of tokens that are chosen"),
    m=Real(0, meaning="number of [MASK] tokens"),
    r=Real(0, meaning="number of chosen tokens that become random ones"),
    k=Real(0, meaning="number of chosen tokens that stay"),
)


MLM_SHARE = Formula(
    "mlm-masks",
    "m = T*s/100*80/100",
    title="Number of [MASK] tokens",
    source=f"{DEVLIN}, appendix A.1",
    T=Real(1, 10000000000, "number of tokens"),
    s=Real(0.1, 100, "share of the tokens that are chosen", unit="%"),
    m=Real(0, meaning="expected number of [MASK] tokens"),
)


MLM_LOSS = Formula(
    "mlm-loss",
    """
    L = -mean(i, ln(p[i]))
    PP = exp(L)
    S = L - ln(n)
    """,
    title="Pre-training loss of BERT",
    source=f"{DEVLIN}, appendix A.2: the sum of the mean MLM likelihood and the mean NSP likelihood",
    T=Int(1, 100000, "number of tokens"),
    p=Vector(0, 1, "probability of the correct token at each chosen position"),
    n=Real(0, 1, "probability of the correct NSP class"),
    L=Real(0, meaning="MLM loss", unit="nats"),
    PP=Real(1, meaning="perplexity over the chosen positions"),
    S=Real(0, meaning="total loss of MLM and NSP", unit="nats"),
)


MLM_POSTERIOR = Formula(
    "mlm-posterior",
    "q = s*(1 - a)/(1 - s*a)",
    title="Probability that a token that is not [MASK] must be predicted",
    source=f"{DEVLIN}, appendix A.1, for the rates; derivation: Bayes' rule with P(chosen, not [MASK]) = s (1 - a) and "
    "P(not [MASK]) = 1 - s a",
    s=Real(0, 0.95, "probability that a token is chosen"),
    a=Real(0, 1, "probability that a chosen token becomes [MASK]"),
    q=Real(0, 1, "probability that a token that is not [MASK] was chosen"),
)


def label_losses(ids: list[int], at: list[int], g: Value, V: int) -> dict[str, Any]:
    """Return the mean losses of a network that copies its input with the logit g: over all positions, and over those
    that were replaced by the token 1.

    Raises:
        UserError: If a position does not exist.
    """
    from math import exp, log

    if not at or not all(0 <= i < len(ids) for i in at):
        raise UserError(f"at must have positions from 0 to {len(ids) - 1}.")
    total = log(exp(g) + V - 1)
    copied = total - float(g)
    return {
        "printed": (len(at) * total + (len(ids) - len(at)) * copied) / len(ids),
        "fixed": total,
        "count": len(ids) - len(at),
    }


def _labels(
    ids: list[int], at: list[int], g: Value, V: int, line: int | None = None, fix: Any = None
) -> dict[str, Any]:
    return label_losses(ids, at, g, V)


MLM_LABELS = Formula(
    "mlm-labels",
    "",
    title="Labels of masked language modeling",
    source="PyTorch documentation, torch.nn.functional.cross_entropy: targets equal to ignore_index, -100 by default, "
    "do "
    f"not count; {DEVLIN}, section 3.1: only the chosen tokens are predicted",
    procedure=_labels,
    procedure_outputs="printed fixed count",
    ids=Vector(0, meaning="token ids"),
    at=Vector(0, meaning="positions of the [MASK] tokens, from 0"),
    g=Real(0, 100, "logit of the token that the network sees"),
    V=Int(2, 100000, "vocabulary size"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(
        meaning="that line, corrected",
        signatures=("torch.where(condition, input, other)",),
    ),
    printed=Real(meaning="loss that is printed"),
    fixed=Real(meaning="loss that the corrected program prints"),
    count=Int(meaning="number of positions that should not count and do"),
)


def _diagnose_padding(A: list[list[Value]], n: int) -> dict[str, str]:
    if len(A[0]) != len(A) or not 2 <= n < len(A):
        raise UserError("A must be square, with more columns than n, and n at least 2.")
    sees_real, sees_padding = (any(row[j] for row in A for j in columns) for columns in (range(n), range(n, len(A))))
    if not sees_real:
        return {"bug": "inverted"}
    return {"bug": "missing" if sees_padding else "late"}


PADDING_LEAK = Formula(
    "padding-leak",
    """
    w = sum(i, [i <= n]*sum(j, [j > n]*A[i, j]))
    v[i] = sum(j, [j <= n]*A[i, j])
    """,
    title="Attention to padding in an encoder",
    source="derivation: a padding mask hides keys before the softmax, so every row adds up to 1 over the real keys",
    procedure=_diagnose_padding,
    procedure_outputs="bug",
    A=Matrix(0, 1, "attention weights, one row per query"),
    n=Int(1, 1000, "number of tokens before the padding"),
    w=Real(0, meaning="weight that the real tokens give to padding, added over their rows"),
    v=Vector(meaning="weight on real tokens in each row"),
    bug=Choice(
        meaning="problem of the padding mask",
        options=dict(
            missing="the padding is not masked",
            inverted="the mask is inverted, so real tokens are hidden",
            late="the mask is applied after the softmax",
        ),
        supported_by="v",
    ),
)


CLOZE = Formula(
    "cloze",
    """
    pl = (x1 + x2)/(x1 + x2 + y1 + y2)
    pb = x1/(x1 + y1)
    gain = ln(pb/pl)
    better = where(pb > pl, 1, 2)
    """,
    title="A gap predicted from the left context, and from both sides",
    source=f"derivation: relative frequencies; {DEVLIN}, introduction: a left-to-right model can't use the context on "
    "the "
    "right",
    x1=Int(0, 100000, "count of the first word before the right context"),
    x2=Int(0, 100000, "count of the first word before other right contexts"),
    y1=Int(0, 100000, "count of the second word before the right context"),
    y2=Int(0, 100000, "count of the second word before other right contexts"),
    pl=Real(0, 1, "probability of the first word from the left context alone"),
    pb=Real(0, 1, "probability of the first word from both sides"),
    gain=Real(meaning="decrease of the loss of the first word by the right context", unit="nats"),
    better=Choice(
        meaning="model that gives the first word, which is correct here, the higher probability",
        options=dict(bert="the bidirectional model (BERT)", gpt="the left-to-right model (GPT)"),
        supported_by="pl pb",
    ),
)


def _inputs(a: int, b: int, C: int) -> dict[str, Any]:
    n = a + b + 3
    if n > C:
        raise UserError(f"The text has {n} tokens with [CLS] and two [SEP], more than the length {C}. Shorten it.")
    return {
        "n": n,
        "seg": [0] * (a + 2) + [1] * (b + 1) + [0] * (C - n),
        "mask": [1] * n + [0] * (C - n),
    }


BERT_INPUT = Formula(
    "bert-input",
    "",
    title="Segment ids and padding mask of a pair of sentences",
    source=f"{DEVLIN}, section 3 and figure 2: [CLS] A [SEP] B [SEP]; segment 0 has [CLS], A and the first [SEP]",
    conventions="Padding has the segment 0, as in the published code.",
    procedure=_inputs,
    procedure_outputs="n seg mask",
    a=Int(1, 100000, "number of tokens of sentence A"),
    b=Int(1, 100000, "number of tokens of sentence B"),
    C=Int(4, 1000000, "length after padding"),
    n=Int(meaning="number of tokens without padding"),
    seg=Vector(0, 1, "segment ids"),
    mask=Vector(0, 1, "padding mask, 1 for real tokens"),
)


BERT_PRETRAIN = Formula(
    "bert-pretrain",
    """
    n = a + b + 3
    n1 = b + 1
    N = n^2
    L = -mean(i, ln(p[i]))
    S = L - ln(q)
    E = (V + C + 2)*d + 2*d
    H = d^2 + d + 2*d + 2
    """,
    title="Pre-training of a small BERT: input, losses and parameters",
    source=f"{DEVLIN}, sections 3 and 3.1, appendix A.2",
    a=Int(1, 100000, "number of tokens of sentence A"),
    b=Int(1, 100000, "number of tokens of sentence B"),
    C=Int(4, 1000000, "length after padding, and number of learned positions"),
    p=Vector(0, 1, "probabilities of the correct tokens at the chosen positions"),
    q=Real(0, 1, "probability of the correct NSP class"),
    V=VOCABULARY_SIZE,
    d=MODEL_WIDTH,
    n=Int(meaning="number of tokens without padding"),
    n1=Int(meaning="number of segment ids that are 1"),
    N=Int(meaning="visible query-key pairs among real tokens, per head"),
    L=Real(0, meaning="MLM loss", unit="nats"),
    S=Real(0, meaning="total loss", unit="nats"),
    E=Int(meaning="number of parameters of the embeddings with their LayerNorm"),
    H=Int(meaning="number of parameters of pooler and NSP head"),
)
