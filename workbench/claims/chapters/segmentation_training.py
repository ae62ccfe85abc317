"""Claims about skip connections and losses of segmentation, tested on disks in noise."""

from typing import TYPE_CHECKING

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Paired

if TYPE_CHECKING:
    import torch
    from torch import Tensor

DICE_SIZE, DICE_IMAGES = 32, 64  # of the images of a disk of fixed size
SKIP_SIZE, SKIP_TEST_IMAGES, RADII = 64, 64, (10.0, 20.0)


def disks(radii: "Tensor", size: int, contrast: float, generator: "torch.Generator") -> "tuple[Tensor, Tensor]":
    """Return images (N, 1, size, size) of a disk each, in normal noise, and its mask (N, size, size), int64.

    Args:
        radii: Radius of each disk, (N,).
        size: Height and width.
        contrast: How much brighter the disk is than its surroundings, in standard deviations of the noise.
        generator: Draws positions and noise.
    """
    import torch

    centers = radii[:, None] + (size - 1 - 2 * radii[:, None]) * torch.rand(len(radii), 2, generator=generator)
    grid = torch.arange(size).float()
    rows, columns = ((grid - centers[:, k, None]) ** 2 for k in (0, 1))
    mask = (rows[:, :, None] + columns[:, None]) <= radii[:, None, None] ** 2
    noise = torch.randn(len(radii), 1, size, size, generator=generator)
    return contrast * mask[:, None] + noise, mask.long()


def dice_of_rare_disks(seed: int, *, loss: str, weighted: bool, foreground: float) -> float:
    """Return the Dice coefficient of all test pixels, in points, of a 5x5 convolution that classifies each pixel.

    Args:
        seed: Seed of the images and of the initial weights.
        loss: As in `models.layers.segmentation_losses`.
        weighted: Whether classes are weighted by the inverse of their frequency.
        foreground: Share of the disk among the pixels.
    """
    import torch
    from torch import nn

    from models.layers.segmentation_losses import pixel_loss

    torch.manual_seed(seed)
    radii = torch.full((DICE_IMAGES,), DICE_SIZE * (foreground / torch.pi) ** 0.5)
    (images, target), (test_images, test_target) = (
        disks(radii, DICE_SIZE, 1.0, torch.Generator().manual_seed(2 * seed + split)) for split in (0, 1)
    )
    counts = target.flatten().bincount(minlength=2)
    weights = counts.sum() / (2.0 * counts) if weighted else None
    network = nn.Conv2d(1, 2, kernel_size=5, padding=2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        pixel_loss(loss, network(images), target, weights).backward()
        optimizer.step()
    predicted = network(test_images).argmax(dim=1)
    overlap = int((predicted * test_target).sum())
    return 100 * 2 * overlap / max(1, int(predicted.sum() + test_target.sum()))


DICE_RARE_FOREGROUND = Empirical(
    id="dice-rare-foreground",
    statement=(
        "If the foreground is 1% of the pixels, a network that is trained with the Dice loss segments it better than "
        "one that is trained with cross-entropy, which counts every pixel the same."
    ),
    topic="segmentation-losses",
    arms={
        "dice": trial(dice_of_rare_disks, loss="dice", weighted=False, foreground=0.01),
        "cross-entropy": trial(dice_of_rare_disks, loss="cross-entropy", weighted=False, foreground=0.01),
    },
    control=dict(foreground=0.3),
    measure="Dice coefficient of the foreground",
    decider=Paired(min_effect=5.0, unit="points"),
    seeds=5,
    expected="holds",
    source="Milletari, Navab & Ahmadi, V-Net (2016)",
    note="With 30% of the pixels in the foreground, both losses lead to the same masks.",
)

DICE_AGAINST_WEIGHTS = Empirical(
    id="dice-against-class-weights",
    statement=(
        "If the foreground is 1% of the pixels, the Dice loss leads to a higher Dice coefficient than cross-entropy "
        "with class weights of inverse frequency, which predicts too much foreground."
    ),
    topic="segmentation-losses",
    arms={
        "dice": trial(dice_of_rare_disks, loss="dice", weighted=False, foreground=0.01),
        "weighted cross-entropy": trial(dice_of_rare_disks, loss="cross-entropy", weighted=True, foreground=0.01),
    },
    control=dict(foreground=0.3),
    measure="Dice coefficient of the foreground",
    decider=Paired(min_effect=5.0, unit="points"),
    seeds=5,
    expected="holds",
    source="Milletari, Navab & Ahmadi, V-Net (2016)",
    note="Weights of inverse frequency lead to the best mean accuracy of the classes, not to the best overlap.",
)


def error_at_boundaries(seed: int, *, skips: bool, levels: int) -> float:
    """Return the share of wrong test pixels within 2 pixels of true boundaries, in percent, of a small U-Net.

    Args:
        seed: Seed of the images and of the initial weights.
        skips: Whether the decoder reads the encoder's maps.
        levels: Number of poolings; without any there is nothing to skip.
    """
    import torch
    import torch.nn.functional as F

    from models.segmentation.unet import UNet
    from workbench.tasks.segmentation_meter import near_boundary

    torch.manual_seed(seed)
    steps, batch_size, (low, high) = 150, 8, RADII
    splits = []
    for split, count in enumerate((steps * batch_size, SKIP_TEST_IMAGES)):
        generator = torch.Generator().manual_seed(2 * seed + split)
        radii = low + (high - low) * torch.rand(count, generator=generator)
        splits.append(disks(radii, SKIP_SIZE, 3.0, generator))
    network = UNet(
        1, 2, channels=8, levels=levels, padding=1, batch_norm=True, skips=skips, image_size=SKIP_SIZE, dropout=0.0
    )
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.003, steps)
    for images, target in zip(*(column.split(batch_size) for column in splits[0]), strict=True):
        optimizer.zero_grad()
        F.cross_entropy(network(images), target).backward()
        optimizer.step()
        schedule.step()
    network.eval()
    images, target = splits[1]
    with torch.no_grad():
        is_wrong = network(images).argmax(dim=1) != target
    is_near = near_boundary(target)
    return 100 * float((is_wrong & is_near).sum() / is_near.sum())


FCN_COARSE_SKIPS_HELP = Empirical(
    id="fcn-coarse-skips-help",
    statement=(
        "Skip connections bring back the detail that poolings lose: with them, a U-Net classifies fewer pixels near "
        "boundaries incorrectly."
    ),
    topic="encoder-decoder-segmentation",
    arms=dict(
        without=trial(error_at_boundaries, skips=False, levels=3),
        skips=trial(error_at_boundaries, skips=True, levels=3),
    ),
    control=dict(levels=0),
    measure="wrong pixels near boundaries",
    decider=Paired(min_effect=1.0, unit="points"),
    seeds=10,
    expected="holds",
    source="Long, Shelhamer & Darrell, FCN (2015); Ronneberger, Fischer & Brox, U-Net (2015)",
    note="Without pooling, there is nothing to skip, so both arms are the same network.",
)
