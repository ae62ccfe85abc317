"""Stochastic depth: Huang, Sun, Liu, Sedra, Weinberger, Deep networks with stochastic depth (arXiv:1603.09382)."""

from torch import Tensor, nn


class DropPath(nn.Module):
    """Drops a residual branch during training, for each sample independently.

    The branches that are not dropped are divided by 1 - p, so that the mean is unchanged and evaluation needs no
    scaling.

    Args:
        p: Probability that a sample's branch is dropped.
    """

    def __init__(self, p: float):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"the drop path probability must be at least 0 and below 1, not {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) -> (N, ...)."""
        if not self.training or self.p == 0:
            return x
        mask = x.new_empty(len(x), *[1] * (x.dim() - 1)).bernoulli_(1 - self.p)
        return x * (mask / (1 - self.p))
