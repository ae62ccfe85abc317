"""Functions that are called while a network runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

# Called with a module's name and the module, and with its arguments and keyword arguments.
BeforeHook = Callable[[str, nn.Module, tuple[Any, ...], dict[str, Any]], None]
# Called with a module's name and the module, and with its arguments and its output.
AfterHook = Callable[[str, nn.Module, tuple[Any, ...], Any], None]


@contextmanager
def hooked(network: nn.Module, after: AfterHook | None = None, before: BeforeHook | None = None) -> Iterator[None]:
    """Call functions around the forward pass of every module of a network, as long as the `with` block runs.

    The network itself is one of its modules, with an empty name. A module that the network uses under several names
    has the first of them.

    Args:
        network: The network to watch.
        after: Called after each forward pass of a module.
        before: Called before each forward pass of a module.
    """
    handles = []
    for name, module in network.named_modules():
        if before is not None:
            handles.append(module.register_forward_pre_hook(partial(before, name), with_kwargs=True))
        if after is not None:
            handles.append(module.register_forward_hook(partial(after, name)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def example_inputs(network: nn.Module, batch_size: int = 1) -> tuple[Tensor, ...]:
    """Return zeros of the shapes and types that a network reads, on the device of its weights.

    They come from the network's own method `example_inputs`, or follow from its attribute `input_shape`.
    """
    own: Callable[[int], tuple[Tensor, ...]] | None = getattr(network, "example_inputs", None)
    if own is not None:
        return own(batch_size)
    shape: Any = network.input_shape
    device = next((weight.device for weight in network.parameters()), None)
    return (torch.zeros(batch_size, *shape, device=device),)
