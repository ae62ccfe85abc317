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
