"""Atrous spatial pyramid pooling (ASPP): Chen et al., Rethinking atrous convolution (arXiv:1706.05587), section 3.3.

Objects of one class have many sizes. So several branches look at each place of one map at once: a 1x1 convolution at
the place itself, 3x3 convolutions whose taps are a few places apart, by several dilation rates, and the mean of the
whole map. Their outputs are concatenated, and a 1x1 convolution combines them.

A rate must fit the map: a tap that is outside sees only zeros of the padding, and if the rate is as large as the map,
only the tap in the middle is left, so that the 3x3 convolution is a 1x1. The mean of the map has replaced such rates
since the third version of DeepLab. State-dict keys are torchvision's.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workbench.errors import UserError


class ASPP(nn.Module):
    """A 1x1 convolution, 3x3 convolutions of several rates, the mean of the map, and a 1x1 convolution of all of them.

    Args:
        in_channels: Channels of the map.
        out_channels: Channels of each branch and of the output.
        rates: Dilation rates of the 3x3 convolutions.
        dropout: Probability that an output is dropped in a training step.
    """

    def __init__(self, in_channels: int, out_channels: int, rates: Sequence[int], dropout: float = 0.5):
        super().__init__()
        if not rates or min(rates) < 1:
            raise ValueError("rates must be one or more numbers of 1 or more, such as 6, 12, 18")
        branches = [conv_norm_relu(in_channels, out_channels)]
        branches += [conv_norm_relu(in_channels, out_channels, rate) for rate in rates]
        branches.append(ImagePooling(in_channels, out_channels))
        self.convs = nn.ModuleList(branches)
        self.project = conv_norm_relu(len(branches) * out_channels, out_channels)
        self.project.append(nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h, w)."""
        output: Tensor = self.project(torch.cat([branch(x) for branch in self.convs], dim=1))
        return output


class ImagePooling(nn.Sequential):
    """The mean of each channel of the whole map, a 1x1 convolution, and the result at every place.

    Args:
        in_channels: Channels of the map.
        out_channels: Channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(nn.AdaptiveAvgPool2d(1), *conv_norm_relu(in_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h, w).

        Raises:
            UserError: If there is a single image in training: batch norm needs several means.
        """
        if self.training and len(x) == 1:
            raise UserError("ASPP averages each image, so a training step needs two images or more: raise batch_size.")
        mean: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return mean.expand(-1, -1, *x.shape[2:])


def conv_norm_relu(in_channels: int, out_channels: int, rate: int = 0) -> nn.Sequential:
    """Return a 1x1 convolution, or a 3x3 one of a dilation rate of 1 or more, with batch norm and ReLU."""
    kernel_size, dilation = (3, rate) if rate else (1, 1)
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, padding=rate, dilation=dilation, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
