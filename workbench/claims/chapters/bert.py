"""Claims about BERT: both sides of a word, the goals of pre-training, and what pre-training is worth."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, near, true

if TYPE_CHECKING:
    from torch import Tensor, nn

SYMBOLS, PAIRS = 6, 3  # of the texts of pairs
CLOZE_STEPS, CLOZE_BATCH, CLOZE_TEST = 1000, 64, 600
PRETRAINING_STEPS, FINE_TUNING_STEPS, LABELS = 2000, 300, 100


def small_bert(seed: int, is_causal: bool) -> "nn.Module":
    """Return a small BERT with the heads of pre-training; a causal one sees no word to the right."""
    import torch

    import models
    from models.layers.dot_product_attention import DotProductAttention

    torch.manual_seed(seed)
    network = models.build(
        "bert", "mini", vocab_size=2 + SYMBOLS, hidden_size=32, intermediate_size=64, num_heads=4, num_layers=2
    )
    if is_causal:
        for module in network.modules():
            if isinstance(module, DotProductAttention):
                module.register_forward_pre_hook(
                    lambda module, args, kwargs: (args, {**kwargs, "is_causal": True}), with_kwargs=True
                )
    return network


def texts_of_pairs(count: int, answer: str, generator: Any, network: Any) -> "tuple[Tensor, Tensor, Tensor]":
    """Return texts with [CLS], [SEP] and one [MASK] (count, length), the rows' masked places and their symbols.

    A text consists of pairs of the same symbol twice, drawn at random; either the left or the right one of a pair is
    masked, so that the answer is its `right` or `left` neighbor.
    """
    import torch

    symbols = torch.randint(2, 2 + SYMBOLS, (count, PAIRS), generator=generator)
    words, _ = network.join(symbols.repeat_interleave(2, dim=1))
    places = 1 + 2 * torch.randint(PAIRS, (count,), generator=generator) + (answer == "left")
    targets = words[torch.arange(count), places]
    words[torch.arange(count), places] = network.mask_token
    return words, places, targets


def cloze_accuracy(seed: int, *, is_causal: bool, answer: str) -> float:
    """Return the percentage of masked words that a network fills in on new texts."""
    import torch
    import torch.nn.functional as F

    network = small_bert(seed, is_causal)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(CLOZE_STEPS):
        words, places, targets = texts_of_pairs(CLOZE_BATCH, answer, generator, network)
        logits = network(words)["words"][torch.arange(len(words)), places]
        optimizer.zero_grad()
        F.cross_entropy(logits, targets).backward()
        optimizer.step()
    words, places, targets = texts_of_pairs(CLOZE_TEST, answer, generator, network)
    with torch.no_grad():
        logits = network(words)["words"][torch.arange(len(words)), places]
    return 100 * float((logits.argmax(dim=1) == targets).double().mean())


BERT_BIDIRECTIONAL = Empirical(
    id="bert-bidirectional",
    statement=(
        "BERT uses the words on both sides: where the right neighbor tells the masked word, its accuracy exceeds that "
        "of the same network with a causal mask by 30 points or more."
    ),
    topic="bert",
    arms={
        name: trial(cloze_accuracy, is_causal=is_causal, answer="right")
        for name, is_causal in (("bidirectional", False), ("causal", True))
    },
    control=dict(answer="left"),
    measure="accuracy",
    decider=Paired(min_effect=30.0, unit="points"),
    expected="holds",
    source="Devlin et al., BERT (2018), section 3.1",
    note=(
        "The words are random symbols, each twice in a row; a causal network can only guess, with an accuracy of 1/6. "
        "In the control the answer is the left neighbor, which both see."
    ),
)


def goals_of_pre_training(seed: int) -> Iterator[Evidence]:
    import torch

    import models
    from workbench.data.words import UNKNOWN_TOKEN
    from workbench.tasks.masking import SpecialTokens, choose, corrupt

    generator = torch.Generator().manual_seed(seed)
    special = SpecialTokens(101, 102, 103)
    vocabulary = 101  # below the special tokens
    tokens = torch.full((400, 200), UNKNOWN_TOKEN + 1)
    tokens[:, 0], tokens[:, 99], tokens[:, 199] = special.cls, special.sep, special.sep
    is_chosen = choose(tokens, vocabulary, generator)
    yield near("chosen tokens of a text of 200, and 15%", is_chosen.sum(dim=1), torch.full((400,), 30), 0)
    words = corrupt(tokens, is_chosen, special, vocabulary, generator)[is_chosen]
    masked, unchanged = (words == special.mask).double().mean(), (words == UNKNOWN_TOKEN + 1).double().mean()
    yield near("share that becomes [MASK], and 0.8", masked, 0.8, 0.02)
    yield near("share that stays, and 0.1", unchanged, 0.1, 0.02)
    yield near("share that becomes another word, and 0.1", 1 - masked - unchanged, 0.1, 0.02)
    with torch.device("meta"):
        encoder, both = models.build("bert"), models.build("bert", num_relations=2)
    counts = [sum(weight.numel() for weight in network.parameters()) for network in (encoder, both)]
    head = 768 * 768 + 768 + 2 * 768 + 30_522
    yield near("parameters of both heads, and of MLM and NSP", counts[1] - counts[0], head + 2 * 768 + 2, 0)
    yield true("the MLM head shares the embedding", counts[1] - counts[0] < 30_522 * 768)


BERT_NSP = Exact(
    id="bert-nsp",
    statement=(
        "BERT is pre-trained with two goals: the words at 15% of the positions, of which 80% are masked, 10% replaced "
        "and 10% left as they are, and whether a second segment follows the first."
    ),
    topic="bert",
    evidence=goals_of_pre_training,
    is_structural=True,
    expected="holds",
    source="Devlin et al., BERT (2018), section 3.1",
    note="RoBERTa (Liu et al. 2019) removed next sentence prediction and was not worse without it.",
)


@cache
def pretrained_encoder(seed: int) -> "dict[str, Tensor]":
    """Return the weights of the encoder of a mini that was pre-trained on passages."""
    from workbench.engine.spec import RunSpec
    from workbench.engine.training.trainer import SeedRun, Trainer

    options = dict(task="masked-words", optimizer="adam", lr=2e-3, schedule="one-cycle", batch_size=32, clip_norm=1.0)
    budget = dict(steps=PRETRAINING_STEPS, evaluate_every=PRETRAINING_STEPS)
    run = SeedRun(RunSpec.create("bert", use_recipe=False, **options, **budget, seed=seed))
    for _ in Trainer([run]).run():
        pass
    prefixes = ("embeddings.", "encoder.", "pooler.")
    return {name: weight for name, weight in run.state.network.state_dict().items() if name.startswith(prefixes)}


def sentiment_accuracy(seed: int, *, is_pretrained: bool, labels: int) -> float:
    """Return the percentage of test sentences whose sentiment a fine-tuned mini predicts.

    Args:
        seed: Seed of the initial weights, the choice of the training sentences and their order.
        is_pretrained: Whether the encoder begins with pre-trained weights; the classifier never does.
        labels: Training sentences.
    """
    from workbench.engine.spec import RunSpec
    from workbench.engine.training.trainer import SeedRun, Trainer

    options = dict(task="sentiment", optimizer="adam", lr=1e-3, schedule="one-cycle", batch_size=32, clip_norm=1.0)
    budget = dict(steps=FINE_TUNING_STEPS, evaluate_every=FINE_TUNING_STEPS, train_samples=labels)
    run = SeedRun(RunSpec.create("bert", use_recipe=False, **options, **budget, seed=seed))
    if is_pretrained:
        run.state.network.load_state_dict(pretrained_encoder(seed), strict=False)
    for _ in Trainer([run]).run():
        pass
    return 100 * run.state.task.evaluate(run.state.evaluated, run.state.sources["test"])["accuracy"]


BERT_PRETRAINING_HELPS = Empirical(
    id="bert-pretraining-helps",
    statement=(
        "Pre-training pays where labels are few: with 100 labeled sentences, a [CLS] classifier on an encoder that was "
        "pre-trained by MLM and NSP is 3 points or more better than the same network from scratch."
    ),
    topic="bert",
    arms={
        name: trial(sentiment_accuracy, is_pretrained=is_pretrained, labels=LABELS)
        for name, is_pretrained in (("pre-trained", True), ("scratch", False))
    },
    control=dict(labels=3600),
    measure="accuracy",
    decider=Paired(min_effect=3.0, unit="points"),
    expected="holds",
    source="Devlin et al., BERT (2018), sections 4 and 5.1",
    note="Both arms are fine-tuned for the same number of steps. The texts of pre-training have no labels; the control "
    "has all labels of the training set.",
)
