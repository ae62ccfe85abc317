"""Time of the metrics of segmentation on 1,000 images of 512x512 pixels, and of scikit-learn's confusion matrix.

    PYTHONPATH=. python benchmarks/segmentation_measures.py [IMAGES] [--dry]

The maps are random blocks of 21 classes, of which a tenth of the blocks is predicted incorrectly and some are void.
Ours also finds the pixels near boundaries. Target: 60 s together with panoptic quality.
"""

import time

import _options
import numpy as np
import torch
from sklearn.metrics import confusion_matrix

from models.layers.segmentation_losses import VOID
from workbench.tasks.segmentation_meter import SegmentationMeter

CLASSES, SIZE, BLOCK, BATCH = 21, 512, 32, 8


def random_maps(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return predicted and true classes (count, 512, 512), uint8."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, CLASSES, (count, SIZE // BLOCK, SIZE // BLOCK), dtype=np.uint8)
    predicted = np.where(rng.random(blocks.shape) < 0.1, (blocks + 1) % CLASSES, blocks).astype(np.uint8)
    target = np.where(rng.random(blocks.shape) < 0.05, VOID, blocks).astype(np.uint8)
    maps = (each.repeat(BLOCK, axis=1).repeat(BLOCK, axis=2) for each in (predicted, target))
    first, second = map(torch.from_numpy, maps)
    return first, second


def main() -> None:
    """Print the seconds of both, and the mIoU of ours."""
    options = _options.read(__doc__, "IMAGES", count=1000, dry=8)
    torch.set_num_threads(1)
    meter, ours, theirs = SegmentationMeter(CLASSES), 0.0, 0.0
    total = np.zeros((CLASSES, CLASSES), np.int64)
    for start in range(0, options.count, BATCH):
        predicted, target = random_maps(min(BATCH, options.count - start), seed=start)
        begin = time.perf_counter()
        meter.update_classes(predicted, target)
        middle = time.perf_counter()
        is_valid = (target != VOID).numpy()
        total += confusion_matrix(target.numpy()[is_valid], predicted.numpy()[is_valid], labels=range(CLASSES))
        ours, theirs = ours + middle - begin, theirs + time.perf_counter() - middle
    assert meter.confusion().tolist() == total.tolist()
    print(f"{options.count} images of {SIZE}x{SIZE}, {CLASSES} classes: mIoU {meter.compute()['miou']:.4f}")
    print(f"mIoU, pixel accuracy, Dice and boundary error   {ours:8.2f} s")
    print(f"scikit-learn's confusion matrix                 {theirs:8.2f} s")


if __name__ == "__main__":
    main()
