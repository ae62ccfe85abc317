"""Classification of images."""

import json
from collections.abc import Mapping, Sequence
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.data.picture_file import square
from workbench.data.scaling import Scaler, z_score
from workbench.data.sources import Batch, Resident, Source, StandardizedBytes
from workbench.errors import UserError
from workbench.render.shape import format_shape
from workbench.tasks import augmentation, image_attention
from workbench.tasks.base import StepContext, Task, Visualization
from workbench.tasks.classification import Classification
from workbench.tasks.scalers import stores_bytes, training_scaler

MAX_RESIZED = 2**23  # numbers; a larger dataset is enlarged batch by batch, as it is read
CHUNK = 512  # images that are standardized and resized together
LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in gray: ITU-R BT.601
BASELINE_PIXELS, BASELINE_IMAGES = 16**2, 5000  # numbers per image, and images, that the baseline is fitted to
MAX_VISUALIZED = 48  # pixels of the longer side of an image that is shown
MAX_TYPED = 256  # pixels of the longer side of an image that is typed


class ImageClassification(Classification):
    """Classification of gray or color images, by a network that reads images of any size.

    A batch holds `image` (N, channels, height, width), standardized by the mean and deviation of all training pixels.
    Images are resized to what the network reads, and color images become gray for a network with one input channel:
    all at once if that takes little memory, else batch by batch.
    """

    def inputs(self, splits: dict[str, Any], network: nn.Module) -> dict[str, dict[str, Any]]:
        scaler = z_score(splits["train"][0], axis=None)
        shape = input_shape(network)
        return {split: {"image": self._column(columns[0], scaler, shape)} for split, columns in splits.items()}

    def _column(self, images: np.ndarray, scaler: Scaler, shape: tuple[int, ...]) -> Tensor | StandardizedBytes:
        height, width = image_size(shape)
        _, own_height, own_width = self.dataset.shape
        grows = height * width > own_height * own_width
        is_resized_now = not grows or self.dataset.samples * height * width <= MAX_RESIZED
        is_unchanged = not is_resized_now or images.shape[1:] == shape
        if images.dtype == np.uint8 and is_unchanged:
            return StandardizedBytes(torch.from_numpy(images), float(scaler.shift), float(scaler.spread))
        return standardize(images, scaler, shape if is_resized_now else None)

    def flatten(self, splits: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return each split's pixels (N, numbers). Large images are reduced, so that the baseline takes seconds."""
        channels, height, width = self.dataset.shape
        while channels * height * width > BASELINE_PIXELS:
            height, width = (height + 1) // 2, (width + 1) // 2
        flattened = {}
        for split, columns in splits.items():
            images = columns[0][:BASELINE_IMAGES] if split == "train" else columns[0]
            largest = 255 if images.dtype == np.uint8 else 1
            scaler = Scaler(np.zeros(1, np.float32), np.full(1, largest, np.float32))
            shape = None if (height, width) == images.shape[2:] else (channels, height, width)
            flattened[split] = standardize(images, scaler, shape).flatten(1).numpy()
        return flattened

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        """Return for each image the most probable `class`, its `probability`, and the `probabilities` of all."""
        return self.predict_classes(network, "image", self.read_files(files, seed)["image"])

    def predict_rows(self, network: nn.Module, rows: np.ndarray, seed: int) -> list[dict[str, Any]]:
        return Task.predict_rows(self, network, rows, seed)

    def adapt(self, network: nn.Module, name: str, columns: tuple[np.ndarray, ...], seed: int) -> Source:
        images = columns[0]
        if images.ndim != 4:
            raise UserError(f"{name} has no images, and a network of {self.data} reads images.")
        target = self.adapt_classes(name, columns[1])
        largest, own_largest = (
            255 if is_bytes else 1 for is_bytes in (images.dtype == np.uint8, stores_bytes(self.data, seed))
        )
        pixels = images.astype(np.float32) * np.float32(own_largest / largest)  # from 0 to 255, or from 0 to 1
        scaler = training_scaler(self.data, seed, axis=None)
        return Resident(image=standardize(pixels, scaler, None), target=target)

    def read_files(self, files: Sequence[Path], seed: int) -> Batch:
        """Return image files as a batch of a run of this seed.

        Raises:
            UserError: If one of them is not an image, or damaged.
        """
        channels, size, _ = self.dataset.shape
        return self.standardize_images(np.stack([square(file, size, channels) for file in files]), seed)

    def standardize_images(self, images: np.ndarray, seed: int) -> Batch:
        """Return images (N, channels, height, width), uint8, as a batch of a run of this seed."""
        scaler = training_scaler(self.data, seed, axis=None)
        if not stores_bytes(self.data, seed):
            images = (images / 255).astype(np.float32)
        return {"image": standardize(images, scaler, None)}

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Any:
        shape: Any = getattr(network, "input_shape", batch["image"].shape[1:])
        return network(fit(batch["image"], shape))

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        if batch["image"].dim() != 4:
            raise UserError("Augmentation is for networks that read images, such as lenet5-modern.")
        return batch | {"image": augmentation.augment(batch["image"], strengths)}

    def visualize_input(self, batch: Batch, k: int) -> dict[str, Any]:
        """Return rows of gray levels, or of red, green and blue, scaled from 0 to 1."""
        image = batch["image"][k]
        if image.dim() != 3:
            image = image.view(1, isqrt(len(image)), -1)
        if (longest := max(image.shape[1:])) > MAX_VISUALIZED:
            smaller = [max(1, size * MAX_VISUALIZED // longest) for size in image.shape[1:]]
            image = F.interpolate(image[None], size=smaller, mode="bilinear", antialias=True)[0]
        if len(image) != 3 or (image == image[:1]).all():
            return {"pixels": image[0].double().round(decimals=3).tolist()}
        return {"pixels": image.permute(1, 2, 0).double().round(decimals=3).tolist()}

    @property
    def questions(self) -> Mapping[str, str]:
        """An image: a file, its pixels, or one of the validation set; and what to show of its attention."""
        return {
            "image": "an image file",
            "pixels": "rows of gray levels from 0 (dark) to 1 (bright), as JSON: [[0, 1, 0], [0, 1, 0]]",
            "sample": "the number of a validation image, from 0",
            **image_attention.QUESTIONS,
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the probability of each class for an image, or which patches a vision transformer attends to."""
        self.check_question(question)
        if len(question.keys() & {"image", "pixels", "sample"}) != 1:
            raise UserError("Ask about one image: image=FILE or pixels=ROWS, or sample=NUMBER.")
        if "image" in question:
            batch = self.read_files([Path(question["image"])], seed)
        elif "pixels" in question:
            batch = self.standardize_images(read_pixels(question["pixels"], self.dataset.shape), seed)
        else:
            batch = read_sample(question["sample"], self.sources(network, seed)["validation"])
        answer = self.visualize_probabilities(self.probabilities(network, batch)[0])
        if image_attention.is_asked(question):
            return self._visualize_attention(network, batch["image"], question, answer)
        return answer | self.visualize_input(batch, 0)

    def _visualize_attention(
        self, network: nn.Module, image: Tensor, question: Mapping[str, str], answer: Visualization
    ) -> Visualization:
        attention = image_attention.attention(network, fit(image, input_shape(network)), question)
        low, high = image.min(), image.max()
        pixels = ((image[0] - low) / (high - low).clamp(min=1e-6)).float()
        caption = f"{attention['about']}; predicted {self.dataset.classes[answer['predicted']]}"
        return {**answer, **attention, **image_attention.draw_over(pixels, attention["weights"], caption)}

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        return [*super().visualize(network, source), *image_attention.visualize_positions(network)]


def read_sample(text: str, source: Source) -> Batch:
    """Return a sample of a source, whose number a user typed, as a batch of one.

    Raises:
        UserError: If there is no such sample.
    """
    typed, count = text.strip(), len(source)
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) < count):
        raise UserError(f"sample must be an integer from 0 to {count - 1}, not {typed[:40]!r}.")
    return source.batch(slice(int(typed), int(typed) + 1))


def read_pixels(text: str, shape: Sequence[int]) -> np.ndarray:
    """Return pixels that were typed as an image of a shape (1, channels, height, width), uint8.

    Raises:
        UserError: If they are not rows of numbers from 0 to 1.
    """
    try:
        levels = np.array(json.loads(text), dtype=np.float32)
    except (ValueError, TypeError, RecursionError):
        levels = np.zeros(0, np.float32)
    if levels.ndim != 2 or not levels.size or max(levels.shape) > MAX_TYPED:
        raise UserError("pixels must be rows of equal length with numbers from 0 to 1, such as [[0, 1], [1, 0]].")
    if not np.isfinite(levels).all() or levels.min() < 0 or levels.max() > 1:
        raise UserError("pixels must be numbers from 0 to 1.")
    channels, *size = shape
    image = torch.from_numpy(levels)[None, None]
    if list(levels.shape) != size:
        image = F.interpolate(image, size=size, mode="bilinear", antialias=True)
    return (image * 255).round().byte().expand(-1, channels, -1, -1).numpy()


def input_shape(network: nn.Module) -> tuple[int, ...]:
    """Return the shape that a network reads.

    Raises:
        UserError: If it reads no images.
    """
    shape: Any = getattr(network, "input_shape", ())
    image_size(shape)
    return tuple(shape)


def image_size(shape: Sequence[int]) -> tuple[int, int]:
    """Return the height and width of the images that a network of an input shape reads.

    Raises:
        UserError: If it reads no images.
    """
    if len(shape) == 3:
        return shape[1], shape[2]
    if len(shape) == 1 and isqrt(shape[0]) ** 2 == shape[0]:
        return isqrt(shape[0]), isqrt(shape[0])
    reads = format_shape(shape) if shape else "something else"
    raise UserError(
        f"This network reads {reads}, which is not an image: size it to channels x height x width, or to a square "
        "number of pixels such as 64."
    )


def fit(images: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return images (N, 1 or 3, h, w) as a network reads them: (N, channels, height, width), or (N, pixels), gray.

    Images that have that shape already are returned as they are.

    Raises:
        UserError: If the network reads no images.
    """
    if images.shape[1:] == shape:
        return images
    images = _resize(images, shape)
    return images.flatten(1) if len(shape) == 1 else images.expand(-1, shape[0], -1, -1)  # no channel is copied


def _resize(images: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return images of the size that is read, gray if they have other channels than are read."""
    size, channels = image_size(shape), shape[0] if len(shape) == 3 else 1
    if images.shape[1] not in (1, channels):
        luma = torch.tensor(LUMA, dtype=images.dtype, device=images.device)
        images = (images * luma[:, None, None]).sum(dim=1, keepdim=True)
    if images.shape[2:] != size:
        images = F.interpolate(images, size=size, mode="bilinear", antialias=True)
    return images


def standardize(images: np.ndarray, scaler: Scaler, shape: tuple[int, ...] | None) -> Tensor:
    """Return standardized images, float32, in the shape that a network reads, if one is given.

    It goes chunk by chunk, so that images are in memory only once in full, at the smaller of their sizes.
    """
    chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    scaled = (torch.from_numpy(scaler(chunk.astype(np.float32))) for chunk in chunks)
    if shape is None:
        return torch.cat(list(scaled))
    return fit(torch.cat([_resize(chunk, shape) for chunk in scaled]), shape)
