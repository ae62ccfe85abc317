"""The memory of SAM 2: what is stored of a frame with its mask, and how later frames attend to it.

The memory encoder brings a mask to the size of the frame's map by strided convolutions, adds both, and mixes them in
two blocks of ConvNeXt. A frame is stored as a map of 64 channels, and as an object pointer, which comes from the token
of its mask. In each layer of the memory attention, a new frame attends to itself and then to the stored frames. Places
are encoded by rotations of pairs of features (RoPE): half of them turn with the column, the other half with the row, so
that scores depend on offsets; pointers have no place.
"""

import torch
from torch import Tensor, nn

from models.layers.layer_norm_2d import LayerNorm2d
from models.segmentation.sam_mask_decoder import Attention
from models.vision.convnext import Block

BASE = 10_000.0  # of the rotations' speeds
FUSER_BLOCKS = 2
LAYER_SCALE = 1e-6


class MemoryEncoder(nn.Module):
    """A stored map, from the map of a frame and its mask.

    Args:
        features: Channels of the frame's map.
        memory_features: Channels of a stored map.
        halvings: By how many factors of 2 a mask is larger than the map.
        layer_scale: Initial value of the scales in the blocks.
    """

    def __init__(self, features: int, memory_features: int, halvings: int, layer_scale: float):
        super().__init__()
        layers: list[nn.Module] = []
        for k in range(halvings):
            layers += [nn.Conv2d(4**k, 4 ** (k + 1), 3, stride=2, padding=1), LayerNorm2d(4 ** (k + 1)), nn.GELU()]
        self.mask_downsampler = nn.Sequential(*layers, nn.Conv2d(4**halvings, features, 1))
        self.pix_feat_proj = nn.Conv2d(features, features, 1)
        self.fuser = nn.Sequential(*(Block(features, 0.0, layer_scale) for _ in range(FUSER_BLOCKS)))
        self.out_proj = nn.Conv2d(features, memory_features, 1)

    def forward(self, image: Tensor, masks: Tensor) -> Tensor:
        """Return stored maps (N, memory_features, h, w).

        Args:
            image: Maps of frames (N, features, h, w).
            masks: Their masks (N, 1, H, W), from -10 outside to 10 inside.
        """
        out: Tensor = self.out_proj(self.fuser(self.pix_feat_proj(image) + self.mask_downsampler(masks)))
        return out


def rotation_angles(height: int, width: int, features: int, device: torch.device) -> Tensor:
    """Return the angle of each pair of features at each place of a map, row by row, (height * width, features/2)."""
    speeds = BASE ** -(torch.arange(0, features // 2, 2, device=device) / (features // 2))
    x = torch.arange(width, device=device).repeat(height)
    y = torch.arange(height, device=device).repeat_interleave(width)
    return torch.cat([x[:, None] * speeds, y[:, None] * speeds], dim=1)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Return x (N, L, features) with each pair of neighboring features rotated by its angle (L, features/2)."""
    first, second = x.unflatten(2, (-1, 2)).unbind(3)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    return torch.stack([first * cos - second * sin, first * sin + second * cos], dim=3).flatten(2)


class RotaryAttention(Attention):
    """Attention of one head between maps whose places are encoded by rotations; arguments as for `Attention`."""

    def rotary(self, query: Tensor, key: Tensor, value: Tensor, angles: Tensor) -> Tensor:
        """Return outputs (N, h*w, features).

        Args:
            query: A map (N, h*w, features).
            key: Maps of the same size, one after another, and then what has no place.
            value: As many.
            angles: The angles of the places of a map, (h*w, features/2).
        """
        places = key.shape[1] // len(angles) * len(angles)
        projected = self.k_proj(key)
        turned = rotate(projected[:, :places], angles.repeat(places // len(angles), 1))
        keys = torch.cat([turned, projected[:, places:]], dim=1)
        attended = self.attention(rotate(self.q_proj(query), angles), keys, self.v_proj(value))
        out: Tensor = self.out_proj(attended)
        return out


class MemoryAttentionLayer(nn.Module):
    """A frame attends to itself and to the memory, and passes two dense layers; norms come first.

    Args:
        features: Channels of a frame's map.
        memory_features: Channels of the memory.
        ffn_size: Features between the dense layers.
        dropout: The probability of dropping a feature in training.
    """

    def __init__(self, features: int, memory_features: int, ffn_size: int, dropout: float):
        super().__init__()
        self.self_attn = RotaryAttention(features, features, 1)
        self.cross_attn_image = RotaryAttention(features, features, 1, memory_features)
        self.linear1, self.linear2 = nn.Linear(features, ffn_size), nn.Linear(ffn_size, features)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(features) for _ in range(3))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor, positions: Tensor, angles: Tensor) -> Tensor:
        """(N, h*w, features) -> (N, h*w, features); arguments as for `MemoryAttention`."""
        normalized = self.norm1(x)
        x = x + self.drop(self.self_attn.rotary(normalized, normalized, normalized, angles))
        x = x + self.drop(self.cross_attn_image.rotary(self.norm2(x), memory + positions, memory, angles))
        out: Tensor = x + self.drop(self.linear2(self.drop(self.linear1(self.norm3(x)).relu())))
        return out


class MemoryAttention(nn.Module):
    """Layers in which a frame attends to the memory, and a norm; arguments as for `MemoryAttentionLayer`."""

    def __init__(self, depth: int, features: int, memory_features: int, ffn_size: int, dropout: float):
        super().__init__()
        self.layers = nn.ModuleList(
            MemoryAttentionLayer(features, memory_features, ffn_size, dropout) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(features)

    def forward(self, image: Tensor, memory: Tensor, positions: Tensor) -> Tensor:
        """Return the map of a frame, (N, features, h, w), with what it takes from the memory.

        Args:
            image: The map, with a tenth of its positions added.
            memory: Stored maps row by row, one after another, then pointers (N, M, memory_features).
            positions: What is added to them in keys (N or 1, M, memory_features).
        """
        height, width = image.shape[2:]
        angles = rotation_angles(height, width, image.shape[1], image.device)
        x = image.flatten(2).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, memory, positions, angles)
        out: Tensor = self.norm(x).transpose(1, 2).unflatten(2, (height, width))
        return out
