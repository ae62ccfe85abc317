"""Layer norm for maps."""

from torch import Tensor, nn


class LayerNorm2d(nn.LayerNorm):
    """A layer norm over the channels of each pixel, for maps with their channels first.

    Args:
        channels: Channels of the input and of the output.
    """

    def __init__(self, channels: int):
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels, h, w)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
