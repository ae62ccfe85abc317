"""The gradient of a trained network's loss: a histogram for each parameter.

It is that of one training step from these weights: of the mean loss, without penalties, of the first samples of the
training set, in training mode. Nothing is updated, and images are not augmented.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch

from workbench.engine.interpret.histograms import describe
from workbench.engine.trained import TrainedNetwork
from workbench.tasks.base import StepContext

MAX_SAMPLES = 512  # if the run trains on the full batch


def compute(trained: TrainedNetwork, on_progress: Callable[[float], None] = lambda progress: None) -> dict[str, Any]:
    """Return the histograms of the gradient with respect to all parameters, in the order of the network.

    Returns:
        `samples`, of the batch; its `loss`; `parameters`: for each what `histograms.describe` returns, and its
        `weight_norm`; `unused`: the names of those that the loss doesn't depend on.
    """
    size = trained.spec.data.batch_size
    batch = trained.sources["train"].batch(slice(0, MAX_SAMPLES if size == "full" else int(size)))
    network = copy.deepcopy(trained.network).train()  # running means and variances change in training mode
    context = StepContext(is_training=True)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(trained.spec.seed)  # of dropout
        loss = trained.task.losses(trained.task.forward(network, batch, context), batch, context)["loss"]
        loss.backward()
    rows, unused = [], []
    for name, weight in network.named_parameters():
        if weight.grad is None:
            unused.append(name)
        else:
            rows.append({**describe(network, name, weight.grad), "weight_norm": weight.detach().double().norm().item()})
    return {"samples": len(next(iter(batch.values()))), "loss": loss.item(), "parameters": rows, "unused": unused}
