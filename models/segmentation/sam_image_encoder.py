"""The image encoder of SAM: a vision transformer for large images, that of Li et al. (arXiv:2203.16527) for detection.

Most blocks attend within windows of 14x14 tokens; four of them, spread evenly, attend to the whole map of 64x64. Zeros
fill the windows at the right and at the bottom, and are attended to as any other token. There is no class token.

Relative positions are decomposed: a score gets q . R_h[row of query - row of key] + q . R_w[the same for columns], with
learned vectors R of each offset and the query before it is scaled. A neck of a 1x1 and a 3x3 convolution turns the
tokens into a map of 256 channels.
"""

from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.dot_product_attention import split_heads
from models.layers.layer_norm_2d import LayerNorm2d
from models.layers.patches import PatchEmbedding
from models.layers.vit_block import Block, SelfAttention
from models.layers.windows import merge_windows, split_windows


class RelativeAttention(SelfAttention):
    """Attention within windows of a map, or in the whole map, with decomposed relative positions.

    Args:
        features: Features of a token.
        num_heads: The number of heads.
        window_size: Height and width of a window, in tokens.
    """

    def __init__(self, features: int, num_heads: int, window_size: int):
        super().__init__(features, num_heads)
        self.window_size = window_size
        offsets, head_size = 2 * window_size - 1, features // num_heads
        self.rel_pos_h = nn.Parameter(torch.zeros(offsets, head_size))
        self.rel_pos_w = nn.Parameter(torch.zeros(offsets, head_size))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, h, w, features) -> (N, h, w, features)."""
        height, width = x.shape[1:3]
        padded = F.pad(x, (0, 0, 0, -width % self.window_size, 0, -height % self.window_size))
        query, key, value = self.qkv(split_windows(padded, self.window_size)).chunk(3, dim=2)
        attended = self.proj(self.attention(query, key, value, self.bias(query)))
        return merge_windows(attended, self.window_size, padded.shape[1])[:, :height, :width]

    def bias(self, query: Tensor) -> Tensor:
        """Return what is added to the scores (windows, num_heads, tokens, tokens) of queries (windows, tokens, ...)."""
        size = self.window_size
        places = torch.arange(size, device=query.device)
        offsets = places[:, None] - places + size - 1  # from 0 on, (place of the query, place of the key)
        grid = split_heads(query, self.attention.num_heads).unflatten(2, (size, size))
        rows = torch.einsum("nhijd,ikd->nhijk", grid, self.rel_pos_h[offsets])
        columns = torch.einsum("nhijd,jkd->nhijk", grid, self.rel_pos_w[offsets])
        return (rows[..., :, None] + columns[..., None, :]).flatten(4).flatten(2, 3)


class ImageEncoder(nn.Module):
    """Patches with learned positions, blocks, and the neck.

    Args:
        image_size: Height and width of the images.
        patch_size: Height and width of a patch.
        embed_dim: Features of a token.
        depth: The number of blocks.
        num_heads: Heads of each attention.
        window_size: Height and width of a window, in tokens.
        global_blocks: The blocks that attend to the whole map, numbered from 0.
        out_channels: Channels of the map that it returns.
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        window_size: int,
        global_blocks: Collection[int],
        out_channels: int,
    ):
        super().__init__()
        self.patch_embed = PatchEmbedding(image_size, patch_size, 3, embed_dim)
        grid_size = self.patch_embed.grid_size
        self.pos_embed = nn.Parameter(torch.zeros(1, grid_size, grid_size, embed_dim))
        windows = [grid_size if k in global_blocks else window_size for k in range(depth)]
        self.blocks = nn.ModuleList(
            Block(embed_dim, RelativeAttention(embed_dim, num_heads, window)) for window in windows
        )
        self.neck = nn.Sequential(
            nn.Conv2d(embed_dim, out_channels, 1, bias=False),
            LayerNorm2d(out_channels),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            LayerNorm2d(out_channels),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, image_size, image_size) -> (N, out_channels, grid_size, grid_size)."""
        x = self.patch_embed(images) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        embedding: Tensor = self.neck(x.permute(0, 3, 1, 2))
        return embedding
