"""Loading weights by position, for networks whose layers have the same order but other names."""

from collections.abc import Mapping

from torch import Tensor, nn


def load_by_position(network: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Copy the tensors of another network's state dict, in order. Dimensions of size 1 may differ.

    Raises:
        ValueError: If the number of tensors or one of their shapes differs.
    """
    state = network.state_dict()
    if len(state) != len(state_dict):
        raise ValueError(f"the state dict has {len(state_dict)} tensors, but the network has {len(state)}")
    values = {}
    for (name, own), (other_name, other) in zip(state.items(), state_dict.items(), strict=True):
        if squeezed_shape(own) != squeezed_shape(other):
            raise ValueError(f"{other_name} is {list(other.shape)}, but {name} is {list(own.shape)}")
        values[name] = other.reshape(own.shape)
    network.load_state_dict(values)


def squeezed_shape(tensor: Tensor) -> list[int]:
    """Return a tensor's shape without its dimensions of size 1."""
    return [size for size in tensor.shape if size != 1]
