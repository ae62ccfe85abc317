"""The block of vision transformers: Dosovitskiy et al., An image is worth 16x16 words (arXiv:2010.11929), section 3.1.

    x = x + attention(norm(x))
    x = x + mlp(norm(x))

The norms come first ("pre-norm"), so that the sum passes every block unchanged. State-dict keys are timm's.
"""

from torch import Tensor, nn

from models.layers.dot_product_attention import DotProductAttention
from models.layers.drop_path import DropPath


class Mlp(nn.Module):
    """Two dense layers with a GELU between them, applied to each token.

    Args:
        features: Features of the input and of the output.
        hidden_size: Features between the layers.
        dropout: The probability of dropping a feature after each layer in training.
    """

    def __init__(self, features: int, hidden_size: int, dropout: float = 0.0):
        super().__init__()
        self.fc1 = nn.Linear(features, hidden_size)
        self.act = nn.GELU()
        self.drop1 = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden_size, features)
        self.drop2 = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(..., features) -> (..., features)."""
        out: Tensor = self.drop2(self.fc2(self.drop1(self.act(self.fc1(x)))))
        return out


class SelfAttention(nn.Module):
    """Attention of several heads between all tokens; queries, keys and values come from one dense layer.

    Args:
        features: Features of a token.
        num_heads: The number of heads, which divides the features.
        qkv_bias: Whether that dense layer has a bias.
        dropout: The probability of dropping a feature of the output in training.

    Raises:
        ValueError: If the heads don't divide the features.
    """

    def __init__(self, features: int, num_heads: int, qkv_bias: bool = True, dropout: float = 0.0):
        super().__init__()
        if num_heads < 1 or features % num_heads:
            raise ValueError(f"embed_dim must be a multiple of num_heads {num_heads}, not {features}")
        self.qkv = nn.Linear(features, 3 * features, bias=qkv_bias)
        self.attention = DotProductAttention(num_heads)
        self.proj = nn.Linear(features, features)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(N, tokens, features) -> (N, tokens, features); a mask is read as by `DotProductAttention`."""
        query, key, value = self.qkv(x).chunk(3, dim=2)
        out: Tensor = self.drop(self.proj(self.attention(query, key, value, mask)))
        return out


class Block(nn.Module):
    """Attention between tokens, then two dense layers on each, both added to their input.

    Args:
        features: Features of a token.
        attn: The attention, which maps tokens to tokens.
        mlp_ratio: Hidden features of the dense layers per feature of a token.
        dropout: The probability of dropping a feature of the dense layers in training.
        stochastic_depth_prob: The probability that a sample skips a branch in training.
        eps: The term that is added to the variance in the norms.
    """

    def __init__(
        self,
        features: int,
        attn: nn.Module,
        mlp_ratio: float = 4.0,
        dropout: float = 0.0,
        stochastic_depth_prob: float = 0.0,
        eps: float = 1e-6,
    ):
        super().__init__()
        self.norm1 = nn.LayerNorm(features, eps=eps)
        self.attn = attn
        self.norm2 = nn.LayerNorm(features, eps=eps)
        self.mlp = Mlp(features, int(mlp_ratio * features), dropout)
        self.drop_path = DropPath(stochastic_depth_prob)

    def forward(self, x: Tensor) -> Tensor:
        """(N, ..., features) -> (N, ..., features)."""
        x = x + self.drop_path(self.attn(self.norm1(x)))
        out: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return out


def initialize(network: nn.Module, init_std: float | None = None) -> None:
    """Draw the weights of all dense layers; biases are 0.

    Args:
        network: The network.
        init_std: Standard deviation of a truncated normal distribution, as DeiT, T2T-ViT and Swin have it; None for
            Glorot and Bengio's uniform one, as in ViT's and MAE's own code.
    """
    for module in network.modules():
        if isinstance(module, nn.Linear):
            if init_std is None:
                nn.init.xavier_uniform_(module.weight)
            else:
                nn.init.trunc_normal_(module.weight, std=init_std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
