"""The most confident mistakes: where a network is wrong and sure of it."""

from collections.abc import Callable
from math import ceil
from typing import Any

import torch

from workbench.engine.inside.trained import Trained, pixels

SHOWN = 24
PARTS = 20  # of the test part, told one after the other


def look(trained: Trained, told: Callable[[float], None] = lambda share: None) -> dict[str, Any]:
    """The test samples that are taken for something else, the surest first.

    Returns:
        `tested` and `wrong`: how many; `errors`: for each its `sample`, `pixels`, `target`, `predicted`, the
        `probability` of what it is taken for, and `true_probability`, that of its own class.
    """
    tested = len(trained.samples[0])
    size = ceil(tested / PARTS)
    said = []
    for first in range(0, tested, size):
        said.append(trained.task.scores(trained.task.outputs(trained.network, trained.batch(first, first + size))))
        told(min(1.0, (first + size) / tested))
    chances = torch.cat(said).double().softmax(dim=1)
    sure, predicted = chances.max(dim=1)
    pictures, targets = trained.samples[0], trained.samples[1]
    wrong = (predicted != targets).nonzero()[:, 0]
    order = wrong[sure[wrong].argsort(descending=True, stable=True)][:SHOWN].tolist()
    errors = [
        {
            "sample": k,
            "pixels": pixels(pictures[k]),
            "target": int(targets[k]),
            "predicted": int(predicted[k]),
            "probability": float(sure[k]),
            "true_probability": float(chances[k, targets[k]]),
        }
        for k in order
    ]
    return {"tested": tested, "wrong": len(wrong), "errors": errors}
