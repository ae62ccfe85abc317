"""Multiclass classification: helpers of several files of drills."""

from random import Random

LOG_10 = "You used the base-10 logarithm. The convention here is the natural logarithm, so use ln."


ALL_CLASSES = "You summed over all classes. The one-hot label is 0 for the others, so only the true class contributes."


def _logits(rng: Random, classes: int) -> list[float]:
    return [rng.randint(-20, 40) / 10 for _ in range(classes)]


def _one_hot(k: int, classes: int) -> list[int]:
    return [int(j == k) for j in range(classes)]
