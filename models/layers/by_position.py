"""Weights of a network whose layers come in the same order under other names."""

from collections.abc import Mapping

from torch import Tensor, nn


def load_by_position(network: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Give a network's weights, in order, the values of another's; sides of length 1 may be missing or more.

    Raises:
        ValueError: They don't fit one another.
    """
    ours = network.state_dict()
    if len(ours) != len(state_dict):
        raise ValueError(f"these are {len(state_dict)} weights, and the network has {len(ours)}")
    taken = {}
    for (name, own), (other, values) in zip(ours.items(), state_dict.items(), strict=True):
        if without_ones(own) != without_ones(values):
            raise ValueError(f"{other} is {list(values.shape)}, and {name} is {list(own.shape)}")
        taken[name] = values.reshape(own.shape)
    network.load_state_dict(taken)


def without_ones(tensor: Tensor) -> list[int]:
    """A tensor's shape without sides of length 1."""
    return [side for side in tensor.shape if side != 1]
