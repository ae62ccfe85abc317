"""The LSTM: Hochreiter, Schmidhuber, Long short-term memory, Neural Computation 9(8) (1997).

A memory cell c is changed only by a gated sum, so that its gradient can pass many steps without vanishing; gates that
the network learns decide what is written to it, what is kept and what is read. The forget gate was added by Gers,
Schmidhuber, Cummins, Learning to forget, Neural Computation 12(10) (2000).

With the input x_t and the output h_{t-1} and cell c_{t-1} of the step before, all vectors, a step of a layer is

    i = sigmoid(W_i x_t + U_i h_{t-1} + b_i)    input gate: how much of g is written
    f = sigmoid(W_f x_t + U_f h_{t-1} + b_f)    forget gate: how much of the old cell is kept
    g =    tanh(W_g x_t + U_g h_{t-1} + b_g)    what can be written
    o = sigmoid(W_o x_t + U_o h_{t-1} + b_o)    output gate: how much of the cell is read
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

Here it is a language model: it reads a text token by token and predicts each next token. The paper preset has the
conventional sizes 128 and 256. A window of 64 tokens of a vocabulary of 96:

    layer        output    parameters
    tokens       64
    embedding    64x128    96*128                           =  12,288
    lstm         64x256    4*(128*256 + 256*256 + 2*256)    = 395,264
    head         64x96     256*96 + 96                      =  24,672
                                                     total    432,224

The recurrent layer computes 4*(128*256 + 256*256) = 393,216 multiply-accumulates per token.

Differences from the papers: each cell has its own gates, whereas theirs share the gates of a block; input and output
are squashed by tanh; the gradient is that of the whole window, whereas theirs is truncated. The state dict, the
order of the gates (i, f, g, o) and the initial weights are those of `torch.nn.LSTM`, which has two biases where the
equations have one. Dropout between layers and before the head (Zaremba et al., 2014) is off by default.

The mini has an embedding of 64 and 192 hidden units.

The step as code is `lstm_step` in `recurrent.py`. PyTorch's own layers are the default, because they are faster:
forward and backward over 40 steps of a batch of 32, our layers take 2.0 times as long with 128 hidden units and
4.8 times with 32, on one CPU core (`benchmarks/recurrent.py`).
"""

from models.sequences.recurrent_network import RecurrentNetwork


class LSTM(RecurrentNetwork):
    """Layers of an LSTM that read tokens or values; see `RecurrentNetwork` for the arguments."""

    cell = "lstm"


FAMILY = dict(
    family="lstm",
    year=1997,
    paper="Hochreiter, Schmidhuber, Neural Computation 9(8)",
    topic="lstm",
    task="characters",
    contribution=(
        "A memory cell that is changed only by a gated sum can pass gradients over many steps; learned gates decide "
        "what it stores, keeps and outputs."
    ),
    builds_on=("rnn",),
    network="LSTM",
    names={"lstm": dict(vocab_size=96, embedding_size=128, hidden_size=256)},
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocab_size]"),
    alternatives=dict(
        in_features=dict(
            inputs=dict(values="float32[length, in_features]"), outputs=dict(values="float32[length, out_features]")
        )
    ),
    sizes=dict(vocabulary="vocab_size", in_features="in_features", out_features="out_features", steps="steps"),
    parts=dict(backbone=("embedding.", "lstm.")),
    params={"lstm": 432_224},
    mini=dict(embedding_size=64, hidden_size=192),
    recipe=dict(epochs=5, schedule="one-cycle", lr=0.01, batch_size=32, clip_norm=1.0),
    reference="torch",
)
