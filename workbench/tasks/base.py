"""The interface of a task, with what most tasks have in common."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from models.tracing import example_inputs
from workbench import data, tasks
from workbench.data.sources import Batch, Source
from workbench.errors import UserError, unknown_name
from workbench.tasks.meters import Means, Meter
from workbench.tasks.sampling import SampleRequest

VISUALIZED_SAMPLES = 12  # that are shown one by one
# Limits of a batch that needs no backward pass: samples, and numbers that the network reads.
EVAL_BATCH, EVAL_NUMBERS = 512, 2**23

# JSON data with the key `kind`, which names the function of `workbench.render.predictions` that renders it.
Visualization: TypeAlias = dict[str, Any]
Metrics: TypeAlias = dict[str, float]


@dataclass(frozen=True)
class Baseline:
    """The score of a simple method on the same splits: a network that scores less has learned little.

    Attributes:
        method: The method, in words.
        metric: The metric.
        value: Its value on the test set.
    """

    method: str
    metric: str
    value: float


@dataclass
class StepContext:
    """The values that a loss may depend on besides its batch.

    Attributes:
        step: The number of updates so far.
        total: The number of updates of the whole run.
        generator: The run's own RNG, on the CPU; in an evaluation one that always begins alike.
        is_training: Whether the outputs are those of a training step.
    """

    step: int = 0
    total: int = 0
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))
    is_training: bool = False


class Task(ABC):
    """A dataset, a loss, metrics, a baseline and visualizations. It has no state: one task serves all seeds.

    Args:
        data: The name of its dataset.
        title: What is learned, in a few words.
        **declared: What `tasks.info` reads from the declaration.

    Attributes:
        label_smoothing: The share of a target's probability that is spread over all classes, in training.
        class_weights: Whether each class has the same weight in training, however many samples it has.
        is_stackable: Whether several seeds can be updated at once: the network's outputs are one tensor, and a training
            step draws no random numbers.
        predicts: What `predict_files` returns; by default the target of the dataset.
    """

    label_smoothing = 0.0
    class_weights = False
    is_stackable = True
    predicts = ""

    def __init__(self, data: str, title: str, **declared: Any):
        self.data, self.title, self.declared = data, title, declared

    @cached_property
    def dataset(self) -> data.DataSet:
        """The description of its dataset."""
        return data.info(self.data)

    @cached_property
    def info(self) -> "tasks.TaskInfo":
        """The task's own description."""
        return tasks.describe(self.data, self.title, self.declared)

    @property
    def name(self) -> str:
        """The name of its kind, for messages."""
        return type(self).__module__.rpartition(".")[2].replace("_", " ")

    def configure(self, **options: Any) -> Self:
        """Return the same task with other options of its loss."""
        configured = copy.copy(self)
        for option, value in options.items():
            setattr(configured, option, value)
        return configured

    def for_network(self, network: nn.Module) -> Self:
        """Return the task as this network learns it, if its baseline depends on the network's sizes."""
        return self

    def in_detail(self) -> Self:
        """Return the same task with all metrics that it has, also those that take too long while a network trains."""
        return self

    def with_crf(self, seed: int) -> Self:
        """Return the same task, whose evaluation refines classes of pixels by a fully connected CRF.

        Args:
            seed: The seed of the run, which decides what colors are standardized by.

        Raises:
            UserError: If the task has no classes of pixels.
        """
        raise UserError(
            f"A network of the task {self.title!r} classifies no pixels that a CRF could refine: leave crf out."
        )

    @property
    def questions(self) -> Mapping[str, str]:
        """The parts of a question to a trained network, each with its meaning; empty if it can't be asked."""
        return {}

    @abstractmethod
    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        """Return each split of the data as a network can read it, on the CPU.

        Raises:
            UserError: If the network can't read it.
        """

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Any:
        """Return the network's outputs for a batch."""
        return network(batch[next(iter(self.info.inputs))])

    @abstractmethod
    def losses(self, outputs: Any, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        """Return the mean loss of a batch under `loss`, which is minimized, and any terms of it under their names."""

    def weight(self, batch: Batch) -> int:
        """Return the number of things that the mean loss of a batch is a mean of."""
        return len(next(iter(batch.values())))

    def meter(self) -> Meter:
        """Return a meter of the metrics besides the losses."""
        return Means()

    def training_metrics(self, outputs: Any, batch: Batch) -> Metrics:
        """Return metrics of one training batch."""
        meter = self.meter()
        meter.update(outputs, batch)
        return meter.compute()

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        """Return a training batch, changed at random.

        Raises:
            UserError: If the task has no augmentation.
        """
        raise UserError("Augmentation is for images. Leave augment out.")

    def evaluation_batch(self, network: nn.Module) -> int:
        """Return the number of samples that are evaluated at once."""
        numbers = sum(prod(tensor.shape) for tensor in example_inputs(network))
        return max(1, min(EVAL_BATCH, EVAL_NUMBERS // max(1, numbers)))

    @torch.inference_mode()
    def evaluate(self, network: nn.Module, source: Source, limit: int | None = None) -> Metrics:
        """Return the mean losses and the metrics over the samples of a source, or the first `limit` of them.

        The network is in evaluation mode meanwhile. Batches are moved to its device.
        """
        context, device = StepContext(), device_of(network)
        sums: dict[str, Tensor] = {}
        total, meter = 0, self.meter()
        count = min(len(source), limit or len(source))
        size = self.evaluation_batch(network)
        with evaluation_mode(network):
            for start in range(0, count, size):
                batch = to_device(source.batch(slice(start, min(start + size, count))), device)
                outputs = self.forward(network, batch, context)
                weight = self.weight(batch)
                total += weight
                for name, value in self.losses(outputs, batch, context).items():
                    weighted = value.double() * weight if device.type != "mps" else value * weight
                    sums[name] = sums[name] + weighted if name in sums else weighted
                meter.update(outputs, batch)
        return {name: (value / total).item() for name, value in sums.items()} | meter.compute()

    @torch.inference_mode()
    def predict(self, network: nn.Module, batch: Batch) -> Any:
        """Return the outputs for a batch in evaluation mode, on the batch's device."""
        device, home = device_of(network), next(iter(batch.values())).device
        with evaluation_mode(network):
            outputs = self.forward(network, to_device(batch, device), StepContext())
        return outputs.to(home) if isinstance(outputs, Tensor) else outputs

    def check(self, network: nn.Module, source: Source) -> list[str]:
        """Check that the network's outputs fit the task's targets, and return the names of the loss's terms.

        Raises:
            UserError: If they don't fit; the message says what does.
        """
        batch = source.batch(slice(0, 2))
        try:
            losses = self.losses(self.predict(network, batch), batch, StepContext())
        except (AttributeError, IndexError, TypeError, ValueError) as error:  # of outputs of another kind
            if isinstance(error, UserError):
                raise
            raise UserError(
                f"{type(network).__name__} doesn't return what the task {self.title!r} needs: choose a network for it, "
                "see 'workbench models list'."
            ) from error
        return [name for name in losses if name != "loss"]

    @abstractmethod
    def compute_baseline(self, seed: int) -> Baseline:
        """Return the baseline, computed on the splits that a run of this seed has."""

    @abstractmethod
    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return visualizations of what the network predicts, as plain data.

        Args:
            network: A network on any device.
            source: The validation set, on the CPU: other devices may lack float64, in which numbers are rounded.

        Returns:
            Those of single samples (`sample`) first, then those of all samples together.
        """

    def describe_sample(self, network: nn.Module, batch: Batch) -> dict[str, Any]:
        """Return what is shown of a single sample besides its input, as plain data; empty if that is nothing.

        Args:
            network: A trained network on the CPU.
            batch: The sample.
        """
        return {}

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        """Return what a network predicts for each file, as plain data.

        Args:
            network: A trained network on the CPU.
            files: The files.
            seed: The seed of the run, which decides what the inputs are standardized by.

        Raises:
            UserError: If the task's networks can't read files, or not one of these.
        """
        raise UserError(f"A network of the task {self.title!r} can't read files: choose a run on digits or shapes.")

    def predict_prompt(
        self, network: nn.Module, files: Sequence[Path], prompt: Mapping[str, Any], seed: int
    ) -> list[dict[str, Any]]:
        """Return the masks of a prompt in each file, as plain data.

        Args:
            network: A trained network on the CPU.
            files: Image files; for a video its frames, in order.
            prompt: `points`, a list of x, y and a label, 1 inside the object and 0 outside; `box`, x1, y1, x2, y2; and
                `mask`, an image file. They are in pixels of the files; what is left out is None or empty.
            seed: The seed of the run, which decides what the inputs are standardized by.

        Raises:
            UserError: If the task's networks read no prompts, or not this one.
        """
        raise UserError(f"A network of the task {self.title!r} reads no prompts. Leave --point, --box and --mask out.")

    def predict_rows(self, network: nn.Module, rows: np.ndarray, seed: int) -> list[dict[str, Any]]:
        """Return what a network predicts for each row of a table, as plain data.

        Args:
            network: A trained network on the CPU.
            rows: The features (N, features), in their own units and in the order of the dataset.
            seed: The seed of the run, which decides what the inputs are standardized by.

        Raises:
            UserError: If the task's networks can't read rows.
        """
        raise UserError(f"A network of the task {self.title!r} reads no rows: choose a run on a table, such as iris.")

    def adapt(self, network: nn.Module, name: str, columns: tuple[np.ndarray, ...], seed: int) -> Source:
        """Return samples of another dataset as a run of this task reads its own: with its scaling and its classes.

        Args:
            network: A network of this task.
            name: The other dataset.
            columns: Its inputs and targets, one sample per row.
            seed: The seed of the run, which decides what the inputs are standardized by.

        Raises:
            UserError: If they can't be read in this way.
        """
        raise UserError(f"A network of the task {self.title!r} can't be evaluated on another one.")

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the network's answer to a question.

        Args:
            network: A trained network on the CPU.
            question: Name -> text, of `questions`.
            seed: The seed of the run, which decides what the inputs are standardized by.

        Raises:
            UserError: If the task can't answer questions, or can't answer this one.
        """
        raise UserError(f"A network of the task {self.title!r} can't be asked anything.")

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        """Return what a network generates: texts, images, translations.

        Args:
            network: A trained network on the CPU.
            request: What is asked for.
            seed: The seed of the run, which decides what its splits are.

        Raises:
            UserError: If the task's networks generate nothing, or not this.
        """
        raise UserError(
            f"A network of the task {self.title!r} generates nothing: choose a run that does, such as one on "
            "'characters'."
        )

    def encode(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the latent code of each sample of a batch (N, features).

        Args:
            network: A trained network on the CPU, in evaluation mode.
            batch: The samples.

        Raises:
            UserError: If the task's networks have no latent code.
        """
        raise UserError(f"A network of the task {self.title!r} has no latent code: choose a run of an autoencoder.")

    def encodings(self, network: nn.Module, source: Source) -> tuple[Tensor, dict[str, list[Any]]]:
        """Return the latent codes (N, features) of all samples of a source, and columns that say what a row is.

        Raises:
            UserError: If the task's networks have no latent code.
        """
        codes, size = [], self.evaluation_batch(network)
        with evaluation_mode(network), torch.inference_mode():
            for start in range(0, len(source), size):
                batch = source.batch(slice(start, min(start + size, len(source))))
                codes.append(self.encode(network, batch).float())
        return torch.cat(codes), {"sample": list(range(len(source)))}

    def check_question(self, question: Mapping[str, str]) -> None:
        """Check the names of a question.

        Raises:
            UserError: If the task can't be asked, or has no such name.
        """
        if not self.questions:
            Task.respond(self, nn.Identity(), question, 0)
        for name in question:
            if name not in self.questions:
                raise unknown_name("part of a question", name, list(self.questions))


class evaluation_mode:
    """A context in which a network is in evaluation mode."""

    def __init__(self, network: nn.Module):
        self.network = network

    def __enter__(self) -> None:
        self.modes = [(module, module.training) for module in self.network.modules()]
        self.network.eval()

    def __exit__(self, *exception: object) -> None:
        for module, training in self.modes:
            module.training = training


def device_of(network: nn.Module) -> torch.device:
    """Return the device of a network's weights; the CPU if it has none."""
    return next((weight.device for weight in network.parameters()), torch.device("cpu"))


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return a batch on a device."""
    return {name: column.to(device) for name, column in batch.items()}
