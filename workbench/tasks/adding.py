"""The adding problem: a network reads values of which two are marked, and returns their sum after the last step."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data import adding
from workbench.data.sources import Batch, Resident, Source
from workbench.errors import UserError
from workbench.tasks.base import VISUALIZED_SAMPLES, Baseline, StepContext, Task, Visualization
from workbench.tasks.features import number
from workbench.tasks.memory import check_outputs, read_steps
from workbench.tasks.meters import ErrorMeter

MAX_POINTS = 500  # samples in the plot of predictions over targets
MAX_STEPS = 10_000  # steps of a sequence that is typed


class Adding(Task):
    """Mean squared and mean absolute error of the sum that a network returns at the last step.

    A batch holds `values` (N, steps, 2), each step a value and its mark, and `target` (N, 1). A network returns values
    (N, steps, 1). Sequences have as many steps as the network's example inputs.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        steps = read_steps(network, torch.zeros(1, 1, 2), adding.MIN_STEPS)
        splits = data.deal({"train": adding.load(steps)}, seed)
        return {
            split: Resident(values=torch.from_numpy(values), target=torch.from_numpy(sums).float()[:, None])
            for split, (values, sums) in splits.items()
        }

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Tensor:
        """Return the sum (N, 1) that the network returns at the last step."""
        outputs = check_outputs(network(batch["values"]), 1, "one value")
        if outputs.shape[2] != 1:
            raise UserError(f"This network returns {outputs.shape[2]} values per step: set its out_features to 1.")
        return outputs[:, -1]

    def losses(self, outputs: Tensor, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        return {"loss": F.mse_loss(outputs, batch["target"])}

    def meter(self) -> ErrorMeter:
        return ErrorMeter()

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the error of the mean of the training set, whatever the number of steps."""
        splits = data.load(self.data, seed)
        error = (splits["test"][1] - splits["train"][1].mean()) ** 2
        return Baseline("the mean", "mse", float(error.mean()))

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch = source.batch(slice(0, MAX_POINTS))
        target = batch["target"].flatten().double().tolist()
        predicted = self.predict(network, batch).flatten().double().tolist()
        addends = _addends(batch["values"][:VISUALIZED_SAMPLES])
        samples: list[Visualization] = [
            {"kind": "sample", "values": values, "target": target[k], "predicted": predicted[k]}
            for k, values in enumerate(addends)
        ]
        return [*samples, {"kind": "fit", "unit": self.dataset.target, "target": target, "predicted": predicted}]

    @property
    def questions(self) -> Mapping[str, str]:
        return {
            "values": "the values of a sequence of any length, with commas: 0.3,0.7,0.1,0.9",
            "marks": "the two steps whose values are added, counted from 1: 2,3",
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the predicted sum of the two marked values of a sequence."""
        self.check_question(question)
        values = [number("values", text) for text in question.get("values", "").split(",")]
        if not 2 <= len(values) <= MAX_STEPS:
            raise UserError(f"values must be 2 to {MAX_STEPS:,} numbers with commas between them, not {len(values)}.")
        marks = [text.strip() for text in question.get("marks", "").split(",")]
        steps = [int(text) for text in marks if text.isdecimal() and 1 <= int(text) <= len(values)]
        if len(marks) != 2 or len({*steps}) != 2:
            raise UserError(f"marks must be two different steps from 1 to {len(values)}, such as 1,{len(values)}.")
        sequence = np.zeros((1, len(values), 2), np.float32)
        sequence[0, :, 0] = values
        sequence[0, [step - 1 for step in steps], 1] = 1
        predicted = float(self.predict(network, {"values": torch.from_numpy(sequence)}))
        added = {f"step {step}": values[step - 1] for step in sorted(steps)}
        return {
            "kind": "value",
            "unit": self.dataset.target,
            "predicted": predicted,
            "target": sum(added.values()),
            "features": added,
        }


def _addends(sequences: Tensor) -> list[list[Any]]:
    """Return the two marked values of each sequence (N, steps, 2)."""
    return [
        values[marks > 0].double().round(decimals=3).tolist()
        for values, marks in (each.unbind(1) for each in sequences)
    ]


TASK = Adding(
    data="adding",
    title="add the two marked values of a sequence",
    inputs=dict(values="float32[length, 2]"),
    outputs=dict(values="float32[length, 1]"),
    metrics=dict(mse="min", mae="min"),
)
