"""Optimisers: PyTorch's own, in one fused kernel where it has one, which is 1.7 to 3.5 times faster than a loop."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from workbench.engine.spec import RunSpec


def build(
    spec: RunSpec, weights: Iterable[nn.Parameter] | list[dict[str, Any]], device: torch.device
) -> torch.optim.Optimizer:
    """The spec's optimiser over these weights, or groups of them.

    Weight decay is AdamW's own (w shrinks by lr times weight_decay, apart from the gradient) for adamw, and for all
    others PyTorch's L2 form: weight_decay times w is added to the gradient, of biases too.
    """
    common: dict[str, Any] = dict(lr=spec.lr, weight_decay=spec.weight_decay)
    match spec.optimizer:
        case "adam" | "adamw":
            kind = torch.optim.Adam if spec.optimizer == "adam" else torch.optim.AdamW
            return kind(weights, betas=(spec.beta1, spec.beta2), eps=spec.eps, fused=True, **common)
        case "adagrad":  # fused on the CPU alone
            return torch.optim.Adagrad(weights, eps=spec.eps, fused=device.type == "cpu" or None, **common)
        case "rmsprop":  # fused nowhere
            return torch.optim.RMSprop(weights, alpha=spec.beta2, eps=spec.eps, **common)
        case "momentum" | "nesterov":
            nesterov = spec.optimizer == "nesterov"
            return torch.optim.SGD(weights, momentum=spec.momentum, nesterov=nesterov, fused=True, **common)
    return torch.optim.SGD(weights, fused=True, **common)


def memory(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimiser remembers of each weight, as `3.exp_avg`: of the fourth weight, its mean gradient."""
    return {
        f"{place}.{name}": value
        for place, slots in optimizer.state_dict()["state"].items()
        for name, value in slots.items()
        if value is not None
    }


def remember(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimiser what `memory` found in another."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        place, name = key.split(".", 1)
        weight = weights[int(place)]
        if value.shape == weight.shape:  # laid out like the weight: fused kernels go through both side by side
            value = torch.empty_like(weight, dtype=value.dtype).copy_(value)
        slots.setdefault(int(place), {})[name] = value
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
