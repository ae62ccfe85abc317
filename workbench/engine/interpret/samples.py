"""A test sample as a network reads it, and its description."""

from typing import Any

from torch import Tensor, nn

from workbench.data.sources import Batch
from workbench.engine.trained import TrainedNetwork
from workbench.errors import UserError


def get(trained: TrainedNetwork, sample: int | None) -> tuple[int, Batch]:
    """Return a test sample's number, and the sample as a batch of one; by default the first sample.

    Raises:
        UserError: If there is no such sample.
    """
    number, count = sample or 0, len(trained.source)
    if not 0 <= number < count:
        raise UserError(f"There is no test sample {number}: they are numbered from 0 to {count - 1}.")
    return number, trained.source.batch(slice(number, number + 1))


def describe(trained: TrainedNetwork, number: int, batch: Batch, image: Tensor) -> dict[str, Any]:
    """Return a test sample as plain data.

    Args:
        trained: The network.
        number: The number of the sample.
        batch: The sample.
        image: Its image, as the network reads it.

    Returns:
        `sample`, its number; `pixels`, of its image; and the task's description, such as `target` and `predicted`.
    """
    description = trained.task.describe_sample(trained.network, batch)
    return {"sample": number, "pixels": to_rows(image), **description}


def image_argument(network: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Return the image among the arguments that a network is called with: the first tensor of floats.

    Raises:
        UserError: If there is none.
    """
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor) and value.is_floating_point():
            return value
    raise UserError(f"{type(network).__name__} is not called with an image: it has no maps.")


def to_rows(image: Tensor) -> list[list[Any]]:
    """Return an image (channels, height, width), or a flat square one, as rows of gray levels or of three colors."""
    if image.dim() == 1:
        size = round(len(image) ** 0.5)
        image = image.view(1, size, size)
    is_gray = image.shape[0] != 3 or bool((image == image[:1]).all())
    rows: list[list[Any]] = (image[0] if is_gray else image.permute(1, 2, 0)).tolist()
    return rows
