"""The 5,000 photographs of COCO's validation set of 2017, with objects of 80 classes (Lin et al., 2014).

The seed splits them, since the 118,000 photographs of the training set don't fit into memory: with these on your disk,
take a part of them as `coco:IMAGES:ANNOTATIONS`. Fetched once (1 GB), read by torchvision's `CocoDetection`. Crowds are
not learned, and detections in them are not counted. Boxes without area, which COCO has, are left out.
"""

import zipfile
from contextlib import redirect_stdout
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.annotated_images import LabeledBox, to_columns
from workbench.data.cache import kept
from workbench.data.fetch import fetched

# fmt: off
SET = dict(
    title="where the objects are in a photograph, and of which of 80 classes",
    row="one photograph, resized to 160 pixels, with its objects",
    samples=5_000,
    shape=(3, 160, 160),
    modality="detection",
    classes=(
        "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
        "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
        "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
        "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
        "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
        "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
        "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
        "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
        "hair drier", "toothbrush",
    ),
    target="the box and the class of every object",
    source="Lin et al., Microsoft COCO: common objects in context, 2014; cocodataset.org",
    licence="annotations CC BY 4.0; photographs from Flickr, under its terms of use",
    files=(
        ("val2017.zip", "442b8da7639aecaf257c1dceb8ba8c80"),
        ("annotations_trainval2017.zip", "f4bbac642086de4f52a3fdda2de5fa2c"),
    ),
)
# fmt: on
FILES: Any = SET["files"]
SOURCES = {
    "val2017.zip": ("http://images.cocodataset.org/zips/",),
    "annotations_trainval2017.zip": ("http://images.cocodataset.org/annotations/",),
}
ANNOTATIONS = "annotations/instances_val2017.json"
CLASSES: Any = SET["classes"]
SHAPE: Any = SET["shape"]


@lru_cache(1)
def load() -> tuple[np.ndarray, ...]:
    """Return the columns of `annotated_images.to_columns`.

    Raises:
        UserError: If the files aren't there and can't be fetched.
    """
    folders = {name: fetched("coco-val2017", [(name, checksum)], SOURCES[name]) for name, checksum in FILES}
    return kept("coco-val2017-v1", lambda: _read(folders["val2017.zip"]))


def _read(folder: Path) -> tuple[np.ndarray, ...]:
    from torchvision.datasets import CocoDetection

    for name, _ in FILES:
        with zipfile.ZipFile(folder / name) as archive:  # the published one
            archive.extractall(folder, [m for m in archive.namelist() if m.startswith("val2017/") or m == ANNOTATIONS])
    with redirect_stdout(StringIO()):  # pycocotools prints its progress
        dataset = CocoDetection(str(folder / "val2017"), str(folder / ANNOTATIONS))
    names = {row["id"]: row["name"] for row in dataset.coco.cats.values()}
    rows = [[row for row in dataset._load_target(number) if min(row["bbox"][2:]) > 0] for number in dataset.ids]
    objects = [[_object(row, CLASSES.index(names[row["category_id"]])) for row in of_image] for of_image in rows]
    files = [folder / "val2017" / dataset.coco.imgs[number]["file_name"] for number in dataset.ids]
    return to_columns(files, objects, SHAPE[1])


def _object(row: dict[str, Any], label: int) -> LabeledBox:
    x, y, width, height = row["bbox"]
    return LabeledBox((x, y, x + width, y + height), label, row["area"], bool(row["iscrowd"]))
