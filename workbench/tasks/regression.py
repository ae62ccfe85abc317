"""What number is it? Told from the rows of a table."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data.scaling import z_score
from workbench.errors import UserError
from workbench.render.shape import format_shape
from workbench.tasks import rows
from workbench.tasks.task import SHOWN, Batch, Floor, Task

MOST = 500  # samples that are drawn into one picture


class Regression(Task):
    """Mean squared error of the standardised target; mse and mae in its own unit, and R².

    A target in the hundreds would take a fresh network thousands of steps to come near, so that mean and deviation of
    the training part are taken out. They go with every sample, and the metrics are of the target itself.

    A batch is inputs (N, features) and targets (N, 1), both standardised, and the target's mean and deviation, (N, 1)
    each. A network says one number.
    """

    metric = "r2"

    def fit(self, parts: dict[str, Any], input_shape: tuple[int, ...]) -> dict[str, Batch]:
        scaler = z_score(parts["train"][1])
        fitted = {}
        for part, inputs in rows.standardised(parts).items():
            targets = np.broadcast_arrays(scaler(parts[part][1]), scaler.shift, scaler.spread)
            fitted[part] = (rows.as_read(inputs, input_shape, self.known), *map(column, targets))
        return fitted

    def number(self, outputs: Tensor) -> Tensor:
        """The one number (N, 1) that a network says of each sample.

        Raises:
            UserError: It says more, or less.
        """
        if outputs.dim() == 1:
            outputs = outputs[:, None]
        if outputs.shape[1:] != (1,):
            says = format_shape(outputs.shape[1:])
            raise UserError(f"This network says {says}, and a single number is to be told: size it to 1 output.")
        return outputs

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return F.mse_loss(self.number(outputs), batch[1])

    def metrics(self, outputs: Tensor, batch: Batch) -> dict[str, float]:
        """In the target's own unit, squared for mse. As float64: a target may be large."""
        error = ((self.number(outputs) - batch[1]).cpu().double() * batch[3].cpu().double()).abs()
        return {"mse": error.square().mean().item(), "mae": error.mean().item()}

    def measure(self, outputs: Tensor, samples: Batch) -> dict[str, float]:
        """R²: 1 where all is told, 0 where no more than the mean is."""
        target = samples[1].cpu().double()
        error = (self.number(outputs).cpu().double() - target).square().sum()
        variation = (target - target.mean()).square().sum()
        if variation == 0:  # all alike: told or not told
            return {"r2": float(error == 0)}
        return {"r2": (1 - error / variation).item()}

    def floor(self, seed: int) -> Floor:
        """Ordinary least squares, or to say always the mean where even that is better."""
        from sklearn.linear_model import LinearRegression
        from sklearn.metrics import r2_score

        parts = data.load(self.data, seed)
        inputs, targets, tested = rows.standardised(parts), parts["train"][1], parts["test"][1]
        linear = LinearRegression().fit(inputs["train"], targets).predict(inputs["test"])
        floors = [
            Floor("ordinary least squares", "r2", float(r2_score(tested, linear))),
            Floor("the mean", "r2", float(r2_score(tested, np.full(len(tested), targets.mean())))),
        ]
        return max(floors, key=lambda floor: floor.value)

    @torch.inference_mode()
    def pictures(self, network: nn.Module, samples: Batch) -> list[dict[str, Any]]:
        inputs, target, mean, deviation = (column[:MOST].cpu().double() for column in samples)
        said = self.number(self.outputs(network, tuple(column[:MOST] for column in samples))).cpu().double()
        true, predicted = ((values * deviation + mean).flatten().tolist() for values in (target, said))
        shown = [
            {"picture": "sample", "values": one.round(decimals=3).tolist(), "target": value, "predicted": told}
            for one, value, told, _ in zip(inputs, true, predicted, range(SHOWN), strict=False)
        ]
        return [*shown, {"picture": "fit", "unit": self.known.target, "target": true, "predicted": predicted}]


def column(values: np.ndarray) -> Tensor:
    """Numbers (N,) as a column (N, 1), float32."""
    return torch.from_numpy(values.astype(np.float32))[:, None]
