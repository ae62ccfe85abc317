"""The GRU: Cho et al., Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078 (2014).

A gated recurrent unit keeps the idea of the LSTM, a state that is changed by a gated sum, with two gates instead of
three and without a separate cell: its output is its state.

With the input x_t and the state h_{t-1} of the step before, a step of a layer is

    r = sigmoid(W_r x_t + U_r h_{t-1} + b_r)            reset gate: how much of the old state the candidate reads
    z = sigmoid(W_z x_t + U_z h_{t-1} + b_z)            update gate: how much of the old state is kept
    n = tanh(W_n x_t + b_n + r * (U_n h_{t-1} + c_n))   candidate
    h_t = (1 - z) * n + z * h_{t-1}

Two choices differ between papers. Here z keeps the old state, as in Cho et al. and in PyTorch; in Chung et al.
(Empirical evaluation of gated recurrent neural networks, arXiv:1412.3555) and Bahdanau et al. (arXiv:1409.0473), z and
1 - z are swapped. And here the reset gate scales U_n h + c_n, as in PyTorch (Keras: `reset_after=True`); in Cho et al.
it scales the state before the product, U_n (r * h), so that the networks differ and no weights make them equal.

Here it is a language model: it reads a text token by token and predicts each next token. The paper preset has the
sizes of the LSTM's, 128 and 256. A window of 64 tokens of a vocabulary of 96:

    layer        output    parameters
    tokens       64
    embedding    64x128    96*128                           =  12,288
    gru          64x256    3*(128*256 + 256*256 + 2*256)    = 296,448
    head         64x96     256*96 + 96                      =  24,672
                                                     total    333,408

The recurrent layer computes 3*(128*256 + 256*256) = 294,912 multiply-accumulates per token. The state dict, the order
of the blocks (r, z, n) and the initial weights are those of `torch.nn.GRU`.

The mini has an embedding of 64 and 160 hidden units. The step as code is `gru_step` in `recurrent.py`. PyTorch's own
layers are the default; ours take 1.2 times as long with 128 hidden units and 1.3 times with 32
(`benchmarks/recurrent.py`).
"""

from models.sequences.recurrent_network import RecurrentNetwork


class GRU(RecurrentNetwork):
    """Layers of a GRU that read tokens or values; see `RecurrentNetwork` for the arguments."""

    cell = "gru"


FAMILY = dict(
    family="gru",
    year=2014,
    paper="arXiv:1406.1078",
    topic="gru",
    task="characters",
    contribution=(
        "A recurrent layer with two gates and no cell besides its output: the update gate mixes the old state with a "
        "candidate, and the reset gate decides how much of the old state the candidate reads."
    ),
    builds_on=("lstm",),
    network="GRU",
    names={"gru": dict(vocab_size=96, embedding_size=128, hidden_size=256)},
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocab_size]"),
    alternatives=dict(
        in_features=dict(
            inputs=dict(values="float32[length, in_features]"), outputs=dict(values="float32[length, out_features]")
        )
    ),
    sizes=dict(vocabulary="vocab_size", in_features="in_features", out_features="out_features", steps="steps"),
    parts=dict(backbone=("embedding.", "gru.")),
    params={"gru": 333_408},
    mini=dict(embedding_size=64, hidden_size=160),
    recipe=dict(epochs=5, schedule="one-cycle", lr=0.01, batch_size=32, clip_norm=1.0),
    reference="torch",
)
