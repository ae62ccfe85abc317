"""The image encoder of SAM 2: Hiera (Ryali et al., arXiv:2306.00989) with a feature pyramid.

Hiera is a vision transformer whose map becomes smaller: the first block of a stage halves height and width by a maximum
over 2x2 of the queries, and doubles the features. Most blocks attend within windows. Its positions are learned for a
window and, coarsely, for the whole map, and then added (Bolya et al., arXiv:2311.05613). A 1x1 convolution brings the
maps of all stages to the same channels; the last one is enlarged and added to the one before it.
"""

from collections.abc import Collection, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.dot_product_attention import DotProductAttention
from models.layers.vit_block import Mlp
from models.layers.windows import merge_windows, split_windows

KERNEL_SIZE, PADDING = 7, 3  # of the patch embedding, whose patches overlap
TOP_DOWN = 2  # the stage, numbered from 0, to whose map that of the next one is added


def pool(x: Tensor) -> Tensor:
    """Return the maxima over 2x2 tokens, (N, h, w, features) -> (N, h/2, w/2, features)."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


class PooledAttention(nn.Module):
    """Attention within windows of a map, whose queries may be pooled.

    Args:
        in_features: Features of a token.
        features: Features of an output token.
        num_heads: The number of heads.
        window_size: Height and width of a window, in tokens of the input.
        halves: Whether queries are pooled.
    """

    def __init__(self, in_features: int, features: int, num_heads: int, window_size: int, halves: bool):
        super().__init__()
        self.window_size, self.halves = window_size, halves
        self.qkv = nn.Linear(in_features, 3 * features)
        self.attention = DotProductAttention(num_heads)
        self.proj = nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, in_features) -> (N, h, w, features), or half of the height and width."""
        height, width = x.shape[1:3]
        size = self.window_size
        padded = F.pad(x, (0, 0, 0, -width % size, 0, -height % size))
        query, key, value = self.qkv(split_windows(padded, size)).chunk(3, dim=2)
        grid_size = padded.shape[1]
        if self.halves:
            query = pool(query.unflatten(1, (size, size))).flatten(1, 2)
            size, grid_size, height, width = size // 2, grid_size // 2, height // 2, width // 2
        attended = self.proj(self.attention(query, key, value))
        return merge_windows(attended, size, grid_size)[:, :height, :width]


class HieraBlock(nn.Module):
    """Attention within windows and two dense layers; it may halve the map. Arguments as for `PooledAttention`."""

    def __init__(self, in_features: int, features: int, num_heads: int, window_size: int, halves: bool):
        super().__init__()
        self.norm1 = nn.LayerNorm(in_features, eps=1e-6)
        self.attn = PooledAttention(in_features, features, num_heads, window_size, halves)
        self.norm2 = nn.LayerNorm(features, eps=1e-6)
        self.mlp = Mlp(features, 4 * features)
        self.proj = nn.Linear(in_features, features) if in_features != features else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, in_features) -> (N, h, w, features), or half of the height and width."""
        normalized, shortcut = self.norm1(x), x
        if not isinstance(self.proj, nn.Identity):
            shortcut = self.proj(normalized)
            shortcut = pool(shortcut) if self.attn.halves else shortcut
        x = shortcut + self.attn(normalized)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Hiera(nn.Module):
    """Overlapping patches with positions, and stages of blocks.

    Args:
        image_size: Height and width of the images.
        patch_stride: Pixels from one patch to the next.
        embed_dim: Features of a token of the first stage; each further one has twice as many.
        num_heads: Heads of the first stage; each further one has twice as many.
        depths: Blocks of each stage.
        window_sizes: Height and width of the windows of each stage, in tokens.
        global_blocks: The blocks that attend to the whole map, numbered from 0.
        background_size: Height and width of the learned positions of the whole map.
    """

    def __init__(
        self,
        image_size: int,
        patch_stride: int,
        embed_dim: int,
        num_heads: int,
        depths: Sequence[int],
        window_sizes: Sequence[int],
        global_blocks: Collection[int],
        background_size: int,
    ):
        super().__init__()
        grid_size = image_size // patch_stride
        if image_size % (8 * patch_stride) or grid_size % window_sizes[0]:
            raise ValueError(
                f"image_size must be a multiple of {8 * patch_stride} and of patch_stride times the first window size, "
                f"{patch_stride * window_sizes[0]}, not {image_size}"
            )
        self.patch_embed = nn.Conv2d(3, embed_dim, KERNEL_SIZE, stride=patch_stride, padding=PADDING)
        self.pos_embed = nn.Parameter(torch.zeros(1, embed_dim, background_size, background_size))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, embed_dim, window_sizes[0], window_sizes[0]))
        self.blocks, self.stage_ends = nn.ModuleList(), [sum(depths[: k + 1]) - 1 for k in range(len(depths))]
        features = embed_dim
        for stage, depth in enumerate(depths):
            for k in range(depth):
                halves = stage > 0 and k == 0
                window = window_sizes[stage - halves]  # the window of the stage before still covers the input
                if len(self.blocks) in global_blocks:
                    window = grid_size >> (stage - halves)
                width = embed_dim * 2**stage
                self.blocks.append(HieraBlock(features, width, num_heads * 2**stage, window, halves))
                features = width

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the map of each stage (N, features, h, w) for images (N, 3, image_size, image_size)."""
        x = self.patch_embed(images)
        background = F.interpolate(self.pos_embed, size=x.shape[2:], mode="bicubic")
        tiles = [size // window for size, window in zip(x.shape[2:], self.pos_embed_window.shape[2:], strict=True)]
        x = (x + background + self.pos_embed_window.tile(1, 1, *tiles)).permute(0, 2, 3, 1)
        maps = []
        for k, block in enumerate(self.blocks):
            x = block(x)
            if k in self.stage_ends:
                maps.append(x.permute(0, 3, 1, 2))
        return maps


class PyramidEncoder(nn.Module):
    """Hiera, and maps of the same channels for its stages but the last; arguments as for `Hiera`."""

    def __init__(self, trunk: Hiera, embed_dim: int, stages: int, out_channels: int):
        super().__init__()
        self.trunk = trunk
        widths = [embed_dim * 2**stage for stage in range(stages)]
        self.neck = nn.ModuleList(nn.Conv2d(width, out_channels, 1) for width in widths[::-1])  # the last stage first

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return maps (N, out_channels, h, w), the largest first."""
        maps = self.trunk(images)
        lateral = [convolve(x) for convolve, x in zip(self.neck, maps[::-1], strict=True)][::-1]
        lateral[TOP_DOWN] = lateral[TOP_DOWN] + F.interpolate(lateral[TOP_DOWN + 1], scale_factor=2.0, mode="nearest")
        return lateral[:-1]
