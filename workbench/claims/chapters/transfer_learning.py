"""Claims about what transfer learning gains.

A small network learns four of the eight kinds of shapes, drawn by the seed, and then the four others
from few labels. The test set is all that is left.
"""

from collections.abc import Iterator
from functools import cache
from math import log10
from typing import TYPE_CHECKING, cast

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Interaction, Paired

if TYPE_CHECKING:
    from torch import Tensor, nn

CLASSES = 4  # of a source, and of a target
PRETRAINING_STEPS = 400
BATCH = 32
VALIDATION = 400  # samples of the target
TARGET_LOSS = 0.3  # on the training set, for the speed
POINTS = "points of accuracy"
RATES = dict(lr=(1e-3, 3e-3, 1e-2, 3e-2))


@cache
def images_of(name: str) -> "tuple[Tensor, Tensor]":
    """Return standardized images (N, 3, 16, 16) of `shapes` or `digits`, with their classes."""
    import torch
    import torch.nn.functional as F

    from workbench.data import digits, shapes

    pixels, classes = shapes.load() if name == "shapes" else digits.load()
    x = torch.from_numpy(pixels.copy())
    x = F.interpolate(x.float(), size=(16, 16), mode="bilinear", antialias=True).expand(-1, 3, -1, -1)
    return (x - x.mean()) / x.std(), torch.from_numpy(classes.copy())


def classes_of(name: str, seed: int, is_source: bool) -> "tuple[Tensor, Tensor]":
    """Return the images of four classes, shuffled, and their classes from 0 to 3; none is in both source and target."""
    import torch

    images, classes = images_of(name)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(int(classes.max()) + 1, generator=generator)
    own = order[:CLASSES] if is_source else order[CLASSES : 2 * CLASSES]
    rows = torch.isin(classes, own).nonzero()[:, 0]
    rows = rows[torch.randperm(len(rows), generator=generator)]
    return images[rows], (classes[rows, None] == own).int().argmax(dim=1)


def small_cnn(seed: int) -> "nn.Sequential":
    """Return a network of three convolutions with He initialization; its last layer is the head."""
    import torch
    from torch import nn

    from workbench.engine.spec.sections import INITS
    from workbench.engine.training.initialization import initialize_weights

    torch.manual_seed(seed)
    first = (nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    second = (nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    third = (nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = nn.Sequential(*first, *second, *third, nn.Linear(32, CLASSES))
    initialize_weights(network, INITS["he"]())
    return network


def train(network: "nn.Module", x: "Tensor", classes: "Tensor", *, seed: int, steps: int, lr: float) -> Iterator[int]:
    """Update all weights by Adam, and yield the number of each update."""
    import torch
    import torch.nn.functional as F

    optimizer = torch.optim.Adam(network.parameters(), lr, fused=True)
    generator = torch.Generator().manual_seed(seed)
    for step in range(1, steps + 1):
        rows = torch.randint(len(x), (BATCH,), generator=generator)
        optimizer.zero_grad()
        F.cross_entropy(network(x[rows]), classes[rows]).backward()
        optimizer.step()
        yield step


@cache
def pretrained(source: str, seed: int) -> "dict[str, Tensor]":
    """Return weights learned from a source: `shapes`, `digits`, or `shuffled`, shapes with shuffled labels."""
    import torch

    x, classes = classes_of("shapes" if source == "shuffled" else source, seed, is_source=True)
    if source == "shuffled":
        classes = classes[torch.randperm(len(classes), generator=torch.Generator().manual_seed(seed))]
    network = small_cnn(seed)
    for _ in train(network, x, classes, seed=seed, steps=PRETRAINING_STEPS, lr=3e-3):
        pass
    return network.state_dict()


def transfer(
    seed: int, *, source: str, target: str, method: str, labels: int, steps: int, lr: float
) -> dict[str, float]:
    """Return the accuracies (%) on the target, and how fast its training loss fell.

    Args:
        seed: The seed of the classes, the samples, the initial weights and the order.
        source: What `pretrained` names; unused from scratch.
        target: `shapes` or `digits`.
        method: `scratch`, `frozen` (feature extraction: the head alone learns) or `fine-tuned`.
        labels: Labels per class of the target.
        steps: Updates on the target.
        lr: The learning rate of Adam.
    """
    import torch
    import torch.nn.functional as F

    images, classes = classes_of(target, seed, is_source=False)
    order = torch.cat([(classes == k).nonzero()[:, 0] for k in range(CLASSES)])
    few = torch.cat([(classes == k).nonzero()[:labels, 0] for k in range(CLASSES)])
    rest = order[~torch.isin(order, few)]
    rest = rest[torch.randperm(len(rest), generator=torch.Generator().manual_seed(seed))]
    rows = {"train": few, "validation": rest[:VALIDATION], "test": rest[VALIDATION:]}
    network: nn.Sequential = small_cnn(seed)
    if method != "scratch":
        network.load_state_dict({**pretrained(source, seed), **network[-1:].state_dict()})  # the head starts fresh
    x, learner = images, cast("nn.Module", network)
    if method == "frozen":
        with torch.no_grad():
            x = network[:-1](images)
        learner = network[-1]
    steps_to_loss = 2 * steps  # of a run that doesn't reach it
    for step in train(learner, x[few], classes[few], seed=seed, steps=steps, lr=lr):
        if step % 5 == 0 and steps_to_loss > steps:
            with torch.no_grad():
                if float(F.cross_entropy(learner(x[few]), classes[few])) <= TARGET_LOSS:
                    steps_to_loss = step
    with torch.no_grad():
        hits = {split: learner(x[k]).argmax(dim=1) == classes[k] for split, k in rows.items()}
    accuracies = {f"{split} accuracy": 100 * float(hit.float().mean()) for split, hit in hits.items()}
    return accuracies | {"log10 of the steps": log10(steps_to_loss), "speed": -log10(steps_to_loss)}


SCRATCH = trial(transfer, source="shapes", target="shapes", method="scratch", labels=5, steps=80, lr=1e-2)
FROZEN = SCRATCH.changed(dict(method="frozen"))
FINE_TUNED = SCRATCH.changed(dict(method="fine-tuned"))

TRANSFER_HELPS_SMALL_TARGETS = Empirical(
    id="transfer-small-target",
    statement="With 5 labels per class, features learned from four other kinds of shapes give a higher test accuracy "
    "than training from scratch.",
    topic="transfer-learning",
    arms=dict(frozen=FROZEN, scratch=SCRATCH),
    control=dict(source="shuffled"),
    tune=RATES,
    tuned_by="validation accuracy",
    measure="test accuracy",
    decider=Paired(min_effect=5.0, unit=POINTS),
    expected="holds",
    source="Yosinski, Clune, Bengio, Lipson 2014, arXiv:1411.1792",
    note="The control is pretrained on shuffled labels, from which no features of shapes can be learned.",
)

FINE_TUNING_HELPS_SMALL_TARGETS = Empirical(
    id="fine-tuning-small-target",
    statement="With 20 labels per class, fine-tuning a network that learned four other kinds of shapes gives a higher "
    "test accuracy than training from scratch.",
    topic="transfer-learning",
    arms=dict(
        fine_tuned=FINE_TUNED.changed(dict(labels=20)),
        scratch=SCRATCH.changed(dict(labels=20)),
    ),
    control=dict(source="shuffled"),
    tune=RATES,
    tuned_by="validation accuracy",
    measure="test accuracy",
    decider=Paired(min_effect=5.0, unit=POINTS),
    expected="holds",
    source="Yosinski, Clune, Bengio, Lipson 2014, arXiv:1411.1792",
    note="The control is pretrained on shuffled labels, from which no features of shapes can be learned.",
)

TRANSFER_BETWEEN_DIGITS = Empirical(
    id="transfer-between-digits",
    statement="With 20 labels per class, fine-tuning a network that learned four other digits gives a higher test "
    "accuracy than training from scratch.",
    topic="transfer-learning",
    arms=dict(
        fine_tuned=FINE_TUNED.changed(dict(source="digits", target="digits", labels=20)),
        scratch=SCRATCH.changed(dict(target="digits", labels=20)),
    ),
    tune=RATES,
    tuned_by="validation accuracy",
    measure="test accuracy",
    decider=Paired(min_effect=5.0, unit=POINTS),
    expected="does_not_hold",
    note="Digits of 8x8 pixels are centered, upright and without color or background, so there is little that other "
    "digits teach. Transfer helps where position, color and texture must be learned to be ignored: "
    "fine-tuning-small-target.",
)

TRANSFER_SPEEDS_TRAINING = Empirical(
    id="transfer-speeds-training",
    statement="With 20 labels per class, a network that learned four other kinds of shapes needs fewer updates to a "
    "training loss of 0.3 than one from scratch.",
    topic="transfer-learning",
    arms=dict(
        scratch=SCRATCH.changed(dict(labels=20, steps=300)),
        fine_tuned=FINE_TUNED.changed(dict(labels=20, steps=300)),
    ),
    control=dict(source="shuffled"),
    tune=RATES,
    tuned_by="speed",
    measure="log10 of the steps",
    decider=Paired(min_effect=0.1, unit="in log10 of the updates"),
    expected="holds",
    source="Yosinski, Clune, Bengio, Lipson 2014, arXiv:1411.1792",
    note="0.1 is a fifth fewer updates. Each arm has the learning rate at which it is fastest.",
)

TRANSFER_SPEEDS_GENERALIZATION = Empirical(
    id="transfer-speeds-training-many-labels",
    statement="With 200 labels per class, a network that learned four other kinds of shapes has a higher test accuracy "
    "after 100 updates than one from scratch.",
    topic="transfer-learning",
    arms=dict(
        fine_tuned=FINE_TUNED.changed(dict(labels=200, steps=100)), scratch=SCRATCH.changed(dict(labels=200, steps=100))
    ),
    control=dict(source="shuffled"),
    tune=RATES,
    tuned_by="validation accuracy",
    measure="test accuracy",
    decider=Paired(min_effect=5.0, unit=POINTS),
    expected="holds",
    source="Yosinski, Clune, Bengio, Lipson 2014, arXiv:1411.1792",
    note="Speed by what is learned about new images. The training loss on few samples is another measure: a network "
    "that memorized shuffled labels lowers it fast, too (transfer-speeds-training).",
)

FEATURES_FOR_FEW_LABELS = Empirical(
    id="feature-extraction-vs-finetune",
    statement="Feature extraction gains more on fine-tuning with 5 labels per class than with 50.",
    topic="transfer-learning",
    arms=dict(
        frozen_5=FROZEN,
        fine_tuned_5=FINE_TUNED,
        frozen_50=FROZEN.changed(dict(labels=50)),
        fine_tuned_50=FINE_TUNED.changed(dict(labels=50)),
    ),
    tune=RATES,
    tuned_by="validation accuracy",
    measure="test accuracy",
    decider=Interaction(min_effect=5.0, unit=POINTS),
    expected="holds",
    note="Fine-tuning has 6,000 weights to fit and feature extraction 132: the larger model needs more labels and "
    "then gains more.",
)

NEAR_SOURCE_HELPS_MORE = Empirical(
    id="transfer-near-source",
    statement="With 5 labels per class, features learned from other shapes help with shapes more than features "
    "learned from digits.",
    topic="transfer-learning",
    arms=dict(shapes=FROZEN, digits=FROZEN.changed(dict(source="digits"))),
    tune=RATES,
    tuned_by="validation accuracy",
    measure="test accuracy",
    decider=Paired(min_effect=3.0, unit=POINTS),
    expected="holds",
    source="Yosinski, Clune, Bengio, Lipson 2014, arXiv:1411.1792, section 4.2",
)
