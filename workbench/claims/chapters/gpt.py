"""Claims about GPT: the cache of keys and values, and fine-tuning."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, near, true

if TYPE_CHECKING:
    from torch import Tensor, nn

SIZES: dict[str, Any] = dict(vocab_size=512, num_layers=2, embedding_size=128, num_heads=4, max_length=64)
PRETRAINING_STEPS, STEPS = 700, 100
BATCH, LR = 32, 3e-3


def cached_generation(seed: int) -> Iterator[Evidence]:
    import torch

    import models

    torch.manual_seed(seed)
    sizes: dict[str, Any] = dict(vocab_size=40, embedding_size=32, num_layers=3, num_heads=4, max_length=16)
    network = models.build("gpt", **sizes).double().eval()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    text, computed = torch.randint(40, (1, 4)), []
    with torch.no_grad():
        logits, past = network.prefill(text)  # type: ignore[operator]
        for _ in range(30):
            again = network(text[:, -16:])[:, -1]
            computed.append((logits[0], again[0]))
            token = again.argmax(dim=1)
            text = torch.cat([text, token[:, None]], dim=1)
            logits, past = network.step(token, past)  # type: ignore[operator]
    with_cache, without = (torch.stack(rows) for rows in zip(*computed, strict=True))
    yield near("logits with a cache, and of the last 16 tokens read again", with_cache, without, 1e-9)
    yield true("their most probable tokens are the same", torch.equal(with_cache.argmax(1), without.argmax(1)))
    shapes = {tuple(part.shape) for part in past[1:]}
    yield true("the cache has a key and a value per token and layer", shapes == {(1, 16, 2 * 32)}, f"{shapes}")


GPT_CACHE_EXACT = Exact(
    id="gpt-cache-exact",
    statement=(
        "Generating with cached keys and values gives the same logits as reading the last tokens that fit into the "
        "context again for each token."
    ),
    topic="gpt",
    evidence=cached_generation,
    expected="holds",
    note=(
        "derivation: with a causal mask, the keys and values of a position don't depend on later tokens. Once the "
        "context is full, each further token moves all positions, so that all are computed again."
    ),
)


def fit(network: "nn.Module", task_name: str, *, seed: int, steps: int) -> None:
    """Update a network by Adam, with a learning rate that rises over a tenth of the steps and falls to 0."""
    import torch

    from workbench import tasks
    from workbench.tasks.base import StepContext

    task = tasks.get(task_name)
    source = task.sources(network, seed)["train"]
    optimizer = torch.optim.Adam(network.parameters(), LR, betas=(0.9, 0.99), fused=True)
    generator, context = torch.Generator().manual_seed(seed), StepContext(is_training=True)
    network.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LR * min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps))
        batch = source.batch(torch.randint(len(source), (BATCH,), generator=generator))
        optimizer.zero_grad()
        torch.autograd.backward(task.losses(task.forward(network, batch, context), batch, context)["loss"])
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()


@cache
def pretrained(seed: int) -> "dict[str, Tensor]":
    """Return the weights of a network that has read stories."""
    network = _fresh(seed)
    fit(network, "stories", seed=seed, steps=PRETRAINING_STEPS)
    return network.state_dict()


def _fresh(seed: int) -> "nn.Module":
    import torch

    import models

    torch.manual_seed(seed)
    return models.build("gpt", **SIZES)


def completion_score(seed: int, *, task: str, metric: str, begins: str) -> float:
    """Return a metric of generated completions on the test set, in points.

    Args:
        seed: Seed of the initial weights, the splits and the batches.
        task: `story-questions` or `story-summaries`.
        metric: A metric of it.
        begins: `pretrained` by the stories, `scratch`, or `first-sentence`, which copies the first sentence.
    """
    from workbench import tasks

    learned: Any = tasks.get(task)
    if begins == "first-sentence":
        from workbench import data
        from workbench.tasks.completions import rouge_l

        texts = learned._texts(data.load(learned.data, seed)["test"])
        return 100 * float(np.mean([rouge_l(f"{prompt.partition('.')[0]}.", text) for prompt, text in texts]))
    network = _fresh(seed)
    if begins == "pretrained":
        network.load_state_dict(pretrained(seed))
    fit(network, task, seed=seed, steps=STEPS)
    metrics = learned.evaluate(network, learned.sources(network, seed)["test"])
    return 100 * float(metrics[metric])


GPT_PRETRAINING_ANSWERS = Empirical(
    id="gpt-pretraining-answers",
    statement=(
        "A small GPT that has read stories answers more questions about new stories than the same network from "
        "scratch, after 100 updates with questions for both: by 10 points of exact match or more."
    ),
    topic="gpt",
    arms={
        begins: trial(completion_score, task="story-questions", metric="exact_match", begins=begins)
        for begins in ("pretrained", "scratch")
    },
    measure="exact match in points",
    seeds=4,  # each pre-trains a network
    decider=Paired(min_effect=10.0, unit="points"),
    expected="holds",
    source="Radford et al., Improving language understanding by generative pre-training (2018), section 5",
    note="The pre-training takes 700 more updates. The stories and their splits are made by code.",
)

GPT_PRETRAINING_SUMMARIES = Empirical(
    id="gpt-pretraining-summaries",
    statement=(
        "A small GPT that has read stories summarizes new stories better than the same network from scratch, after "
        "100 updates with summaries for both: by 5 points of ROUGE-L or more."
    ),
    topic="gpt",
    arms={
        begins: trial(completion_score, task="story-summaries", metric="rouge_l", begins=begins)
        for begins in ("pretrained", "scratch")
    },
    measure="ROUGE-L in points",
    seeds=4,  # each pre-trains a network
    decider=Paired(min_effect=5.0, unit="points"),
    expected="holds",
    source="Radford et al., Improving language understanding by generative pre-training (2018), section 5",
)
