"""Swin: Liu et al., Swin transformer: Hierarchical vision transformer using shifted windows (arXiv:2103.14030, 2021).

Attention between all tokens costs the square of their number. Here a token attends only within its window of MxM
tokens, so the cost grows in proportion to the number of tokens, and small patches can be afforded. Every second block
shifts the windows by half their size, which connects them; and between stages each 2x2 tokens are merged, so that there
are maps of several resolutions, as in a convolutional network.

Table 7 of the paper, for images of 3x224x224 and windows of 7x7:

    layer         output     swin-tiny         swin-small        swin-base
    patch_embed   56x56      4x4, 96           4x4, 96           4x4, 128
    layers.0      56x56      96, 3 heads, x2   96, 3 heads, x2   128, 4 heads, x2
    layers.1      28x28      192, 6, x2        192, 6, x2        256, 8, x2
    layers.2      14x14      384, 12, x6       384, 12, x18      512, 16, x18
    layers.3      7x7        768, 24, x2       768, 24, x2       1024, 32, x2
    norm, head    1000       layer norm, mean of all tokens, dense layer
    stochastic depth         0.2               0.3               0.5
    parameters               28,288,354        49,606,258        87,768,224

A shift moves the map cyclically, so that all windows keep their size; a window at the edge then holds tokens from
opposite sides of the image, which a mask keeps apart. The last stage is a single window, which needs no shift. Tokens
know their places by a learned bias for each offset between two of a window, added to the scores. State-dict keys are
timm's.

The mini reads 1x32x32 in patches of 4x4, with windows of 4x4 tokens and two stages, of 8x8 and 4x4 tokens.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.layers.patches import PatchEmbedding
from models.layers.vit_block import Block, SelfAttention, initialize
from models.layers.windows import merge_windows, split_windows


def relative_positions(window_size: int) -> Tensor:
    """Return for each pair of tokens of a window (query, key) the number of their offset, from 0 to (2M - 1)^2 - 1."""
    rows = torch.arange(window_size).repeat_interleave(window_size)
    columns = torch.arange(window_size).repeat(window_size)
    down, right = (place[:, None] - place[None] + window_size - 1 for place in (rows, columns))
    return down * (2 * window_size - 1) + right


def shift_mask(grid_size: int, window_size: int, shift: int) -> Tensor:
    """Return which tokens of each window of a shifted map may attend to each other (windows, queries, keys).

    The last rows and columns of the shifted map come from the opposite side: in a window, only tokens that come from
    the same sides are neighbors in the image.
    """
    is_moved = torch.arange(grid_size) >= grid_size - shift
    origins = split_windows((2 * is_moved[:, None] + is_moved)[None], window_size)
    return origins[:, :, None] == origins[:, None, :]


class WindowAttention(SelfAttention):
    """Attention within windows of a map, with a learned bias for each offset.

    Args:
        features: Features of a token.
        num_heads: The number of heads.
        grid_size: Height and width of the map, in tokens.
        window_size: Height and width of a window, which divides those of the map.
        shift: By how many tokens the windows are shifted, down and to the right.
    """

    region_mask: Tensor | None

    def __init__(self, features: int, num_heads: int, grid_size: int, window_size: int, shift: int):
        super().__init__(features, num_heads)
        self.grid_size, self.window_size, self.shift = grid_size, window_size, shift
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * window_size - 1) ** 2, num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("relative_position_index", relative_positions(window_size).flatten(), persistent=False)
        mask = None
        if shift:
            allowed = shift_mask(grid_size, window_size, shift)[:, None]
            mask = torch.zeros(allowed.shape).masked_fill(~allowed, -torch.inf)
        self.register_buffer("region_mask", mask, persistent=False)

    def bias(self) -> Tensor:
        """Return what is added to the scores (1 or windows, num_heads, queries, keys)."""
        area = self.window_size**2
        index: Tensor = self.get_buffer("relative_position_index")
        bias = self.relative_position_bias_table[index].view(1, area, area, -1).permute(0, 3, 1, 2)
        return bias if self.region_mask is None else bias + self.region_mask

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, grid_size, grid_size, features) -> (N, grid_size, grid_size, features)."""
        bias = self.bias()
        if self.shift:
            x = x.roll((-self.shift, -self.shift), dims=(1, 2))
            bias = bias.repeat(len(x), 1, 1, 1)
        windows = super().forward(split_windows(x, self.window_size), bias)
        x = merge_windows(windows, self.window_size, self.grid_size)
        return x.roll((self.shift, self.shift), dims=(1, 2)) if self.shift else x


class PatchMerging(nn.Module):
    """The features of each 2x2 tokens side by side, normalized, and a dense layer that halves them.

    Args:
        features: Features of a token; a merged one has twice as many.
    """

    def __init__(self, features: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * features)
        self.reduction = nn.Linear(4 * features, 2 * features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, features) -> (N, h/2, w/2, 2 * features)."""
        blocks = x.unflatten(2, (-1, 2)).unflatten(1, (-1, 2))
        merged: Tensor = self.reduction(self.norm(blocks.permute(0, 1, 3, 4, 2, 5).flatten(3)))
        return merged


class Stage(nn.Module):
    """Blocks on a map of one resolution; every second one shifts its windows.

    Args:
        features: Features of a token.
        grid_size: Height and width of the map, in tokens.
        num_heads: The number of heads.
        window_size: Height and width of a window; those of the map, if that is smaller.
        stochastic_depth_probs: For every block, the probability that a sample skips a branch in training.
        downsample: What the map comes from.
    """

    def __init__(
        self,
        features: int,
        grid_size: int,
        num_heads: int,
        window_size: int,
        stochastic_depth_probs: Sequence[float],
        downsample: nn.Module,
    ):
        super().__init__()
        self.downsample = downsample
        window_size = min(window_size, grid_size)
        if grid_size % window_size:
            raise ValueError(
                f"windows of {window_size}x{window_size} don't cover a map of {grid_size}x{grid_size} tokens: "
                "choose an image_size that window_size and patch_size divide in every stage"
            )
        shift = window_size // 2 if grid_size > window_size else 0  # a single window has nothing to connect
        self.blocks = nn.Sequential(
            *[
                Block(
                    features,
                    WindowAttention(features, num_heads, grid_size, window_size, shift * (k % 2)),
                    stochastic_depth_prob=prob,
                    eps=1e-5,
                )
                for k, prob in enumerate(stochastic_depth_probs)
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, features before) -> (N, grid_size, grid_size, features)."""
        out: Tensor = self.blocks(self.downsample(x))
        return out


class Swin(nn.Module):
    """Small patches as tokens, stages of window attention with merging between them, and the mean of all tokens.

    Args:
        embed_dim: Features of a token in the first stage; they double with every stage.
        depths: Blocks in each stage.
        num_heads: Heads in each stage.
        window_size: Height and width of a window, in tokens.
        patch_size: Height and width of a patch.
        image_size: Height and width of the image; patches and windows must cover it in every stage.
        in_channels: Channels of the image.
        num_classes: Number of classes.
        stochastic_depth_prob: Probability that a sample skips a branch of the last block in training; it grows evenly
            from 0 in the first block.
        init_std: Standard deviation of the initial weights.
    """

    def __init__(
        self,
        embed_dim: int = 96,
        depths: Sequence[int] = (2, 2, 6, 2),
        num_heads: Sequence[int] = (3, 6, 12, 24),
        window_size: int = 7,
        patch_size: int = 4,
        image_size: int = 224,
        in_channels: int = 3,
        num_classes: int = 1000,
        stochastic_depth_prob: float = 0.2,
        init_std: float = 0.02,
    ):
        super().__init__()
        if not depths or len(depths) != len(num_heads) or min(depths) < 1:
            raise ValueError("depths and num_heads must be numbers of 1 or more, one of each for every stage")
        if window_size < 1:
            raise ValueError("window_size must be 1 or more")
        self.input_shape = (in_channels, image_size, image_size)
        self.patch_embed = PatchEmbedding(image_size, patch_size, in_channels, embed_dim, nn.LayerNorm(embed_dim))
        probs = torch.linspace(0, stochastic_depth_prob, sum(depths), device="cpu").tolist()
        grid_size, features, stages = self.patch_embed.grid_size, embed_dim, []
        for k, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
            downsample: nn.Module = nn.Identity()
            if k:
                if grid_size % 2:
                    raise ValueError(
                        f"a map of {grid_size}x{grid_size} tokens can't be merged by 2x2: use fewer stages"
                    )
                downsample = PatchMerging(features)
                grid_size, features = grid_size // 2, 2 * features
            stages.append(Stage(features, grid_size, heads, window_size, probs[:depth], downsample))
            probs = probs[depth:]
        self.layers = nn.Sequential(*stages)
        self.norm = nn.LayerNorm(features)
        self.head = nn.Sequential(OrderedDict(fc=nn.Linear(features, num_classes)))
        initialize(self, init_std)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, in_channels, image_size, image_size)."""
        tokens = self.norm(self.layers(self.patch_embed(x)))
        logits: Tensor = self.head(tokens.mean(dim=(1, 2)))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of timm's Swin with the same sizes."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="swin",
    year=2021,
    paper="arXiv:2103.14030",
    topic="swin",
    task="digits",
    contribution=(
        "Attention within small windows, shifted in every second block, on maps that become smaller from stage to "
        "stage: the cost grows in proportion to the tokens."
    ),
    builds_on=("vit", "resnet"),
    network="Swin",
    names={
        "swin-tiny": dict(embed_dim=96, depths=(2, 2, 6, 2), num_heads=(3, 6, 12, 24), stochastic_depth_prob=0.2),
        "swin-small": dict(embed_dim=96, depths=(2, 2, 18, 2), num_heads=(3, 6, 12, 24), stochastic_depth_prob=0.3),
        "swin-base": dict(embed_dim=128, depths=(2, 2, 18, 2), num_heads=(4, 8, 16, 32), stochastic_depth_prob=0.5),
    },
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"swin-tiny": 28_288_354, "swin-small": 49_606_258, "swin-base": 87_768_224},
    mini=dict(
        depths=(2, 2),
        num_heads=(2, 4),
        window_size=4,
        image_size=32,
        in_channels=1,
        num_classes=10,
        stochastic_depth_prob=0.0,
        init_std=0.05,
    ),
    mini_overrides={
        "swin-tiny": dict(embed_dim=24),
        "swin-small": dict(embed_dim=24, depths=(2, 4)),
        "swin-base": dict(embed_dim=32),
    },
    recipe=dict(epochs=40, schedule="one-cycle", lr=0.002),
    reference="timm",
)
