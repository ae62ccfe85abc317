"""T2T-ViT: Yuan et al., Tokens-to-token ViT: Training vision transformers from scratch on ImageNet (arXiv:2101.11986).

ViT cuts an image into patches at once, and what lies across two of them, an edge or a line, is lost to the first layer.
Here tokens are made step by step: a soft split joins each token with its neighbors in overlapping windows, attention
relates the joined tokens, and the next split joins them again, until few are left. The backbone is deep and narrow.

For images of 3x224x224 (2021):

    layer                          output      t2t-vit-14
    soft split 0                   3136x147    windows of 7x7 pixels, stride 4
    tokens_to_token.attention1     3136x64     Performer
    soft split 1                   784x576     windows of 3x3 tokens, stride 2
    tokens_to_token.attention2     784x64      Performer
    soft split 2                   196x576     windows of 3x3 tokens, stride 2
    tokens_to_token.project        196x384     a dense layer
                                   197x384     a class token in front, and fixed sinusoids as positions
    blocks                         197x384     6 heads, x14; dense layers with 3 times the features between them
    norm, head                     1000        layer norm, then a dense layer on the class token
    parameters                                 21,545,550 with fixed ones, 21,465,806 learned

3136 tokens would make 10 million pairs. A Performer (Choromanski et al., arXiv:2009.14794) never forms them: positive
random features whose products approximate exp(q . k) let it sum the keys first, in time proportional to the tokens.

Queries, keys and values of the backbone have no bias. State-dict keys are those of the authors' published weights.

The mini reads 1x48x48, whose soft splits leave 144, 36 and 9 tokens.
"""

from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.positions import sinusoids
from models.layers.vit_block import Block, SelfAttention, initialize

SPLITS = ((7, 4, 2), (3, 2, 1), (3, 2, 1))  # size of the windows, stride, padding


class TokenPerformer(nn.Module):
    """Attention with one head in linear time, then two dense layers.

    Softmax attention multiplies values by exp(q . k). With m random directions w and

        phi(x) = exp(w . x - |x|^2 / 2) / sqrt(m)

    the mean of phi(q) . phi(k) is exp(q . k), so that the sum over keys needs to be computed only once for all queries:

        y = phi(Q) (phi(K)^T V) / (phi(Q) phi(K)^T 1)

    That mean is over normal directions. The published ones are fixed, orthogonal to each other and of length sqrt(m).

    The values, not the input, are added to its output, because the input has other features.

    Args:
        in_features: Features of a token of the input.
        features: Features of a token of the output.
        dropout: The probability of dropping a feature of either branch in training.
    """

    def __init__(self, in_features: int, features: int, dropout: float = 0.1):
        super().__init__()
        self.norm1 = nn.LayerNorm(in_features)
        self.kqv = nn.Linear(in_features, 3 * features)
        self.proj = nn.Linear(features, features)
        self.dp = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(features)
        self.mlp = nn.Sequential(
            nn.Linear(features, features), nn.GELU(), nn.Linear(features, features), nn.Dropout(dropout)
        )
        directions = torch.empty(features // 2, features)
        nn.init.orthogonal_(directions, gain=sqrt(len(directions)))
        self.w = nn.Parameter(directions, requires_grad=False)

    def random_features(self, x: Tensor) -> Tensor:
        """Return phi of queries or keys (N, tokens, features) as (N, tokens, m)."""
        exponents = x @ self.w.T - x.square().sum(dim=2, keepdim=True) / 2
        return exponents.exp() / sqrt(len(self.w))

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return the approximate attention (N, tokens, features)."""
        query, key = self.random_features(query), self.random_features(key)
        total = query @ key.sum(dim=1)[:, :, None]
        return query @ (key.transpose(1, 2) @ value) / (total + 1e-8)

    def forward(self, x: Tensor) -> Tensor:
        """(N, tokens, in_features) -> (N, tokens, features)."""
        key, query, value = self.kqv(self.norm1(x)).chunk(3, dim=2)
        x = value + self.dp(self.proj(self.attend(query, key, value)))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class TokensToToken(nn.Module):
    """Three soft splits, with a Performer after each of the first two, and a dense layer.

    Args:
        in_channels: Channels of the image.
        token_dim: Features of a token after each Performer.
        embed_dim: Features of a token at the end.
    """

    def __init__(self, in_channels: int, token_dim: int, embed_dim: int):
        super().__init__()
        first, second, third = (size**2 for size, _, _ in SPLITS)
        self.attention1 = TokenPerformer(in_channels * first, token_dim)
        self.attention2 = TokenPerformer(token_dim * second, token_dim)
        self.project = nn.Linear(token_dim * third, embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, h/16 * w/16, embed_dim)."""
        for split, layer in zip(SPLITS, (self.attention1, self.attention2, self.project), strict=True):
            grid = [size // split[1] for size in x.shape[2:]]
            tokens: Tensor = layer(soft_split(x, *split))
            x = tokens.transpose(1, 2).unflatten(2, grid)  # a map again, for the next split
        return tokens


def soft_split(x: Tensor, size: int, stride: int, padding: int) -> Tensor:
    """Return the tokens of overlapping windows of a map, (N, channels, h, w) -> (N, windows, channels * size**2)."""
    return F.unfold(x, size, stride=stride, padding=padding).transpose(1, 2)


class T2TViT(nn.Module):
    """Tokens made step by step, a class token, fixed positions, and a deep, narrow encoder.

    Args:
        embed_dim: Features of a token in the backbone; an even number.
        depth: Number of blocks.
        num_heads: Heads of each attention; they divide `embed_dim`.
        mlp_ratio: Hidden features of a block's dense layers per feature of a token.
        token_dim: Features of a token between the soft splits.
        image_size: Height and width of the image; a multiple of 16, since the soft splits have strides 4, 2 and 2.
        in_channels: Channels of the image.
        num_classes: Number of classes.
        stochastic_depth_prob: Probability that a sample skips a branch of the last block in training; it grows evenly
            from 0 in the first block.
        init_std: Standard deviation of the initial weights.
    """

    def __init__(
        self,
        embed_dim: int = 384,
        depth: int = 14,
        num_heads: int = 6,
        mlp_ratio: float = 3.0,
        token_dim: int = 64,
        image_size: int = 224,
        in_channels: int = 3,
        num_classes: int = 1000,
        stochastic_depth_prob: float = 0.1,
        init_std: float = 0.02,
    ):
        super().__init__()
        if image_size < 16 or image_size % 16:
            raise ValueError(
                f"image_size must be a multiple of 16, not {image_size}: the soft splits have strides 4, 2 and 2"
            )
        self.input_shape = (in_channels, image_size, image_size)
        self.grid_size = image_size // 16
        self.tokens_to_token = TokensToToken(in_channels, token_dim, embed_dim)
        self.cls_token = nn.Parameter(torch.empty(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(sinusoids(1 + self.grid_size**2, embed_dim)[None], requires_grad=False)
        probs = torch.linspace(0, stochastic_depth_prob, depth, device="cpu").tolist()
        self.blocks = nn.Sequential(
            *[
                Block(
                    embed_dim,
                    SelfAttention(embed_dim, num_heads, qkv_bias=False),
                    mlp_ratio,
                    stochastic_depth_prob=prob,
                    eps=1e-5,
                )
                for prob in probs
            ]
        )
        self.norm = nn.LayerNorm(embed_dim)
        self.head = nn.Linear(embed_dim, num_classes)
        initialize(self, init_std)
        nn.init.trunc_normal_(self.cls_token, std=0.02)

    def encode(self, x: Tensor) -> Tensor:
        """Return the tokens (N, 1 + tokens, embed_dim) of images (N, in_channels, image_size, image_size)."""
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), self.tokens_to_token(x)], dim=1)
        out: Tensor = self.norm(self.blocks(tokens + self.pos_embed))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, in_channels, image_size, image_size)."""
        logits: Tensor = self.head(self.encode(x)[:, 0])
        return logits


FAMILY = dict(
    family="t2t-vit",
    year=2021,
    paper="arXiv:2101.11986",
    topic="t2t-vit",
    task="digits",
    contribution=(
        "Overlapping windows join tokens with their neighbors step by step, so that local structure is in a token "
        "before the transformer reads it; the backbone is deep and narrow, with a quarter of ViT-B's parameters."
    ),
    builds_on=("vit",),
    network="T2TViT",
    names={"t2t-vit-14": dict(embed_dim=384, depth=14, num_heads=6, mlp_ratio=3.0)},
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"t2t-vit-14": 21_545_550},
    mini=dict(
        embed_dim=48,
        depth=3,
        num_heads=4,
        token_dim=16,
        image_size=48,
        in_channels=1,
        num_classes=10,
        stochastic_depth_prob=0.0,
        init_std=0.05,
    ),
    recipe=dict(epochs=20, schedule="one-cycle", lr=0.002),
    reference=None,
)
