"""Pascal VOC 2007: 9,963 photographs with objects of 20 classes (Everingham et al., 2010), in the published parts.

5,011 to train with (`trainval`), a tenth of which is held out to choose by; 4,952 to test by. Fetched once (900 MB),
read by torchvision's `VOCDetection`. VOC's corners are the first and the last pixel within a box, counted from 1; here
a box ends where its last pixel does. Difficult objects are not learned, and detections of them are not counted.
"""

import tarfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.annotated_images import LabeledBox, to_columns
from workbench.data.cache import kept
from workbench.data.fetch import fetched

# fmt: off
SET = dict(
    title="where the objects are in a photograph, and of which of 20 classes",
    row="one photograph, resized to 128 pixels, with its objects",
    samples=9_963,
    shape=(3, 128, 128),
    modality="detection",
    classes=(
        "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
        "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ),
    target="the box and the class of every object",
    source="Everingham et al., The PASCAL Visual Object Classes challenge 2007",
    licence="photographs from Flickr, under its terms of use",
    files=(
        ("VOCtrainval_06-Nov-2007.tar", "c52e279531787c972589f7e41ab4ae64"),
        ("VOCtest_06-Nov-2007.tar", "b6e924de25625d8de591ea690078ad9f"),
    ),
)
# fmt: on
FILES: Any = SET["files"]
SOURCES = (
    "https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/",
    "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/",
)
CLASSES: Any = SET["classes"]
SHAPE: Any = SET["shape"]


@lru_cache(1)
def load() -> dict[str, tuple[np.ndarray, ...]]:
    """Return the splits `train` and `test`, each with the columns of `annotated_images.to_columns`.

    Raises:
        UserError: If the files aren't there and can't be fetched.
    """
    folder = fetched("voc2007", FILES, SOURCES)
    return {
        split: kept(f"voc2007-{split}-v1", lambda archive=archive, name=name: _read(folder, archive, name))  # type: ignore[misc]
        for split, name, (archive, _) in zip(("train", "test"), ("trainval", "test"), FILES, strict=True)
    }


def _read(folder: Path, archive: str, image_set: str) -> tuple[np.ndarray, ...]:
    from torchvision.datasets import VOCDetection

    with tarfile.open(folder / archive) as tar:
        tar.extractall(folder, filter="data")
    dataset = VOCDetection(str(folder), year="2007", image_set=image_set)
    annotations = (dataset.parse_voc_xml(_parse(file))["annotation"] for file in dataset.annotations)
    objects = [[_object(row) for row in annotation.get("object", [])] for annotation in annotations]
    return to_columns([Path(image) for image in dataset.images], objects, SHAPE[1])


def _parse(file: str) -> Any:
    from xml.etree import ElementTree

    return ElementTree.parse(file).getroot()  # the archive is the published one


def _object(row: dict[str, Any]) -> LabeledBox:
    x1, y1, x2, y2 = (float(row["bndbox"][side]) for side in ("xmin", "ymin", "xmax", "ymax"))
    box = (x1 - 1, y1 - 1, x2, y2)
    is_difficult = row.get("difficult") == "1"
    return LabeledBox(box, CLASSES.index(row["name"]), (x2 - x1 + 1) * (y2 - y1 + 1), is_difficult)
