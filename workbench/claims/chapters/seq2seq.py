"""Claims about attention between an encoder and a decoder."""

from collections.abc import Iterator

import numpy as np

from workbench.claims.claim import Exact
from workbench.claims.evidence import Evidence, near, within


def context_of_attention(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    length, features = (int(value) for value in np.random.default_rng(seed).integers(3, 12, size=2))
    states, query = torch.randn(1, length, features).double(), torch.randn(1, 1, features).double()
    layer = nn.MultiheadAttention(features, 1, bias=False, batch_first=True, dtype=torch.double)
    identity = torch.eye(features, dtype=torch.double)
    with torch.no_grad():  # queries, keys and values are the vectors themselves
        layer.get_parameter("in_proj_weight").copy_(identity.repeat(3, 1))
        layer.out_proj.weight.copy_(identity)
        context, weights = layer(query, states, states)
    scores = (states[0] @ query[0, 0]) / features**0.5
    exponentials = np.exp(scores.numpy() - scores.max().item())
    yield near(
        "weights of torch's attention, and the softmax of the scores",
        weights[0, 0],
        exponentials / exponentials.sum(),
        1e-12,
    )
    yield near("their sum", weights.sum(), 1, 1e-12)
    yield near(
        "context, and the weighted sum of the states",
        context[0, 0],
        (weights[0, 0][:, None] * states[0]).sum(dim=0),
        1e-12,
    )
    low, high = states[0].min(dim=0).values, states[0].max(dim=0).values
    place = ((context[0, 0] - low) / (high - low)).tolist()
    yield within("place of the context between the smallest and the largest state, per feature", place, 0, 1)


ATTENTION_WEIGHTS_SOFTMAX = Exact(
    id="attention-weights-softmax",
    statement=(
        "Attention weights are a softmax of the scores, so they sum to 1, and the context is a weighted mean of the "
        "encoder's states."
    ),
    topic="attention",
    evidence=context_of_attention,
    expected="holds",
    source=(
        "Bahdanau, Cho, Bengio, Neural machine translation by jointly learning to align and translate (2014), section "
        "3.1"
    ),
)
