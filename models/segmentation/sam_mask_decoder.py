"""The mask decoder of SAM: a two-way transformer between prompts and image, and masks from dynamic filters.

Learned tokens, one for the quality of the masks and one for each mask, are put before the points. In each block, tokens
attend to each other, then to the image, and then the image attends to the tokens, so that both change. Two transposed
convolutions make the map four times as large, and a small network (a hypernetwork) turns each mask's token into the
weights of a 1x1 convolution on it. The dense layers between have ReLU.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.layers.dot_product_attention import DotProductAttention
from models.layers.layer_norm_2d import LayerNorm2d


class Attention(nn.Module):
    """Attention with projections, which may have fewer features inside.

    Args:
        features: Features of a query and of the output.
        inner_features: Features of the projected queries, keys and values.
        num_heads: The number of heads, which divides the inner features.
        key_features: Features of a key and of a value; None for those of a query.
    """

    def __init__(self, features: int, inner_features: int, num_heads: int, key_features: int | None = None):
        super().__init__()
        if inner_features % num_heads:
            raise ValueError(f"num_heads must divide the {inner_features} features of an attention, not be {num_heads}")
        self.q_proj = nn.Linear(features, inner_features)
        self.k_proj = nn.Linear(key_features or features, inner_features)
        self.v_proj = nn.Linear(key_features or features, inner_features)
        self.attention = DotProductAttention(num_heads)
        self.out_proj = nn.Linear(inner_features, features)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return outputs (N, queries, features) for queries, keys and values (N, length, features)."""
        out: Tensor = self.out_proj(self.attention(self.q_proj(query), self.k_proj(key), self.v_proj(value)))
        return out


class DenseLayers(nn.Module):
    """Dense layers with ReLU between them.

    Args:
        sizes: Features of the input, between the layers, and of the output.
    """

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """(..., sizes[0]) -> (..., sizes[-1])."""
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        out: Tensor = self.layers[-1](x)
        return out


class TwoWayBlock(nn.Module):
    """Tokens attend to each other and to the image, pass two dense layers, and the image attends to them.

    Args:
        features: Features of a token and of a pixel.
        num_heads: Heads of each attention.
        ffn_size: Features between the dense layers.
        downsample: By how much the attentions between tokens and image have fewer features inside.
        is_first: Whether tokens attend to each other without their first values added, and without a residual.
    """

    def __init__(self, features: int, num_heads: int, ffn_size: int, downsample: int, is_first: bool):
        super().__init__()
        inner_features = features // downsample
        self.is_first = is_first
        self.self_attn = Attention(features, features, num_heads)
        self.norm1 = nn.LayerNorm(features)
        self.cross_attn_token_to_image = Attention(features, inner_features, num_heads)
        self.norm2 = nn.LayerNorm(features)
        self.mlp = DenseLayers((features, ffn_size, features))
        self.norm3 = nn.LayerNorm(features)
        self.cross_attn_image_to_token = Attention(features, inner_features, num_heads)
        self.norm4 = nn.LayerNorm(features)

    def forward(self, tokens: Tensor, image: Tensor, first_tokens: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens (N, T, features) and the image (N, h*w, features) after the block.

        Args:
            tokens: The tokens.
            image: The pixels.
            first_tokens: The tokens before the first block, which are added to queries and keys.
            positions: The encodings of the pixels (h*w, features), which are added as well.
        """
        if self.is_first:
            tokens = self.norm1(self.self_attn(tokens, tokens, tokens))
        else:
            query = tokens + first_tokens
            tokens = self.norm1(tokens + self.self_attn(query, query, tokens))
        attended = self.cross_attn_token_to_image(tokens + first_tokens, image + positions, image)
        tokens = self.norm2(tokens + attended)
        tokens = self.norm3(tokens + self.mlp(tokens))
        attended = self.cross_attn_image_to_token(image + positions, tokens + first_tokens, tokens)
        return tokens, self.norm4(image + attended)


class TwoWayTransformer(nn.Module):
    """Two-way blocks, then the tokens attend to the image once more; arguments as for `TwoWayBlock`."""

    def __init__(self, features: int, num_heads: int, ffn_size: int, downsample: int, depth: int):
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayBlock(features, num_heads, ffn_size, downsample, is_first=k == 0) for k in range(depth)
        )
        self.final_attn_token_to_image = Attention(features, features // downsample, num_heads)
        self.norm_final_attn = nn.LayerNorm(features)

    def forward(self, first_tokens: Tensor, image: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens (N, T, features) and the image (N, h*w, features)."""
        tokens = first_tokens
        for layer in self.layers:
            tokens, image = layer(tokens, image, first_tokens, positions)
        attended = self.final_attn_token_to_image(tokens + first_tokens, image + positions, image)
        return self.norm_final_attn(tokens + attended), image


class MaskDecoder(nn.Module):
    """The masks of prompts: one, and several for a prompt that may mean several things.

    Args:
        features: Features of a token, and channels of the image's map; a multiple of 8.
        depth: Two-way blocks.
        num_heads: Heads of each attention.
        ffn_size: Features between the dense layers of a block.
        num_masks: Masks of an ambiguous prompt.
        iou_features: Features between the dense layers of the IoU head.
    """

    def __init__(self, features: int, depth: int, num_heads: int, ffn_size: int, num_masks: int, iou_features: int):
        super().__init__()
        count, quarter, eighth = num_masks + 1, features // 4, features // 8
        self.transformer = TwoWayTransformer(features, num_heads, ffn_size, 2, depth)
        self.iou_token = nn.Embedding(1, features)
        self.mask_tokens = nn.Embedding(count, features)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(features, quarter, 2, stride=2),
            LayerNorm2d(quarter),
            nn.GELU(),
            nn.ConvTranspose2d(quarter, eighth, 2, stride=2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            DenseLayers((features, features, features, eighth)) for _ in range(count)
        )
        self.iou_prediction_head = DenseLayers((features, iou_features, iou_features, count))

    def forward(self, image: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor) -> dict[str, Tensor]:
        """Return logits of all masks (N, num_masks + 1, 4h, 4w), the single one first, and their predicted IoUs.

        Args:
            image: The image's map (N, features, h, w).
            positions: The encodings of its pixels (features, h, w).
            sparse: The features of points (N, P, features).
            dense: What is added to the map, (N or 1, features, h, w).
        """
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens, pixels = self.attend(own, image + dense, positions, sparse)
        masks = self.apply_filters(tokens[:, 1 : len(own)], self.output_upscaling(pixels))
        return {"masks": masks, "iou": self.iou_prediction_head(tokens[:, 0])}

    def attend(self, own: Tensor, image: Tensor, positions: Tensor, sparse: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens (N, T + P, features), first the learned ones (T, features), and the transformer's map."""
        tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
        tokens, pixels = self.transformer(tokens, image.flatten(2).transpose(1, 2), positions.flatten(1).T)
        return tokens, pixels.transpose(1, 2).unflatten(2, image.shape[2:])

    def apply_filters(self, tokens: Tensor, upscaled: Tensor) -> Tensor:
        """Return the logits of masks whose tokens are (N, num_masks + 1, features)."""
        filters = torch.stack([mlp(tokens[:, k]) for k, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1)
        masks: Tensor = (filters @ upscaled.flatten(2)).unflatten(2, upscaled.shape[2:])
        return masks
