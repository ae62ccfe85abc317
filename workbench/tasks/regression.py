"""Regression: a number predicted from the row of a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data.scaling import Scaler, z_score
from workbench.data.sources import Batch, Resident, Source
from workbench.errors import UserError
from workbench.render.shape import format_shape
from workbench.tasks import features
from workbench.tasks.base import VISUALIZED_SAMPLES, Baseline, Metrics, StepContext, Task, Visualization
from workbench.tasks.meters import RegressionMeter
from workbench.tasks.scalers import training_scaler

MAX_POINTS = 500  # samples in the plot of predictions over targets


class Regression(Task):
    """Mean squared error of the standardized target; mse and mae in its own unit, and R².

    A network with initial weights would need thousands of steps to approach a target in the hundreds, so the target is
    standardized by the mean and deviation of the training set. These go with every sample, so that metrics can be
    computed in the target's own unit.

    A batch holds `features` (N, features) and `target` (N, 1), both standardized, and the target's `mean` and
    `deviation` (N, 1). A network returns one number.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        splits = data.load(self.data, seed)
        scaler = z_score(splits["train"][1])
        sources: dict[str, Source] = {}
        for split, rows in features.standardize(splits).items():
            inputs = features.fit(rows, network, self.dataset)
            sources[split] = Resident(features=inputs, **self._targets(splits[split][1], scaler))
        return sources

    def value(self, outputs: Tensor) -> Tensor:
        """Return the number (N, 1) that a network returned for each sample.

        Raises:
            UserError: If it returned more than one.
        """
        if outputs.dim() == 1:
            outputs = outputs[:, None]
        if outputs.shape[1:] != (1,):
            raise UserError(
                f"This network returns {format_shape(outputs.shape[1:])}, and the target is one number: size it to "
                "1 output."
            )
        return outputs

    def losses(self, outputs: Tensor, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        return {"loss": F.mse_loss(self.value(outputs), batch["target"])}

    def meter(self) -> "ValueMeter":
        return ValueMeter(self)

    def training_metrics(self, outputs: Tensor, batch: Batch) -> Metrics:
        """Return mse and mae: the variance of one batch says little, so R² is left out."""
        metrics = super().training_metrics(outputs, batch)
        return {"mse": metrics["mse"], "mae": metrics["mae"]}

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the R² of ordinary least squares, or that of the mean if it is higher."""
        from sklearn.linear_model import LinearRegression
        from sklearn.metrics import r2_score

        splits = data.load(self.data, seed)
        inputs, targets, test_targets = features.standardize(splits), splits["train"][1], splits["test"][1]
        predictions = LinearRegression().fit(inputs["train"], targets).predict(inputs["test"])
        constant = np.full(len(test_targets), targets.mean())
        baselines = [
            Baseline("ordinary least squares", "r2", float(r2_score(test_targets, predictions))),
            Baseline("the mean", "r2", float(r2_score(test_targets, constant))),
        ]
        return max(baselines, key=lambda baseline: baseline.value)

    def predict_rows(self, network: nn.Module, rows: np.ndarray, seed: int) -> list[dict[str, Any]]:
        """Return for each row what is `predicted`, in the target's unit."""
        inputs = torch.from_numpy(training_scaler(self.data, seed)(rows).astype(np.float32))
        outputs = [self.predict(network, {"features": chunk}) for chunk in inputs.split(self.evaluation_batch(network))]
        standardized = self.value(torch.cat(outputs)).double().numpy()[:, 0]
        return [
            {"predicted": value} for value in training_scaler(self.data, seed, column=1).back(standardized).tolist()
        ]

    def adapt(self, network: nn.Module, name: str, columns: tuple[np.ndarray, ...], seed: int) -> Source:
        other = data.info(name)
        inputs = features.reorder(columns[0], other, self.dataset)
        if other.classes or other.target != self.dataset.target:
            raise UserError(
                f"The target of {other.name} is {other.target}{', a class' if other.classes else ''}, and a network of "
                f"{self.dataset.name} predicts {self.dataset.target}."
            )
        scaled = features.fit(training_scaler(self.data, seed)(inputs), network, self.dataset)
        return Resident(features=scaled, **self._targets(columns[1], training_scaler(self.data, seed, column=1)))

    def _targets(self, values: np.ndarray, scaler: Scaler) -> dict[str, Tensor]:
        """Return the standardized targets (N, 1), with the mean and the deviation of each."""
        columns = np.broadcast_arrays(scaler(values), scaler.shift, scaler.spread)
        names = ("target", "mean", "deviation")
        return {
            name: torch.from_numpy(column.astype(np.float32))[:, None]
            for name, column in zip(names, columns, strict=True)
        }

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch = source.batch(slice(0, MAX_POINTS))
        outputs = self.value(self.predict(network, batch))
        target, predicted = (
            (values.double() * batch["deviation"].double() + batch["mean"].double()).flatten().tolist()
            for values in (batch["target"], outputs)
        )
        rows = batch["features"][:VISUALIZED_SAMPLES].double().round(decimals=3).tolist()
        samples: list[Visualization] = [
            {"kind": "sample", "values": row, "target": target[k], "predicted": predicted[k]}
            for k, row in enumerate(rows)
        ]
        return [*samples, {"kind": "fit", "unit": self.dataset.target, "target": target, "predicted": predicted}]

    @property
    def questions(self) -> Mapping[str, str]:
        """A value for each feature, in its own unit."""
        return {features.argument(name): name for name in self.dataset.features}

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the prediction for one row, in the target's unit; features that are left out have their mean."""
        self.check_question(question)
        point, row = features.read(question, self.dataset, training_scaler(self.data, seed))
        standardized = self.value(self.predict(network, {"features": torch.from_numpy(point)[None]}))
        predicted = float(training_scaler(self.data, seed, column=1).back(np.asarray(float(standardized))))
        return {"kind": "value", "unit": self.dataset.target, "predicted": predicted, "features": row}


class ValueMeter(RegressionMeter):
    """A meter of a network's outputs, one number per sample."""

    def __init__(self, task: Regression):
        super().__init__()
        self.task = task

    def update(self, outputs: Tensor, batch: Batch) -> None:
        super().update(self.task.value(outputs), batch)
