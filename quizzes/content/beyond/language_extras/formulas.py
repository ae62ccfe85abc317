"""TF-IDF, n-grams, CTC, WER: formulas."""

from collections import Counter
from fractions import Fraction
from math import log, prod
from typing import Any

from quizzes.content.beyond.language_extras.texts import (
    END,
    START,
    align,
    bigrams,
    collapse,
    ctc_paths,
    ctc_probability,
    split_sentences,
)
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Labels, Matrix, Rational, Real, Table, Text, Texts, Word
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
