"""Checks of the drills about TF-IDF, n-grams, CTC and error rates."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def tfidf(tf: int, N: int, df: int) -> float:
    # The information of one document out of N that contains the term, in nats.
    probability = torch.tensor(df / N)
    return float(-tf * torch.log(probability))


def tfidf_smooth(tf: int, N: int, df: int) -> float:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfTransformer

    counts = np.zeros((N, 1))
    counts[:df] = 1
    counts[0] = tf
    return float(TfidfTransformer(norm=None).fit_transform(counts)[0, 0])


def ngram_laplace(c12: int, c1: int, V: int) -> float:
    # The mean of a Dirichlet distribution with one count more for every word.
    counts = torch.ones(V)
    counts[0] += c12
    counts[1] += c1 - c12
    return float(torch.distributions.Dirichlet(counts).mean[0])


def ngram_text(text: str, first: str, second: str, lam: float) -> dict[str, Any]:
    from fractions import Fraction

    from sklearn.feature_extraction.text import CountVectorizer

    sentences = [f"<s> {sentence.strip()} </s>" for sentence in text.split(".")]
    pairs = CountVectorizer(ngram_range=(2, 2), token_pattern=r"\S+").fit(sentences)
    totals = dict(zip(pairs.get_feature_names_out(), pairs.transform(sentences).sum(axis=0).tolist()[0], strict=True))
    c12 = totals.get(f"{first} {second}", 0)
    c1 = sum(count for pair, count in totals.items() if pair.split()[0] == first)
    words = CountVectorizer(token_pattern=r"\S+").fit(sentences).get_feature_names_out()
    V, extra = len(words) - 1, Fraction(str(lam))
    P = (c12 + extra) / (c1 + extra * V)
    return dict(c12=c12, c1=c1, V=V, P_ml=str(Fraction(c12, c1)), P=str(P))


def ctc_collapse(path: str, blank: str) -> str:
    ids = torch.tensor([ord(symbol) for symbol in path.split()])
    return "".join(chr(code) for code in torch.unique_consecutive(ids).tolist() if chr(code) != blank)


def ctc_paths(P: Tensor) -> dict[str, Any]:
    steps = len(P)
    # With equal probabilities, the loss tells the number of paths.
    losses = [
        F.ctc_loss(
            logs[:, None], torch.tensor([[1]]), torch.tensor([steps]), torch.tensor([1]), reduction="sum", blank=0
        )
        for logs in (P.log(), torch.zeros(steps, P.shape[1]))
    ]
    return dict(count=round(float(torch.exp(-losses[1]))), p=torch.exp(-losses[0]), L=losses[0])


def wer_edit(reference: str, hypothesis: str, unit: str) -> dict[str, Any]:
    from fractions import Fraction
    from functools import cache

    a, b = ((text.split() if unit == "words" else list(text)) for text in (reference, hypothesis))

    @cache
    def distance(i: int, j: int) -> int:
        """Return the distance of the rest of a from i on and of b from j on."""
        if i == len(a) or j == len(b):
            return len(a) - i + len(b) - j
        if a[i] == b[j]:
            return distance(i + 1, j + 1)
        return 1 + min(distance(i + 1, j + 1), distance(i + 1, j), distance(i, j + 1))

    d = distance(0, 0)
    return dict(d=d, E=str(Fraction(d, len(a))))


def wer_counts(N: int, S: int, D: int, I: int) -> float:
    # An alignment with these operations: 1 for an error, 0 for a correct word.
    errors = torch.cat([torch.ones(S + D), torch.zeros(N - S - D), torch.ones(I)])
    return float(errors.sum() / N)


def _train_on_text(words: list[str], counts: list[int], k: int) -> tuple[list[str], list[int], str]:
    """Return merged tokens, their numbers of occurrences and the text, merged by replacing in a string."""
    import re

    text = "".join(f"|{' '.join(word)}|" * int(count) for word, count in zip(words, counts, strict=True))
    merges, occurrences = [], []
    for _ in range(k):
        pairs = re.findall(r"(?<![^ |])(?=([^ |]+ [^ |]+)(?![^ |]))", text)
        best = max(dict.fromkeys(pairs), key=pairs.count)
        merges.append(best.replace(" ", ""))
        occurrences.append(pairs.count(best))
        text = re.sub(rf"(?<![^ |]){re.escape(best)}(?![^ |])", merges[-1], text)
    return merges, occurrences, text


def bpe_merge(words: list[str], counts: list[int], k: int) -> dict[str, Any]:
    merges, occurrences, text = _train_on_text(words, counts, k)
    return dict(count=occurrences[0], merges=merges, after=len(text.replace("|", " ").split()))


def pair_count(words: list[str], counts: list[int], pair: str) -> dict[str, int]:
    text = " ".join(" ".join([word] * int(count)) for word, count in zip(words, counts, strict=True))
    merged = text.replace(pair.replace(" ", ""), "*")
    return dict(n=merged.count("*"), before=len("".join(text.split())), after=len("".join(merged.split())))


def bpe_encode(word: str, merges: list[str]) -> dict[str, Any]:
    # As in GPT-2's own encoder: of the pairs of the word, merge the one that was learned first, until none is left.
    from itertools import pairwise

    ranks = {tuple(merge.split()): rank for rank, merge in enumerate(merges)}
    tokens = list(word)
    while mergeable := [pair for pair in pairwise(tokens) if pair in ranks]:
        first, second = min(mergeable, key=ranks.__getitem__)
        position = 0
        while position < len(tokens) - 1:
            if tokens[position : position + 2] == [first, second]:
                tokens[position : position + 2] = [first + second]
            position += 1
    return dict(tokens=tokens, n=len(tokens))


def bpe_size(b: int, k: int, s: int) -> dict[str, int]:
    embedding = torch.nn.Embedding(b, 1, device="meta")
    sizes = [embedding.num_embeddings, k, s]
    return dict(V=len(torch.cat([torch.zeros(size) for size in sizes])), k=k, b=b)


def debug_bpe_count(words: list[str], counts: list[int], program: str) -> dict[str, Any]:
    from collections import Counter

    is_weighted = "+= n" in program
    texts = [word for word, count in zip(words, counts, strict=True) for _ in range(int(count) if is_weighted else 1)]
    step = 2 if "word[2:]" in program else 1
    printed = Counter(text[k] + text[k + step] for text in texts for k in range(len(text) - step)).most_common(1)[0][0]
    return dict(line=6 if step == 1 else 5, printed=printed, fixed=_train_on_text(words, counts, 1)[0][0])


def _overlap(reference: str, candidate: str, n: int) -> tuple[int, int, int]:
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(ngram_range=(n, n), token_pattern=r"\S+")
    a, b = vectorizer.fit_transform([reference, candidate]).toarray()
    return int(torch.minimum(torch.tensor(a), torch.tensor(b)).sum()), int(a.sum()), int(b.sum())


def _ratios(m: int, a: int, b: int) -> dict[str, Any]:
    from fractions import Fraction
    from statistics import harmonic_mean

    R, P = Fraction(m, a), Fraction(m, b)
    F = harmonic_mean([R, P]) if m else Fraction(0)
    return dict(m=m, R=str(R), P=str(P), F=str(Fraction(F)))


def rouge_n(reference: str, candidate: str, n: int) -> dict[str, Any]:
    return _ratios(*_overlap(reference, candidate, n))


def _common_length(a: list[str], b: list[str]) -> int:
    # An alignment by deletions and insertions alone keeps a longest common subsequence.
    from functools import cache

    @cache
    def distance(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return len(a) - i + len(b) - j
        return distance(i + 1, j + 1) if a[i] == b[j] else 1 + min(distance(i + 1, j), distance(i, j + 1))

    return (len(a) + len(b) - distance(0, 0)) // 2


def rouge_l(reference: str, candidate: str) -> dict[str, Any]:
    a, b = reference.split(), candidate.split()
    return _ratios(_common_length(a, b), len(a), len(b))


def rouge_counts(a: int, b: int, m: int) -> dict[str, float]:
    from sklearn.metrics import precision_recall_fscore_support

    target = [1] * a + [0] * (b - m)
    prediction = [1] * m + [0] * (a - m) + [1] * (b - m)
    P, R, F, _ = precision_recall_fscore_support(target, prediction, average="binary")
    return dict(R=float(R), P=float(P), F=float(F))


def rouge_f(P: float, R: float) -> dict[str, float]:
    from statistics import harmonic_mean

    return dict(F=harmonic_mean([P, R]), P=P, R=R)


def decide_rouge(reference: str, first: str, second: str) -> dict[str, Any]:
    from fractions import Fraction

    words = [_ratios(*_overlap(reference, text, 1))["F"] for text in (first, second)]
    order = [rouge_l(reference, text)["F"] for text in (first, second)]
    by_words, by_order = (1 if Fraction(a) > Fraction(b) else 2 for a, b in (words, order))
    return dict(F1=words[0], F2=words[1], L1=order[0], L2=order[1], by_words=by_words, by_order=by_order)
