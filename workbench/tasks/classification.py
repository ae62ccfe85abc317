"""Classification of the rows of a table, with any number of classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data.sources import Batch, Resident, Source
from workbench.errors import UserError
from workbench.render.shape import format_shape
from workbench.tasks import features
from workbench.tasks.base import VISUALIZED_SAMPLES, Baseline, Metrics, StepContext, Task, Visualization
from workbench.tasks.decision_regions import decision_regions
from workbench.tasks.meters import ClassificationMeter, f1_scores
from workbench.tasks.scalers import training_scaler

MAX_CLASSES = 10  # that a message lists
AUXILIARY_WEIGHT = 0.3  # of the loss of an auxiliary classifier (Szegedy et al. 2014)


class Classification(Task):
    """Cross-entropy, accuracy, F1, top-5 accuracy and the area under the ROC curve.

    A batch holds `features` (N, features), standardized, and `target` (N,), the classes. With `class_weights`, training
    batches also hold `weight` (N,), what a sample counts in the loss. A network returns one logit per class, or a
    single one for two classes. One with auxiliary classifiers returns a tuple in training: its own logits come first.
    """

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.dataset.classes)

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        splits = data.load(self.data, seed)
        inputs = self.inputs(splits, network)
        return {split: Resident(**inputs[split], **self._targets(split, splits[split][1])) for split in splits}

    def inputs(self, splits: dict[str, Any], network: nn.Module) -> dict[str, dict[str, Any]]:
        """Return the input columns of each split as the network reads them."""
        standardized = features.standardize(splits)
        return {split: {"features": features.fit(rows, network, self.dataset)} for split, rows in standardized.items()}

    def _targets(self, split: str, classes: np.ndarray) -> dict[str, Tensor]:
        target = torch.from_numpy(classes)
        if not (self.class_weights and split == "train"):
            return {"target": target}
        counts = torch.bincount(target, minlength=self.classes)  # none is 0: `data.load` makes sure
        return {"target": target, "weight": (len(target) / (self.classes * counts))[target].float()}

    def flatten(self, splits: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return each split's inputs as a linear model reads them (N, features), perhaps fewer of the training set."""
        return features.standardize(splits)

    def logits(self, outputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Return a logit for each class (N, classes), whose softmax are the probabilities.

        A single logit z stands for the logits (0, z): their softmax is the sigmoid of z, and their cross-entropy the
        binary cross-entropy of z. Outputs beyond the classes, of a network made for more, are left out.

        Raises:
            UserError: If the network returns fewer.
        """
        own = outputs[0] if isinstance(outputs, tuple) else outputs
        if own.dim() == 1:
            own = own[:, None]
        if self.classes == 2 and own.shape[1:] == (1,):
            return torch.cat([torch.zeros_like(own), own], dim=1)
        if own.dim() != 2 or own.shape[1] < self.classes:
            fitting = "1 output or 2" if self.classes == 2 else f"{self.classes} outputs"
            raise UserError(
                f"This network returns {format_shape(own.shape[1:])}, and there are {self.classes} classes: "
                f"size it to {fitting}."
            )
        return own if own.shape[1] == self.classes else own[:, : self.classes]

    def losses(self, outputs: Tensor | tuple[Tensor, ...], batch: Batch, context: StepContext) -> dict[str, Tensor]:
        if isinstance(outputs, tuple):
            own, *auxiliary = (self._cross_entropy(each, batch, context) for each in outputs)
            return {"loss": own + AUXILIARY_WEIGHT * sum(auxiliary)}
        return {"loss": self._cross_entropy(outputs, batch, context)}

    def _cross_entropy(self, outputs: Tensor, batch: Batch, context: StepContext) -> Tensor:
        smoothing = self.label_smoothing if context.is_training else 0.0
        logits = self.logits(outputs)
        if "weight" not in batch or not context.is_training:
            return F.cross_entropy(logits, batch["target"], label_smoothing=smoothing)
        each = F.cross_entropy(logits, batch["target"], label_smoothing=smoothing, reduction="none")
        return (batch["weight"] * each).sum() / batch["weight"].sum()

    def meter(self) -> "LogitsMeter":
        return LogitsMeter(self)

    def training_metrics(self, outputs: Tensor | tuple[Tensor, ...], batch: Batch) -> Metrics:
        """Return the accuracy: the other metrics say little of one batch."""
        hits = (self.logits(outputs).argmax(dim=1) == batch["target"]).sum()
        return {"accuracy": hits.item() / len(batch["target"])}

    def compute_baseline(self, seed: int) -> Baseline:
        """Return logistic regression's accuracy, or that of the most frequent class if it is higher."""
        from sklearn.linear_model import LogisticRegression

        splits = data.load(self.data, seed)
        inputs, classes, targets = self.flatten(splits), splits["train"][1], splits["test"][1]
        model = LogisticRegression(max_iter=1000).fit(inputs["train"], classes[: len(inputs["train"])])
        most_frequent = np.mean(targets == np.bincount(classes).argmax())
        baselines = [
            Baseline("logistic regression", "accuracy", float(model.score(inputs["test"], targets))),
            Baseline("the most frequent class", "accuracy", float(most_frequent)),
        ]
        return max(baselines, key=lambda baseline: baseline.value)

    def probabilities(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the probability of each class (N, classes) for the samples of a batch."""
        return self.logits(self.predict(network, batch)).softmax(dim=1)

    def predict_classes(self, network: nn.Module, column: str, inputs: Tensor) -> list[dict[str, Any]]:
        """Return for each input the most probable `class`, its `probability`, and the `probabilities` of all."""
        size = self.evaluation_batch(network)
        logits = [self.logits(self.predict(network, {column: chunk})) for chunk in inputs.split(size)]
        predictions = []
        for row in torch.cat(logits).double().softmax(dim=1).tolist():
            probabilities = dict(zip(self.dataset.classes, row, strict=True))
            name = max(probabilities, key=lambda name: probabilities[name])
            predictions.append({"class": name, "probability": probabilities[name], "probabilities": probabilities})
        return predictions

    def predict_rows(self, network: nn.Module, rows: np.ndarray, seed: int) -> list[dict[str, Any]]:
        """Return for each row the most probable `class`, its `probability`, and the `probabilities` of all."""
        inputs = training_scaler(self.data, seed)(rows).astype(np.float32)
        return self.predict_classes(network, "features", torch.from_numpy(inputs))

    def adapt(self, network: nn.Module, name: str, columns: tuple[np.ndarray, ...], seed: int) -> Source:
        inputs = features.reorder(columns[0], data.info(name), self.dataset)
        scaled = training_scaler(self.data, seed)(inputs)
        return Resident(
            features=features.fit(scaled, network, self.dataset), target=self.adapt_classes(name, columns[1])
        )

    def adapt_classes(self, name: str, target: np.ndarray) -> Tensor:
        """Return the classes (N,) of samples of another dataset as classes of this task, by their names.

        Raises:
            UserError: If the other dataset has a class that this task doesn't have.
        """
        other = data.info(name)
        unknown = [each for each in other.classes if each not in self.dataset.classes]
        if unknown or other.kind != "classification":
            problem = f"has the class {unknown[0]!r}" if unknown else f"is for {other.kind}"
            raise UserError(
                f"{other.name} {problem}, and a network of {self.dataset.name} predicts "
                f"{', '.join(self.dataset.classes[:MAX_CLASSES])}{', ...' * (self.classes > MAX_CLASSES)}."
            )
        return torch.tensor([self.dataset.classes.index(each) for each in other.classes])[torch.from_numpy(target)]

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        meter = ClassificationMeter(self.classes)
        samples: list[Visualization] = []
        size = self.evaluation_batch(network)
        for start in range(0, len(source), size):
            batch = source.batch(slice(start, start + size))
            logits = self.logits(self.predict(network, batch))
            meter.update(logits, batch)
            if not samples:
                probabilities = logits[:VISUALIZED_SAMPLES].softmax(dim=1)
                samples = [self._visualize_sample(batch, k, each) for k, each in enumerate(probabilities)]
        shared = [self.visualize_confusion(meter.confusion())]
        if self.dataset.shape == (2,):
            shared.append(self.visualize_regions(network, source))
        return samples + shared

    def _visualize_sample(self, batch: Batch, k: int, probabilities: Tensor) -> Visualization:
        return {"kind": "sample", **self.visualize_input(batch, k), **self._describe(batch, k, probabilities)}

    def _describe(self, batch: Batch, k: int, probabilities: Tensor) -> dict[str, Any]:
        return {
            "target": int(batch["target"][k]),
            "predicted": int(probabilities.argmax()),
            "probability": float(probabilities.max()),
        }

    def describe_sample(self, network: nn.Module, batch: Batch) -> dict[str, Any]:
        """Return the class of a sample, the predicted class and its probability."""
        return self._describe(batch, 0, self.probabilities(network, batch)[0])

    def visualize_input(self, batch: Batch, k: int) -> dict[str, Any]:
        """Return the input of one sample as plain data."""
        return {"values": batch["features"][k].double().round(decimals=3).tolist()}

    def visualize_confusion(self, counts: Tensor) -> Visualization:
        """Return the confusion matrix, with the precision, recall and F1 score of each class."""
        hits = counts.diagonal().double()
        return {
            "kind": "confusion",
            "classes": list(self.dataset.classes),
            "counts": counts.tolist(),
            "precision": _shares(hits, counts.sum(dim=0)),
            "recall": _shares(hits, counts.sum(dim=1)),
            "f1": f1_scores(counts).tolist(),
        }

    def visualize_regions(self, network: nn.Module, source: Source) -> Visualization:
        """Return the decision regions of a network with two inputs."""
        return decision_regions(
            lambda points: self.probabilities(network, {"features": points}),
            source.batch(slice(0, len(source))),
            self.dataset.features,
            self.dataset.classes,
        )

    @property
    def questions(self) -> Mapping[str, str]:
        """A value for each feature, in its own unit."""
        return {features.argument(name): name for name in self.dataset.features}

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the probability of each class for one row; features that are left out have their mean.

        An empty question to a network with two features is answered with its decision regions, too.
        """
        self.check_question(question)
        scaler = training_scaler(self.data, seed)
        point, row = features.read(question, self.dataset, scaler)
        probabilities = self.probabilities(network, {"features": torch.from_numpy(point)[None]})[0]
        answer = self.visualize_probabilities(probabilities) | {"features": row}
        if self.dataset.shape == (2,):
            answer |= {"point": point.tolist(), "mean": scaler.shift.tolist(), "deviation": scaler.spread.tolist()}
            if not question:
                answer["regions"] = self.visualize_regions(network, self.sources(network, seed)["validation"])
        return answer

    def visualize_probabilities(self, probabilities: Tensor) -> Visualization:
        """Return the probability of each class as plain data."""
        return {
            "kind": "probabilities",
            "classes": list(self.dataset.classes),
            "probabilities": probabilities.double().tolist(),
            "predicted": int(probabilities.argmax()),
        }


class LogitsMeter(ClassificationMeter):
    """A meter of a network's outputs, of which the task makes a logit for each class."""

    def __init__(self, task: Classification):
        super().__init__(task.classes)
        self.task = task

    def update(self, outputs: Tensor | tuple[Tensor, ...], batch: Batch) -> None:
        super().update(self.task.logits(outputs), batch)


def _shares(hits: Tensor, totals: Tensor) -> list[float | None]:
    """Return hits over totals; None if there is nothing to share."""
    pairs = zip(hits.tolist(), totals.tolist(), strict=True)
    return [hit / total if total else None for hit, total in pairs]
