"""Claims about sequences: one-hot vectors, recurrent layers."""

from collections.abc import Iterator
from math import log2, log10

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import Paired, Slope
from workbench.claims.evidence import Evidence, equal, near, true


def one_hot_cosines(seed: int) -> Iterator[Evidence]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.manual_seed(seed)
    words = int(np.random.default_rng(seed).integers(5, 60))
    vectors = F.one_hot(torch.arange(words)).float()
    cosines = F.cosine_similarity(vectors[:, None], vectors[None], dim=2)
    yield near("cosine similarities of all words, and the identity matrix", cosines, torch.eye(words), 1e-7)
    yield equal("dimensions and words", vectors.shape[1], words)
    embedding = nn.Embedding(words, 4)
    yield near(
        "an embedding, and one-hot vectors times its weights",
        embedding(torch.arange(words)).detach(),
        (vectors @ embedding.weight).detach(),
        1e-7,
    )


ONEHOT_NO_SIMILARITY = Exact(
    id="onehot-no-similarity",
    statement=(
        "One-hot vectors of different words have cosine similarity 0, whatever the words mean, and as many dimensions "
        "as there are words."
    ),
    topic="word-representations",
    evidence=one_hot_cosines,
    expected="holds",
    note=(
        "Derivation: their product has a 1 in no position. An embedding is a dense layer without bias that reads them."
    ),
)


def lengths(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    length, others = 10, np.random.default_rng(seed).choice([3, 7, 15, 40], size=2, replace=False).tolist()
    mlp, rnn = nn.Sequential(nn.Flatten(), nn.Linear(4 * length, 8)), nn.RNN(4, 8, batch_first=True)
    for size in (length, *others):
        x = torch.randn(2, size, 4)
        try:
            mlp(x)
            accepts = True
        except RuntimeError:
            accepts = False
        name = "of the length it was built for" if size == length else "of another length"
        yield equal(f"a dense layer takes a sequence {name}", accepts, size == length)
        yield equal(f"an RNN's outputs for a sequence {name}", tuple(rnn(x)[0].shape), (2, size, 8))


MLP_FIXED_SIZE = Exact(
    id="mlp-fixed-size",
    statement="A dense layer takes sequences of one length; an RNN with the same weights takes any length.",
    topic="rnn",
    evidence=lengths,
    is_structural=True,
    expected="holds",
    note="Derivation: a dense layer has weights of its own for each position, an RNN the same for all.",
)


def recurrence(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    features, hidden, length = (int(value) for value in np.random.default_rng(seed).integers(2, 9, size=3))
    rnn = nn.RNN(features, hidden, batch_first=True).double()
    x = torch.randn(1, length, features, dtype=torch.double)
    w, u, b, c = (parameter.detach().numpy() for parameter in rnn.parameters())
    h, steps = np.zeros(hidden), []
    for x_t in x[0].numpy():
        h = np.tanh([w[j] @ x_t + b[j] + u[j] @ h + c[j] for j in range(hidden)])
        steps.append(h)
    yield near("outputs of torch's RNN, and step by step", rnn(x)[0][0].detach(), np.array(steps), 1e-12)


RNN_FORMULA = Exact(
    id="rnn-formula",
    statement="An RNN computes h_t = tanh(W x_t + U h_{t-1} + b), from the same weights at every step.",
    topic="rnn",
    evidence=recurrence,
    expected="holds",
    source="torch.nn.RNN documentation; it has two biases, whose sum is b",
)


def gradients_of_linear_rnn(seed: int) -> list[tuple[float, float]]:
    """Return spectral radii rho of U = rho * rotation, and norms of the gradient over 50 steps of h_t = U h_{t-1}."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    rotation = nn.init.orthogonal_(torch.empty(8, 8, dtype=torch.double))
    direction = torch.randn(8, dtype=torch.double)
    points = []
    for rho in (0.8, 0.9, 1.0, 1.1, 1.25):
        h = start = torch.randn(8, dtype=torch.double).requires_grad_()
        for _ in range(50):
            h = rho * rotation @ h
        (gradient,) = torch.autograd.grad(h @ direction, start)
        points.append((rho, float(gradient.norm() / direction.norm())))
    return points


RNN_EXPLODES = Scaling(
    id="rnn-explodes",
    statement=(
        "Over T steps, the gradient of a linear RNN grows or shrinks with the T-th power of the spectral radius of its "
        "recurrent weights; here T = 50."
    ),
    topic="rnn",
    points=gradients_of_linear_rnn,
    decider=Slope(49.9, 50.1),
    expected="holds",
    source="Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks (2012), section 2.1",
    note="0.8^50 is 1e-5 and 1.25^50 is 7e4: below 1 it vanishes, above 1 it explodes. tanh makes it smaller still.",
)


def lag_gradient(seed: int, *, layer: str, lag: int) -> float:
    """Return log10 of the gradient of the last output with respect to the input `lag` steps before, over that at lag 0.

    Args:
        seed: Seed of PyTorch's initial weights and the inputs; hidden size 32.
        layer: `rnn`, or `lstm` with a bias of 1 for its forget gate.
        lag: Steps.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    network: nn.RNN | nn.LSTM = nn.RNN(4, 32, batch_first=True)
    if layer == "lstm":
        network = nn.LSTM(4, 32, batch_first=True)
        with torch.no_grad():
            network.get_parameter("bias_ih_l0")[32:64] = 1
    network = network.double()
    x = torch.randn(8, 60, 4, dtype=torch.double, requires_grad=True)
    network(x)[0][:, -1].sum().backward()
    assert x.grad is not None
    norms = x.grad.norm(dim=2).mean(dim=0)
    return log10(float(norms[-1 - lag] / norms[-1]))


BPTT_VANISHES = Empirical(
    id="bptt-vanishes",
    statement=(
        "At initialization, the gradient that reaches back 50 steps is smaller in an RNN than in an LSTM whose forget "
        "gate has a bias of 1, by 3 orders of magnitude or more."
    ),
    topic="rnn",
    arms={name: trial(lag_gradient, layer=name, lag=50) for name in ("lstm", "rnn")},
    control=dict(lag=1),
    measure="log10 of the gradient",
    decider=Paired(min_effect=3.0, unit="(log10)"),
    expected="holds",
    source=(
        "Hochreiter, Schmidhuber, Long short-term memory (1997), section 3; Jozefowicz, Zaremba, Sutskever (2015) for "
        "the bias"
    ),
    note="A GRU's gradient vanishes as fast as an RNN's at initialization; it learns to keep its state.",
)


def recurrent_parameters(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    import models

    rng = np.random.default_rng(seed)
    d, h = int(rng.integers(1, 100)), int(rng.integers(1, 100))
    for name, layer, blocks in (("RNN", nn.RNN, 1), ("GRU", nn.GRU, 3), ("LSTM", nn.LSTM, 4)):
        count = sum(parameter.numel() for parameter in layer(d, h).parameters())
        yield equal(f"parameters of torch's {name}, and {blocks} h(d + h + 2)", count, blocks * h * (d + h + 2))
    network = models.build("lstm", embedding_size=d, hidden_size=h, fast=False).get_submodule("lstm")
    yield equal(
        "parameters of the registry's LSTM, and 4 h(d + h + 2)",
        sum(p.numel() for p in network.parameters()),
        4 * h * (d + h + 2),
    )
    x = torch.zeros(1, 1, d)
    lstm_state, gru_state = nn.LSTM(d, h)(x)[1], nn.GRU(d, h)(x)[1]
    yield equal("vectors in the state of an LSTM, and of a GRU", (len(lstm_state), len(gru_state)), (2, 1))


LSTM_GATES_PARAMS = Exact(
    id="lstm-gates-params",
    statement=(
        "An LSTM has 3 gates and a cell, 4 h(d + h + 2) parameters in PyTorch; a GRU has 2 gates and no cell, three "
        "quarters of that."
    ),
    topic="gru",
    evidence=recurrent_parameters,
    is_structural=True,
    expected="holds",
    source="torch.nn.LSTM and torch.nn.GRU documentation; each block has two biases",
)


def log_step_time(seed: int, *, layer: str, hidden_size: int) -> float:
    """Return log2 of the CPU time of a forward and a backward pass over 40 steps of 32 sequences, in ms."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    network = {"lstm": nn.LSTM, "gru": nn.GRU}[layer](8, hidden_size, batch_first=True)
    x = torch.randn(32, 40, 8)
    return log2(cpu_ms(lambda: network(x)[0].sum().backward()))


GRU_TRAINS_FASTER = Empirical(
    id="gru-trains-faster",
    statement=(
        "A GRU of 32 hidden units trains faster than an LSTM of the same size, by 10% or more, because it has three "
        "quarters of the weights."
    ),
    topic="gru",
    arms={name: trial(log_step_time, layer=name, hidden_size=32) for name in ("lstm", "gru")},
    measure="log2 of the milliseconds",
    decider=Paired(min_effect=log2(1.1), unit="(log2)"),
    is_timed=True,
    expected="does_not_hold",
    note=(
        "It depends on the size and the implementation: on CPUs, PyTorch has a fast kernel for the LSTM and none for "
        "the GRU. It computes three quarters of the MACs, and is faster from about 256 units."
    ),
)


def state_is_all(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    lstm = nn.LSTM(3, 6, batch_first=True).double()
    past, future = (torch.randn(1, length, 3, dtype=torch.double) for length in (12, 7))
    with torch.no_grad():
        whole, _ = lstm(torch.cat([past, future], dim=1))
        _, state = lstm(past)
        resumed, _ = lstm(future, state)
        attention = nn.MultiheadAttention(3, 1, batch_first=True, dtype=torch.double)
        x = torch.cat([past, future], dim=1)
        attended = attention(x, x, x)[0][:, 12:] - attention(future, future, future)[0]
    yield near("outputs after 12 steps, and from the state of 12 numbers alone", whole[:, 12:], resumed, 1e-12)
    yield equal("numbers in the state", sum(part.numel() for part in state), 12)
    yield true("attention needs the 12 inputs themselves", bool(attended.abs().max() > 1e-3))


LSTM_IS_ATTENTION = Exact(
    id="lstm-is-attention",
    statement=(
        "An LSTM has no attention: it can't look at earlier inputs again, and everything that it knows of them is its "
        "state of 2h numbers."
    ),
    topic="lstm",
    evidence=state_is_all,
    is_structural=True,
    expected="holds",
    source="Hochreiter, Schmidhuber, Long short-term memory (1997), section 4",
    note="It has gates. A list of deep or attention-based models names it as a deep one.",
)
