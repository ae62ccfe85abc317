"""Seconds of panoptic quality on 1,000 pairs of maps of 512x512 pixels.

    PYTHONPATH=. python benchmarks/panoptic_quality.py [IMAGES] [--dry]

The maps are random: the nearest of 20 centers, of which the predicted ones are moved by some pixels, and a band that is
void. The time is that of the comparison alone, of one process. Target: at most 30 s for 1,000 images.
"""

import time

import _options
import numpy as np

from workbench.tasks.panoptic_quality import PanopticMap, PanopticQuality

SIZE, SEGMENTS, CLASSES, DIFFERENT = 512, 20, 10, 10  # of a map; and the number of different pairs


def random_pair(rng: np.random.Generator) -> tuple[PanopticMap, PanopticMap]:
    """Return a predicted and a true map."""
    y, x = np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij")
    centers, labels = rng.uniform(0, SIZE, (SEGMENTS, 2)), rng.integers(0, CLASSES, SEGMENTS)
    maps = []
    for places in (centers + rng.normal(0, 15, centers.shape), centers):
        ids = ((y - places[:, 0, None, None]) ** 2 + (x - places[:, 1, None, None]) ** 2).argmin(axis=0) + 1
        maps.append(PanopticMap(ids, {n: int(labels[n - 1]) for n in np.unique(ids).tolist()}))
    ids = maps[1].ids.copy()
    ids[:8] = 0
    present = {n: label for n, label in maps[1].classes.items() if (ids == n).any()}
    return maps[0], PanopticMap(ids, present)


def main(images: int) -> None:
    rng = np.random.default_rng(0)
    pairs = [random_pair(rng) for _ in range(min(images, DIFFERENT))]
    quality = PanopticQuality([True] * CLASSES)
    start, processor = time.perf_counter(), time.process_time()
    for k in range(images):
        quality.update(*pairs[k % len(pairs)])
    wall, processor = time.perf_counter() - start, time.process_time() - processor
    print(f"{images:,} images of {SIZE}x{SIZE}: {wall:.1f} s, {processor:.1f} CPU s, PQ {quality.compute()['pq']:.4f}")


if __name__ == "__main__":
    main(_options.read(__doc__, "IMAGES", 1000, dry=10).count)
