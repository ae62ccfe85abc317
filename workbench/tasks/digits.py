"""Which digit is it? Ten classes, real handwriting."""

from math import isqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import BadInput, data
from workbench.tasks.task import Batch, Floor, Task


class Digits(Task):
    """Classification by cross-entropy, measured by accuracy; the floor is logistic regression on the pixels."""

    title = "read handwritten digits"
    data = "digits"

    def fit(self, parts: dict[str, Any], input_shape: tuple[int, ...]) -> dict[str, Batch]:
        """Enlarge the 8x8 pixels to what the network reads, and standardise by what the training part shows."""
        ink = parts["train"][0]
        mean, deviation = float(ink.mean()), float(ink.std())
        return {
            part: (resized((torch.from_numpy(pictures) - mean) / deviation, input_shape), torch.from_numpy(classes))
            for part, (pictures, classes) in parts.items()
        }

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return F.cross_entropy(outputs, batch[1])

    def metrics(self, outputs: Tensor, batch: Batch) -> dict[str, float]:
        return {"accuracy": (outputs.argmax(dim=1) == batch[1]).sum().item() / len(batch[1])}

    def floor(self, seed: int) -> Floor:
        from sklearn.linear_model import LogisticRegression

        parts = data.load(self.data, seed)
        pixels = {part: pictures.reshape(len(pictures), -1) for part, (pictures, _) in parts.items()}
        regression = LogisticRegression(max_iter=1000).fit(pixels["train"], parts["train"][1])
        return Floor("logistic regression", "accuracy", float(regression.score(pixels["test"], parts["test"][1])))

    @torch.inference_mode()
    def pictures(self, network: nn.Module, samples: Batch) -> list[dict[str, Any]]:
        network.eval()
        chances = self.forward(network, samples).softmax(dim=1)
        network.train()
        return [
            {
                "pixels": square(picture).double().round(decimals=3).tolist(),
                "target": int(target),
                "predicted": int(chance.argmax()),
                "probability": float(chance.max()),
            }
            for picture, target, chance in zip(*samples, chances, strict=True)
        ]


def resized(pictures: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Grey pictures (N, 1, h, w) as (N, channels, height, width), or flat (N, pixels) where that is read.

    Raises:
        BadInput: The shape is no picture's.
    """
    flat = len(shape) == 1
    side = isqrt(shape[0])
    if not (len(shape) == 3 or (flat and side * side == shape[0])):
        raise BadInput(f"This network reads {'x'.join(map(str, shape))}, which is no picture: give it another task.")
    channels, *size = (1, side, side) if flat else shape
    if list(pictures.shape[2:]) != size:
        pictures = F.interpolate(pictures, size=size, mode="bilinear", antialias=True)
    return pictures.flatten(1) if flat else pictures.expand(-1, channels, -1, -1)  # a view: no channel is copied


def square(picture: Tensor) -> Tensor:
    """The rows and columns of what a network reads."""
    return picture[0] if picture.dim() == 3 else picture.view(isqrt(len(picture)), -1)


TASK = Digits()
