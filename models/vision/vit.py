"""ViT: Dosovitskiy et al., An image is worth 16x16 words (arXiv:2010.11929, 2020).

An image is a sequence of patches, a patch is a token, and the encoder of a transformer reads the tokens as it would
read words. Nothing but the cut into patches knows of two dimensions: what a convolution has built in, that neighbors
belong together and that position does not matter, is learned from data, and needs much of it.

Table 1 of the paper has base and large; tiny and small are DeiT's (Touvron et al., arXiv:2012.12877). For images of
3x224x224:

    layer          output      vit-ti16     vit-s16       vit-b16       vit-l16
    patch_embed    196xD       16x16, 192   16x16, 384    16x16, 768    16x16, 1024
    cls_token      197xD       a learned token in front, from which the classes are read
    pos_embed      197xD       a learned vector per position, added
    blocks         197xD       3 heads,     6 heads,      12 heads,     16 heads,
                               x12          x12           x12           x24
    norm, head     1000        layer norm, then a dense layer on the first token
    parameters                 5,717,416    22,050,664    86,567,656    304,326,632

A block is attention, then two dense layers with four times as many features between them, each behind a layer norm and
added to its input (`models/layers/vit_block.py`). State-dict keys are timm's.

The mini has 4 blocks (6 for vit-l16) and reads 1x28x28 in 49 patches of 4x4. Its head reads the mean of the tokens of
all patches (`pool="mean"`), which the authors found to do as well with another learning rate (appendix D.3).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.layers.patches import PatchEmbedding
from models.layers.vit_block import Block, SelfAttention, initialize

POOLS = ("token", "mean")


class ViT(nn.Module):
    """Patches as tokens, a class token, learned positions, and the encoder of a transformer.

    Args:
        embed_dim: Features of a token.
        depth: Number of blocks.
        num_heads: Heads of each attention; they divide `embed_dim`.
        mlp_ratio: Hidden features of a block's dense layers per feature of a token.
        patch_size: Height and width of a patch.
        image_size: Height and width of the image; a multiple of `patch_size`.
        in_channels: Channels of the image.
        num_classes: Number of classes.
        pool: What the head reads: the class `token`, or the `mean` of the tokens of all patches.
        dropout: The probability of dropping a feature in training, after the positions are added and after every dense
            layer but the one for queries, keys and values.
    """

    def __init__(
        self,
        embed_dim: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4.0,
        patch_size: int = 16,
        image_size: int = 224,
        in_channels: int = 3,
        num_classes: int = 1000,
        pool: str = "token",
        dropout: float = 0.0,
    ):
        super().__init__()
        if pool not in POOLS:
            raise ValueError(f"pool must be {' or '.join(POOLS)}, not {pool!r}")
        if depth < 1:
            raise ValueError("depth must be 1 or more")
        self.input_shape = (in_channels, image_size, image_size)
        self.pool = pool
        self.patch_embed = PatchEmbedding(image_size, patch_size, in_channels, embed_dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + self.patch_embed.grid_size**2, embed_dim))
        self.pos_drop = nn.Dropout(dropout)
        self.blocks = nn.Sequential(
            *[
                Block(embed_dim, SelfAttention(embed_dim, num_heads, dropout=dropout), mlp_ratio, dropout)
                for _ in range(depth)
            ]
        )
        self.norm = nn.LayerNorm(embed_dim, eps=1e-6)
        self.head = nn.Linear(embed_dim, num_classes)
        initialize(self)
        nn.init.normal_(self.pos_embed, std=0.02)

    @property
    def grid_size(self) -> int:
        """Patches along each side of the image."""
        return self.patch_embed.grid_size

    def encode(self, x: Tensor) -> Tensor:
        """Return the tokens (N, 1 + patches, embed_dim) of images (N, in_channels, image_size, image_size)."""
        patches = self.patch_embed(x).flatten(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), patches], dim=1)
        out: Tensor = self.norm(self.blocks(self.pos_drop(tokens + self.pos_embed)))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, in_channels, image_size, image_size)."""
        tokens = self.encode(x)
        logits: Tensor = self.head(tokens[:, 0] if self.pool == "token" else tokens[:, 1:].mean(dim=1))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of timm's ViT with the same sizes."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="vit",
    year=2020,
    paper="arXiv:2010.11929",
    topic="vit",
    task="digits",
    contribution=(
        "An image is a sequence of patches that a plain transformer reads as words: with enough images to learn from, "
        "it needs no convolution."
    ),
    builds_on=("transformer", "bert"),
    network="ViT",
    names={
        "vit-ti16": dict(embed_dim=192, depth=12, num_heads=3),
        "vit-s16": dict(embed_dim=384, depth=12, num_heads=6),
        "vit-b16": dict(embed_dim=768, depth=12, num_heads=12),
        "vit-l16": dict(embed_dim=1024, depth=24, num_heads=16),
    },
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={
        "vit-ti16": 5_717_416,
        "vit-s16": 22_050_664,
        "vit-b16": 86_567_656,
        "vit-l16": 304_326_632,
    },
    mini=dict(depth=4, patch_size=4, image_size=28, in_channels=1, num_classes=10, pool="mean"),
    mini_overrides={
        "vit-ti16": dict(embed_dim=32, num_heads=2),
        "vit-s16": dict(embed_dim=48, num_heads=3),
        "vit-b16": dict(embed_dim=64, num_heads=4),
        "vit-l16": dict(embed_dim=64, num_heads=4, depth=6),
    },
    parts=dict(encoder=("cls_token", "pos_embed", "patch_embed.", "blocks.", "norm.")),
    recipe=dict(epochs=20, schedule="one-cycle", lr=0.002),
    reference="timm",
)
