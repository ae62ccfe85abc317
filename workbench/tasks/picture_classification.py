"""Which class is it? Told from pictures."""

from math import isqrt
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import BadInput
from workbench.data.scaling import z_score
from workbench.tasks.classification import Classification
from workbench.tasks.task import Batch

AT_ONCE = 2**23  # numbers; a set that grows larger is enlarged batch by batch, as it is read


class PictureClassification(Classification):
    """Classification where a batch is grey pictures and classes (N,); a network of any size reads them.

    Pictures are enlarged to what the network reads: all at once where that takes little memory, else batch by batch.
    """

    def fit(self, parts: dict[str, Any], input_shape: tuple[int, ...]) -> dict[str, Batch]:
        """Standardise by what the training part shows, all pixels alike."""
        scaler = z_score(parts["train"][0], axis=None)
        height, width = size(input_shape)
        at_once = self.known.samples * height * width <= AT_ONCE
        fitted: dict[str, Batch] = {}
        for part, (pictures, classes) in parts.items():
            scaled = torch.from_numpy(scaler(pictures))
            fitted[part] = (as_read(scaled, input_shape) if at_once else scaled, torch.from_numpy(classes))
        return fitted

    def flat(self, parts: dict[str, Any]) -> dict[str, np.ndarray]:
        return {part: pictures.reshape(len(pictures), -1) for part, (pictures, _) in parts.items()}

    def forward(self, network: nn.Module, batch: Batch) -> Any:
        shape: Any = getattr(network, "input_shape", batch[0].shape[1:])
        return network(as_read(batch[0], shape))

    def seen(self, one: Tensor) -> dict[str, Any]:
        rows = one[0] if one.dim() == 3 else one.view(isqrt(len(one)), -1)
        return {"pixels": rows.double().round(decimals=3).tolist()}


def size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of the pictures that a network of this input shape reads.

    Raises:
        BadInput: It reads no pictures.
    """
    if len(shape) == 3:
        return shape[1], shape[2]
    if len(shape) == 1 and isqrt(shape[0]) ** 2 == shape[0]:
        return isqrt(shape[0]), isqrt(shape[0])
    said = f"This network reads {'x'.join(map(str, shape))}, which is no picture"
    raise BadInput(f"{said}: size it to channels x height x width, or to a square number of pixels such as 64.")


def as_read(pictures: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Grey pictures (N, 1, h, w) as (N, channels, height, width), or flat as (N, pixels) where that is read.

    What has that shape already stays as it is. Refuses as `size` does.
    """
    if pictures.shape[1:] == shape:
        return pictures
    height_and_width = size(shape)
    if pictures.shape[2:] != height_and_width:
        pictures = F.interpolate(pictures, size=height_and_width, mode="bilinear", antialias=True)
    return pictures.flatten(1) if len(shape) == 1 else pictures.expand(-1, shape[0], -1, -1)  # no channel is copied
