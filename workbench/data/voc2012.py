"""Pascal VOC 2012: 2,913 photographs with the class of every pixel, one of 20 or background (Everingham et al., 2015).

The published splits: 1,464 to train with (`train`), a tenth of which is held out to choose by; 1,449 to test by
(`val`), since the masks of the test set are not published. Fetched once (2 GB), read by torchvision's
`VOCSegmentation`. Borders of objects are void.
"""

import tarfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.cache import kept
from workbench.data.fetch import fetched
from workbench.data.segmented_images import read_mask, to_columns

# fmt: off
SET = dict(
    title="which of 20 classes each pixel of a photograph belongs to",
    row="one photograph, resized to 128 pixels, with the class of every pixel",
    samples=2_913,
    shape=(3, 128, 128),
    modality="segmentation",
    classes=(
        "background",
        "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
        "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ),
    target="the class of every pixel",
    source="Everingham et al., The PASCAL Visual Object Classes challenge: a retrospective",
    licence="photographs from Flickr, under its terms of use",
    files=(("VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd"),),
)
# fmt: on
FILES: Any = SET["files"]
SOURCES = (
    "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/",
    "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
)
SHAPE: Any = SET["shape"]


@lru_cache(1)
def load() -> dict[str, tuple[np.ndarray, ...]]:
    """Return the splits `train` and `test`, each with the columns of `segmented_images.to_columns`.

    Raises:
        UserError: If the file isn't there and can't be fetched.
    """
    folder = fetched("voc2012", FILES, SOURCES)
    return {
        split: kept(f"voc2012-{split}-v1", lambda name=name: _read(folder, name))  # type: ignore[misc]
        for split, name in (("train", "train"), ("test", "val"))
    }


def _read(folder: Path, image_set: str) -> tuple[np.ndarray, ...]:
    from torchvision.datasets import VOCSegmentation

    with tarfile.open(folder / FILES[0][0]) as tar:
        tar.extractall(folder, filter="data")
    dataset = VOCSegmentation(str(folder), year="2012", image_set=image_set)
    return to_columns(
        [Path(image) for image in dataset.images], (read_mask(Path(mask)) for mask in dataset.masks), SHAPE[1]
    )
