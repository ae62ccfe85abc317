"""Fully connected CRF: Krähenbühl, Koltun, Efficient inference in fully connected CRFs with Gaussian edge potentials.

A network's masks are smooth where the image has an edge. A conditional random field (CRF) labels all pixels together:
the energy of a labeling is the sum of the negative log-probabilities of the network, and of a penalty for each pair of
pixels whose labels differ (the Potts model), however far apart they are:

    k(i, j) = w_appearance exp(-|p_i - p_j|^2 / (2 theta_alpha^2) - |I_i - I_j|^2 / (2 theta_beta^2))
            + w_smoothness exp(-|p_i - p_j|^2 / (2 theta_gamma^2))

p is the position and I the color. The first kernel is large for close pixels of similar color, the second one for close
pixels of any color. The most probable labeling is out of reach, so mean field looks for independent distributions Q_i
that are close to the CRF's: from the network's probabilities on, all pixels are updated at once, a few times:

    Q_i(l) is proportional to exp(log P_i(l) + sum over j other than i of k(i, j) Q_j(l))

The penalty of a label is the sum of k(i, j) Q_j over all other labels. It differs from minus the sum above by the same
value for all labels, which cancels.

The paper approximates the sum by a filter in time linear in the pixels; here it is exact and takes the square, for
images of up to about 64x64. DeepLab v1 and v2 end in this CRF, with 10 updates; later versions do without it.

With `normalize`, as in the authors' program, each of both kernels is divided by sqrt(n_i n_j), n_i = sum over all j of
its values, so that weights mean the same in images of any size.
"""

from collections.abc import Iterable, Iterator
from math import log

import torch
from torch import Tensor, nn

CHUNK = 2**21  # values of the kernel that are computed at once
SMALLEST = -80.0  # exponent: processors are slow with numbers that are still smaller
STORED = 2**25  # values of the kernel that are stored; those of larger images are computed again in each update


class DenseCRF(nn.Module):
    """Mean field inference in a fully connected CRF; it has no weights to learn.

    Args:
        w_appearance: Weight of the kernel of positions and colors.
        theta_alpha: Its standard deviation of positions, in pixels.
        theta_beta: Its standard deviation of colors, from 0 to 255.
        w_smoothness: Weight of the kernel of positions.
        theta_gamma: Its standard deviation, in pixels.
        iterations: Number of updates; 0 leaves the probabilities as they are.
        normalize: Whether each kernel is divided by the square root of its sums.
    """

    def __init__(
        self,
        w_appearance: float = 4.0,
        theta_alpha: float = 49.0,
        theta_beta: float = 5.0,
        w_smoothness: float = 3.0,
        theta_gamma: float = 3.0,
        iterations: int = 10,
        normalize: bool = True,
    ):
        super().__init__()
        if min(theta_alpha, theta_beta, theta_gamma) <= 0:
            raise ValueError("theta_alpha, theta_beta and theta_gamma must be larger than 0")
        if min(w_appearance, w_smoothness) < 0:
            raise ValueError("w_appearance and w_smoothness must be 0 or more")
        if iterations < 0:
            raise ValueError("iterations must be 0 or more")
        self.w_appearance, self.w_smoothness = w_appearance, w_smoothness
        self.theta_alpha, self.theta_beta, self.theta_gamma = theta_alpha, theta_beta, theta_gamma
        self.iterations, self.normalize = iterations, normalize

    def forward(self, logits: Tensor, images: Tensor) -> Tensor:
        """Return the probabilities Q (N, C, h, w).

        Args:
            logits: Logits of a network, (N, C, h, w).
            images: Colors from 0 to 255, (N, channels, h, w).

        Raises:
            ValueError: If the sizes differ.
        """
        if logits.shape[2:] != images.shape[2:]:
            sizes = " and ".join("x".join(map(str, tensor.shape[2:])) for tensor in (logits, images))
            raise ValueError(f"logits and images must have the same size, not {sizes}")
        log_probabilities = logits.log_softmax(dim=1)
        return torch.stack([self._infer(*pair) for pair in zip(log_probabilities, images.to(logits), strict=True)])

    def _infer(self, log_probabilities: Tensor, image: Tensor) -> Tensor:
        """Return Q (C, h, w) for an image (channels, h, w) and the network's log-probabilities (C, h, w)."""
        kernel: Iterable[Tensor] = Kernel(self, image)
        if image[0].numel() ** 2 <= STORED:
            kernel = list(kernel)
        log_p = log_probabilities.flatten(1).T
        q = log_p.exp()
        for _ in range(self.iterations):
            q = (log_p + torch.cat([rows @ q for rows in kernel])).softmax(dim=1)
        return q.T.reshape(log_probabilities.shape)


class Kernel:
    """The matrix k(i, j) of all pairs of pixels, 0 on its diagonal, which is computed some rows at a time.

    Args:
        crf: The weights and standard deviations.
        image: Colors, (channels, h, w).
    """

    def __init__(self, crf: DenseCRF, image: Tensor):
        height, width = image.shape[1:]
        positions = torch.cartesian_prod(torch.arange(height).to(image), torch.arange(width).to(image))
        colors = image.flatten(1).T
        self.chunks = torch.arange(len(positions), device=image.device).split(max(1, CHUNK // len(positions)))
        self.factors = [
            self._factor(crf.w_appearance, [positions / crf.theta_alpha, colors / crf.theta_beta], crf.normalize),
            self._factor(crf.w_smoothness, [positions / crf.theta_gamma], crf.normalize),
        ]

    def _factor(self, weight: float, features: list[Tensor], normalize: bool) -> tuple[Tensor, Tensor]:
        """Return matrices L and R for which exp(L R^T) is the kernel of some features, times its weight.

        The exponent -|f_i - f_j|^2 / 2 is f_i f_j - |f_i|^2 / 2 - |f_j|^2 / 2: one matrix product.
        """
        f = torch.cat(features, dim=1)
        f = f - f.mean(dim=0)  # rounding errors grow with the length of the vectors
        ones, half = f.new_ones(len(f), 1), f.square().sum(dim=1, keepdim=True) / -2
        left, right = torch.cat([f, half, ones], dim=1), torch.cat([f, ones, half], dim=1)
        if normalize:
            sums = torch.cat([exponentials(left[rows], right).sum(dim=1) for rows in self.chunks])
            left[:, -2] -= sums.log() / 2
            right[:, -1] -= sums.log() / 2
        left[:, -2] += log(weight) if weight else SMALLEST
        return left, right

    def __iter__(self) -> Iterator[Tensor]:
        (left, right), (other_left, other_right) = self.factors
        for rows in self.chunks:
            kernel = exponentials(left[rows], right)
            kernel += exponentials(other_left[rows], other_right)
            kernel[torch.arange(len(rows)), rows] = 0  # of a pixel and itself
            yield kernel


def exponentials(left: Tensor, right: Tensor) -> Tensor:
    """Return exp(L R^T), (m, n), for L (m, d) and R (n, d); values that are almost 0 are not exact."""
    return (left @ right.T).clamp_(min=SMALLEST).exp_()
