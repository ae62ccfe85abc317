"""A convolution, batch normalisation and an activation: the unit that mobile networks are written in."""

from collections.abc import Callable

from torch import nn


class ConvNormActivation(nn.Sequential):
    """A convolution that keeps the map's side at stride 1, its norm, and its activation.

    Args:
        channels: Channels that come in.
        width: Channels that go out.
        kernel: Side of the filter; odd.
        stride: 2 halves the map's side, rounding up.
        groups: Groups that the channels are split into; as many as channels make it depthwise.
        activation: The activation's class; None leaves the output linear.
        norm: Makes the norm for a number of channels.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: Callable[..., nn.Module] | None = None,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ):
        super().__init__()
        # The norm subtracts the mean, and with it any bias.
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
        self.norm = norm(width)
        if activation:
            self.activation = activation(inplace=True)
