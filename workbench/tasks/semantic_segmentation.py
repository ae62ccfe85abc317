"""Semantic segmentation: the class of every pixel, by any network that returns logits for a map of pixels."""

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers import segmentation_losses
from models.layers.dense_crf import DenseCRF
from models.layers.segmentation_losses import VOID
from workbench import data
from workbench.data import run_lengths
from workbench.data.picture_file import letterbox, upright_size
from workbench.data.scaling import Scaler, z_score
from workbench.data.sources import Batch, Resident, Source, StandardizedBytes
from workbench.errors import UserError
from workbench.render.shape import format_shape
from workbench.tasks.base import EVAL_NUMBERS, Baseline, Metrics, StepContext, Task, Visualization
from workbench.tasks.meters import f1_scores
from workbench.tasks.scalers import training_scaler
from workbench.tasks.segmentation_meter import SegmentationMeter, class_ious

AUXILIARY_WEIGHT = 0.5  # of the loss of an auxiliary head: that of torchvision's reference script for segmentation
VISUALIZED_IMAGES = 8
MAX_VISUALIZED = 64  # pixels of the longer side of an image that is shown
# Of the CRF that refines the classes of pixels in an evaluation, for small images.
CRF = dict(w_appearance=10.0, theta_alpha=10.0, theta_beta=40.0, w_smoothness=3.0, theta_gamma=1.0, iterations=10)
SMALLEST_PROBABILITY = 1e-30
MAX_CRF_SIZE = 128  # pixels: the CRF's time is that of all pairs of pixels


class SemanticSegmentation(Task):
    """The pixels' loss, mIoU, pixel accuracy, Dice coefficient and the error at boundaries.

    A batch holds `image` (N, channels, height, width), standardized by the mean and deviation of all training pixels,
    and `target` (N, height, width), uint8: the class of each pixel, 255 for void. If classes are weighted, the training
    set also has `class_weights` (N, classes), the same for all images.

    Images are resized to what the network reads, and its logits to the size of the target. A network may return a
    tensor of logits, or as torchvision's a dict with the logits under `out`, and under `aux` those of an auxiliary
    head, whose loss counts half in training. Other attributes of a network that matter:

        margin           pixels of its input, at each edge, for which it has no logits: since convolutions have no
                         padding, as in U-Net. The image fills what is inside the margin, and is mirrored beyond it,
                         as in the paper, so that every pixel has logits.
        align_corners    whether the centers of the corner pixels of its logits and of its input are the same points;
                         by default their outer corners are.

    Attributes:
        pixel_loss: The name of the loss, see `models.layers.segmentation_losses`.
        crf: Refines the classes of pixels in an evaluation; None leaves them as they are.
    """

    pixel_loss = "cross-entropy"
    crf: DenseCRF | None = None

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        splits = data.load(self.data, seed)
        scaler = z_score(splits["train"][0], axis=None)
        return {split: self._source(columns, scaler, split == "train") for split, columns in splits.items()}

    def _source(self, columns: tuple[np.ndarray, ...], scaler: Scaler, is_training: bool = False) -> Source:
        images, segments = columns
        pixels = StandardizedBytes(torch.from_numpy(images), float(scaler.shift), float(scaler.spread))
        target = torch.from_numpy(segments)
        if not (self.class_weights and is_training):
            return Resident(image=pixels, target=target)
        weights = balanced_weights(segments, len(self.dataset.classes))
        return Resident(image=pixels, target=target, class_weights=weights.expand(len(target), -1))

    def adapt(self, network: nn.Module, name: str, columns: tuple[np.ndarray, ...], seed: int) -> Source:
        other, classes = data.info(name), self.dataset.classes
        unknown = [each for each in other.classes if each not in classes]
        if unknown or other.kind != "segmentation":
            problem = f"has the class {unknown[0]!r}" if other.kind == "segmentation" else "has no classes of pixels"
            raise UserError(f"{name} {problem}, and a network of {self.data} segments {', '.join(classes)}.")
        new_classes = np.full(VOID + 1, VOID, np.uint8)
        new_classes[: len(other.classes)] = [classes.index(each) for each in other.classes]
        return self._source((columns[0], new_classes[columns[1]]), training_scaler(self.data, seed, axis=None))

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Tensor | tuple[Tensor, ...]:
        """Return logits (N, classes, height, width) in the size of the images; in training, auxiliary ones after them.

        Raises:
            UserError: If the network returns something else.
        """
        image = batch["image"]
        outputs = network(fit(image, network))
        maps = [outputs]
        if isinstance(outputs, dict):
            maps = [outputs.get("out"), *([outputs["aux"]] if "aux" in outputs else [])]
        if not all(isinstance(each, Tensor) and each.dim() == 4 and each.is_floating_point() for each in maps):
            raise UserError(
                f"{type(network).__name__} has no logits of pixels among its outputs: use a network for segmentation, "
                "which `workbench models list` shows."
            )
        align_corners = bool(getattr(network, "align_corners", False))
        own, *auxiliary = (resize_logits(each, image.shape[2:], align_corners) for each in maps)
        if self.crf is not None and not context.is_training:
            probabilities: Tensor = self.crf(own.float(), image.float())
            return probabilities.clamp(min=SMALLEST_PROBABILITY).log()
        return (own, *auxiliary) if auxiliary and context.is_training else own

    def losses(self, outputs: Tensor | tuple[Tensor, ...], batch: Batch, context: StepContext) -> dict[str, Tensor]:
        if isinstance(outputs, tuple):
            own, *auxiliary = (self._loss(each, batch, context) for each in outputs)
            return {"loss": own + AUXILIARY_WEIGHT * sum(auxiliary)}
        return {"loss": self._loss(outputs, batch, context)}

    def with_crf(self, seed: int) -> Self:
        """Return the same task, whose evaluation refines the classes of pixels by a fully connected CRF.

        Args:
            seed: The seed of the run, which decides what colors are standardized by.

        Raises:
            UserError: If images are too large for an exact sum over all pairs of pixels.
        """
        if max(self.dataset.shape[1:]) > MAX_CRF_SIZE:
            raise UserError(
                f"A CRF is for images of at most {MAX_CRF_SIZE} pixels, and those of {self.data} have "
                f"{format_shape(self.dataset.shape[1:])}: leave crf out."
            )
        spread = float(training_scaler(self.data, seed, axis=None).spread)
        return self.configure(crf=DenseCRF(**CRF | {"theta_beta": CRF["theta_beta"] / spread}))  # type: ignore[arg-type]

    def _loss(self, logits: Tensor, batch: Batch, context: StepContext) -> Tensor:
        classes = len(self.dataset.classes)
        if logits.shape[1] < classes:
            raise UserError(
                f"This network returns {format_shape(logits.shape[1:])}, and there are {classes} classes: size it to "
                f"{classes} outputs."
            )
        weights = batch["class_weights"][0] if "class_weights" in batch and context.is_training else None
        return segmentation_losses.pixel_loss(self.pixel_loss, logits[:, :classes], batch["target"], weights)

    def weight(self, batch: Batch) -> int:
        """Return the number of pixels that are not void."""
        return int((batch["target"] != VOID).sum())

    def meter(self) -> "LogitsMeter":
        return LogitsMeter(len(self.dataset.classes))

    def training_metrics(self, outputs: Tensor | tuple[Tensor, ...], batch: Batch) -> Metrics:
        """Return the pixel accuracy: the other metrics say little of one batch."""
        meter = self.meter()
        meter.update(outputs, batch)
        return {"pixel_accuracy": meter.compute()["pixel_accuracy"]}

    def evaluation_batch(self, network: nn.Module) -> int:
        """Return the number of images that are evaluated at once; there are logits for every pixel and class."""
        numbers = prod(self.dataset.shape[1:]) * max(len(self.dataset.classes), self.dataset.shape[0])
        return max(1, min(super().evaluation_batch(network), EVAL_NUMBERS // numbers))

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        """Return a batch in which each image, with its classes, is flipped left to right with a probability of `flip`.

        Raises:
            UserError: If another augmentation is asked for.
        """
        if others := strengths.keys() - {"flip"}:
            raise UserError(
                f"Of all augmentations, images with classes of pixels have only flip. Leave {min(others)} out."
            )
        image, target = batch["image"], batch["target"]
        is_flipped = torch.rand(len(image), device=image.device) < strengths.get("flip", 0.0)
        return batch | {
            "image": torch.where(is_flipped[:, None, None, None], image.flip(-1), image),
            "target": torch.where(is_flipped[:, None, None], target.flip(-1), target),
        }

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the mIoU of the class that most training pixels have, for every pixel."""
        splits, classes = data.load(self.data, seed), self.dataset.classes
        most_frequent = int(count_pixels(splits["train"][1], len(classes)).argmax())
        target = torch.from_numpy(splits["test"][1])
        meter = SegmentationMeter(len(classes))
        meter.update_classes(torch.full_like(target, most_frequent), target)
        return Baseline(f"{classes[most_frequent]} at every pixel", "miou", meter.compute()["miou"])

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        meter, size = self.meter(), self.evaluation_batch(network)
        visualizations: list[Visualization] = []
        for start in range(0, len(source), size):
            batch = source.batch(slice(start, min(start + size, len(source))))
            logits = self.predict(network, batch)
            meter.update(logits, batch)
            if not visualizations:
                visualizations = [
                    self.visualize_segments(image, classes, target)
                    for image, classes, target in zip(
                        batch["image"][:VISUALIZED_IMAGES], logits.argmax(dim=1), batch["target"], strict=False
                    )
                ]
        counts = meter.confusion()
        confusion = {
            "kind": "confusion",
            "classes": list(self.dataset.classes),
            "counts": counts.tolist(),
            "f1": f1_scores(counts).tolist(),
            "iou": class_ious(counts).tolist(),
        }
        return [*visualizations, confusion]

    def visualize_segments(self, image: Tensor, predicted: Tensor, target: Tensor | None = None) -> Visualization:
        """Return an image (channels, height, width) with the predicted classes of its pixels, and the true ones."""
        height, width = (
            max(1, round(size * min(1.0, MAX_VISUALIZED / max(image.shape[1:])))) for size in image.shape[1:]
        )
        if (height, width) != image.shape[1:]:
            image = F.interpolate(image[None], size=(height, width), mode="bilinear", antialias=True)[0]
        low, high = image.amin(), image.amax()
        pixels = ((image - low) / (high - low).clamp(min=1e-6)).expand(3, -1, -1).permute(1, 2, 0)
        maps = {"predicted": predicted, **({} if target is None else {"target": target})}
        resized = {
            name: F.interpolate(each[None, None].float(), size=(height, width))[0, 0].int().tolist()  # the nearest
            for name, each in maps.items()
        }
        classes = list(self.dataset.classes)
        return {
            "kind": "pixel-classes",
            "classes": classes,
            "pixels": pixels.double().round(decimals=2).tolist(),
            **resized,
        }

    @property
    def questions(self) -> Mapping[str, str]:
        """An image file."""
        return {"image": "an image file"}

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the classes of the pixels of an image file, resized as the dataset's images are."""
        self.check_question(question)
        if "image" not in question:
            raise UserError("Ask about an image: image=FILE.")
        image, sizes = self.read_file(Path(question["image"]), seed)
        classes = self.predict(network, {"image": image})[0].argmax(dim=0)
        return self.visualize_segments(image[0, :, : sizes[0], : sizes[1]], classes[: sizes[0], : sizes[1]])

    def read_file(self, file: Path, seed: int) -> tuple[Tensor, tuple[int, int]]:
        """Return an image file as a batch of one image, as a run of this seed reads it.

        Returns:
            The image (1, channels, size, size), and the height and the width of the file's part at the top left of it.

        Raises:
            UserError: If it is not an image, or damaged.
        """
        channels, size, _ = self.dataset.shape
        pixels, (x, y) = letterbox(file, size, channels)
        width, height = upright_size(file)
        scaled = training_scaler(self.data, seed, axis=None)(pixels[None].astype(np.float32))
        return torch.from_numpy(scaled), (round(height * y), round(width * x))

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        """Return for each image its `width` and `height`, and its `segments`, with the largest first.

        A segment is all pixels of a class: `class`, its `share` of the image, and `rle`, where it is: `size`, height
        and width, and `counts`, COCO's run lengths, of pixels outside and inside in turn, column by column.
        """
        predictions = []
        for file in files:
            image, (height, width) = self.read_file(file, seed)
            logits = self.predict(network, {"image": image})[:, : len(self.dataset.classes), :height, :width]
            full_width, full_height = upright_size(file)
            classes = most_probable(logits[0], (full_height, full_width)).numpy()
            shares = np.bincount(classes.ravel(), minlength=len(self.dataset.classes)) / classes.size
            segments = [
                {
                    "class": self.dataset.classes[label],
                    "share": round(float(shares[label]), 6),
                    "rle": run_lengths.encode(classes == label),
                }
                for label in np.argsort(-shares, kind="stable").tolist()
                if shares[label]
            ]
            predictions.append({"width": full_width, "height": full_height, "segments": segments})
        return predictions


class LogitsMeter(SegmentationMeter):
    """A meter of a network's outputs; auxiliary ones, and logits beyond the classes, are left out."""

    def update(self, outputs: Tensor | tuple[Tensor, ...], batch: Batch) -> None:
        logits = outputs[0] if isinstance(outputs, tuple) else outputs
        super().update(logits[:, : self.classes], batch)


def fit(image: Tensor, network: nn.Module) -> Tensor:
    """Return images (N, channels, height, width) in the size that a network reads, mirrored beyond its margin."""
    margin = int(getattr(network, "margin", 0))
    shape: Any = getattr(network, "input_shape", None)
    if shape is None and hasattr(network, "example_inputs"):
        raise UserError(f"{type(network).__name__} reads something else than an image.")
    if shape is not None:
        if len(shape) != 3:
            raise UserError(f"{type(network).__name__} reads {format_shape(shape)}, which is not an image.")
        if image.shape[1] != shape[0]:
            image = image.mean(dim=1, keepdim=True).expand(-1, shape[0], -1, -1)
        size = shape[1] - 2 * margin, shape[2] - 2 * margin
        if image.shape[2:] != size:
            image = F.interpolate(image, size=size, mode="bilinear", antialias=True)
    return F.pad(image, [margin] * 4, mode="reflect") if margin else image


def resize_logits(logits: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Return logits (N, classes, h, w) in the size of the target, by bilinear interpolation."""
    if logits.shape[2:] == tuple(size):
        return logits
    return F.interpolate(logits, size=tuple(size), mode="bilinear", align_corners=align_corners)


def most_probable(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the most probable class at each pixel of a map of another size, uint8.

    The logits (classes, h, w) are resized one class after another, because an image file may have millions of pixels.
    """
    classes = torch.zeros(size, dtype=torch.uint8)
    largest = torch.full(size, float("-inf"))
    for label, scores in enumerate(logits):
        resized = resize_logits(scores[None, None], size)[0, 0]
        is_larger = resized > largest
        classes[is_larger] = label
        largest = torch.maximum(largest, resized)
    return classes


def count_pixels(segments: np.ndarray, classes: int) -> np.ndarray:
    """Return how many pixels each class has (classes,); void ones are not counted."""
    return sum((np.bincount(each.ravel(), minlength=VOID + 1) for each in segments), np.zeros(VOID + 1, int))[:classes]


def balanced_weights(segments: np.ndarray, classes: int) -> Tensor:
    """Return weights (classes,) that are inversely proportional to the pixels of classes: scikit-learn's `balanced`.

    A class without pixels has weight 0.
    """
    counts = count_pixels(segments, classes)
    weights = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1)) * (counts > 0)
    return torch.from_numpy(weights).float()
