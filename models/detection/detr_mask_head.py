"""The mask head of DETR: Carion et al., End-to-end object detection with transformers (2020), section 4.4 and figure 8.

Each query attends to the encoder's outputs once more, with maps per head in place of a sum of values. They show where
the query's object is, on the coarse map. Convolutions bring them to a quarter of the image's size, with the maps of the
backbone's earlier layers added on the way, as in a feature pyramid. For 100 queries, images of 3x800x1066, 256 features
and 8 heads:

    bbox_attention     100x8x25x34          softmax over all heads and places together
    input              100x264x25x34        with the projected map of the backbone, the same for all queries
    conv1, conv2       100x128x25x34        3x3 convolutions, each with group norm and ReLU
    fpn_stages.0       100x64x50x67         doubled, plus layer3 through a 1x1 convolution; then a 3x3 convolution
    fpn_stages.1       100x32x100x134       the same with layer2
    fpn_stages.2       100x16x200x267       the same with layer1
    output_conv        100x1x200x267        a logit per pixel

State-dict keys are those of transformers' DetrForSegmentation.
"""

from collections.abc import Sequence
from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAX_GROUPS = 8  # of the group norms


class AttentionMaps(nn.Module):
    """The weights of an attention with several heads, without values.

    Args:
        hidden_size: Features of a query and of a place.
        num_heads: The number of heads, which divides the features.
    """

    def __init__(self, hidden_size: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(hidden_size, hidden_size)
        self.k_proj = nn.Linear(hidden_size, hidden_size)
        for projection in (self.q_proj, self.k_proj):
            nn.init.xavier_uniform_(projection.weight)
            nn.init.zeros_(projection.bias)

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """Return weights (N, queries, num_heads, places), which sum to 1 over heads and places together.

        Args:
            queries: (N, queries, hidden_size).
            memory: (N, places, hidden_size).
        """
        query = self.q_proj(queries).unflatten(2, (self.num_heads, -1))
        key = self.k_proj(memory).unflatten(2, (self.num_heads, -1))
        scores = torch.einsum("nqhd,nphd->nqhp", query, key) / sqrt(query.shape[3])
        return scores.flatten(2).softmax(dim=2).view_as(scores)


class ConvBlock(nn.Module):
    """A 3x3 convolution, group norm and ReLU."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm = nn.GroupNorm(min(MAX_GROUPS, out_channels), out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h, w)."""
        out: Tensor = self.norm(self.conv(x)).relu()
        return out


class Stage(nn.Module):
    """Maps of queries in the size of a map of the backbone, which is added to them, then a convolution."""

    def __init__(self, backbone_channels: int, in_channels: int, out_channels: int):
        super().__init__()
        self.fpn_adapter = nn.Conv2d(backbone_channels, in_channels, 1)
        self.refine = ConvBlock(in_channels, out_channels)

    def forward(self, x: Tensor, backbone_map: Tensor) -> Tensor:
        """Return (N * queries, out_channels, H, W).

        Args:
            x: (N * queries, in_channels, h, w).
            backbone_map: (N, backbone_channels, H, W).
        """
        adapted = self.fpn_adapter(backbone_map).repeat_interleave(len(x) // len(backbone_map), dim=0)
        out: Tensor = self.refine(adapted + F.interpolate(x, size=adapted.shape[2:], mode="nearest"))
        return out


class MaskHead(nn.Module):
    """Convolutions from attention maps to masks.

    Args:
        hidden_size: Channels of the projected map.
        num_heads: Attention maps per query.
        backbone_channels: Channels of the backbone's earlier maps, the smallest map first.

    Raises:
        ValueError: If group norm can't divide the channels.
    """

    def __init__(self, hidden_size: int, num_heads: int, backbone_channels: Sequence[int]):
        super().__init__()
        if (hidden_size + num_heads) % MAX_GROUPS:
            raise ValueError(
                f"hidden_size + num_heads must be a multiple of {MAX_GROUPS} for a mask head, not "
                f"{hidden_size + num_heads}"
            )
        self.conv1 = ConvBlock(hidden_size + num_heads, hidden_size + num_heads)
        self.conv2 = ConvBlock(hidden_size + num_heads, hidden_size // 2)
        widths = [hidden_size // 2 ** (k + 1) for k in range(len(backbone_channels) + 1)]
        self.fpn_stages = nn.ModuleList(
            Stage(channels, *sizes) for channels, *sizes in zip(backbone_channels, widths[:-1], widths[1:], strict=True)
        )
        self.output_conv = nn.Conv2d(widths[-1], 1, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, projected: Tensor, attention: Tensor, earlier: Sequence[Tensor]) -> Tensor:
        """Return logits of masks (N, queries, H, W), in the size of the last of the earlier maps.

        Args:
            projected: The projected map of the backbone, (N, hidden_size, h, w).
            attention: Attention maps (N, queries, num_heads, h, w).
            earlier: Earlier maps of the backbone, the smallest first.
        """
        queries = attention.shape[1]
        x = torch.cat([projected[:, None].expand(-1, queries, -1, -1, -1), attention], dim=2).flatten(0, 1)
        x = self.conv2(self.conv1(x))
        for stage, backbone_map in zip(self.fpn_stages, earlier, strict=True):
            x = stage(x, backbone_map)
        masks: Tensor = self.output_conv(x)
        return masks.view(len(projected), queries, *masks.shape[2:])


def mask_losses(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> dict[str, Tensor]:
    """Return the focal loss (Lin et al. 2017) and the dice loss of masks, per object.

    Args:
        logits: Logits of the objects' masks (objects, h, w), enlarged to the size of the targets.
        targets: Their masks (objects, H, W), 0 or 1.
        alpha: Weight of a pixel of the object; 1 - alpha is that of others.
        gamma: How much less a pixel counts that is classified well.
    """
    count = max(1, len(targets))
    focal, dice = focal_and_dice(logits, targets, alpha, gamma)
    return {"mask": focal.sum() / count, "dice": dice.sum() / count}


def focal_and_dice(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> tuple[Tensor, Tensor]:
    """Return the focal loss, a mean over pixels, and the dice loss of each mask (masks,); see `mask_losses`."""
    enlarged = F.interpolate(logits[:, None], size=targets.shape[1:], mode="bilinear", align_corners=False)
    x, target = enlarged[:, 0].flatten(1), targets.flatten(1).to(logits.dtype)
    probability = x.sigmoid()
    error = (probability - target).abs()  # 1 - the probability of the target
    weight = alpha * target + (1 - alpha) * (1 - target)
    focal = weight * error**gamma * F.binary_cross_entropy_with_logits(x, target, reduction="none")
    overlap = (2 * (probability * target).sum(dim=1) + 1) / (probability.sum(dim=1) + target.sum(dim=1) + 1)
    return focal.mean(dim=1), 1 - overlap
