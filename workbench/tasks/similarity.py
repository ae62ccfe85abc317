"""Similarity of word vectors: neighbors, analogies, and maps in the plane."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

NEIGHBORS = 5
MIN_GROUP = 4  # words of a category that counts
PERPLEXITY = 20.0  # of t-SNE


def cosines(vectors: Tensor, query: Tensor) -> Tensor:
    """Return the cosine similarity (N,) of vectors (N, features) with one vector; 0 if one of the two is 0."""
    own, other = F.normalize(vectors.double(), dim=1), F.normalize(query.double(), dim=0)
    return own.mv(other)


def analogy_vector(vectors: Tensor, a: int, b: int, c: int) -> Tensor:
    """Return b - a + c for the normalized vectors of three tokens: a is to b as c is to the result."""
    x, y, z = F.normalize(vectors[[a, b, c]].double(), dim=1)
    query: Tensor = y - x + z
    return query


def rank(similarities: Tensor, allowed: Sequence[int] | Tensor, without: Sequence[int], count: int) -> list[int]:
    """Return the most similar tokens among those allowed, without some, the most similar first."""
    masked = torch.full_like(similarities, -torch.inf)
    masked[allowed] = similarities[allowed]
    masked[list(without)] = -torch.inf
    return masked.topk(min(count, int(masked.isfinite().sum()))).indices.tolist()


def neighbor_share(vectors: Tensor, tokens: Tensor, groups: Sequence[str]) -> float:
    """Return the mean share of the nearest neighbors of a word, at most 5, that have its category.

    Args:
        vectors: The vector of each token (vocabulary, features).
        tokens: The tokens that are compared (N,).
        groups: The category of each of them; smaller ones than 4 words count as neighbors only.
    """
    own = F.normalize(vectors[tokens].double(), dim=1)
    similarities = own @ own.T
    similarities.fill_diagonal_(-torch.inf)
    numbers, counts = _numbered(groups)
    shares = []
    for k in torch.nonzero(counts[numbers] >= MIN_GROUP)[:, 0].tolist():
        nearest = similarities[k].topk(min(NEIGHBORS, int(counts[numbers[k]]) - 1)).indices
        shares.append((numbers[nearest] == numbers[k]).double().mean())
    return float(torch.stack(shares).mean())


def neighbor_share_at_random(groups: Sequence[str]) -> float:
    """Return the expected `neighbor_share` of random neighbors."""
    numbers, counts = _numbered(groups)
    sizes = counts[numbers].double()
    return float(((sizes - 1) / (len(groups) - 1))[sizes >= MIN_GROUP].mean())


def _numbered(groups: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return the number of the category of each word, and the size of each category."""
    names = sorted(set(groups))
    numbers = torch.tensor([names.index(group) for group in groups])
    return numbers, torch.bincount(numbers)


def analogy_accuracy(vectors: Tensor, relations: Mapping[str, Sequence[tuple[int, int]]], allowed: Tensor) -> float:
    """Return the share of analogies whose nearest word is the correct one.

    For any two pairs (a, b) and (c, d) of a relation, d must be the nearest to b - a + c among all others.

    Args:
        vectors: The vector of each token (vocabulary, features).
        relations: The pairs of tokens of each relation.
        allowed: The tokens that can be the answer (N,).
    """
    own = F.normalize(vectors.double(), dim=1)
    quadruples = torch.tensor([(*one, *other) for pairs in relations.values() for one, other in permutations(pairs, 2)])
    a, b, c, d = quadruples.unbind(dim=1)
    similarities = (own[b] - own[a] + own[c]) @ own.T
    excluded = torch.ones(len(own), dtype=torch.bool)
    excluded[allowed] = False
    similarities[:, excluded] = -torch.inf
    for column in (a, b, c):
        similarities.scatter_(1, column[:, None], -torch.inf)
    return float((similarities.argmax(dim=1) == d).double().mean())


def project(vectors: Tensor, method: str) -> np.ndarray:
    """Return points (N, 2) for the normalized vectors (N, features), by `pca` or `tsne`."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    own = F.normalize(vectors.double(), dim=1).numpy()
    if method == "pca" or len(own) < 4:
        return np.asarray(PCA(2, random_state=0).fit_transform(own))
    perplexity = min(PERPLEXITY, (len(own) - 1) / 3)
    return np.asarray(TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(own))
