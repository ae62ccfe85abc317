"""The rows of a table as the inputs of a network."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench.data.dataset import DataSet
from workbench.data.scaling import Scaler, z_score
from workbench.errors import UserError
from workbench.render.shape import format_shape


def standardize(splits: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return each split's inputs (N, features); each feature of the training set has mean 0 and deviation 1."""
    scaler = z_score(splits["train"][0])
    return {split: scaler(columns[0]) for split, columns in splits.items()}


def fit(inputs: np.ndarray, network: nn.Module, dataset: DataSet) -> Tensor:
    """Return inputs (N, features) for a network, float32.

    Raises:
        UserError: If the network reads something else.
    """
    shape: Any = getattr(network, "input_shape", None)
    if shape is None or tuple(shape) != dataset.shape:
        features = dataset.shape[0]
        reads = format_shape(shape) if shape else "something else"
        raise UserError(
            f"This network reads {reads}, and a row of {dataset.name} has {features} features: use one that reads "
            f"{features}, such as mlp."
        )
    return torch.from_numpy(inputs.astype(np.float32))


def reorder(inputs: np.ndarray, other: DataSet, dataset: DataSet) -> np.ndarray:
    """Return the inputs (N, features) of another table in the order that the features have in this one.

    Raises:
        UserError: If the other table has other features.
    """
    missing = [name for name in dataset.features if name not in other.features]
    extra = [name for name in other.features if name not in dataset.features]
    if missing or extra or not dataset.features:
        problem = (
            f"has no column {missing[0]!r}" if missing else f"has the column {extra[0]!r} as well" if extra else ""
        )
        raise UserError(
            f"{other.name} {problem or 'is a table'}: a network of {dataset.name} reads "
            f"{', '.join(dataset.features) or 'no table'}."
        )
    return inputs[:, [other.features.index(name) for name in dataset.features]]


def argument(feature: str) -> str:
    """Return the name under which a feature can be typed: `sepal length (cm)` is `sepal_length`."""
    return re.sub(r"\W+", "_", re.sub(r"\(.*?\)", "", feature).strip()).strip("_").lower() or feature


def read(question: Mapping[str, str], dataset: DataSet, scaler: Scaler) -> tuple[np.ndarray, dict[str, float]]:
    """Return a row that was typed, standardized (features,) float32, and as it was typed.

    Args:
        question: Argument -> text.
        dataset: The table.
        scaler: The scaler of its training set: a feature that is left out has the mean.

    Raises:
        UserError: If a value is not a finite number.
    """
    row = np.array(np.broadcast_to(scaler.shift, dataset.shape), dtype=np.float64)
    for k, feature in enumerate(dataset.features):
        text = question.get(argument(feature))
        if text is not None:
            row[k] = number(argument(feature), text)
    values = {feature: float(value) for feature, value in zip(dataset.features, row, strict=True)}
    return scaler(row).astype(np.float32), values


def number(name: str, text: str) -> float:
    """Return a number that was typed.

    Raises:
        UserError: If it is not a finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise UserError(f"{name} must be a number, not {text[:60]!r}.")
    return value
