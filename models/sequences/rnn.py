"""The RNN: Elman, Finding structure in time, Cognitive Science 14 (1990).

A layer reads a sequence step by step and feeds its own output back as a second input, so that its state depends on all
steps so far. The same weights serve every step: it takes sequences of any length.

With the input x_t and the output h_{t-1} of the step before, a step of a layer is

    h_t = tanh(W x_t + U h_{t-1} + b)

Its weights are trained by back-propagation through time: the layer is unrolled into one copy per step. The gradient
that reaches back k steps is a product of k matrices U^T diag(1 - h_t^2), so that it shrinks or grows exponentially with
k (Bengio, Simard, Frasconi, Learning long-term dependencies with gradient descent is difficult, 1994).

Here it is a language model: it reads a text token by token and predicts each next token. The paper preset has the
sizes of the LSTM's, 128 and 256. A window of 64 tokens of a vocabulary of 96:

    layer        output    parameters
    tokens       64
    embedding    64x128    96*128                       =  12,288
    rnn          64x256    128*256 + 256*256 + 2*256    =  98,816
    head         64x96     256*96 + 96                  =  24,672
                                                 total    135,776

The recurrent layer computes 128*256 + 256*256 = 98,304 multiply-accumulates per token.

Differences from the paper: the activation is tanh instead of the logistic function; the gradient is that of the whole
window, whereas Elman's context units are plain inputs that pass no gradient back. The state dict and the initial
weights are those of `torch.nn.RNN`, which has two biases where the equation has one.

The mini has an embedding of 64 and 256 hidden units. The step as code is `rnn_step` in `recurrent.py`. PyTorch's own
layers are the default; ours take 1.1 times as long with 128 hidden units and 1.2 times with 32
(`benchmarks/recurrent.py`).
"""

from models.sequences.recurrent_network import RecurrentNetwork


class RNN(RecurrentNetwork):
    """Layers of an RNN that read tokens or values; see `RecurrentNetwork` for the arguments."""

    cell = "rnn"


FAMILY = dict(
    family="rnn",
    year=1990,
    paper="Elman, Cognitive Science 14",
    topic="rnn",
    task="characters",
    contribution=(
        "A layer that reads its own output of the step before, so that its state depends on the whole sequence so far, "
        "with the same weights at every step."
    ),
    builds_on=("mlp",),
    network="RNN",
    names={"rnn": dict(vocab_size=96, embedding_size=128, hidden_size=256)},
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocab_size]"),
    alternatives=dict(
        in_features=dict(
            inputs=dict(values="float32[length, in_features]"), outputs=dict(values="float32[length, out_features]")
        )
    ),
    sizes=dict(vocabulary="vocab_size", in_features="in_features", out_features="out_features", steps="steps"),
    parts=dict(backbone=("embedding.", "rnn.")),
    params={"rnn": 135_776},
    mini=dict(embedding_size=64, hidden_size=256),
    recipe=dict(epochs=7, schedule="one-cycle", lr=0.003, batch_size=32, clip_norm=1.0),
    reference="torch",
)
