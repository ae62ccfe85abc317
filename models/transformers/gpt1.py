"""GPT: Radford, Narasimhan, Salimans, Sutskever, Improving language understanding by generative pre-training (2018).

The decoder of a Transformer without its encoder, pre-trained to predict the next token of books and then fine-tuned on
each task, whose inputs are written as one text. Few labels suffice, since the network already knows the language.

    x = e(token) + e(position)
    x = norm(x + attention(x))        each token attends to itself and to the tokens before
    x = norm(x + mlp(x))              dense, GELU, dense, for each token by itself
    logits = W x                      W: the embedding of the tokens (tied weights)

Norms follow the sums (post-norm), as in the Transformer; GPT-2 moved them. It has 12 blocks of 768 features and 12
heads, a context of 512 tokens, and 40,478 tokens:

    layer              output       parameters
    tokens             512
    tokens_embed       512x768      40,478*768        =  31,087,104
    positions_embed    512x768      512*768           =     393,216
    h.0-h.11           512x768      12 * 7,087,872    =  85,054,464    as in GPT-2
    lm_head            512x40478    the weights of tokens_embed
                                                 total  116,534,784

For a text of 512 tokens it computes 64,234,979,328 multiply-accumulates. The GELU is the approximation with tanh.
Dropout, 0.1 in the paper, is off by default. The state dict has the names of transformers' `OpenAIGPTLMHeadModel`.

The mini has 2 blocks of 96 features and 4 heads, and a context of 64 tokens.
"""

from typing import Any

import torch
from torch import Tensor, nn

from models.layers.causal_language_model import MLP, Cache, CausalLanguageModel, CausalSelfAttention

INIT_STD = 0.02


class Block(nn.Module):
    """Attention and dense layers, each followed by a norm of the sum of its input and output."""

    def __init__(self, features: int, num_heads: int, dropout: float):
        super().__init__()
        self.attn = CausalSelfAttention(features, num_heads, dropout)
        self.ln_1 = nn.LayerNorm(features)
        self.mlp = MLP(features, dropout, exact_gelu=False)
        self.ln_2 = nn.LayerNorm(features)

    def forward(self, x: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the new features (N, length, features), and the keys and values of all tokens so far."""
        attended, keys_values = self.attn(x, past)
        x = self.ln_1(x + attended)
        x = self.ln_2(x + self.mlp(x))
        return x, keys_values


class GPT1(CausalLanguageModel):
    """Embeddings of tokens and positions, blocks, and logits by the embedding of the tokens.

    Args:
        vocab_size: The number of different tokens.
        embedding_size: Features of a token.
        num_layers: The number of blocks.
        num_heads: The number of heads of each attention, which divides the features.
        max_length: The context: the largest number of tokens that it reads.
        dropout: The probability of dropping an embedding, an attention weight, or an output of a residual branch.
    """

    def __init__(
        self,
        vocab_size: int = 40_478,
        embedding_size: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        max_length: int = 512,
        dropout: float = 0.0,
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
                tokens_embed=embedding,
                positions_embed=nn.Embedding(max_length, embedding_size),
                drop=nn.Dropout(dropout),
                h=nn.ModuleList(Block(embedding_size, num_heads, dropout) for _ in range(num_layers)),
            )
        )
        self.lm_head = nn.Linear(embedding_size, vocab_size, bias=False)
        self.lm_head.weight = embedding.weight
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=INIT_STD)
            elif ".ln_" not in name:
                nn.init.zeros_(weight)

    def hidden_states(self, tokens: Tensor, past: Cache) -> tuple[Tensor, Cache]:
        start = past[0].shape[1] if past else 0
        positions = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        embedding = self.transformer.tokens_embed(tokens) + self.transformer.positions_embed(positions)
        x, present = self.transformer.drop(embedding), []
        for index, block in enumerate(self.transformer.h):
            x, keys_values = block(x, past[index] if past else None)
            present.append(keys_values)
        return x, tuple(present)


FAMILY = dict(
    family="gpt1",
    year=2018,
    paper="Radford, Narasimhan, Salimans, Sutskever, Improving language understanding by generative pre-training",
    topic="gpt",
    task="characters",
    contribution=(
        "The decoder of a Transformer alone, pre-trained to predict the next token of texts, then fine-tuned on each "
        "task with few changes."
    ),
    builds_on=("transformer",),
    network="GPT1",
    names={"gpt1": dict()},
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocab_size]"),
    sizes=dict(vocabulary="vocab_size"),
    params={"gpt1": 116_534_784},
    mini=dict(vocab_size=96, embedding_size=96, num_layers=2, num_heads=4, max_length=64),
    recipe=dict(epochs=5, schedule="one-cycle", lr=0.012, batch_size=8, clip_norm=1.0),
    reference="transformers",
)
