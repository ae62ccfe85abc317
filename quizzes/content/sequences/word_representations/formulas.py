"""One-hot, Word2Vec, GloVe, t-SNE: formulas."""

from math import sqrt
from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber
from quizzes.content.sequences.shared import Number, Row
from quizzes.formula import Formula
from quizzes.symbols import Int, Labels, Matrix, Real, Table, Text, Texts, Vector, Word
from workbench.errors import UserError, unknown_name

SKIP_GRAM = "Mikolov et al., Distributed representations of words and phrases, NIPS 2013 (arXiv:1310.4546)"
WORD2VEC = "Mikolov, Chen, Corrado & Dean, Efficient estimation of word representations, 2013 (arXiv:1301.3781)"
GLOVE = "Pennington, Socher & Manning, GloVe: Global vectors for word representation, EMNLP 2014"

VOCABULARY = Int(1, 100000000, "vocabulary size")


DIMENSION = Int(1, 100000, "dimension of the word vectors")


EMBEDDING_PARAMS = Formula(
    "embedding-params",
    "P = V*d",
    title="Parameters of an embedding layer",
    source="derivation: one vector of d values per word; looking up a row is the product of a one-hot vector and the "
    "V x d matrix, without a bias",
    V=VOCABULARY,
    d=DIMENSION,
    P=Int(1, meaning="number of parameters"),
)


WORD2VEC_SIZE = Formula(
    "word2vec-size",
    """
    P = 2*V*d
    M = 4*P/1000000
    """,
    title="Parameters and memory of word2vec while it trains",
    source=f"{SKIP_GRAM}: every word has an input vector and an output vector; fp32 has 4 bytes per value",
    V=VOCABULARY,
    d=DIMENSION,
    P=Int(1, meaning="number of parameters"),
    M=Real(0, meaning="memory in fp32", unit="MB, 10^6 bytes"),
)


COSINE = Formula(
    "cosine-similarity",
    """
    p = sum(i, u[i]*v[i])
    n_u = sqrt(sum(i, u[i]^2))
    n_v = sqrt(sum(i, v[i]^2))
    c = p/(n_u*n_v)
    """,
    title="Cosine similarity",
    source="derivation: the dot product is |u| |v| times the cosine of the angle between the vectors",
    u=Vector(meaning="first vector"),
    v=Vector(meaning="second vector"),
    p=Real(meaning="dot product"),
    n_u=Real(0, meaning="norm of the first vector"),
    n_v=Real(0, meaning="norm of the second vector"),
    c=Real(-1.0000001, 1.0000001, "cosine similarity"),
)


def cosine(u: Row, v: Row) -> float:
    """Return the cosine of the angle between two vectors.

    Raises:
        UserError: If one is zero.
    """
    norms = sqrt(sum(x * x for x in u)) * sqrt(sum(x * x for x in v))
    if not norms:
        raise UserError("A zero vector has no cosine similarity. Leave its word out.")
    return float(sum(x * y for x, y in zip(u, v, strict=True))) / norms


def combine(a: Row, b: Row, c: Row) -> list[Number]:
    """Return b - a + c."""
    return [y - x + z for x, y, z in zip(a, b, c, strict=True)]


def most_similar(vectors: dict[str, Row], target: Row, excluded: tuple[str, ...] = ()) -> str:
    """Return the word whose vector has the largest cosine with a target.

    Args:
        vectors: The vectors by word.
        target: The target.
        excluded: Words that don't count.
    """
    return max((word for word in vectors if word not in excluded), key=lambda word: cosine(vectors[word], target))


NAMES = "abcdef"  # of the vectors of an analogy: a, b and c of a : b = c : ?, and the candidates


def _solve_analogy(**values: Any) -> dict[str, Any]:
    rows = {name: values[name] for name in NAMES}
    for name, row in rows.items():
        if len(row) != len(rows["a"]):
            raise UserError(f"{name} has {len(row)} values and a has {len(rows['a'])}. Give all the same number.")
    target = combine(rows["a"], rows["b"], rows["c"])
    word = most_similar(rows, target, ("a", "b", "c"))
    return {"t": target, "word": word, "s": cosine(rows[word], target)}


ANALOGY = Formula(
    "word-analogy-small",
    "",
    title="Analogy of word vectors, with three candidates",
    source=f"{WORD2VEC}: the word closest to vector(b) - vector(a) + vector(c) by cosine, the three words excluded",
    procedure=_solve_analogy,
    procedure_outputs="t word s",
    a=Vector(meaning="vector of the first word"),
    b=Vector(meaning="vector of the second word"),
    c=Vector(meaning="vector of the third word"),
    d=Vector(meaning="vector of the first candidate"),
    e=Vector(meaning="vector of the second candidate"),
    f=Vector(meaning="vector of the third candidate"),
    word_a=Text(meaning="first word", default="a"),
    word_b=Text(meaning="second word", default="b"),
    word_c=Text(meaning="third word", default="c"),
    word_d=Text(meaning="first candidate", default="d"),
    word_e=Text(meaning="second candidate", default="e"),
    word_f=Text(meaning="third candidate", default="f"),
    t=Vector(meaning="target vector b - a + c"),
    word=Choice(
        meaning="word that completes the analogy",
        options=dict(a="{word_a}", b="{word_b}", c="{word_c}", d="{word_d}", e="{word_e}", f="{word_f}"),
        supported_by="t",
    ),
    s=Real(-1.0000001, 1.0000001, "cosine of its vector and the target"),
)


def read_vectors(words: list[str], vectors: list[Row]) -> dict[str, Row]:
    """Return vectors by word.

    Raises:
        UserError: If there is not one vector per word, or a word occurs twice.
    """
    if len(words) != len(vectors):
        raise UserError(f"There are {len(words)} words and {len(vectors)} vectors. Give one row of vectors per word.")
    if len(set(words)) < len(words):
        raise UserError("A word occurs twice in words. Give each word once.")
    return dict(zip(words, vectors, strict=True))


def rank(vectors: dict[str, Row], target: Row, excluded: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the words with the cosines of their vectors and a target, the largest first."""
    rows = [dict(word=word, cosine=cosine(v, target)) for word, v in vectors.items() if word not in excluded]
    return sorted(rows, key=lambda row: -row["cosine"])


def _analogy(words: list[str], vectors: list[Row], a: str, b: str, c: str) -> dict[str, Any]:
    rows = read_vectors(words, vectors)
    for word in (a, b, c):
        if word not in rows:
            raise unknown_name("word", word, rows)
    target = combine(rows[a], rows[b], rows[c])
    ranking = rank(rows, target, (a, b, c))
    if not ranking:
        raise UserError("There is no word besides a, b, and c. Add further words with their vectors.")
    return {"target": target, "d": ranking[0]["word"], "ranking": ranking}


WORD_ANALOGY = Formula(
    "word-analogy",
    "",
    statement="d = the word w with the largest cos(v_b - v_a + v_c, v_w), except a, b and c",
    title="Analogy a : b = c : d of word vectors",
    source=f"{WORD2VEC}: d is the word closest to vector(b) - vector(a) + vector(c) by cosine; a, b and c are excluded",
    procedure=_analogy,
    procedure_outputs="target d ranking",
    words=Texts(meaning="words, separated by commas"),
    vectors=Matrix(meaning="vectors, one row per word"),
    a=Text(meaning="first word"),
    b=Text(meaning="second word"),
    c=Text(meaning="third word"),
    target=Vector(meaning="vector(b) - vector(a) + vector(c)"),
    d=Text(meaning="word that completes the analogy"),
    ranking=Table(meaning="cosine of each other word"),
)


def _neighbors(words: list[str], vectors: list[Row], word: str) -> dict[str, Any]:
    rows = read_vectors(words, vectors)
    if word not in rows:
        raise unknown_name("word", word, rows)
    ranking = rank(rows, rows[word], (word,))
    if not ranking:
        raise UserError("There is no further word. Add words with their vectors.")
    return {"nearest": ranking[0]["word"], "ranking": ranking}


WORD_NEIGHBORS = Formula(
    "word-neighbors",
    "",
    title="Neighbors of a word by cosine similarity",
    source="derivation: the words are sorted by the cosine of their vectors with that of the word",
    procedure=_neighbors,
    procedure_outputs="nearest ranking",
    words=Texts(meaning="words, separated by commas"),
    vectors=Matrix(meaning="vectors, one row per word"),
    word=Text(meaning="word"),
    nearest=Text(meaning="nearest word"),
    ranking=Table(meaning="cosine of each other word"),
)


SKIPGRAM_COUNT = Formula(
    "skipgram-pairs",
    "N = sum(t = 1..T, min(t - 1, c) + min(T - t, c))",
    title="Number of skip-gram pairs of a text",
    source=f"{WORD2VEC}; derivation: word t has min(t - 1, c) neighbors on the left and min(T - t, c) on the right",
    T=Int(1, 2000, "number of words"),
    c=Int(1, 1000, "window, words on each side"),
    N=Int(0, meaning="number of (center, context) pairs"),
)


def skipgram_pairs(words: list[str], c: int) -> list[tuple[int, int]]:
    """Return the positions of center and context word of each skip-gram pair, in reading order."""
    positions = range(len(words))
    return [(t, k) for t in positions for k in positions if k != t and abs(k - t) <= c]


def _pair_words(sentence: str, c: int) -> dict[str, Any]:
    words = sentence.split()
    if len(words) < 2:
        raise UserError("sentence must have at least two words, separated by spaces.")
    pairs = [dict(center=words[t], context=words[k]) for t, k in skipgram_pairs(words, c)]
    return {"T": len(words), "N": len(pairs), "pairs": pairs}


SKIP_GRAM_PAIRS = Formula(
    "skip-gram-pairs",
    "",
    title="Skip-gram pairs of a sentence",
    source=WORD2VEC,
    procedure=_pair_words,
    procedure_outputs="T N pairs",
    sentence=Text(meaning="sentence, words separated by spaces"),
    c=Int(1, 1000, "window, words on each side", default=2),
    T=Int(meaning="number of words"),
    N=Int(meaning="number of pairs"),
    pairs=Table(meaning="center and context word of each pair"),
)


def _context(sentence: str, c: int, center: str) -> dict[str, Any]:
    words = sentence.split()
    context = [words[k] for t, k in skipgram_pairs(words, c) if words[t] == center]
    return {"context": context, "N": len(skipgram_pairs(words, c)), "B": len(words)}


SKIPGRAM_CONTEXT = Formula(
    "skipgram-context",
    "",
    title="Context words of a center word, and the samples of skip-gram and CBOW",
    source=f"{WORD2VEC}: skip-gram has a sample per (center, context) pair, CBOW one per center word",
    procedure=_context,
    procedure_outputs="context N B",
    sentence=Text(meaning="sentence, words separated by spaces"),
    c=Int(1, 1000, "window, words on each side"),
    center=Text(meaning="center word"),
    context=Labels(meaning="context words of the center word, in reading order"),
    N=Int(meaning="number of skip-gram pairs of the sentence"),
    B=Int(meaning="number of CBOW samples of the sentence"),
)


NEGATIVE_SAMPLING = Formula(
    "neg-sampling-loss",
    "L = -ln(sigmoid(s)) - sum(k, ln(sigmoid(-n[k])))",
    title="Negative sampling loss of one pair, from scores",
    source=SKIP_GRAM,
    s=Real(meaning="score u_o . v_c of the context word"),
    n=Vector(meaning="scores of the negative samples"),
    L=Real(0, meaning="loss"),
)


NEGATIVE_SAMPLING_VECTORS = Formula(
    "neg-sampling-vectors",
    """
    s = sum(i, u[i]*v[i])
    n[k] = sum(i, U[k, i]*v[i])
    L = -ln(sigmoid(s)) - sum(k, ln(sigmoid(-n[k])))
    g[i] = (sigmoid(s) - 1)*u[i] + sum(k, sigmoid(n[k])*U[k, i])
    """,
    title="Negative sampling loss of one pair and its gradient, from vectors",
    source=f"{SKIP_GRAM}; derivation: d(-ln sigmoid(s))/ds = sigmoid(s) - 1, and d(-ln sigmoid(-n))/dn = sigmoid(n)",
    v=Vector(meaning="input vector of the center word"),
    u=Vector(meaning="output vector of the context word"),
    U=Matrix(meaning="output vectors of the negative samples, one per row"),
    s=Real(meaning="score of the context word"),
    n=Vector(meaning="scores of the negative samples"),
    L=Real(0, meaning="loss"),
    g=Vector(meaning="gradient dL/dv"),
)


UNIGRAM = Formula(
    "unigram-075",
    "P[w] = f[w]^(3/4)/sum(k, f[k]^(3/4))",
    title="Distribution of negative samples",
    source=f"{SKIP_GRAM}: unigram counts to the power of 3/4, normalized",
    f=Vector(0, meaning="count of each word"),
    P=Vector(0, 1, "probability of each word"),
)


UNIGRAM_RATIO = Formula(
    "unigram-ratio",
    "R = r^(3/4)",
    title="Ratio of the probabilities of two negative samples",
    source=f"{SKIP_GRAM}; derivation: the normalization cancels, so the ratio of the counts is raised to 3/4",
    r=Real(0, meaning="ratio of the counts"),
    R=Real(0, meaning="ratio of the probabilities"),
)


SUBSAMPLING = Formula(
    "subsampling",
    """
    p = max(0, 1 - sqrt(t/f))
    m = N*(1 - p)
    """,
    title="Subsampling of frequent words",
    source=f"{SKIP_GRAM}, equation 5: a word is discarded with probability 1 - sqrt(t/f). The C code of word2vec uses "
    "another formula",
    t=Real(0, meaning="threshold", default="1e-5"),
    f=Real(0, 1, "frequency of the word, as a fraction of all words"),
    N=Int(0, meaning="number of occurrences of the word", default=1),
    p=Real(0, 1, "probability that an occurrence is discarded"),
    m=Real(0, meaning="expected number of occurrences that remain"),
)


GLOVE_WEIGHT = Formula(
    "glove-weight",
    "w = min(1, (X/X_max)^(3/4))",
    title="Weight of a co-occurrence count in GloVe",
    source=f"{GLOVE}, with alpha = 3/4",
    X=Real(0, meaning="co-occurrence count"),
    X_max=Real(0, meaning="count from which on the weight is 1", default=100),
    w=Real(0, 1, "weight"),
)


GLOVE_TERM = Formula(
    "glove-term",
    """
    w = min(1, (X/X_max)^(3/4))
    e = s + b1 + b2 - ln(X)
    J = w*e^2
    """,
    title="Term of GloVe's loss for one pair of words",
    source=GLOVE,
    X=Real(0, meaning="co-occurrence count"),
    X_max=Real(0, meaning="count from which on the weight is 1", default=100),
    s=Real(meaning="dot product of the two word vectors"),
    b1=Real(meaning="bias of the word"),
    b2=Real(meaning="bias of the context word"),
    w=Real(0, 1, "weight"),
    e=Real(meaning="residual"),
    J=Real(0, meaning="term of the loss"),
)


GLOVE_OPTIMUM = Formula(
    "glove-optimum",
    "s = ln(X) - b1 - b2",
    title="Dot product at which a term of GloVe's loss is 0",
    source=f"{GLOVE}; derivation: the term f(X) (s + b1 + b2 - ln X)^2 is 0 if its residual is",
    X=Real(meaning="co-occurrence count"),
    b1=Real(meaning="bias of the word"),
    b2=Real(meaning="bias of the context word"),
    s=Real(meaning="dot product of the two word vectors"),
)


GLOVE_RATIO = Formula(
    "glove-ratio",
    """
    p1 = A[1]/S_A
    r1 = A[1]*S_B/(B[1]*S_A)
    r2 = A[2]*S_B/(B[2]*S_A)
    r3 = A[3]*S_B/(B[3]*S_A)
    probe = argmax(k, abs(ln(A[k]*S_B/(B[k]*S_A))))
    """,
    title="Ratios of co-occurrence probabilities",
    source=f"{GLOVE}: P(k|a)/P(k|b) is far from 1 if the word k is related to only one of a and b",
    shapes="A[3]; B[3]",
    A=Vector(0, meaning="counts of the three probe words near the first word"),
    B=Vector(0, meaning="counts of the three probe words near the second word"),
    S_A=Int(1, meaning="number of all words near the first word"),
    S_B=Int(1, meaning="number of all words near the second word"),
    k1=Text(meaning="first probe word", default="first"),
    k2=Text(meaning="second probe word", default="second"),
    k3=Text(meaning="third probe word", default="third"),
    p1=Real(0, 1, "probability of the first probe word near the first word"),
    r1=Real(0, meaning="ratio for the first probe word"),
    r2=Real(0, meaning="ratio for the second probe word"),
    r3=Real(0, meaning="ratio for the third probe word"),
    probe=Choice(
        meaning="probe word that tells the two words apart best",
        options=dict(first="{k1}", second="{k2}", third="{k3}"),
        supported_by="r1 r2 r3",
    ),
)


PAIR_SYMBOLS: dict[str, Any] = dict(
    N=Real(meaning="number of pairs"),
    a=Real(meaning="number of pairs with the word"),
    c=Real(meaning="number of pairs with the context"),
    k=Int(1, 1000, "number of negative samples per pair"),
)


SGNS_OPTIMUM = Formula(
    "sgns-optimum",
    "s = ln(n*N/(k*a*c))",
    title="Score that minimizes the skip-gram loss with negative sampling",
    source="Levy & Goldberg, Neural word embedding as implicit matrix factorization, NIPS 2014: PMI - ln k; "
    "derivation: the derivative -n (1 - sigmoid(s)) + k a c/N sigmoid(s) is 0 if e^s = n N/(k a c)",
    n=Real(meaning="number of pairs of the word and the context"),
    **PAIR_SYMBOLS,
    s=Real(meaning="score"),
)


SGNS_COUNT = Formula(
    "sgns-count",
    "n = k*a*c*exp(s)/N",
    title="Number of pairs for which a score minimizes the skip-gram loss",
    source="Levy & Goldberg, Neural word embedding as implicit matrix factorization, NIPS 2014, solved for the count",
    s=Real(meaning="score"),
    **PAIR_SYMBOLS,
    n=Real(meaning="number of pairs of the word and the context"),
)


SOFTMAX_COSTS = Formula(
    "softmax-costs",
    """
    full = V*d
    neg = (k + 1)*d
    tree = ceil(log2(V))*d
    best = where(neg < tree, 2, 3)
    """,
    title="Multiplications of full softmax, negative sampling and hierarchical softmax",
    source=f"{SKIP_GRAM}; derivation: one dot product of d products per score, for V words, for the context word and k "
    "negative samples, or for each inner node on the path of a balanced tree",
    V=Int(3, 100000000, "vocabulary size"),
    d=DIMENSION,
    k=Int(1, 1000, "number of negative samples"),
    full=Int(meaning="multiplications of the full softmax"),
    neg=Int(meaning="multiplications of negative sampling"),
    tree=Int(meaning="multiplications of hierarchical softmax"),
    best=Choice(
        meaning="cheapest method",
        options=dict(full="full softmax", neg="negative sampling", tree="hierarchical softmax"),
        supported_by="neg tree",
    ),
)


def _masked_means(ids: list[list[int]], bug: str, **_: Any) -> dict[str, Any]:
    sums = [sum(row) for row in ids]  # word i has the vector (i), and the padding 0
    lengths = [sum(1 for id in row if id) for row in ids]
    divisors = {"padding": [len(row) for row in ids], "batch": [sum(lengths)] * len(ids)}[bug]
    return {
        "prints": [total / divisor for total, divisor in zip(sums, divisors, strict=True)],
        "fixed": [total / length for total, length in zip(sums, lengths, strict=True)],
    }


PADDED_MEAN = Formula(
    "padded-mean",
    "",
    title="Mean of word vectors of padded sentences",
    source="PyTorch documentation, torch.nn.Embedding: the vector of padding_idx is an ordinary row in sums and means",
    procedure=_masked_means,
    procedure_outputs="prints fixed",
    ids=Matrix(meaning="word ids, one row per sentence; 0 is the padding"),
    bug=Word(words=("padding", "batch"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected"),
    prints=Vector(meaning="means that are printed"),
    fixed=Vector(meaning="means that the corrected program prints"),
)
