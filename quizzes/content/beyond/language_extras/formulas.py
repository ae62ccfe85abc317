"""TF-IDF, n-grams, byte-pair encoding, CTC, WER and ROUGE: formulas."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from math import log, prod
from typing import Any

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.content.beyond.language_extras.byte_pairs import (
    MAX_MERGES,
    Corpus,
    count_pairs,
    count_tokens,
    encode,
    merges_of,
    read_words,
    split_words,
)
from quizzes.content.beyond.language_extras.texts import (
    END,
    START,
    align,
    bigrams,
    collapse,
    common_subsequence,
    ctc_paths,
    ctc_probability,
    overlap,
    split_sentences,
)
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Labels, Matrix, Rational, Real, Table, Text, Texts, Vector, Word
from workbench.errors import UserError

TFIDF_SOURCE = "Manning, Raghavan & Schütze, Introduction to Information Retrieval, 2008, section 6.2"

LAPLACE_SOURCE = "Jurafsky & Martin, Speech and Language Processing, chapter on n-gram language models"

CTC_SOURCE = "Graves et al., Connectionist Temporal Classification, ICML 2006"

COUNTS: dict[str, Any] = dict(
    tf=Int(1, 1000000, "number of times that the term occurs in the document"),
    N=Int(1, 1000000000, "number of documents"),
    df=Int(1, 1000000000, "number of documents that contain the term"),
)

WEIGHT = Real(meaning="weight of the term in the document")


TFIDF = Formula(
    "tfidf",
    "w = tf*ln(N/df)",
    title="TF-IDF weight",
    source=TFIDF_SOURCE,
    conventions="Raw term frequency, natural logarithm, no smoothing.",
    **COUNTS,
    w=WEIGHT,
)


TFIDF_SMOOTH = Formula(
    "tfidf-smooth",
    "w = tf*(ln((1 + N)/(1 + df)) + 1)",
    title="TF-IDF weight as in scikit-learn",
    source="scikit-learn documentation, TfidfTransformer with smooth_idf=True and norm=None",
    **COUNTS,
    w=WEIGHT,
)


def _term_weights(documents: list[str], variant: str) -> dict[str, Any]:
    bags = [Counter(text.lower().split()) for text in documents]
    if not all(bags):
        raise UserError("A document has no words. Give every document at least one.")
    N, rows = len(bags), []
    for term in sorted(set().union(*bags)):
        df = sum(term in bag for bag in bags)
        idf = log(N / df) if variant == "plain" else log((1 + N) / (1 + df)) + 1
        weights = {f"document {k}": bag[term] * idf for k, bag in enumerate(bags, 1)}
        rows.append({"term": term, "df": df, "idf": idf, **weights})
    return {"table": rows}


TFIDF_TABLE = Formula(
    "tfidf-table",
    "",
    title="TF-IDF weights of documents",
    source=TFIDF_SOURCE,
    conventions="""
plain: tf ln(N/df). smooth: tf (ln((1 + N)/(1 + df)) + 1), as scikit-learn with
norm=None. Words are separated by spaces, in lower case.
""",
    procedure=_term_weights,
    procedure_outputs="table",
    documents=Texts(meaning="documents"),
    variant=Word(words=("plain", "smooth"), meaning="variant", default="plain"),
    table=Table(meaning="document frequency, idf and weights of every term"),
)


NGRAM_LAPLACE = Formula(
    "ngram-laplace",
    "P = (c12 + 1)/(c1 + V)",
    title="Bigram probability with add-one (Laplace) smoothing",
    source=LAPLACE_SOURCE,
    c12=Int(0, 1000000, "number of times that the pair occurs"),
    c1=Int(0, 1000000, "number of times that the first word occurs"),
    V=Int(1, 1000000, "vocabulary size"),
    P=Real(0, 1, "probability of the second word after the first"),
)


def _count_bigrams(text: str, first: str, second: str, lam: Value) -> dict[str, int]:
    sentences = split_sentences(text)
    pairs = bigrams(sentences)
    first, second = first.lower(), second.lower()
    return {
        "c12": pairs[first, second],
        "c1": sum(count for (word, _), count in pairs.items() if word == first),
        "V": len({word for words in sentences for word in words}) + 1,
    }


NGRAM_TEXT = Formula(
    "ngram-text",
    """
    P_ml = where(c1 > 0, c12/max(c1, 1), 0)
    P = (c12 + lam)/(c1 + lam*V)
    """,
    title="Bigram probabilities of a text",
    source=LAPLACE_SOURCE,
    conventions=f"""
Sentences end with a period or a line break; {START} begins and {END} ends each.
The vocabulary has the words and {END}, which can follow a word.
""",
    procedure=_count_bigrams,
    procedure_outputs="c12 c1 V",
    text=Text(meaning="training text"),
    first=Text(meaning=f"first word, or {START}"),
    second=Text(meaning=f"second word, or {END}"),
    lam=Real(0, 1000, "number that is added to every count, 1 for Laplace smoothing", default=1),
    c12=Int(meaning="number of times that the pair occurs"),
    c1=Int(meaning="number of times that the first word is followed by a word"),
    V=Int(meaning="vocabulary size"),
    P_ml=Rational(meaning="probability without smoothing (0 if the first word is unknown)"),
    P=Rational(meaning="probability with smoothing"),
)


def _score_sentence(text: str, sentence: str, lam: Value) -> dict[str, Any]:
    sentences = split_sentences(text)
    pairs = bigrams(sentences)
    vocabulary = {word for words in sentences for word in words} | {END}
    p, H, n = Fraction(1), 0.0, 0
    for (first, second), count in bigrams(split_sentences(sentence)).items():
        if second not in vocabulary:
            raise UserError(f"{second[:30]!r} is not in the training text, so it has no probability. Leave it out.")
        c1 = sum(times for (word, _), times in pairs.items() if word == first)
        each = Fraction(pairs[first, second] + lam) / Fraction(c1 + lam * len(vocabulary))
        if each == 0:
            raise UserError(
                f"{first[:30]!r} is never followed by {second[:30]!r} in the training text, so the perplexity is "
                "infinite. Use lam=1."
            )
        p *= each**count
        H -= count * log(each)
        n += count
    return {"p": p, "H": H / n, "n": n}


NGRAM_PERPLEXITY = Formula(
    "ngram-perplexity",
    "PP = exp(H)",
    title="Perplexity of a sentence under a bigram model",
    source=LAPLACE_SOURCE,
    conventions=NGRAM_TEXT.conventions,
    procedure=_score_sentence,
    procedure_outputs="p n H",
    text=Text(meaning="training text"),
    sentence=Text(meaning="sentence to score"),
    lam=Real(0, 1000, "number that is added to every count, 1 for Laplace smoothing", default=1),
    p=Real(meaning="probability of the sentence, with its end"),
    n=Int(meaning="number of bigrams"),
    H=Real(0, meaning="cross-entropy per token", unit="nats"),
    PP=Real(meaning="perplexity per token"),
)


def _collapse_text(path: str, blank: str) -> dict[str, str]:
    symbols = path.split() if " " in path.strip() else list(path.strip())
    if len(blank) != 1 or not symbols:
        raise UserError("Give a path such as aa-abb, and one character for the blank.")
    return {"y": ("" if all(len(symbol) == 1 for symbol in symbols) else " ").join(collapse(symbols, blank))}


CTC_COLLAPSE = Formula(
    "ctc-collapse",
    "",
    title="Labels of a CTC path",
    source=CTC_SOURCE,
    conventions="Repeats are merged first; then blanks are dropped.",
    procedure=_collapse_text,
    procedure_outputs="y",
    path=Text(meaning="path, a symbol per time step"),
    blank=Text(meaning="blank symbol", default="-"),
    y=Text(meaning="labels of the path"),
)


def _sum_paths(P: list[list[Value]], symbols: list[str], labels: str, blank: str) -> dict[str, Any]:
    letters = labels.split() if " " in labels.strip() else list(labels.strip())
    if len(symbols) != len(P[0]) or len(set(symbols)) < len(symbols):
        raise UserError(f"symbols must have {len(P[0])} different symbols, one per column of P.")
    for letter in (blank, *letters):
        if letter not in symbols or (letter == blank and letter in letters):
            raise UserError(f"labels must use symbols other than the blank: {', '.join(symbols)}.")
    for t, row in enumerate(P, 1):
        if abs(sum(row) - 1) > Fraction(1, 10**6):
            raise UserError(f"Row {t} of P must add up to 1, not to {float(sum(row)):g}.")
    best = [symbols[max(range(len(row)), key=lambda k: row[k])] for row in P]
    p = ctc_probability(P, symbols, blank, letters)
    return {"p": p, "best": best, "greedy": collapse(best, blank)}


CTC_PROBABILITY = Formula(
    "ctc-probability",
    "L = -ln(p)",
    title="Probability of labels under CTC",
    source=f"{CTC_SOURCE}: the sum over all paths that collapse to the labels, by the forward algorithm",
    procedure=_sum_paths,
    procedure_outputs="p best greedy",
    P=Matrix(0, 1, "probability of each symbol, a row per time step"),
    symbols=Texts(meaning="symbols of the columns"),
    labels=Text(meaning="labels, such as ab"),
    blank=Text(meaning="blank symbol", default="-"),
    p=Real(0, meaning="probability of the labels"),
    best=Labels(meaning="most likely path"),
    greedy=Labels(meaning="labels of the most likely path"),
    L=Real(0, meaning="CTC loss"),
)


def _count_paths(P: list[list[Value]]) -> dict[str, Any]:
    symbols = ["-", "a", "b"][: len(P[0])]
    paths = list(ctc_paths(symbols, len(P), "-", ["a"]))
    return {"count": len(paths), "p": sum(prod(P[t][k] for t, k in enumerate(path)) for path in paths)}


CTC_PATHS = Formula(
    "ctc-paths",
    "L = -ln(p)",
    title="CTC paths of a single label",
    source=CTC_SOURCE,
    procedure=_count_paths,
    procedure_outputs="count p",
    P=Matrix(0, 1, "probabilities of blank and a (and b), a row per time step"),
    count=Int(meaning="number of paths that collapse to a"),
    p=Real(0, 1, "probability of the labels a"),
    L=Real(0, meaning="CTC loss"),
)


def split_units(text: str, unit: str) -> list[str]:
    """Return the words or the characters of a text."""
    return text.split() if unit == "words" else list(text.strip())


def edit_counts(reference: str, hypothesis: str, unit: str) -> dict[str, Any]:
    """Return the counts of substitutions, deletions and insertions of an alignment, and the operations.

    Raises:
        UserError: If the reference is empty.
    """
    a, b = split_units(reference, unit), split_units(hypothesis, unit)
    if not a:
        raise UserError("The reference is empty. Give it at least one word or character.")
    _, operations = align(a, b)
    counts = Counter(operation for operation, _, _ in operations)
    rows = [{"operation": operation, "reference": x, "hypothesis": y} for operation, x, y in operations]
    return {"S": counts["S"], "D": counts["D"], "I": counts["I"], "N": len(a), "table": rows}


EDIT_DISTANCE = Formula(
    "edit-distance",
    """
    d = S + D + I
    E = d/N
    """,
    title="Edit distance, and word or character error rate",
    source="Levenshtein 1966; Jurafsky & Martin, Speech and Language Processing, on word error rate: "
    "(substitutions + deletions + insertions)/(words of the reference)",
    conventions="""
A substitution, a deletion or an insertion costs 1. The error rate divides by
the length of the reference, so it can be above 1. S, D and I are those of one
cheapest alignment.
""",
    procedure=edit_counts,
    procedure_outputs="S D I N table",
    reference=Text(meaning="reference"),
    hypothesis=Text(meaning="hypothesis"),
    unit=Word(words=("words", "characters"), meaning="unit that is compared", default="words"),
    S=Int(meaning="number of substitutions"),
    D=Int(meaning="number of deletions"),
    I=Int(meaning="number of insertions"),
    N=Int(meaning="length of the reference"),
    table=Table(meaning="operations of the alignment (= equal, S, D, I)"),
    d=Int(meaning="edit distance"),
    E=Rational(meaning="error rate"),
)


WORD_ERROR_RATE = Formula(
    "word-error-rate",
    "E = (S + D + I)/N",
    title="Word error rate from counts",
    source=EDIT_DISTANCE.source,
    S=Int(0, 100000, "number of substitutions"),
    D=Int(0, 100000, "number of deletions"),
    I=Int(0, 100000, "number of insertions"),
    N=Int(1, 100000, "number of words of the reference"),
    E=Real(0, meaning="word error rate"),
)


BPE_SOURCE = "Sennrich, Haddow & Birch, Neural Machine Translation of Rare Words with Subword Units, ACL 2016"

ROUGE_SOURCE = "Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004"

TIE_RULE = """
Of pairs that are equally frequent, the one that occurs first is merged, reading the words in their order from left to
right. Pairs never span two words.
"""


def word_counts(words: list[str], counts: list[Value]) -> dict[str, int]:
    """Return how often each word occurs.

    Raises:
        UserError: If the lists don't fit each other, or a word is empty or repeated.
    """
    if len(words) != len(counts):
        raise UserError(f"words has {len(words)} words and counts has {len(counts)} numbers. Give one number per word.")
    if len(set(words)) < len(words) or not all(words):
        raise UserError("Each word must be there once, and have at least one character.")
    return {word: int(count) for word, count in zip(words, counts, strict=True)}


def training_corpus(words: list[str] | None, counts: list[Value] | None, text: str | None, end: str | None) -> Corpus:
    """Return the words of a text, or words with their counts, split into characters.

    Raises:
        UserError: If there are neither, or they can't be used.
    """
    if text is not None:
        return split_words(read_words(text), end or "")
    if words is None:
        raise UserError("bpe needs words with their counts, or a text.")
    return split_words(word_counts(words, counts or [1] * len(words)), end or "")


def _train(
    k: int,
    words: list[str] | None = None,
    counts: list[Value] | None = None,
    text: str | None = None,
    end: str | None = None,
) -> dict[str, Any]:
    corpus = training_corpus(words, counts, text, end)
    steps = list(merges_of(corpus, k))
    if not steps:
        raise UserError("No word has two characters, so there is nothing to merge. Give longer words.")
    rows = [
        {"merge": number, "pair": " ".join(pair), "count": count, "tokens": count_tokens(after)}
        for number, (pair, count, after) in enumerate(steps, 1)
    ]
    return {
        "count": steps[0][1],
        "merges": ["".join(pair) for pair, _, _ in steps],
        "before": count_tokens(corpus),
        "after": count_tokens(steps[-1][2]),
        "table": rows,
    }


BPE = Formula(
    "bpe",
    "",
    title="Training byte-pair encoding",
    source=BPE_SOURCE,
    conventions=TIE_RULE,
    procedure=_train,
    procedure_outputs="count merges before after table",
    words=Texts(meaning="different words", optional=True),
    counts=Vector(1, meaning="number of occurrences of each word, 1 if left out", optional=True),
    text=Text(meaning="training text, instead of words and counts", optional=True),
    k=Int(1, MAX_MERGES, "number of merges", default=3),
    end=Text(meaning="end-of-word symbol, such as _", optional=True),
    count=Int(meaning="number of occurrences of the first merged pair"),
    merges=Labels(meaning="merged tokens, in order"),
    before=Int(meaning="number of tokens before the first merge"),
    after=Int(meaning="number of tokens after the last merge"),
    table=Table(meaning="merges"),
)


def _count_pair(words: list[str], counts: list[Value], pair: str) -> dict[str, int]:
    first, _, second = pair.partition(" ")
    corpus = split_words(word_counts(words, counts))
    return {"n": count_pairs(corpus)[first, second], "before": count_tokens(corpus)}


PAIR_COUNT = Formula(
    "bpe-pair",
    "after = before - n",
    title="Occurrences of a pair of characters",
    source=f"{BPE_SOURCE}; derivation: each merged occurrence makes one token out of two",
    conventions="The pair has two different characters.",
    procedure=_count_pair,
    procedure_outputs="n before",
    words=Texts(meaning="different words"),
    counts=Vector(1, meaning="number of occurrences of each word"),
    pair=Text(meaning="pair of characters, separated by a space"),
    n=Int(meaning="number of occurrences of the pair"),
    before=Int(meaning="number of tokens before the merge"),
    after=Int(meaning="number of tokens after it"),
)


def read_merges(merges: list[str]) -> list[tuple[str, str]]:
    """Read merges such as `e s`.

    Raises:
        UserError: If one is not a pair.
    """
    pairs = [merge.split() for merge in merges]
    for merge, pair in zip(merges, pairs, strict=True):
        if len(pair) != 2:
            raise UserError(
                f"{merge[:30]!r} is not a pair of tokens. Write it as two tokens with a space between them."
            )
    return [(first, second) for first, second in pairs]


def _encode(word: str, merges: list[str]) -> dict[str, Any]:
    tokens = encode(word, read_merges(merges))
    return {"tokens": list(tokens), "n": len(tokens)}


BPE_ENCODE = Formula(
    "bpe-encode",
    "",
    title="Applying the merges of byte-pair encoding",
    source=BPE_SOURCE,
    conventions="The merges are applied in the order in which they were learned, each from left to right.",
    procedure=_encode,
    procedure_outputs="tokens n",
    word=Text(meaning="word"),
    merges=Texts(meaning="merges in order, each as two tokens with a space"),
    tokens=Labels(meaning="tokens of the word"),
    n=Int(meaning="number of tokens"),
)


BPE_SIZE = Formula(
    "bpe-vocabulary",
    "V = b + k + s",
    title="Vocabulary size of byte-pair encoding",
    source=f"{BPE_SOURCE}; derivation: each merge adds one token; GPT-2 has 256 bytes, 50,000 merges and 1 special "
    f"token",
    b=Int(1, meaning="number of base tokens: characters, or 256 bytes"),
    k=Int(0, meaning="number of merges"),
    s=Int(0, meaning="number of special tokens"),
    V=Int(1, meaning="vocabulary size"),
)


PAIR_LINE, COUNT_LINE = 5, 6  # of the program of debug-bpe-count


def best_pair(counts: Counter[tuple[str, str]]) -> str:
    """Return the most frequent pair, of several the first one."""
    first, second = max(counts, key=counts.__getitem__)
    return first + second


def _run_program(words: list[str], counts: list[Value], line: int | None = None) -> dict[str, str]:
    numbers = word_counts(words, counts)
    fixed = best_pair(count_pairs(split_words(numbers)))
    if line == COUNT_LINE:
        return {"printed": best_pair(Counter(pair for word in words for pair in pairwise(word))), "fixed": fixed}
    skipping: Counter[tuple[str, str]] = Counter()
    for word, number in numbers.items():
        for pair in zip(word, word[2:], strict=False):
            skipping[pair] += number
    return {"printed": best_pair(skipping), "fixed": fixed}


BPE_PROGRAM = Formula(
    "bpe-program",
    "",
    title="An incorrect choice of the pair to merge",
    source=BPE_SOURCE,
    conventions=TIE_RULE,
    procedure=_run_program,
    procedure_outputs="printed fixed",
    words=Texts(meaning="different words"),
    counts=Vector(1, meaning="number of occurrences of each word"),
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Text(meaning="pair that is printed"),
    fixed=Text(meaning="pair after the correction"),
)


def _count_overlap(reference: str, candidate: str, n: int) -> dict[str, int]:
    matches, a, b = overlap(reference.split(), candidate.split(), n)
    if not a or not b:
        raise UserError(f"Both texts need at least {n} words for {n}-grams.")
    return {"m": matches, "a": a, "b": b}


ROUGE_N = Formula(
    "rouge-n",
    """
    R = m/a
    P = m/b
    F = 2*m/(a + b)
    """,
    title="ROUGE-N of a summary",
    source=f"{ROUGE_SOURCE}, section 2; derivation: 2PR/(P + R) with P = m/b and R = m/a is 2m/(a + b)",
    conventions="A shared n-gram counts as often as it occurs in both texts. Words are separated by spaces.",
    procedure=_count_overlap,
    procedure_outputs="m a b",
    reference=Text(meaning="reference summary"),
    candidate=Text(meaning="summary to evaluate"),
    n=Int(1, 20, "length of the n-grams", default=1),
    m=Int(meaning="number of n-grams in both texts"),
    a=Int(meaning="number of n-grams of the reference"),
    b=Int(meaning="number of n-grams of the candidate"),
    R=Rational(meaning="recall"),
    P=Rational(meaning="precision"),
    F=Rational(meaning="F1"),
)


def _count_common(reference: str, candidate: str) -> dict[str, int]:
    a, b = reference.split(), candidate.split()
    if not a or not b:
        raise UserError("Both texts need at least one word.")
    return {"m": len(common_subsequence(a, b)), "a": len(a), "b": len(b)}


ROUGE_L = Formula(
    "rouge-l",
    """
    R = m/a
    P = m/b
    F = 2*m/(a + b)
    """,
    title="ROUGE-L of a summary",
    source=f"{ROUGE_SOURCE}, section 3, with beta = 1",
    conventions="The longest common subsequence keeps the order of the words, but may skip some. Words have spaces "
    "between.",
    procedure=_count_common,
    procedure_outputs="m a b",
    reference=Text(meaning="reference summary"),
    candidate=Text(meaning="summary to evaluate"),
    m=Int(meaning="length of the longest common subsequence"),
    a=Int(meaning="number of words of the reference"),
    b=Int(meaning="number of words of the candidate"),
    R=Rational(meaning="recall"),
    P=Rational(meaning="precision"),
    F=Rational(meaning="F1"),
)


ROUGE_COUNTS = Formula(
    "rouge-counts",
    """
    R = m/a
    P = m/b
    F = 2*P*R/(P + R)
    """,
    title="ROUGE from counts",
    source=f"{ROUGE_SOURCE}, section 2",
    a=Int(1, 1000000, "number of n-grams of the reference"),
    b=Int(1, 1000000, "number of n-grams of the candidate"),
    m=Int(1, 1000000, "number of n-grams in both texts"),
    R=Real(0, 1, "recall"),
    P=Real(0, 1, "precision"),
    F=Real(0, 1, "F1"),
)


ROUGE_F = Formula(
    "rouge-f1",
    "F = 2*P*R/(P + R)",
    title="F1 of ROUGE from precision and recall",
    source=f"{ROUGE_SOURCE}, section 3, with beta = 1",
    P=Real(0, 1, "precision"),
    R=Real(0, 1, "recall"),
    F=Real(0, 1, "F1"),
)


def _compare(reference: str, first: str, second: str) -> dict[str, int]:
    a = reference.split()
    values = {"a": len(a)}
    for name, text in (("1", first), ("2", second)):
        words = text.split()
        values |= {f"m{name}": overlap(a, words, 1)[0], f"l{name}": len(common_subsequence(a, words))}
        values |= {f"b{name}": len(words)}
    return values


ROUGE_ORDER = Formula(
    "rouge-order",
    """
    F1 = 2*m1/(a + b1)
    F2 = 2*m2/(a + b2)
    L1 = 2*l1/(a + b1)
    L2 = 2*l2/(a + b2)
    by_words = where(F1 > F2, 1, 2)
    by_order = where(L1 > L2, 1, 2)
    """,
    title="ROUGE-1 and ROUGE-L of two summaries",
    source=ROUGE_SOURCE,
    procedure=_compare,
    procedure_outputs="a m1 l1 b1 m2 l2 b2",
    reference=Text(meaning="reference summary"),
    first=Text(meaning="summary A"),
    second=Text(meaning="summary B"),
    a=Int(meaning="number of words of the reference"),
    m1=Int(meaning="words of A in the reference"),
    l1=Int(meaning="longest common subsequence of A"),
    b1=Int(meaning="number of words of A"),
    m2=Int(meaning="words of B in the reference"),
    l2=Int(meaning="longest common subsequence of B"),
    b2=Int(meaning="number of words of B"),
    F1=Rational(meaning="F1 of ROUGE-1 of A"),
    F2=Rational(meaning="F1 of ROUGE-1 of B"),
    L1=Rational(meaning="F1 of ROUGE-L of A"),
    L2=Rational(meaning="F1 of ROUGE-L of B"),
    by_words=Choice(
        meaning="better summary by ROUGE-1", options=dict(A="summary A", B="summary B"), supported_by="F1 F2"
    ),
    by_order=Choice(
        meaning="better summary by ROUGE-L", options=dict(A="summary A", B="summary B"), supported_by="L1 L2"
    ),
)
