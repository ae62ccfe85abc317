"""The most confident errors of a classifier."""

from collections.abc import Callable
from math import ceil
from typing import Any

import torch

from workbench.engine.trained import TrainedNetwork
from workbench.errors import UserError
from workbench.tasks.classification import Classification

MAX_ERRORS = 24
BATCHES = 20  # of the test set; progress is reported after each


def compute(trained: TrainedNetwork, on_progress: Callable[[float], None] = lambda progress: None) -> dict[str, Any]:
    """Return the misclassified test samples, those with the largest predicted probability first.

    Returns:
        `tested` and `wrong`, the numbers of samples; `errors`: for each its number as `sample`, its `pixels` or
        `values`, the classes `target` and `predicted`, the `probability` of the predicted class, and
        `true_probability`, that of its own class.

    Raises:
        UserError: If the task doesn't predict one class per sample.
    """
    task, source = trained.task, trained.source
    if not isinstance(task, Classification):
        raise UserError(f"{trained.run} learns {task.title}: only classifiers of whole samples have such errors.")
    tested = len(source)
    size = min(ceil(tested / BATCHES), task.evaluation_batch(trained.network))
    logits, targets = [], []
    for start in range(0, tested, size):
        batch = source.batch(slice(start, start + size))
        logits.append(task.logits(task.predict(trained.network, batch)))
        targets.append(batch["target"])
        on_progress(min(1.0, (start + size) / tested))
    probabilities = torch.cat(logits).double().softmax(dim=1)  # float64, because many are close to 1
    target = torch.cat(targets)
    confidence, predicted = probabilities.max(dim=1)
    wrong = (predicted != target).nonzero()[:, 0]
    order = wrong[confidence[wrong].argsort(descending=True, stable=True)][:MAX_ERRORS].tolist()
    errors = [
        {
            "sample": k,
            **task.visualize_input(source.batch(slice(k, k + 1)), 0),
            "target": int(target[k]),
            "predicted": int(predicted[k]),
            "probability": float(confidence[k]),
            "true_probability": float(probabilities[k, target[k]]),
        }
        for k in order
    ]
    return {"tested": tested, "wrong": len(wrong), "errors": errors}
