"""Causal language models, as GPT: masked self-attention, the dense layers of a block, and generation.

A cache saves what a text's next token needs of the tokens before: the tokens, and the keys and values of each layer.
With it, a step computes one position, not all of them again. Positions are absolute: once the text is longer than the
context, it is cut to its last tokens, each of which moves to another position, so that all are computed again.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.layers.dot_product_attention import DotProductAttention
from workbench.errors import UserError

# The tokens so far (N, length), then the keys and values of each layer (N, length, 2 * features).
Cache = tuple[Tensor, ...]
COMPILED = "_orig_mod."  # before the names of a network that torch.compile wrapped
BUFFERS = (".attn.bias", ".attn.masked_bias")  # causal masks, which older files hold
TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")


class CausalSelfAttention(nn.Module):
    """Self-attention in which a token attends to itself and to the tokens before.

    Args:
        features: Features of a token.
        num_heads: The number of heads.
        dropout: The probability of dropping a weight, and an output.
    """

    def __init__(self, features: int, num_heads: int, dropout: float):
        super().__init__()
        self.c_attn = nn.Linear(features, 3 * features)  # queries, keys and values
        self.attention = DotProductAttention(num_heads, dropout)
        self.c_proj = nn.Linear(features, features)
        self.dropout = nn.Dropout(dropout)
        self.features = features

    def forward(self, x: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the outputs (N, length, features), and the keys and values of all tokens so far.

        Args:
            x: The last tokens (N, length, features).
            past: The keys and values of the tokens before; None if there are none.
        """
        query, keys_values = self.c_attn(x).split((self.features, 2 * self.features), dim=2)
        if past is not None:
            keys_values = torch.cat([past, keys_values], dim=1)
        key, value = keys_values.chunk(2, dim=2)
        outputs = self.c_proj(self.attention(query, key, value, is_causal=True))
        return self.dropout(outputs), keys_values


class MLP(nn.Module):
    """Two dense layers for each token, with a GELU between them.

    Args:
        features: Features of a token.
        dropout: The probability of dropping an output.
        exact_gelu: Whether the GELU is computed by the error function, not by its approximation with tanh.
    """

    def __init__(self, features: int, dropout: float, exact_gelu: bool):
        super().__init__()
        self.c_fc = nn.Linear(features, 4 * features)
        self.gelu = nn.GELU("none" if exact_gelu else "tanh")
        self.c_proj = nn.Linear(4 * features, features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (N, length, features) for tokens (N, length, features)."""
        outputs: Tensor = self.dropout(self.c_proj(self.gelu(self.c_fc(x))))
        return outputs


class CausalLanguageModel(nn.Module):
    """A network that predicts each next token of a text.

    A subclass defines `hidden_states`.

    Args:
        vocab_size: The number of different tokens.
        max_length: The context: the largest number of tokens that it reads.
        sizes: All sizes of the network, by name.

    Attributes:
        lm_head: The layer that returns logits, whose weights are those of the tokens' embedding.

    Raises:
        ValueError: If a size is below 1, or the number of heads does not divide the features.
    """

    lm_head: nn.Linear

    def __init__(self, max_length: int, **sizes: int):
        super().__init__()
        if min(max_length, *sizes.values()) < 1:
            raise ValueError(f"{', '.join(sizes)} and max_length must be 1 or more")
        if sizes["embedding_size"] % sizes["num_heads"]:
            raise ValueError(
                f"num_heads must divide embedding_size: {sizes['num_heads']} does not divide {sizes['embedding_size']}"
            )
        self.max_length = max_length

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return tokens (batch_size, max_length), all 0."""
        return (torch.zeros(batch_size, self.max_length, dtype=torch.int64, device=self.lm_head.weight.device),)

    def hidden_states(self, tokens: Tensor, past: Cache) -> tuple[Tensor, Cache]:
        """Return the outputs (N, length, features) of the last layer, and the keys and values of each layer.

        Args:
            tokens: The last tokens (N, length).
            past: The keys and values of the tokens before, for each layer; empty if there are none.
        """
        raise NotImplementedError

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits (N, length, vocab_size) of the token after each token of a text (N, length).

        Raises:
            UserError: If the text is longer than the context.
        """
        if tokens.shape[1] > self.max_length:
            raise UserError(
                f"The text has {tokens.shape[1]:,} tokens, and the network reads at most {self.max_length:,}. Shorten "
                "the text, or train a network with a larger max_length."
            )
        logits: Tensor = self.lm_head(self.hidden_states(tokens, ())[0])
        return logits

    def prefill(self, tokens: Tensor) -> tuple[Tensor, Cache]:
        """Return the logits (N, vocab_size) of the next token and the cache, after a text (N, length).

        Of a text that is longer than the context, its last tokens are read.
        """
        tokens = tokens[:, -self.max_length :]
        x, past = self.hidden_states(tokens, ())
        return self.lm_head(x[:, -1]), (tokens, *past)

    def step(self, token: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """Return the logits (N, vocab_size) of the next token and the new cache, after one more token (N,).

        Args:
            token: The token that comes next.
            cache: What the call before returned; None at the start of a text.
        """
        if cache is None:
            return self.prefill(token[:, None])
        tokens = torch.cat([cache[0], token[:, None]], dim=1)
        if tokens.shape[1] > self.max_length:
            return self.prefill(tokens)
        x, past = self.hidden_states(token[:, None], cache[1:])
        return self.lm_head(x[:, -1]), (tokens, *past)

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load a state dict as the networks of transformers or nanoGPT save it.

        The dense layers of transformers (`Conv1D`) have transposed weights. A network of nanoGPT without biases gets
        biases of 0.

        Raises:
            ValueError: If the weights are those of a network of another size, or of another kind.
        """
        weights = {name.removeprefix(COMPILED): tensor for name, tensor in state_dict.items()}
        weights = {name: tensor for name, tensor in weights.items() if not name.endswith(BUFFERS)}
        if not any(name.startswith("transformer.") for name in weights):  # of the network without a head
            weights = {f"transformer.{name}": tensor for name, tensor in weights.items()}
        self._load(weights)

    def _load(self, weights: dict[str, Tensor]) -> None:
        ours = self.state_dict()
        embedding = next(iter(ours))
        if embedding in weights:
            weights.setdefault("lm_head.weight", weights[embedding])
            theirs = len(weights[embedding])
            if theirs != len(ours[embedding]):
                raise ValueError(
                    f"the weights have a vocabulary of {theirs:,} tokens, and the network one of "
                    f"{len(ours[embedding]):,}: set vocab_size to {theirs}"
                )
            tied, tensor = weights["lm_head.weight"], weights[embedding]
            if tensor.device.type != "meta" and tied is not tensor and not torch.equal(tied, tensor):
                raise ValueError("lm_head.weight differs from the embedding of the tokens, but here they are the same")
        first = next((tensor for name, tensor in weights.items() if name.endswith(TRANSPOSED[0])), None)
        if first is not None and first.shape[0] * 3 == first.shape[1]:
            weights = {name: tensor.T if name.endswith(TRANSPOSED) else tensor for name, tensor in weights.items()}
        if not any(name.endswith(".bias") for name in weights):
            weights |= {name: torch.zeros_like(own) for name, own in ours.items() if name.endswith(".bias")}
        for name, tensor in weights.items():
            if name in ours and tensor.shape != ours[name].shape:
                raise ValueError(f"{name} is {list(tensor.shape)} there, and {list(ours[name].shape)} here")
        missing, left = ours.keys() - weights.keys(), weights.keys() - ours.keys()
        if missing or left:
            name = min(missing or left)
            raise ValueError(f"{name} is {'missing in the weights' if missing else 'not a tensor of the network'}")
        self.load_state_dict(weights)
