"""Which class is it? Told from pictures."""

from collections.abc import Sequence
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data.picture_file import square
from workbench.data.scaling import Scaler, z_score
from workbench.errors import UserError
from workbench.render.shape import format_shape
from workbench.tasks.classification import Classification
from workbench.tasks.task import Batch

AT_ONCE = 2**23  # numbers; a set that grows larger is enlarged batch by batch, as it is read
CHUNK = 512  # pictures that are scaled and resized together
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in grey: ITU-R BT.601
FLAT, FITTED = 16**2, 5000  # numbers a picture, and pictures, that the floor's method is given at most
SHOWN_SIDE = 48  # pixels of a side, at most, of what is shown


class PictureClassification(Classification):
    """Classification where a batch is pictures, grey or coloured, and classes (N,); a network of any size reads them.

    Pictures are resized to what the network reads, and coloured ones made grey for a network of one channel: all at
    once where that takes little memory, else batch by batch.
    """

    def fit(self, parts: dict[str, Any], input_shape: tuple[int, ...]) -> dict[str, Batch]:
        """Standardise by what the training part shows, all pixels alike."""
        scaler = z_score(parts["train"][0], axis=None)
        height, width = size(input_shape)
        grows = height * width > self.known.shape[1] * self.known.shape[2]
        at_once = not grows or self.known.samples * height * width <= AT_ONCE
        return {
            part: (_read(pictures, scaler, input_shape if at_once else None), torch.from_numpy(classes))
            for part, (pictures, classes) in parts.items()
        }

    def flat(self, parts: dict[str, Any]) -> dict[str, np.ndarray]:
        """Large pictures are made smaller first, so that the floor is computed in seconds."""
        channels, height, width = self.known.shape
        while channels * height * width > FLAT:
            height, width = (height + 1) // 2, (width + 1) // 2
        flattened = {}
        for part, (pictures, _) in parts.items():
            some = pictures[:FITTED] if part == "train" else pictures
            whole = Scaler(np.zeros(1, np.float32), np.full(1, 255 if some.dtype == np.uint8 else 1, np.float32))
            smaller = _read(some, whole, None if (height, width) == some.shape[2:] else (channels, height, width))
            flattened[part] = smaller.flatten(1).numpy()
        return flattened

    def read(self, files: Sequence[Path], seed: int) -> Tensor:
        """Other picture files, as a run of this seed is given its own: (N, channels, side, side), on the same scale.

        Raises:
            UserError: One of them is no picture, or damaged.
        """
        channels, side, _ = self.known.shape
        pictures = np.stack([square(file, side, channels) for file in files])
        trained = data.load(self.data, seed)["train"][0]
        levels = pictures if trained.dtype == np.uint8 else (pictures / 255).astype(np.float32)
        return _read(levels, z_score(trained, axis=None), None)

    def forward(self, network: nn.Module, batch: Batch) -> Any:
        shape: Any = getattr(network, "input_shape", batch[0].shape[1:])
        return network(as_read(batch[0], shape))

    def seen(self, one: Tensor) -> dict[str, Any]:
        """Rows of grey levels, or of red, green and blue from 0 to 1."""
        picture = one if one.dim() == 3 else one.view(1, isqrt(len(one)), -1)
        if (longest := max(picture.shape[1:])) > SHOWN_SIDE:
            fitting = [max(1, side * SHOWN_SIDE // longest) for side in picture.shape[1:]]
            picture = F.interpolate(picture[None], size=fitting, mode="bilinear", antialias=True)[0]
        if len(picture) != 3 or (picture == picture[:1]).all():
            return {"pixels": picture[0].double().round(decimals=3).tolist()}
        low, high = picture.amin(), picture.amax()
        return {"pixels": ((picture - low) / (high - low)).permute(1, 2, 0).double().round(decimals=3).tolist()}


def size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of the pictures that a network of this input shape reads.

    Raises:
        UserError: It reads no pictures.
    """
    if len(shape) == 3:
        return shape[1], shape[2]
    if len(shape) == 1 and isqrt(shape[0]) ** 2 == shape[0]:
        return isqrt(shape[0]), isqrt(shape[0])
    said = f"This network reads {format_shape(shape)}, which is no picture"
    raise UserError(f"{said}: size it to channels x height x width, or to a square number of pixels such as 64.")


def as_read(pictures: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Pictures (N, 1 or 3, h, w) as (N, channels, height, width), or grey and flat as (N, pixels) where that is read.

    What has that shape already stays as it is. Refuses as `size` does.
    """
    if pictures.shape[1:] == shape:
        return pictures
    pictures = _resized(pictures, shape)
    return pictures.flatten(1) if len(shape) == 1 else pictures.expand(-1, shape[0], -1, -1)  # no channel is copied


def _resized(pictures: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Pictures as high and wide as is read, grey where as many channels as they have aren't."""
    height_and_width, channels = size(shape), shape[0] if len(shape) == 3 else 1
    if pictures.shape[1] not in (1, channels):
        luma = torch.tensor(LUMA, dtype=pictures.dtype, device=pictures.device)
        pictures = (pictures * luma[:, None, None]).sum(dim=1, keepdim=True)
    if pictures.shape[2:] != height_and_width:
        pictures = F.interpolate(pictures, size=height_and_width, mode="bilinear", antialias=True)
    return pictures


def _read(pictures: np.ndarray, scaler: Scaler, shape: tuple[int, ...] | None) -> Tensor:
    """Scaled pictures, float32, in the shape that is read if one is given.

    A chunk at a time: in full they are in memory but once, as small as they become.
    """
    chunks = [pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)]
    scaled = (torch.from_numpy(scaler(chunk.astype(np.float32))) for chunk in chunks)
    if shape is None:
        return torch.cat(list(scaled))
    return as_read(torch.cat([_resized(chunk, shape) for chunk in scaled]), shape)
