"""Claims about encoders and decoders: what a state of a fixed size loses, and what attention gains."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Interaction, Paired
from workbench.claims.evidence import Evidence, near, within

REVERSAL_STEPS = 800  # updates, of batches of 64 words


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


@cache
def translations_of_reversal(seed: int, attention: bool) -> tuple[list[list[int]], list[list[int]]]:
    """Return the test set of `reversal`, translated by a GRU of 48 units: the predicted tokens, and the references.

    Both networks have the same encoder and decoder; one has dot attention between its decoder and its head.
    """
    import torch

    from workbench.engine.spec import RunSpec
    from workbench.engine.training.trainer import SeedRun, Trainer
    from workbench.tasks.translation_scores import texts_of

    network = dict(cell="gru", hidden_size=48, reverse=False, **(dict(score="dot") if attention else {}))
    training = dict(task="reversal", optimizer="adam", lr=5e-3, schedule="one-cycle", clip_norm=1.0, batch_size=64)
    budget = dict(steps=REVERSAL_STEPS, evaluate_every=REVERSAL_STEPS)
    model = "luong-attention" if attention else "seq2seq"
    run = SeedRun(RunSpec.create(model, use_recipe=False, **training, **budget, options=network, seed=seed))
    for _ in Trainer([run]).run():
        pass
    batch = run.state.sources["test"].batch(slice(None))
    with torch.inference_mode():
        outputs = run.state.task.predict(run.state.evaluated, batch)
        return texts_of(outputs.translate(batch["source"])), texts_of(batch["target"])


def reversal_scores(seed: int, *, attention: bool, length: int) -> dict[str, float | None]:
    """Return the scores of greedy translations of words of one length: BLEU, and percentages of texts and tokens.

    Args:
        seed: Seed of the initial weights, the split and the order of the training set.
        attention: Whether the decoder attends to the encoder's outputs.
        length: Letters of a word.
    """
    from workbench.tasks.translation_scores import score

    pairs = [pair for pair in zip(*translations_of_reversal(seed, attention), strict=True) if len(pair[1]) == length]
    scores = score([predicted for predicted, _ in pairs], [reference for _, reference in pairs])
    return {
        "BLEU": scores["bleu"],
        "exact match": 100 * scores["exact_match"],
        "token accuracy": 100 * scores["token_accuracy"],
    }


SEQ2SEQ_BOTTLENECK = Empirical(
    id="seq2seq-bottleneck",
    statement=(
        "A state of 48 numbers loses information on long sequences: without attention, a GRU that reverses words of 4 "
        "to 16 letters has a token accuracy on 16 letters that is 10 points or more below that on 4 letters."
    ),
    topic="seq2seq",
    arms={
        name: trial(reversal_scores, attention=False, length=length) for name, length in (("short", 4), ("long", 16))
    },
    control=dict(attention=True),
    measure="token accuracy",
    decider=Paired(min_effect=10.0, unit="points"),
    expected="holds",
    source=(
        "Cho, van Merriënboer, Bahdanau, Bengio, On the properties of neural machine translation: encoder-decoder "
        "approaches (2014)"
    ),
    note="The control has attention, and the same encoder and decoder. The accuracy is that of the network's own "
    "outputs: after an error, a decoder continues from a text that it has not read in training (exposure bias).",
)

ATTENTION_HELPS_LONG = Empirical(
    id="attention-helps-long",
    statement=(
        "Attention overcomes the bottleneck: with dot attention, a GRU of 48 units that reverses words of 16 letters "
        "has a BLEU that is 20 or more above that of the same network without attention."
    ),
    topic="attention",
    arms={
        name: trial(reversal_scores, attention=attention, length=16)
        for name, attention in (("attention", True), ("none", False))
    },
    control=dict(length=4),
    measure="BLEU",
    decider=Paired(min_effect=20.0, unit="BLEU"),
    expected="holds",
    source="Bahdanau, Cho, Bengio, Neural machine translation by jointly learning to align and translate (2014)",
    note="Letters are random, so a score can only find the letter to copy if the states tell positions; those of a "
    "recurrent encoder do. The control has words of 4 letters, which fit into the state.",
)

BOTTLENECK_GAP_GROWS = Empirical(
    id="bottleneck-gap-grows",
    statement=(
        "What attention gains grows with the length: the gain in exact matches on words of 16 letters exceeds that on "
        "words of 4 letters by 20 points or more."
    ),
    topic="attention",
    arms={
        f"{name} {length}": trial(reversal_scores, attention=attention, length=length)
        for length in (16, 4)
        for name, attention in (("attention", True), ("none", False))
    },
    measure="exact match",
    decider=Interaction(min_effect=20.0, unit="points"),
    expected="holds",
    source="Bahdanau, Cho, Bengio, Neural machine translation by jointly learning to align and translate (2014)",
)
