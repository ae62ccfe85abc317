"""A forecaster: an LSTM reads a window of a time series and predicts the values that follow.

Each prediction is the last value of the window plus a change that the network computes, and the window is read as
differences from its last value. So the network sees the same numbers wherever the level of the series is, and a series
with a trend does not leave the range that it was trained on; without its change, the forecast would be that the last
value stays.

The paper preset reads windows of 48 values and predicts 12:

    layer    output    parameters
    values   48x1
    lstm     48x64     4*(1*64 + 64*64 + 2*64)    = 17,152
    head     12        64*12 + 12                 =    780
                                            total   17,932

No paper has this very network. Recurrent networks for time series are older than the LSTM: Connor, Martin, Atlas,
Recurrent neural networks and robust time series prediction, IEEE Trans. Neural Networks 5(2) (1994).
"""

import torch
from torch import Tensor, nn

from models.layers.recurrent import read, recurrent_layers


class TimeSeriesForecaster(nn.Module):
    """Recurrent layers that read a window, and a dense layer from their last output to the values that follow.

    Args:
        window: Values that are read.
        horizon: Values that are predicted.
        hidden_size: Hidden units of each layer.
        num_layers: The number of layers.
        dropout: Probability that an output of a layer is dropped in a training step.
        cell: The kind of layers: `rnn`, `lstm` or `gru`.
        fast: Whether torch's own layers compute; otherwise the equations as they are written in `recurrent.py`.
    """

    def __init__(
        self,
        window: int = 48,
        horizon: int = 12,
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.0,
        cell: str = "lstm",
        fast: bool = True,
    ):
        super().__init__()
        if min(window, horizon, hidden_size, num_layers) < 1:
            raise ValueError("window, horizon, hidden_size and num_layers must be 1 or more")
        self.window, self.horizon, self.cell = window, horizon, cell
        self.add_module(cell, recurrent_layers(cell, 1, hidden_size, num_layers, dropout, fast=fast))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, horizon)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return values (batch_size, window, 1), all 0."""
        return (torch.zeros(batch_size, self.window, 1, device=self.head.weight.device),)

    def forward(self, values: Tensor) -> Tensor:
        """Return the next values (N, horizon) for windows (N, length, 1)."""
        last = values[:, -1:]
        outputs, _ = read(self.get_submodule(self.cell), values - last)
        change: Tensor = self.head(self.dropout(outputs[:, -1]))
        return last[:, 0] + change


FAMILY = dict(
    family="time-series-forecaster",
    year=1994,
    paper="Connor, Martin, Atlas, IEEE Trans. Neural Networks 5(2)",
    topic="sequence-tasks",
    task="series",
    contribution="A recurrent network reads the past of a time series and predicts its next values.",
    builds_on=("rnn",),
    network="TimeSeriesForecaster",
    names={"time-series-forecaster": dict(window=48, horizon=12, hidden_size=64)},
    inputs=dict(values="float32[length, 1]"),
    outputs=dict(forecast="float32[horizon]"),
    sizes=dict(window="window", horizon="horizon"),
    params={},
    mini=dict(hidden_size=32),
    recipe=dict(epochs=80, schedule="one-cycle", lr=0.003, batch_size=32, clip_norm=1.0),
    reference=None,
)
