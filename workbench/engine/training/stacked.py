"""Several seeds of one spec, stacked along a first axis: one pass and one fused optimizer update all of them.

    Stacked     the weights, the optimizer and clipping: the base class of the two below
    Vmap        the forward pass of the network itself, vectorized by torch.func.vmap
    SeedAxis    a forward pass with a seed axis of its own, see `seed_axis`

The weights of each network are views of the stacked ones, so that evaluations and checkpoints always have the current
values. The seeds are independent of each other, even if the loss of one is not a number.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workbench.data.sources import Batch, Resident, is_ragged
from workbench.engine.spec.sections import ClipNorm, ClipValue, Plateau
from workbench.engine.training import optimizers
from workbench.engine.training.backends import Loop
from workbench.engine.training.seed_axis import forward_with_seed_axis, is_convertible
from workbench.engine.training.state import SeedState, Update

MAX_BYTES = 2**26  # of training sets that are stacked
MIN_NORM = 1e-6  # added to the norm of a gradient, as in torch.nn.utils.clip_grad_norm_


class Stacked(ABC):
    """Updates several seeds at once.

    Args:
        states: The states of the seeds; `can_stack` must be true of them.
        is_trial: Whether it is only timed. Then the networks of the seeds don't change.
    """

    def __init__(self, states: Sequence[SeedState], is_trial: bool = False):
        self.states = states
        self._network = states[0].network
        named = [dict(state.network.named_parameters()) for state in states]
        self._parameters = {name: _stack([own[name] for own in named]) for name in named[0]}
        self._own = [list(own.values()) for own in named]
        buffers = [dict(state.network.named_buffers()) for state in states]
        self._buffers = {name: torch.stack([own[name] for own in buffers]) for name in buffers[0]}
        if not is_trial:
            for index, state in enumerate(states):
                _view(state.network, self._parameters, self._buffers, index)
        spec = states[0].spec
        self._clipping = spec.clipping
        task, context = states[0].task, states[0].context
        self._losses = torch.func.vmap(lambda outputs, batch: task.losses(outputs, batch, context))
        self._data = StackedBatches(states)
        group = [{"params": list(self._parameters.values())}]
        self._optimizer = optimizers.build(spec, group, states[0].device)
        self._loop: Loop | None = None  # takes over when a seed ends

    @abstractmethod
    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the outputs (S, N, ...) of all seeds for their batches, each with a first axis of S seeds."""

    def update(self, active: Sequence[int]) -> list[Update]:
        """Update the seeds with these indices once."""
        if self._loop is None and len(active) < len(self.states):
            for index in range(len(self.states)):
                self.sync(index)
            self._loop = Loop(self.states)
        if self._loop is not None:
            return self._loop.update(active)
        return self._update()

    def _update(self) -> list[Update]:
        states = self.states
        batch = self._data.next_batch()
        outputs, losses = self.backward(batch)
        norms = self._clip()
        for group in self._optimizer.param_groups:
            group["lr"] = states[0].lr
        self._optimizer.step()
        for state in states:
            state.context.step += 1
        if norms is not None:
            losses["grad_norm"] = norms
        outputs = outputs.detach()
        return [
            Update(
                {name: values[index] for name, values in losses.items()},
                outputs[index],
                {name: column[index] for name, column in batch.items()},
            )
            for index in range(len(states))
        ]

    def backward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the gradients of all seeds, and return their outputs and their losses (S,) by name.

        Args:
            batch: The batches of all seeds, each column with a first axis of S seeds.
        """
        for weight in self._parameters.values():
            weight.grad = None
        outputs = self.forward(batch)
        losses = self._losses(outputs, batch)
        losses["loss"].sum().backward()
        return outputs, {name: value.detach() for name, value in losses.items()}

    def _clip(self) -> Tensor | None:
        """Clip the gradient of each seed; return their norms before that, None without clipping."""
        if self._clipping is None:
            return None
        gradients = [weight.grad for weight in self._parameters.values() if weight.grad is not None]
        norms: Tensor = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients]).norm(dim=0)
        match self._clipping:
            case ClipNorm(most):
                factors = (most / (norms + MIN_NORM)).clamp(max=1.0)
                for gradient in gradients:
                    gradient.mul_(factors.view(-1, *[1] * (gradient.dim() - 1)))
            case ClipValue(most):
                for gradient in gradients:
                    gradient.clamp_(-most, most)
        return norms

    def sync(self, index: int) -> None:
        """Copy the state of the stacked optimizer to the optimizer of one seed. The weights are views already."""
        if self._loop is not None:
            self._loop.sync(index)
            return
        own = self.states[index].optimizer
        for weight, stacked in zip(self._own[index], self._parameters.values(), strict=True):
            if stacked in self._optimizer.state:
                own.state[weight] = {
                    name: value[index].clone() if value.dim() else value.clone()
                    for name, value in self._optimizer.state[stacked].items()
                }


class Vmap(Stacked):
    """The forward pass of the network itself, vectorized over seeds."""

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the outputs (S, N, ...) of all seeds."""
        state = self.states[0]

        def of_one_seed(parameters: Any, buffers: Any, batch: Any) -> Any:
            def network(*inputs: Tensor) -> Any:
                return functional_call(self._network, (parameters, buffers), inputs)

            return state.task.forward(cast(nn.Module, network), batch, state.context)  # the task only calls it

        # No random numbers are drawn, but dropout with a probability of 0 requires a generator.
        vectorized = torch.func.vmap(of_one_seed, randomness="same")
        outputs: Tensor = vectorized(self._parameters, self._buffers, batch)
        return outputs


class SeedAxis(Stacked):
    """A forward pass with a seed axis: batched matrix products and grouped convolutions."""

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the outputs (S, N, ...) of all seeds."""
        name = next(iter(self.states[0].task.info.inputs))
        return forward_with_seed_axis(self._network, self._parameters, batch[name])


class StackedBatches:
    """The next batches of several seeds, each column with a first axis of S seeds.

    The training sets of small data are stacked once, so that a batch of all seeds is read at once.
    """

    def __init__(self, states: Sequence[SeedState]):
        self._states = states
        self._rows = [state.batch_rows() for state in states]
        sources = [state.training_source for state in states]
        self._columns: dict[str, Tensor] | None = None
        if all(isinstance(source, Resident) for source in sources):
            columns = [source.columns for source in sources if isinstance(source, Resident)]
            tensors = [column for own in columns for column in own.values() if isinstance(column, Tensor)]
            is_plain = len(tensors) == sum(map(len, columns))
            if is_plain and sum(tensor.nbytes for tensor in tensors) <= MAX_BYTES:
                self._columns = {name: torch.stack([own[name] for own in columns]) for name in columns[0]}  # type: ignore[misc]
        self._seeds = torch.arange(len(states), device=states[0].device)[:, None]

    def next_batch(self) -> Batch:
        """Return the next batches of all seeds."""
        rows = [next(own) for own in self._rows]
        if self._columns is None:
            batches = [state.training_source.batch(own) for state, own in zip(self._states, rows, strict=True)]
            return {name: torch.stack([batch[name] for batch in batches]) for name in batches[0]}
        if isinstance(rows[0], slice):
            return {name: column[:, rows[0]] for name, column in self._columns.items()}
        places = torch.stack([own for own in rows if isinstance(own, Tensor)]).to(self._seeds.device)
        return {name: column[self._seeds, places] for name, column in self._columns.items()}


def can_stack(states: Sequence[SeedState]) -> bool:
    """Return whether several seeds can be updated at once, with the numbers of a loop.

    They can't if updates draw random numbers, if learning rates differ between weights or seeds, or if the loss depends
    on the weights themselves.
    """
    spec, network = states[0].spec, states[0].network
    has_random_layers = any(isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p for layer in network.modules())
    names = [name for name, _ in network.named_parameters(remove_duplicate=False)]
    return (
        len(states) > 1
        and states[0].task.is_stackable
        and all(replace(state.spec, seed=spec.seed) == spec for state in states)
        and not has_random_layers
        and len(names) == len(dict(network.named_parameters()))  # no weights are shared
        and all(weight.requires_grad for weight in network.parameters())
        and spec.initial_weights is None
        and not (spec.data.augment or spec.regularization.l1 or spec.regularization.l2 or spec.regularization.ema)
        and spec.data.accumulate == 1
        and spec.optimizer.decay_on == "all"
        and not isinstance(spec.schedule, Plateau)
        and not (spec.runtime.bf16 or spec.runtime.compile)
        and len({len(state.sources["train"]) for state in states}) == 1
        and len(states[0].task.info.inputs) == 1
        and not is_ragged(states[0].sources["train"])
    )


def can_convert(states: Sequence[SeedState]) -> bool:
    """Return whether the network has a forward pass with a seed axis."""
    return can_stack(states) and is_convertible(states[0].network)


def _stack(weights: Sequence[nn.Parameter]) -> nn.Parameter:
    return nn.Parameter(torch.stack([weight.detach() for weight in weights]))


def _view(network: nn.Module, parameters: dict[str, nn.Parameter], buffers: dict[str, Tensor], index: int) -> None:
    """Let a network's parameters and buffers be views of the stacked ones."""
    for name, parameter in network.named_parameters():
        parameter.data = parameters[name].data[index]
    for name, _ in list(network.named_buffers()):
        owner, _, last = name.rpartition(".")
        network.get_submodule(owner)._buffers[last] = buffers[name][index]
