"""The 1-D CNN: Waibel et al., Phoneme recognition using time-delay neural networks, IEEE Trans. ASSP 37(3) (1989).

A convolution over time: each output reads a few neighboring steps, and all steps share its weights. Layers are stacked
so that later ones read more steps. All steps are computed at once, unlike those of a recurrent layer, but an output
knows nothing of the steps outside its receptive field.

Here each convolution is causal: the sequence is padded with zeros on its left, so that an output reads its own step and
those before. Layers are dilated, as in WaveNet (van den Oord et al., arXiv:1609.03499, 2016): with kernels of size k
and dilations d_1, d_2, ..., an output's receptive field is 1 + (k - 1)(d_1 + d_2 + ...) steps, here 1 + 1 + 2 + 4 + 8 +
16 = 32. With all dilations 1, it grows by k - 1 steps per layer. From the second layer on, a layer's input is added to
its output, as in residual networks (He et al., arXiv:1512.03385, 2015).

It is a language model: it reads a text token by token and predicts each next token. The paper preset has the sizes of
the recurrent networks, 128 and 256. A window of 64 tokens of a vocabulary of 96:

    layer        output    parameters
    tokens       64
    embedding    64x128    96*128                       =  12,288
    convs.0      64x256    2*128*256 + 256              =  65,792    dilation 1, ReLU
    convs.1-4    64x256    4 * (2*256*256 + 256)        = 525,312    dilations 2, 4, 8, 16, ReLU
    head         64x96     256*96 + 96                  =  24,672
                                                 total    628,064

The mini has an embedding of 64, 128 channels, and dropout.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CNN1D(nn.Module):
    """An embedding, causal convolutions with ReLU, and a dense layer that returns outputs for each step.

    It reads tokens, and returns the logits of each next token. With `in_features`, it reads values instead, which need
    no embedding, and returns `out_features` values for each step.

    Args:
        vocab_size: The number of different tokens.
        embedding_size: Features of a token.
        channels: Output channels of each convolution.
        kernel_size: Steps that a kernel reads.
        dilations: Steps between the inputs of a kernel, one for each convolution.
        dropout: Probability that an output of a convolution is dropped in a training step.
        in_features: Values at a step; 0 if the network reads tokens.
        out_features: Outputs at a step of a network that reads values.
        steps: Steps of the example inputs, which are also those of a window of a text, and of sequences that are made
            by code. The network reads sequences of any length.

    Attributes:
        receptive_field: The number of steps that an output depends on, its own included.
    """

    def __init__(
        self,
        vocab_size: int = 96,
        embedding_size: int = 128,
        channels: int = 256,
        kernel_size: int = 2,
        dilations: Sequence[int] = (1, 2, 4, 8, 16),
        dropout: float = 0.0,
        in_features: int = 0,
        out_features: int = 1,
        steps: int = 64,
    ):
        super().__init__()
        if min(vocab_size, embedding_size, channels, kernel_size, *dilations, out_features, steps) < 1:
            raise ValueError("the sizes of the network and its dilations must be 1 or more")
        if not dilations:
            raise ValueError("dilations must have a number for each convolution, at least one")
        self.steps, self.in_features = steps, in_features
        self.pasts = [(kernel_size - 1) * dilation for dilation in dilations]  # steps before its own that a layer reads
        self.receptive_field = 1 + sum(self.pasts)
        if not in_features:
            self.embedding = nn.Embedding(vocab_size, embedding_size)
        first = in_features or embedding_size
        self.convs = nn.ModuleList(
            nn.Conv1d(first if layer == 0 else channels, channels, kernel_size, dilation=dilation)
            for layer, dilation in enumerate(dilations)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, out_features if in_features else vocab_size)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return tokens (batch_size, steps), or values (batch_size, steps, in_features), all 0."""
        device = self.head.weight.device
        if self.in_features:
            return (torch.zeros(batch_size, self.steps, self.in_features, device=device),)
        return (torch.zeros(batch_size, self.steps, dtype=torch.int64, device=device),)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits of each next token (N, length, vocab_size), or values (N, length, out_features).

        Args:
            inputs: Tokens (N, length), or values (N, length, in_features).
        """
        x = inputs if self.in_features else self.embedding(inputs)
        x = x.transpose(1, 2)  # convolutions read (N, channels, length)
        for layer, (conv, past) in enumerate(zip(self.convs, self.pasts, strict=True)):
            y = self.dropout(F.relu(conv(F.pad(x, (past, 0)))))
            x = y if layer == 0 else x + y
        outputs: Tensor = self.head(x.transpose(1, 2))
        return outputs

    def step(self, token: Tensor, cache: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the logits (N, vocab_size) of the next token and the new cache, after one more token (N,).

        Args:
            token: The token that comes next.
            cache: What the call before returned, the last tokens (N, receptive field); None at the start of a text.
        """
        tokens = token[:, None] if cache is None else torch.cat([cache, token[:, None]], dim=1)
        tokens = tokens[:, -self.receptive_field :]
        return self.forward(tokens)[:, -1], tokens


FAMILY = dict(
    family="cnn-1d",
    year=1989,
    paper="Waibel, Hanazawa, Hinton, Shikano, Lang, IEEE Trans. ASSP 37(3)",
    topic="sequence-tasks",
    task="characters",
    contribution=(
        "Convolutions over time: each output reads a few neighboring steps with weights that all steps share, so that "
        "features are detected wherever they occur."
    ),
    builds_on=("neocognitron", "mlp"),
    network="CNN1D",
    names={"cnn-1d": dict(vocab_size=96, embedding_size=128, channels=256)},
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocab_size]"),
    alternatives=dict(
        in_features=dict(
            inputs=dict(values="float32[length, in_features]"), outputs=dict(values="float32[length, out_features]")
        )
    ),
    sizes=dict(vocabulary="vocab_size", in_features="in_features", out_features="out_features", steps="steps"),
    parts=dict(backbone=("embedding.", "convs.")),
    params={"cnn-1d": 628_064},
    mini=dict(embedding_size=64, channels=128, dropout=0.1),
    recipe=dict(epochs=5, schedule="one-cycle", lr=0.005, batch_size=32, clip_norm=1.0),
    reference=None,
)
