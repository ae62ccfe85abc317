"""The prompt encoder of SAM: points, boxes and masks as features.

A point becomes the encoding of its place plus a learned vector of its kind: inside the object or outside. A box is its
two corners, points of two more kinds. Places are encoded by random Fourier features (Tancik et al., arXiv:2006.10739):
for p in [-1, 1]^2 the sines and cosines of 2 pi p G, with a fixed matrix G (2, features/2) from a normal distribution.
A mask is brought to the size of the image's map by convolutions, and added to it; without a mask, a learned vector is
added everywhere.
"""

from math import pi

import torch
from torch import Tensor, nn

from models.layers.layer_norm_2d import LayerNorm2d

NOT_A_POINT, OUTSIDE, INSIDE, TOP_LEFT, BOTTOM_RIGHT = range(-1, 4)  # the kinds of points


class RandomFourierPositions(nn.Module):
    """Encodings of places by sines and cosines of random waves, which are not trained.

    Args:
        features: Features of an encoding, an even number.
    """

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, features: int):
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, features // 2))

    def forward(self, places: Tensor) -> Tensor:
        """Return encodings (..., features) of places (..., 2), x and y from 0 to 1."""
        angles = 2 * pi * (2 * places - 1) @ self.positional_encoding_gaussian_matrix
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def grid(self, height: int, width: int) -> Tensor:
        """Return the encodings of the centers of a map's pixels, (features, height, width)."""
        matrix = self.positional_encoding_gaussian_matrix
        y, x = ((torch.arange(size, device=matrix.device, dtype=matrix.dtype) + 0.5) / size for size in (height, width))
        places = torch.stack([x.expand(height, -1), y[:, None].expand(-1, width)], dim=2)
        encoded: Tensor = self(places)
        return encoded.permute(2, 0, 1)


class PromptEncoder(nn.Module):
    """The features of prompts.

    Args:
        features: Features of a point, and channels of the image's map.
        image_size: Height and width of the images, in whose pixels points are.
        grid_size: Height and width of the image's map.
        mask_channels: Channels of the masks before the last convolution, a multiple of 4.
    """

    def __init__(self, features: int, image_size: int, grid_size: int, mask_channels: int):
        super().__init__()
        self.image_size, self.grid_size = image_size, grid_size
        self.pe_layer = RandomFourierPositions(features)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, features) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, features)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, mask_channels // 4, 2, stride=2),
            LayerNorm2d(mask_channels // 4),
            nn.GELU(),
            nn.Conv2d(mask_channels // 4, mask_channels, 2, stride=2),
            LayerNorm2d(mask_channels),
            nn.GELU(),
            nn.Conv2d(mask_channels, features, 1),
        )
        self.no_mask_embed = nn.Embedding(1, features)

    def forward(self, points: Tensor, labels: Tensor, masks: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the features of points (N, P, features), and those of a mask, which are added to the image's map.

        Args:
            points: Pixels (N, P, 2), x and y; an integer is the center of a pixel.
            labels: Their kinds (N, P).
            masks: Logits of a mask of each image (N, 1, 4 * grid_size, 4 * grid_size).
        """
        kinds = torch.cat([*self.point_embeddings.parameters()])[labels.clamp(min=0)]
        encoded = self.pe_layer((points + 0.5) / self.image_size) + kinds
        sparse = torch.where((labels == NOT_A_POINT)[..., None], self.not_a_point_embed.weight, encoded)
        if masks is not None:
            return sparse, self.mask_downscaling(masks)
        return sparse, self.no_mask_embed.weight[:, :, None, None].expand(-1, -1, self.grid_size, self.grid_size)


def pad_points(points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return points (N, P, 2) and labels (N, P) with a further one that is none, as SAM reads points without a box."""
    return torch.cat([points, points.new_zeros(len(points), 1, 2)], dim=1), torch.cat(
        [labels, labels.new_full((len(labels), 1), NOT_A_POINT)], dim=1
    )


def box_corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points (N, 2, 2) and labels (N, 2) of boxes (N, 4): x1, y1, x2, y2 in pixels."""
    labels = torch.tensor([TOP_LEFT, BOTTOM_RIGHT], device=boxes.device)
    return boxes.unflatten(1, (2, 2)), labels.expand(len(boxes), 2)
