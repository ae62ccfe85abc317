"""A convolution with batch normalization and an activation: the unit that mobile networks are made of."""

from collections.abc import Callable

from torch import nn


class ConvNormActivation(nn.Sequential):
    """A convolution with "same" padding, a norm, and an activation.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel; odd.
        stride: 2 halves the height and the width, rounding up.
        groups: Groups of channels; `in_channels` of them make the convolution depthwise.
        activation_layer: Class of the activation. None leaves the output linear.
        norm_layer: Makes the norm of a number of channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation_layer: Callable[..., nn.Module] | None = None,
        norm_layer: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ):
        super().__init__()
        padding = kernel_size // 2
        # The norm subtracts the mean, and any bias with it.
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
        self.norm = norm_layer(out_channels)
        if activation_layer:
            self.activation = activation_layer(inplace=True)
