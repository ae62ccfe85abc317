"""Reconstruction of images by an autoencoder: the target is the input."""

from collections.abc import Mapping, Sequence
from math import log10, prod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data.picture_file import square
from workbench.data.scaling import Scaler
from workbench.data.sources import Batch, Resident, Source, StandardizedBytes
from workbench.errors import UserError
from workbench.tasks import augmentation, inpainting, latent_space, principal_components
from workbench.tasks.base import (
    VISUALIZED_SAMPLES,
    Baseline,
    Metrics,
    StepContext,
    Task,
    Visualization,
    evaluation_mode,
)
from workbench.tasks.image_classification import input_shape, read_pixels, standardize
from workbench.tasks.sampling import SampleRequest

COMPONENTS = 8  # of the baseline, if a network's code is not smaller than half the image
MAX_VISUALIZED = 32  # pixels of the longer side of an image that is shown
Outputs = Tensor | dict[str, Tensor]


class Reconstruction(Task):
    """Mean squared error over the pixels of the reconstruction, and the peak signal-to-noise ratio in dB.

    A batch holds `image` (N, channels, height, width), from 0 to 1, in the shape that the network reads, and `target`
    (N,), the classes, which no loss uses. A network has `encode`, `decode` and `code_shape`, and returns the
    reconstruction, alone or under that name with other outputs.
    """

    needs: ClassVar[tuple[str, ...]] = ("encode", "decode", "code_shape")
    suggestion: ClassVar[str] = "autoencoder"
    predicts = "reconstruction error"

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        missing = [name for name in self.needs if not hasattr(network, name)]
        if missing:
            raise UserError(
                f"{type(network).__name__} has no {missing[0]}, and the task {self.name} needs it: train a network "
                f"such as {self.suggestion}."
            )
        shape = input_shape(network)
        return {split: self._source(columns, shape) for split, columns in data.load(self.data, seed).items()}

    def _source(self, columns: tuple[np.ndarray, ...], shape: tuple[int, ...]) -> Source:
        images, classes = columns
        target = torch.from_numpy(classes)
        if images.dtype == np.uint8 and images.shape[1:] == shape:
            return Resident(image=StandardizedBytes(torch.from_numpy(images), 0, 255), target=target)
        return Resident(image=to_unit(images, shape), target=target)

    def for_network(self, network: nn.Module) -> Self:
        """Return the same task with a baseline for the code and the images of this network."""
        shape, code_shape = getattr(network, "input_shape", None), getattr(network, "code_shape", None)
        if shape is None or code_shape is None:
            return self
        task = self.configure()
        components = prod(code_shape)
        if components > prod(shape) // 2:  # the components of PCA would copy the image
            components = COMPONENTS
        task.declared = {**self.declared, "components": components, "shape": list(shape)}
        return task

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the images that the baseline reads."""
        return tuple(self.declared.get("shape", self.dataset.shape))

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        return {"loss": F.mse_loss(self.reconstruction(outputs, batch), batch["image"])}

    def reconstruction(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Return the reconstructions (N, channels, height, width) that a network returned.

        Raises:
            UserError: If it returned something else.
        """
        images = outputs if isinstance(outputs, Tensor) else outputs["reconstruction"]
        if images.shape != batch["image"].shape:
            raise UserError(
                f"This network doesn't return images of the shape that it reads: train {self.suggestion} instead."
            )
        return images

    def meter(self) -> "ReconstructionMeter":
        return ReconstructionMeter(self)

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        return batch | {"image": augmentation.augment(batch["image"], strengths)}

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the test error of principal component analysis with as many components as the code has numbers."""
        splits = data.load(self.data, seed)
        train, test = (to_unit(splits[split][0], self.shape).flatten(1).numpy() for split in ("train", "test"))
        components = int(self.declared.get("components", COMPONENTS))
        error = principal_components.errors(train, test, [components], seed)[0]
        return Baseline(f"PCA with {components} components", "mse", error)

    # Codes and images.

    def encode(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the code of each sample of a batch (N, features); of a distribution of codes, its mean."""
        code = network.encode(batch["image"])  # type: ignore[operator]
        mean: Tensor = code[0] if isinstance(code, tuple) else code
        return mean.flatten(1)

    def encodings(self, network: nn.Module, source: Source) -> tuple[Tensor, dict[str, list[Any]]]:
        """Return the codes (N, features) of all samples of a source, and the number and the class of each."""
        classes = [self.dataset.classes[k] for k in self._all(source)["target"].tolist()]
        return self.codes(network, source), {"sample": list(range(len(source))), "class": classes}

    @torch.inference_mode()
    def codes(self, network: nn.Module, source: Source) -> Tensor:
        """Return the codes (N, features) of all samples of a source."""
        size = self.evaluation_batch(network)
        with evaluation_mode(network):
            starts = range(0, len(source), size)
            batches = (source.batch(slice(start, min(start + size, len(source)))) for start in starts)
            return torch.cat([self.encode(network, batch).float() for batch in batches])

    @torch.inference_mode()
    def decode(self, network: nn.Module, codes: Tensor) -> Tensor:
        """Return the images of codes (N, features)."""
        shape: Any = network.code_shape
        with evaluation_mode(network):
            images: Tensor = network.decode(codes.view(-1, *shape))  # type: ignore[operator]
        return images

    def reconstruct(self, network: nn.Module, images: Tensor) -> Tensor:
        """Return the reconstructions of images as they are, in evaluation mode."""
        with torch.inference_mode(), evaluation_mode(network):
            outputs = network(images)
        return outputs if isinstance(outputs, Tensor) else outputs["reconstruction"]

    def reconstruction_errors(self, network: nn.Module, images: Tensor) -> Tensor:
        """Return the mean squared error of the reconstruction of each image (N,): a score of how unusual it is."""
        chunks = images.split(self.evaluation_batch(network))
        errors = [(self.reconstruct(network, chunk) - chunk).square().flatten(1).mean(dim=1) for chunk in chunks]
        return torch.cat(errors)

    def visualized_inputs(self, batch: Batch) -> dict[str, Tensor]:
        """Return the images by name that are shown next to their reconstructions, the network's input last."""
        return {"input": batch["image"]}

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch = source.batch(slice(0, VISUALIZED_SAMPLES))
        with torch.inference_mode():
            inputs = self.visualized_inputs(batch)
            images = {**inputs, "reconstruction": self.reconstruct(network, list(inputs.values())[-1])}
        samples = [self._visualize_sample(images, batch, k) for k in range(len(batch["target"]))]
        codes, targets = self.codes(network, source), self._all(source)["target"]
        return [*samples, *self.visualize_codes(network, codes, targets)]

    def _visualize_sample(self, images: Mapping[str, Tensor], batch: Batch, k: int) -> Visualization:
        error = (images["reconstruction"][k] - batch["image"][k]).square().mean()
        return {
            "kind": "reconstruction",
            "images": {name: to_rows(stack[k]) for name, stack in images.items()},
            "target": self.dataset.classes[int(batch["target"][k])],
            "error": round(float(error), 5),
        }

    def visualize_codes(self, network: nn.Module, codes: Tensor, targets: Tensor) -> list[Visualization]:
        """Return the codes of samples by class, decoded points of the plane of the codes, and a path between two."""
        classes = self.dataset.classes
        visualizations: list[Visualization] = [latent_space.scatter(codes, targets, classes)]
        if codes.shape[1] == 2:
            points, plane = latent_space.grid(codes)
            images = self.decode(network, points)
            visualizations.append(plane | {"images": [to_rows(image) for image in images]})
        other = (targets != targets[0]).nonzero()[:, 0]
        if len(other):
            path = latent_space.interpolate(codes[0], codes[other[0]])
            visualizations.append(
                {
                    "kind": "interpolation",
                    "ends": [classes[int(targets[0])], classes[int(targets[other[0]])]],
                    "images": [to_rows(image) for image in self.decode(network, path)],
                }
            )
        return visualizations

    def describe_sample(self, network: nn.Module, batch: Batch) -> dict[str, Any]:
        """Return the class of a sample and the error of its reconstruction."""
        error = self.reconstruction_errors(network, batch["image"])[0]
        return {"target": int(batch["target"][0]), "error": float(error)}

    # The user's own images, and questions.

    def read_files(self, network: nn.Module, files: Sequence[Path]) -> Tensor:
        """Return image files as the network reads them.

        Raises:
            UserError: If one of them is not an image, or damaged.
        """
        channels, size, _ = self.dataset.shape
        return to_unit(np.stack([square(file, size, channels) for file in files]), input_shape(network))

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        """Return for each image the error of its reconstruction as `predicted`.

        `percentile` is the percentage of the validation images with a smaller error: near 100, an image is unlike those
        that the network was trained on.
        """
        errors = self.reconstruction_errors(network, self.read_files(network, files))
        usual = self.reconstruction_errors(network, self._all(self.sources(network, seed)["validation"])["image"])
        return [
            {"predicted": float(error), "percentile": 100 * float((usual < error).double().mean())} for error in errors
        ]

    def adapt(self, network: nn.Module, name: str, columns: tuple[np.ndarray, ...], seed: int) -> Source:
        images, classes = columns[:2]
        if images.ndim != 4 or classes.ndim != 1:
            raise UserError(f"{name} has no images with one class each, and this network reads images.")
        return self._source((images, classes.astype(np.int64)), input_shape(network))

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        raise UserError(
            "This autoencoder has no prior from which codes could be drawn, so it can't generate images: train a vae."
        )

    @property
    def questions(self) -> Mapping[str, str]:
        """A point of the plane of the codes, or an image."""
        return {
            "z1": "the first number of a code, to be decoded",
            "z2": "its second number; further ones have their mean over the validation images",
            "image": "an image file, to be reconstructed",
            "pixels": "or rows of gray levels from 0 (dark) to 1 (bright), as JSON: [[0, 1, 0], [0, 1, 0]]",
            "mask": "top,left,bottom,right: rows and columns of the image, from 0, to be filled in",
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the image of a point of the plane of the codes, or the reconstruction of an image.

        An empty question is answered with the codes of the validation images, too.
        """
        self.check_question(question)
        names = question.keys()
        if names <= {"z1", "z2"}:
            return self._decode_point(network, question, seed)
        if len(names & {"image", "pixels"}) != 1 or names & {"z1", "z2"}:
            raise UserError("Ask about a code, z1=NUMBER z2=NUMBER, or about one image: image=FILE or pixels=ROWS.")
        if "image" in question:
            image = self.read_files(network, [Path(question["image"])])
        else:
            image = to_unit(read_pixels(question["pixels"], self.dataset.shape), input_shape(network))
        return self._reconstruct_image(network, image, question.get("mask"))

    def _decode_point(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        source = self.sources(network, seed)["validation"]
        codes = self.codes(network, source)
        plane = codes[:, :2]
        center = plane.mean(dim=0).tolist()
        if codes.shape[1] == 1 and "z2" in question:
            raise UserError("The code of this network is one number: leave z2 out.")
        axes = dict(zip(("z1", "z2"), center, strict=False))  # a code may have one number
        point = [latent_space.coordinate(question, name, mean) for name, mean in axes.items()]
        code = codes.mean(dim=0)
        code[: len(point)] = torch.tensor(point)
        answer: Visualization = {
            "kind": "decoded",
            "decoded": to_rows(self.decode(network, code[None])[0]),
            "point": point,
            "features": dict(zip(axes, point, strict=True)),
        }
        if not question and codes.shape[1] > 1:
            regions = latent_space.scatter(plane, self._all(source)["target"], self.dataset.classes)
            answer |= {"regions": regions, "mean": [0.0, 0.0], "deviation": [1.0, 1.0]}
        return answer

    def _reconstruct_image(self, network: nn.Module, image: Tensor, mask: str | None) -> Visualization:
        images = {"input": image}
        if mask is None:
            result = self.reconstruct(network, image)
        else:
            region = inpainting.region(mask, image.shape[-2:])
            images["masked"] = torch.where(region, 0.0, image)
            result = inpainting.fill(lambda filled: self.reconstruct(network, filled), image, region)
        images["reconstruction"] = result
        error = (result - image).square().mean()
        return {
            "kind": "reconstruction",
            "images": {name: to_rows(stack[0]) for name, stack in images.items()},
            "error": round(float(error), 5),
        }

    def _all(self, source: Source) -> Batch:
        return source.batch(slice(0, len(source)))


class ReconstructionMeter:
    """Mean squared error over all pixels, and PSNR = 10 log10(1 / MSE) in dB, for pixels from 0 to 1."""

    def __init__(self, task: Reconstruction):
        self.task, self.count = task, 0
        self._sums: list[Tensor] = []

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        error = self.task.reconstruction(outputs, batch) - batch["image"]
        self._sums.append(error.detach().float().square().sum())
        self.count += error.numel()

    def compute(self) -> Metrics:
        """Return the metrics of all batches so far."""
        mse = float(torch.stack(self._sums).cpu().double().sum()) / self.count
        return {"mse": mse, "psnr": psnr(mse)}


def psnr(mse: float) -> float:
    """Return the peak signal-to-noise ratio in dB of pixels from 0 to 1; at most 200, for an error of 0."""
    return -10 * log10(max(mse, 1e-20))


def to_unit(images: np.ndarray, shape: Sequence[int]) -> Tensor:
    """Return images (N, channels, height, width) with pixels from 0 to 1, in the shape that a network reads."""
    largest = 255 if images.dtype == np.uint8 else 1
    scaler = Scaler(np.zeros(1, np.float32), np.full(1, largest, np.float32))
    return standardize(images, scaler, tuple(shape)).contiguous()


def to_rows(image: Tensor) -> list[list[Any]]:
    """Return an image (1 or 3, height, width) as rows of levels, or of red, green and blue, from 0 to 1."""
    if (longest := max(image.shape[1:])) > MAX_VISUALIZED:
        smaller = [max(1, size * MAX_VISUALIZED // longest) for size in image.shape[1:]]
        image = F.interpolate(image[None], size=smaller, mode="bilinear", antialias=True)[0]
    rounded = image.clamp(0, 1).double().round(decimals=2)
    return (rounded[0] if len(image) != 3 else rounded.permute(1, 2, 0)).tolist()


TASK = Reconstruction(
    data="digits",
    title="reproduce digits from a small code",
    outputs=dict(reconstruction="float32[channels, height, width]"),
    metrics=dict(mse="min", psnr="max"),
)
