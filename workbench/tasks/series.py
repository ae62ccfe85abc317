"""Forecasts of a time series: the next values, from a window of those before them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data import forecasts
from workbench.data.scaling import Scaler
from workbench.data.sources import Batch, Resident, Source
from workbench.errors import UserError
from workbench.tasks.base import Baseline, StepContext, Task, Visualization
from workbench.tasks.features import number
from workbench.tasks.meters import ErrorMeter
from workbench.tasks.scalers import training_scaler

DRAWINGS = 3  # forecasts that are drawn
MAX_AHEAD, MAX_PAST = 500, 10_000  # values of a forecast, and of a past that is typed


class Forecasting(Task):
    """Mean squared error of the standardized values; mae and mse in the unit of the series.

    The series is split in the order of time: training, validation, test. It is standardized by the mean and deviation
    of the training set. Windows of the later splits may begin in the split before, because the past is known; their
    targets don't.

    A batch holds `values` (N, window, 1) and `target` (N, horizon), both standardized, and the `mean` and `deviation`
    (N, 1) of the series. A network has the attributes `window` and `horizon`.
    """

    @property
    def horizon(self) -> int:
        """The number of values that are predicted."""
        return self.dataset.sizes["horizon"]

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        window, horizon = getattr(network, "window", None), getattr(network, "horizon", None)
        if not isinstance(window, int) or not isinstance(horizon, int):
            raise UserError("This network makes no forecasts. Choose time-series-forecaster.")
        if horizon != self.horizon:
            raise UserError(
                f"This network predicts {horizon} values, and {self.data} is predicted {self.horizon} values ahead. "
                f"Set its horizon to {self.horizon}."
            )
        splits = {split: values for split, (values,) in data.load(self.data, seed).items()}
        scaler = training_scaler(self.data, seed)
        if len(splits["train"]) < window + horizon:
            raise UserError(
                f"The training set has {len(splits['train'])} values, and a window of {window} with {horizon} "
                f"predicted values needs {window + horizon}. Use a shorter window or a longer series."
            )
        sources: dict[str, Source] = {}
        past = np.empty(0)
        for split, values in splits.items():
            series = np.concatenate([past[-window:], values])
            sources[split] = _windows(scaler(series), window, horizon, scaler)
            past = np.concatenate([past, values])
        return sources

    def losses(self, outputs: Tensor, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        if outputs.shape != batch["target"].shape:
            raise UserError(f"This network does not return {self.horizon} values. Choose time-series-forecaster.")
        return {"loss": F.mse_loss(outputs, batch["target"])}

    def meter(self) -> ErrorMeter:
        return ErrorMeter()

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the error of repeating the last value, or that of repeating the last season if it is smaller."""
        splits = {split: values for split, (values,) in data.load(self.data, seed).items()}
        past = np.concatenate([splits["train"], splits["validation"]])
        period = forecasts.find_period(splits["train"])
        rules: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "the last value": lambda before: forecasts.last_value(before, self.horizon),
            f"the value {period} steps before": lambda before: forecasts.seasonal_naive(before, self.horizon, period),
        }
        errors = {name: _mean_error(rule, past, splits["test"], self.horizon) for name, rule in rules.items()}
        return min((Baseline(name, "mae", error) for name, error in errors.items()), key=lambda each: each.value)

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return forecasts from the start, the middle and the end of the source."""
        rows = sorted({round(place) for place in np.linspace(0, len(source) - 1, DRAWINGS)})
        batch = source.batch(torch.tensor(rows))
        predicted = self.predict(network, batch)
        past, target, forecast = (
            (values.double() * batch["deviation"].double() + batch["mean"].double()).tolist()
            for values in (batch["values"][:, :, 0], batch["target"], predicted)
        )
        return [_forecast(self.dataset.target, past[k], forecast[k], target[k]) for k in range(len(rows))]

    @property
    def questions(self) -> Mapping[str, str]:
        return {
            "values": "the values before the forecast, with commas; default: the end of the series",
            "horizon": f"the number of values to predict, 1 to {MAX_AHEAD}; default: {self.horizon}",
        }

    def respond(self, network: Any, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the forecast after the values that were typed, or after the end of the series.

        Values beyond the network's horizon are predicted from those that it has predicted.
        """
        self.check_question(question)
        typed = question.get("horizon", "").strip() or str(self.horizon)
        if not typed.isdecimal() or not 1 <= int(typed) <= MAX_AHEAD:
            raise UserError(f"horizon must be an integer from 1 to {MAX_AHEAD}, not {typed[:40]!r}.")
        if question.get("values", "").strip():
            past = np.array([number("values", text) for text in question["values"].split(",")])
            if not network.window <= len(past) <= MAX_PAST:
                raise UserError(
                    f"values must be at least {network.window} numbers with commas between them, not {len(past)}: the "
                    f"network reads {network.window}."
                )
        else:
            past = np.concatenate([values for (values,) in data.load(self.data, seed).values()])
        scaler = training_scaler(self.data, seed)
        series = scaler(past[-network.window :]).astype(np.float32)
        ahead = 0
        while ahead < int(typed):
            window = torch.from_numpy(series[-network.window :])[None, :, None]
            series = np.concatenate([series, self.predict(network, {"values": window})[0].numpy()])
            ahead += network.horizon
        predicted = scaler.back(series[network.window :].astype(float))[: int(typed)]
        return _forecast(self.dataset.target, past[-network.window :].tolist(), predicted.tolist())


def _windows(series: np.ndarray, window: int, horizon: int, scaler: Scaler) -> Resident:
    """Return every window of a standardized series with the values that follow it."""
    rows = np.lib.stride_tricks.sliding_window_view(series.astype(np.float32), window + horizon)
    unit = np.broadcast_to(np.array([scaler.shift, scaler.spread], np.float32), (len(rows), 2))
    mean, deviation = torch.from_numpy(unit.copy()).split(1, dim=1)
    values = torch.from_numpy(rows[:, :window, None].copy())
    return Resident(values=values, target=torch.from_numpy(rows[:, window:].copy()), mean=mean, deviation=deviation)


def _mean_error(rule: Callable[[np.ndarray], np.ndarray], past: np.ndarray, test: np.ndarray, horizon: int) -> float:
    """Return the mean absolute error of a rule over all forecasts in a test set that follows the past."""
    series, start = np.concatenate([past, test]), len(past)
    errors = [np.abs(rule(series[:t]) - series[t : t + horizon]) for t in range(start, len(series) - horizon + 1)]
    return float(np.mean(errors))


def _forecast(unit: str, past: list[float], predicted: list[float], target: list[float] | None = None) -> Visualization:
    forecast: Visualization = {"kind": "forecast", "unit": unit, "past": past, "predicted": predicted}
    return forecast if target is None else {**forecast, "target": target}


TASK = Forecasting(
    data="series",
    title="predict the next values of a time series",
    inputs=dict(values="float32[length, 1]"),
    outputs=dict(forecast="float32[horizon]"),
    metrics=dict(mae="min", mse="min"),
    accepts="series",
)
