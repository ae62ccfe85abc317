"""Images as sequences of patches: Dosovitskiy et al., An image is worth 16x16 words (arXiv:2010.11929), section 3.1."""

from typing import Any

from torch import Tensor, nn


class PatchEmbedding(nn.Module):
    """A dense layer on each patch of PxP pixels, computed as a PxP convolution with stride P.

    Args:
        image_size: Height and width of the images, divisible by `patch_size`.
        patch_size: Height and width of a patch.
        in_channels: Channels of the images.
        embed_dim: Features of a token.
        norm: A norm of the tokens; None for none.

    Raises:
        ValueError: If patches don't cover the image.
    """

    def __init__(
        self, image_size: int, patch_size: int, in_channels: int, embed_dim: int, norm: nn.Module | None = None
    ):
        super().__init__()
        if patch_size < 1 or image_size < 1 or image_size % patch_size:
            raise ValueError(f"image_size must be a multiple of the patch size {patch_size}, not {image_size}")
        self.grid_size = image_size // patch_size
        self.proj = nn.Conv2d(in_channels, embed_dim, patch_size, stride=patch_size)
        self.norm = norm or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, image_size, image_size) -> (N, grid_size, grid_size, embed_dim)."""
        tokens: Tensor = self.norm(self.proj(x).permute(0, 2, 3, 1))
        return tokens


def patchify(images: Tensor, patch_size: int) -> Tensor:
    """Return the pixels of each patch (N, patches, patch_size * patch_size * channels), row by row, channels last.

    Args:
        images: (N, channels, height, width), both divisible by `patch_size`.
        patch_size: Height and width of a patch.
    """
    blocks: Tensor = images.unflatten(3, (-1, patch_size)).unflatten(2, (-1, patch_size))
    return blocks.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)


def unpatchify(patches: Tensor, patch_size: int, channels: int) -> Tensor:
    """Return the square images (N, channels, size, size) whose patches these are; the inverse of `patchify`."""
    grid_size = round(patches.shape[1] ** 0.5)
    sizes: Any = (grid_size, grid_size, patch_size, patch_size, channels)
    return patches.reshape(-1, *sizes).permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)
