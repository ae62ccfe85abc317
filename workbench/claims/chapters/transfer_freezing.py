"""Claims about frozen layers: what they cost, and what still changes in them."""

from collections.abc import Iterator
from math import log10
from typing import TYPE_CHECKING, cast

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal, true

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.vision.resnet import ResNet


def step_time(seed: int, *, trained: str, skips_backbone: bool) -> float:
    """Return log10 of the CPU seconds of an update of ResNet-18 (mini) with 16 images, the median of 12.

    Args:
        seed: The seed of the weights and images.
        trained: `all` weights, or the `head`.
        skips_backbone: Whether the features of a frozen backbone are computed once. Otherwise each update computes
            them, and gradients through the backbone, which no weight uses.
    """
    import time
    from statistics import median

    import torch
    import torch.nn.functional as F

    import models

    torch.manual_seed(seed)
    network = cast("ResNet", models.build("resnet18", "mini"))
    images, classes = torch.randn(16, *network.input_shape), torch.randint(3, (16,))
    head = network.fc
    optimizer = torch.optim.SGD((head if trained == "head" else network).parameters(), 0.01)
    inputs: Tensor = images
    layer: nn.Module = network
    if trained == "head" and skips_backbone:
        with torch.no_grad():
            features: list[Tensor] = []
            hook = head.register_forward_hook(lambda module, args, output: features.append(args[0]))
            network(images)
            hook.remove()
        inputs, layer = features[0], head
    times = []
    for _ in range(15):
        start = time.process_time()
        network.zero_grad()
        F.cross_entropy(layer(inputs), classes).backward()
        optimizer.step()
        times.append(time.process_time() - start)
    return log10(median(times[3:]))


FROZEN_BACKBONE_IS_CHEAPER = Empirical(
    id="frozen-backbone-cheaper",
    statement="Training the head on stored features of a frozen backbone takes at most half the CPU time per update "
    "of training the whole network.",
    topic="transfer-learning",
    arms=dict(
        whole=trial(step_time, trained="all", skips_backbone=True),
        head=trial(step_time, trained="head", skips_backbone=True),
    ),
    control=dict(skips_backbone=False),
    measure="log10 of the seconds",
    decider=Paired(min_effect=log10(2), unit="in log10 of the seconds"),
    expected="holds",
    is_timed=True,
    note="Derivation: the head has a vanishing share of the MACs. It is the skipped backbone that saves the time: as "
    "long as gradients flow through it, an update that changes the head alone takes as long as any (the control).",
)


def resnet_after_updates_of_the_head(seed: int, is_backbone_in_evaluation_mode: bool) -> Iterator[Evidence]:
    import torch

    import models
    from workbench.engine.transfer import freeze

    torch.manual_seed(seed)
    network = models.build("resnet18", "mini").train()
    frozen = freeze(network)
    if is_backbone_in_evaluation_mode:
        for module in frozen:
            module.training = False
    before = {name: value.clone() for name, value in network.state_dict().items()}
    update_once(network, seed)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    weights = {name for name, _ in network.named_parameters()}
    yield equal("weights that changed", sorted(changed & weights), ["fc.bias", "fc.weight"])
    buffers = sorted(changed - weights)
    yield true("no running mean or variance changed", not buffers, f"{len(buffers)} changed")


def update_once(network: "nn.Module", seed: int) -> None:
    """Update the weights that are not frozen, by SGD on random images."""
    import torch
    import torch.nn.functional as F

    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(8, *network.input_shape, generator=generator)  # type: ignore[misc]
    optimizer = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], 0.1)
    F.cross_entropy(network(images), torch.zeros(8, dtype=torch.int64)).backward()
    optimizer.step()


def backbone_in_training_mode(seed: int) -> Iterator[Evidence]:
    yield from resnet_after_updates_of_the_head(seed, is_backbone_in_evaluation_mode=False)


def backbone_in_evaluation_mode(seed: int) -> Iterator[Evidence]:
    yield from resnet_after_updates_of_the_head(seed, is_backbone_in_evaluation_mode=True)


FROZEN_BATCH_NORM_MOVES = Exact(
    id="frozen-bn-still-moves",
    statement="A backbone whose weights have requires_grad=False stays as it is while the head of ResNet-18 trains in "
    "training mode.",
    topic="transfer-learning",
    evidence=backbone_in_training_mode,
    is_structural=True,
    seeds=2,
    expected="does_not_hold",
    source="PyTorch documentation of BatchNorm2d: running statistics are updated in training mode",
    note="The weights stay, but the running means and variances of batch norm change with every batch. They stay if "
    "the backbone is in evaluation mode, too: see frozen-bn-evaluation-mode.",
)

FROZEN_BATCH_NORM_STAYS = Exact(
    id="frozen-bn-evaluation-mode",
    statement="A backbone whose weights have requires_grad=False and that is in evaluation mode stays as it is while "
    "the head of ResNet-18 trains.",
    topic="transfer-learning",
    evidence=backbone_in_evaluation_mode,
    is_structural=True,
    seeds=2,
    expected="holds",
    source="PyTorch documentation of BatchNorm2d: running statistics are updated in training mode",
)


def partial_fine_tuning(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision import models as reference

    import models

    upper = ("layer4", "fc")
    with torch.device("meta"):
        counts = [
            sum(weight.numel() for name, weight in network.named_parameters() if name.startswith(upper))
            for network in (models.build("resnet18", "paper"), reference.resnet18())
        ]
    yield equal("weights of the last stage and the head, ours and torchvision's", *counts)
    torch.manual_seed(seed)
    network = models.build("resnet18", "mini")
    for name, weight in network.named_parameters():
        weight.requires_grad = name.startswith(upper)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    update_once(network, seed)
    changed = {
        name.split(".")[0] for name, weight in network.named_parameters() if not torch.equal(weight, before[name])
    }
    yield equal("parts whose weights changed", sorted(changed), sorted(upper))


FINE_TUNING_MAY_BE_PARTIAL = Exact(
    id="finetune-may-be-partial",
    statement="Fine-tuning may train the upper part of a network alone: with everything below the last stage of "
    "ResNet-18 frozen, an update changes the last stage and the head and nothing below.",
    topic="transfer-learning",
    evidence=partial_fine_tuning,
    is_structural=True,
    seeds=2,
    expected="holds",
    source="Yosinski, Clune, Bengio, Lipson 2014, arXiv:1411.1792",
    note="Fine-tuning is often described as training the entire network. It trains all of it, or its upper part.",
)
