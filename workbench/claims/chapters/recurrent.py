"""Claims about recurrent networks that are trained: order, distance, memory, and LSTM against GRU."""

from math import log10
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.arms import run, trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import NonInferior, Paired, SolveRate
from workbench.claims.measures import Final
from workbench.claims.recurrent_networks import recall_accuracy

if TYPE_CHECKING:
    from torch import Tensor


def ordered_pairs(count: int, question: str, rng: np.random.Generator) -> "tuple[Tensor, Tensor]":
    """Return sequences of 10 tokens (count, 10) in which tokens 0 and 1 occur once, and answers (count,) of 0 or 1.

    Args:
        count: The number of sequences.
        question: `order`, whether token 0 comes before token 1; `occurrence`, whether token 2 occurs at all.
        rng: The source of the tokens.
    """
    import torch

    tokens = rng.integers(2, 12, (count, 10))
    places = rng.permuted(np.tile(np.arange(10), (count, 1)), axis=1)[:, :2]
    rows = np.arange(count)
    tokens[rows, places[:, 0]], tokens[rows, places[:, 1]] = 0, 1
    answers = places[:, 0] < places[:, 1] if question == "order" else (tokens == 2).any(axis=1)
    return torch.from_numpy(tokens), torch.from_numpy(answers.astype(np.int64))


def order_accuracy(seed: int, *, network: str, question: str) -> float:
    """Return the accuracy of a network on sequences of 10 tokens, in points, after 400 updates.

    Args:
        seed: Seed of the initial weights and of the sequences.
        network: `rnn` with 32 units, or `bag`, the mean of the tokens' embeddings and two dense layers.
        question: As for `ordered_pairs`.
    """
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    embedding, rnn = nn.Embedding(12, 16), nn.RNN(16, 32, batch_first=True)
    bag = nn.Sequential(nn.Linear(16, 32), nn.ReLU())
    head = nn.Linear(32, 2)

    def predict(tokens: torch.Tensor) -> torch.Tensor:
        x = embedding(tokens)
        logits: torch.Tensor = head(rnn(x)[0][:, -1] if network == "rnn" else bag(x.mean(dim=1)))
        return logits

    weights = [weight for module in (embedding, rnn, bag, head) for weight in module.parameters()]
    optimizer = torch.optim.Adam(weights, lr=0.005)
    for _ in range(400):
        tokens, answers = ordered_pairs(64, question, rng)
        optimizer.zero_grad()
        torch.autograd.backward(cross_entropy(predict(tokens), answers))
        optimizer.step()
    tokens, answers = ordered_pairs(1000, question, rng)
    with torch.inference_mode():
        return 100 * float((predict(tokens).argmax(dim=1) == answers).double().mean())


ORDER_MATTERS = Empirical(
    id="order-matters",
    statement=(
        "Order carries information: an RNN tells whether one token comes before another, by 30 points or more better "
        "than a network that reads the mean of the tokens' embeddings."
    ),
    topic="sequence-tasks",
    arms={name: trial(order_accuracy, network=name, question="order") for name in ("rnn", "bag")},
    control=dict(question="occurrence"),
    measure="accuracy",
    decider=Paired(min_effect=30.0, unit="points"),
    expected="holds",
    note=(
        "Derivation: a sequence and the same one with both tokens swapped have the same mean and opposite answers, so "
        "that no function of the mean is right on both. Whether a token occurs at all needs no order."
    ),
)

CNN_READS_ITS_FIELD = Empirical(
    id="cnn-reads-its-field",
    statement=(
        "A 1-D CNN whose outputs read 7 steps returns the token 6 steps before but not the one 7 steps before: its "
        "accuracy drops by 70 points or more."
    ),
    topic="sequence-tasks",
    arms={name: trial(recall_accuracy, network="cnn", distance=d) for name, d in (("6 steps", 6), ("7 steps", 7))},
    measure="accuracy",
    decider=Paired(min_effect=70.0, unit="points"),
    expected="holds",
    note="Derivation: an output doesn't depend on the steps outside its receptive field; 1 of 8 guesses is right.",
)

GRU_REACHES_BEYOND_CNN = Empirical(
    id="gru-reaches-beyond-cnn",
    statement=(
        "A GRU returns the token 20 steps before by 50 points or more better than a 1-D CNN whose outputs read 7 steps."
    ),
    topic="sequence-tasks",
    arms={name: trial(recall_accuracy, network=name, distance=20) for name in ("gru", "cnn")},
    control=dict(distance=5),
    measure="accuracy",
    decider=Paired(min_effect=50.0, unit="points"),
    expected="holds",
    note="Local connectivity suffices for what is near: at a distance of 5, both return every token.",
)

ATTENTION_REACHES_FARTHEST = Empirical(
    id="attention-reaches-farthest",
    statement=(
        "Attention returns the token 60 steps before, by 50 points or more better than an LSTM after as many updates, "
        "because its path between two steps has one layer at any distance."
    ),
    topic="sequence-tasks",
    arms={name: trial(recall_accuracy, network=name, distance=60) for name in ("attention", "lstm")},
    control=dict(distance=5),
    measure="accuracy",
    decider=Paired(min_effect=50.0, unit="points"),
    expected="holds",
    source="Vaswani et al., Attention is all you need (2017), table 1: maximum path length",
    note="All tokens between are random, and each overwrites a part of the state of a recurrent layer.",
)


def recurrent_gradient(seed: int, *, layer: str, lag: int) -> float:
    """Return log10 of the gradient of the last output with respect to the input `lag` steps before, over that at lag 0.

    Args:
        seed: Seed of PyTorch's initial weights and of the inputs; 32 hidden units.
        layer: `rnn` or `gru`.
        lag: Steps.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    network = {"rnn": nn.RNN, "gru": nn.GRU}[layer](4, 32, batch_first=True).double()
    x = torch.randn(8, 60, 4, dtype=torch.double, requires_grad=True)
    torch.autograd.backward(network(x)[0][:, -1].sum())
    assert x.grad is not None
    norms = x.grad.norm(dim=2).mean(dim=0)
    return log10(float(norms[-1 - lag] / norms[-1]))


GRU_GRADIENT_SURVIVES = Empirical(
    id="gru-gradient-survives",
    statement=(
        "At initialization, the gradient that reaches back 50 steps is larger in a GRU than in an RNN, by 3 orders of "
        "magnitude or more."
    ),
    topic="rnn",
    arms={name: trial(recurrent_gradient, layer=name, lag=50) for name in ("gru", "rnn")},
    control=dict(lag=1),
    measure="log10 of the gradient",
    decider=Paired(min_effect=3.0, unit="(log10)"),
    expected="does_not_hold",
    note=(
        "With PyTorch's initial weights, its update gate is about one half, so that half of the gradient passes a step "
        "directly, and the candidate adds a little. A GRU has to learn to keep its state; an LSTM with a bias of 1 for "
        "its forget gate begins with a gate of 0.73 (bptt-vanishes)."
    ),
)


ADDING = dict(
    task="adding", optimizer="adam", lr=0.01, batch_size=32, clip_norm=1.0, options=dict(hidden_size=32, steps=20)
)

LSTM_BEATS_RNN_LONG_MEMORY = Empirical(
    id="lstm-beats-rnn-long-memory",
    statement=(
        "An LSTM of 32 units solves the adding problem over 20 steps in 1,000 updates, to a mean squared error of "
        "0.01, more often than an RNN of as many units."
    ),
    topic="rnn",
    arms={name: run(name, steps=1000, **ADDING) for name in ("lstm", "rnn")},  # type: ignore[arg-type]
    control=dict(options=dict(steps=4)),
    tune=dict(lr=(0.003, 0.01)),
    tuned_by=Final("validation", "mse", scale=-1.0),
    measure=Final("test", "mse", scale=-1.0),
    decider=SolveRate(threshold=-0.01, min_effect=0.3),
    if_diverged=-1.0,
    expected="holds",
    source="Hochreiter, Schmidhuber, Long short-term memory (1997), section 5.4",
    note=(
        "To predict the mean has an error of 1/6. Networks solve it or don't, so that the share of seeds is compared, "
        "not the mean error. It mitigates the problem: over 40 steps, 600 updates are too few for the LSTM "
        "(gru-solves-adding-sooner)."
    ),
)

GRU_SOLVES_ADDING_SOONER = Empirical(
    id="gru-solves-adding-sooner",
    statement=(
        "Over 40 steps, a GRU of 32 units solves the adding problem in 600 updates, to a mean squared error of 0.01, "
        "more often than an LSTM of as many units."
    ),
    topic="gru",
    arms={
        name: run(name, steps=600, **{**ADDING, "options": dict(hidden_size=32, steps=40)})  # type: ignore[arg-type]
        for name in ("gru", "lstm")
    },
    control=dict(options=dict(steps=10)),
    measure=Final("test", "mse", scale=-1.0),
    decider=SolveRate(threshold=-0.01, min_effect=0.3),
    if_diverged=-1.0,
    seeds=12,
    expected="holds",
    note=(
        "It needs fewer updates here. With PyTorch's layers on a CPU, each update takes longer at this size "
        "(gru-trains-faster)."
    ),
)

GRU_FORECASTS_AS_WELL = Empirical(
    id="gru-forecasts-as-well",
    statement=(
        "A forecaster with a GRU is as accurate as one with an LSTM of as many units: its mean absolute error on a "
        "series with a trend and a season is at most 0.3 MW larger, a tenth."
    ),
    topic="gru",
    arms={
        name: run(
            "time-series-forecaster",
            "series",
            optimizer="adam",
            lr=0.003,
            batch_size=32,
            steps=600,
            clip_norm=1.0,
            options=dict(cell=name),
        )
        for name in ("gru", "lstm")
    },
    measure=Final("test", "mae", scale=-1.0),
    decider=NonInferior(margin=0.3, unit="MW"),
    expected="holds",
    source="Chung et al., Empirical evaluation of gated recurrent neural networks, arXiv:1412.3555 (2014)",
    note="The noise of the series is the same for both; their errors are about 3 MW.",
)
