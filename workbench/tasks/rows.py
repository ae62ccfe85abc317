"""Rows of a table as what a network reads."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.data.dataset import DataSet
from workbench.data.scaling import z_score
from workbench.errors import UserError
from workbench.render.shape import format_shape


def standardised(parts: dict[str, Any]) -> dict[str, np.ndarray]:
    """Every part's inputs (N, features), each feature with the mean 0 and the deviation 1 of the training part."""
    scaler = z_score(parts["train"][0])
    return {part: scaler(columns[0]) for part, columns in parts.items()}


def as_read(inputs: np.ndarray, shape: tuple[int, ...], known: DataSet) -> Tensor:
    """Inputs (N, features) for a network of this input shape, float32.

    Raises:
        UserError: It reads something else.
    """
    if tuple(shape) != known.shape:
        reads, holds = format_shape(shape), known.shape[0]
        said = f"This network reads {reads}, and a row here holds {holds} numbers"
        raise UserError(f"{said}: take one that reads {holds}, such as mlp.")
    return torch.from_numpy(inputs.astype(np.float32))
