"""Huang, Sun, Liu, Sedra, Weinberger, Deep networks with stochastic depth (arXiv:1603.09382, 2016)."""

from torch import Tensor, nn


class DropPath(nn.Module):
    """Leaves out a whole residual branch, for each sample by itself, while training.

    What stays is divided by the chance to stay, so that the mean is the branch itself, and nothing is left to do when
    the network is used.

    Args:
        p: Chance of a sample's branch to be left out.
    """

    def __init__(self, p: float):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError("drop_path must be 0 or more and below 1")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) -> (N, ...)."""
        if not self.training or self.p == 0:
            return x
        stays = x.new_empty(len(x), *[1] * (x.dim() - 1)).bernoulli_(1 - self.p)
        return x * (stays / (1 - self.p))
