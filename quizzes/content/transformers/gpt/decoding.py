"""Temperature, top-k, top-p, and the draw of a token."""

from collections.abc import Sequence
from math import exp
from typing import Any

from quizzes.expressions.tree import Value
from workbench.errors import UserError

TOKENS = ("A", "B", "C", "D", "E")  # of drills


def softmax(z: Sequence[Value], T: Value = 1) -> list[float]:
    """Return the probabilities of logits at a temperature; the largest logit is subtracted, so nothing overflows."""
    largest = max(z)
    weights = [exp(max(float((value - largest) / T), -700.0)) for value in z]
    return [weight / sum(weights) for weight in weights]


def renormalize(p: Sequence[float], candidates: Sequence[bool]) -> list[float]:
    """Return the probabilities of the tokens that are candidates, divided by their sum; 0 for the others."""
    total = sum(value for value, is_kept in zip(p, candidates, strict=True) if is_kept)
    return [value / total if is_kept else 0.0 for value, is_kept in zip(p, candidates, strict=True)]


def by_probability(p: Sequence[float]) -> list[int]:
    """Return the indices of the tokens, the most likely one first; equal tokens keep their order."""
    return sorted(range(len(p)), key=lambda i: -p[i])


def keep_top_k(p: Sequence[float], k: int | None) -> list[bool]:
    """Return whether each token is among the k most likely ones; None keeps all."""
    best = by_probability(p)[:k]
    return [i in best for i in range(len(p))]


def keep_top_p(p: Sequence[float], mass: Value = None) -> list[bool]:
    """Return whether each token is in the smallest set of the most likely tokens that has a probability of `mass`."""
    candidates, total = [False] * len(p), 0.0
    for i in by_probability(p):
        if candidates.count(True) and mass is not None and total >= float(mass) - 1e-12:
            break
        candidates[i] = p[i] > 0
        total += p[i]
    return candidates


def draw(p: Sequence[float], u: Value = None) -> int:
    """Return the number of a token, from 1: the likeliest, or the first one whose cumulative probability is above u."""
    if u is None:
        return by_probability(p)[0] + 1
    total, last = 0.0, max(i for i, value in enumerate(p) if value > 0)
    for i, value in enumerate(p):
        total += value
        if total > float(u) and value > 0:
            return i + 1
    return last + 1


def sample(z: Sequence[Value], T: Value, k: int | None = None, p: Value = None, u: Value = None) -> dict[str, Any]:
    """Return the probabilities after each step, and the number of the token that is drawn.

    Raises:
        UserError: If k is larger than the number of tokens.
    """
    if k is not None and k > len(z):
        raise UserError(f"k must be at most the number of logits, {len(z)}, not {k}.")
    probabilities = softmax(z, T)
    top_k = renormalize(probabilities, keep_top_k(probabilities, k))
    q = renormalize(top_k, keep_top_p(top_k, p))
    return {"softmax": probabilities, "top_k": top_k, "q": q, "number": draw(q, u)}
