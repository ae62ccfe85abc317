"""GPT-2: Radford, Wu, Child, Luan, Amodei, Sutskever, Language models are unsupervised multitask learners (2019).

A stack of Transformer blocks reads a text and predicts each next token; a mask hides later tokens, so that all
positions of a text are trained in one pass. What a large one has learned from many texts, it applies to tasks that are
described in its prompt. Each block reads normalized inputs (pre-norm), which GPT did not:

    x = e(token) + e(position)
    x = x + attention(norm(x))        each token attends to itself and to the tokens before
    x = x + mlp(norm(x))              dense, GELU, dense, for each token by itself
    logits = W norm(x)                W: the embedding of the tokens (tied weights)

The small one has 12 blocks of 768 features and 12 heads, a context of 1,024 tokens, and 50,257 tokens:

    layer        output        parameters
    tokens       1024
    wte          1024x768      50,257*768                          = 38,597,376
    wpe          1024x768      1,024*768                           =    786,432
    h.0-h.11     1024x768      12 * 7,087,872                      = 85,054,464
      ln_1                     2*768                =     1,536
      attn                     3*768*769 + 768*769  = 2,362,368
      ln_2                     2*768                =     1,536
      mlp                      3,072*769 + 768*3,073 = 4,722,432
    ln_f         1024x768      2*768                               =      1,536
    lm_head      1024x50257    the weights of wte
                                                             total  124,439,808

For a text of 1,024 tokens it computes 145,824,153,600 multiply-accumulates, those of masked pairs of tokens included.

Weights are drawn from a normal distribution with standard deviation 0.02. The last layer of each residual branch has
0.02/sqrt(2 * number of blocks), so that the sum of all branches doesn't grow with the depth; the paper says
1/sqrt(number of residual layers). The GELU is the approximation with tanh. Dropout, 0.1 in the paper, is off by
default, as in nanoGPT's pre-training.

The state dict has the names of transformers' `GPT2LMHeadModel` and of nanoGPT's `GPT`.

The mini has 2 blocks of 96 features and 4 heads, and a context of 64 tokens.
"""

from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn

from models.layers.causal_language_model import MLP, Cache, CausalLanguageModel, CausalSelfAttention

INIT_STD = 0.02


class Block(nn.Module):
    """Attention and dense layers, each of which adds to the normalized features that it reads."""

    def __init__(self, features: int, num_heads: int, dropout: float, exact_gelu: bool):
        super().__init__()
        self.ln_1 = nn.LayerNorm(features)
        self.attn = CausalSelfAttention(features, num_heads, dropout)
        self.ln_2 = nn.LayerNorm(features)
        self.mlp = MLP(features, dropout, exact_gelu)

    def forward(self, x: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the new features (N, length, features), and the keys and values of all tokens so far."""
        attended, keys_values = self.attn(self.ln_1(x), past)
        x = x + attended
        x = x + self.mlp(self.ln_2(x))
        return x, keys_values


class GPT(CausalLanguageModel):
    """Embeddings of tokens and positions, blocks, a norm, and logits by the embedding of the tokens.

    Args:
        vocab_size: The number of different tokens.
        embedding_size: Features of a token.
        num_layers: The number of blocks.
        num_heads: The number of heads of each attention, which divides the features.
        max_length: The context: the largest number of tokens that it reads.
        dropout: The probability of dropping an embedding, an attention weight, or an output of a residual branch.
        exact_gelu: Whether the GELU is computed by the error function, as in nanoGPT, not approximated with tanh.
    """

    def __init__(
        self,
        vocab_size: int = 50_257,
        embedding_size: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        max_length: int = 1024,
        dropout: float = 0.0,
        exact_gelu: bool = False,
    ):
        super().__init__(
            max_length,
            vocab_size=vocab_size,
            embedding_size=embedding_size,
            num_layers=num_layers,
            num_heads=num_heads,
        )
        embedding = nn.Embedding(vocab_size, embedding_size)
        self.transformer: Any = nn.ModuleDict(
            dict(
                wte=embedding,
                wpe=nn.Embedding(max_length, embedding_size),
                drop=nn.Dropout(dropout),
                h=nn.ModuleList(Block(embedding_size, num_heads, dropout, exact_gelu) for _ in range(num_layers)),
                ln_f=nn.LayerNorm(embedding_size),
            )
        )
        self.lm_head = nn.Linear(embedding_size, vocab_size, bias=False)
        self.lm_head.weight = embedding.weight
        self._init_weights(num_layers)

    def _init_weights(self, num_layers: int) -> None:
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                ends_branch = name.endswith("c_proj.weight")
                nn.init.normal_(weight, std=INIT_STD / sqrt(2 * num_layers) if ends_branch else INIT_STD)
            elif ".ln_" not in name:
                nn.init.zeros_(weight)

    def hidden_states(self, tokens: Tensor, past: Cache) -> tuple[Tensor, Cache]:
        start = past[0].shape[1] if past else 0
        positions = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        x = self.transformer.drop(self.transformer.wte(tokens) + self.transformer.wpe(positions))
        present = []
        for index, block in enumerate(self.transformer.h):
            x, keys_values = block(x, past[index] if past else None)
            present.append(keys_values)
        x = self.transformer.ln_f(x)
        return x, tuple(present)


FAMILY = dict(
    family="gpt",
    year=2019,
    paper="Radford, Wu, Child, Luan, Amodei, Sutskever, Language models are unsupervised multitask learners",
    topic="gpt",
    task="characters",
    contribution=(
        "A large causal language model with the norms before each layer, which does tasks that its prompt describes, "
        "without being trained for them."
    ),
    builds_on=("gpt1",),
    network="GPT",
    names={
        "gpt": dict(),
        "gpt-medium": dict(embedding_size=1024, num_layers=24, num_heads=16),
        "gpt-large": dict(embedding_size=1280, num_layers=36, num_heads=20),
        "gpt-xl": dict(embedding_size=1600, num_layers=48, num_heads=25),
    },
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocab_size]"),
    sizes=dict(vocabulary="vocab_size"),
    params={"gpt": 124_439_808, "gpt-medium": 354_823_168, "gpt-large": 774_030_080, "gpt-xl": 1_557_611_200},
    mini=dict(vocab_size=96, embedding_size=96, num_layers=2, num_heads=4, max_length=64),
    recipe=dict(epochs=5, schedule="one-cycle", lr=0.012, batch_size=8, clip_norm=1.0),
    reference="transformers",
)
