"""Images with boxes in COCO's format: how a folder of any layout is read, and every way in which it can be unfit."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from workbench import data, tasks
from workbench.data import coco_annotations
from workbench.data.picture_file import letterbox
from workbench.engine import RunSpec
from workbench.errors import UserError

SIZES = [(80, 40), (40, 80), (64, 64), (50, 33)]


class Export:
    """An annotated folder in the making: white rectangles on black images."""

    def __init__(self, folder):
        self.folder = folder
        self.categories = [{"id": 90, "name": "dog"}, {"id": 3, "name": "cat"}, {"id": 1, "name": "pet"}]
        self.images, self.annotations = [], []

    def add(self, path, size=(64, 64), boxes=(), listed=None, **keys):
        """Draw an image with boxes (category, x, y, width, height), and list it as `listed`, by default its path."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", size)
        number = f"i{len(self.images)}" if keys.pop("text_id", False) else 1000 - 7 * len(self.images)
        for category, x, y, width, height in boxes:
            ImageDraw.Draw(image).rectangle((x, y, x + width - 1, y + height - 1), fill="white")
            row = dict(id=len(self.annotations) + 5, image_id=number, category_id=category, bbox=[x, y, width, height])
            self.annotations.append(row)
        image.save(file)
        self.images.append(dict(id=number, file_name=listed or path) | keys)
        return self

    def write(self, name="labels/boxes.json", **changed):
        """Write the annotations, and return the name of the data."""
        file = self.folder.parent / name
        file.parent.mkdir(parents=True, exist_ok=True)
        content = dict(info={}, images=self.images, annotations=self.annotations, categories=self.categories)
        file.write_text(json.dumps(content | changed))
        return f"coco:{self.folder}:{file}"


@pytest.fixture
def export(tmp_path):
    """Thirty images of four sizes in folders, with none to three boxes of two classes."""
    result, rng = Export(tmp_path / "media"), random.Random(1)
    for k in range(30):
        width, height = SIZES[k % 4]
        boxes = []
        for _ in range(k % 4):
            w, h = rng.randint(8, 20), rng.randint(8, 20)
            boxes.append((rng.choice([90, 3]), rng.randint(0, width - w), rng.randint(0, height - h), w, h))
        keys = dict(width=width, height=height) if k % 3 else {}
        result.add(f"cam{k % 2}/{k}.png", (width, height), boxes, **keys, text_id=k % 2 == 0)
    random.Random(2).shuffle(result.annotations)
    return result


def objects(parts):
    """Return (image, box, class, scale) of each object of each split."""
    for images, boxes, _, crowds, scales, labels in parts.values():
        for k in range(len(images)):
            for n in np.flatnonzero((labels[k] >= 0) & ~crowds[k]):
                yield images[k], boxes[k, n], labels[k, n], scales[k]


def test_a_folder_is_read_whatever_its_layout(export):
    name = export.write()
    info = data.info(name)
    assert (info.samples, info.shape, info.modality, info.classes) == (30, (3, 80, 80), "detection", ("cat", "dog"))
    parts = data.load(name, seed=1)
    assert {split: len(columns[0]) for split, columns in parts.items()} == {"train": 21, "validation": 3, "test": 6}
    rows = list(objects(parts))
    assert len(rows) == len(export.annotations)
    for image, (x1, y1, x2, y2), _, _ in rows:  # the middle of a box is white, and the gray around an image is not
        assert image[:, int((y1 + y2) / 2), int((x1 + x2) / 2)].min() > 200
        assert 0 <= x1 < x2 <= 80 and 0 <= y1 < y2 <= 80
    boxes = sorted([box.tolist() for _, box, _, _ in rows])
    ours = sorted((np.array(box) / np.tile(scale, 2)).round(3).tolist() for _, box, _, scale in rows)
    theirs = sorted([float(v) for v in (x, y, x + w, y + h)] for x, y, w, h in (a["bbox"] for a in export.annotations))
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    assert boxes != theirs
    counts = [sum(label == k for _, _, label, _ in rows) for k in (0, 1)]
    assert counts == [sum(a["category_id"] == k for a in export.annotations) for k in (3, 90)]


def test_it_is_the_same_as_pycocotools_reads(export):
    from pycocotools.coco import COCO

    name = export.write()
    theirs = COCO(name.rsplit(":", 1)[1])
    annotations = coco_annotations.read(export.folder.parent / "labels" / "boxes.json")
    assert len(annotations.images) == len(theirs.imgs)
    for image in annotations.images:
        rows = theirs.loadAnns(theirs.getAnnIds(imgIds=[image.id]))
        assert [list(one.box) for one in image.objects] == [
            [x, y, x + w, y + h] for x, y, w, h in (row["bbox"] for row in rows)
        ]
        assert [one.category for one in image.objects] == [theirs.cats[row["category_id"]]["name"] for row in rows]


def test_annotation_files_by_split_stay_as_they_are(tmp_path):
    for split, count in (("train", 8), ("valid", 3), ("test", 2)):
        part = Export(tmp_path / "pets")
        for k in range(count):  # the same names in every folder, as some tools export them
            part.add(f"{split}/{k}.png", boxes=[(90, k, 5, 20, 20)], listed=f"{k}.png")
        part.write(f"pets/{split}/_annotations.coco.json")
    name = f"coco:{tmp_path / 'pets'}:{tmp_path / 'pets'}"
    parts = data.load(name, seed=4)
    assert {split: len(columns[0]) for split, columns in parts.items()} == {"train": 8, "validation": 3, "test": 2}
    assert sorted(parts["validation"][1][:, 0, 0].tolist()) == [0, 1, 2]
    assert data.info(name).classes == ("dog",)


def test_of_cocos_own_annotations_only_the_instances_are_read(export):
    for split in ("train", "val"):
        export.write(f"annotations/instances_{split}2017.json")
        (export.folder.parent / f"annotations/captions_{split}2017.json").write_text("[]")
    parts = data.load(f"coco:{export.folder}:{export.folder.parent / 'annotations'}", seed=0)
    assert {split: len(columns[0]) for split, columns in parts.items()} == {"train": 24, "validation": 30, "test": 6}


def test_a_whole_path_or_a_name_alone_finds_the_file(tmp_path):
    export = Export(tmp_path / "media")
    for k in range(12):
        listed = (f"/home/else/media/a/{k}.png", f"{k}.png", f"..\\export\\a\\{k}.png")[k % 3]
        export.add(f"a/{k}.png", boxes=[(3, 1, 1, 9, 9)], listed=listed)
    assert data.info(export.write()).samples == 12
    export.add("b/0.png", listed="0.png")  # both a/0.png and b/0.png
    with pytest.raises(UserError, match=r"0\.png"):
        data.load(export.write())


def test_crowds_areas_and_boxes_of_a_rounding_tool(tmp_path):
    export = Export(tmp_path / "media")
    for k in range(10):
        export.add(f"{k}.png", (60, 30), [(3, 10, 10, 20, 10)])
    export.annotations[0] |= dict(bbox=[-0.4, 0, 60.9, 30], area=77.5)
    export.annotations.append(dict(id=99, image_id=1000, category_id=90, bbox=[0, 0, 30, 30], iscrowd=1))
    name = export.write()
    assert data.info(name).classes == ("cat",)  # of the dogs there is only a crowd

    export.add("10.png", (60, 30), [(90, 1, 1, 9, 9)])
    images, boxes, areas, crowds, scales, labels = (
        np.concatenate(column) for column in zip(*data.load(export.write(), seed=0).values(), strict=True)
    )
    assert images.shape == (11, 3, 60, 60) and (scales == 1).all() and (images[:, :, 30:] == 128).all()
    (row,) = np.flatnonzero(crowds.any(axis=1))
    assert boxes[row].tolist() == [[0, 0, 60, 30], [0, 0, 30, 30]] and crowds[row].tolist() == [False, True]
    assert areas[row].tolist() == [77.5, 900] and labels[row].tolist() == [0, 1]
    assert sorted(set(areas[~crowds & (labels >= 0)].tolist())) == [77.5, 81, 200]


def test_a_task_and_a_run_have_whole_paths(export, monkeypatch):
    name = export.write()
    monkeypatch.chdir(export.folder.parent)
    assert tasks.info("coco:media:labels/boxes.json").name == name
    spec = RunSpec.create("yolo-v1", task="coco:media:labels/boxes.json")
    assert spec.data.task == name and RunSpec.from_json(spec.to_json()) == spec
    info = tasks.info(name)
    assert list(info.metrics) == ["ap50", "ap"] and info.sizes["classes"] == (2,) and info.inputs["image"].dims[0] == 3


def test_changed_files_are_read_again(export):
    name = export.write()
    before = data.fingerprint(name)
    assert data.fingerprint(name) == before
    export.annotations.pop()
    export.write()
    after = data.fingerprint(name)
    Image.new("RGB", (80, 40), "red").save(export.folder / "cam0" / "0.png")
    assert len({before, after, data.fingerprint(name)}) == 3


def change(**keys):
    return lambda export: export.annotations[0].update(keys)


NOWHERE = "no folder|no annotation file|Name the images"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change(bbox=[5, 5, -3, 4]), "without area"),
        (change(bbox=[5, 5, 0, 4]), "without area"),
        (change(bbox=[5, 5, float("nan"), 4]), "4 finite numbers"),
        (change(bbox=[5, 5, float("inf"), 4]), "4 finite numbers"),
        (change(bbox=[5, 5, 4]), "4 finite numbers"),
        (change(bbox="5 5 4 4"), "4 finite numbers"),
        (change(bbox=[5, 5, True, 4]), "4 finite numbers"),
        (change(bbox=[10**400, 5, 4, 4]), "4 finite numbers"),
        (change(bbox=[50, 5, 40, 4]), "not within"),
        (change(bbox=[-9, 5, 12, 4]), "not within"),
        (change(bbox=[500, 500, 5, 5]), "not within"),
        (change(category_id=4), "category 4"),
        (change(category_id=None), "category null"),
        (change(category_id=[3]), r"category \[3\]"),
        (change(image_id=12345), "image 12345"),
        (change(area=-3), "area -3"),
        (change(iscrowd="yes"), "iscrowd"),
        (lambda export: export.images[3].update(width=999, height=40), "its annotations are for"),
        (lambda export: export.images[3].update(width=0, height=40), "must be positive"),
        (lambda export: export.images[3].pop("file_name"), "no file_name"),
        (lambda export: export.images[3].update(file_name="gone.png"), "1 is not in"),
        (lambda export: export.images[3].update(file_name="../../../etc/passwd"), "1 is not in"),
        (lambda export: export.images[3].update(id=export.images[0]["id"]), "two images"),
        (lambda export: export.images[3].update(id=1.5), "an image with the id 1.5"),
        (lambda export: export.categories.append({"id": 3, "name": "bird"}), "two categories"),
        (lambda export: export.categories.append({"id": 8, "name": "cat"}), "2 categories called 'cat'"),
        (lambda export: export.categories.append({"id": 8, "name": "\x1b[2J"}), "name that can be printed"),
        (lambda export: export.categories.clear(), "no categories"),
        (lambda export: export.annotations.clear(), "no object to learn from"),
        (lambda export: (export.annotations.clear(), export.images.clear()), "lists no images"),
        (lambda export: Image.new("RGB", (1, 1)).save(export.folder / "cam0/0.png"), "1x1 pixels"),
        (lambda export: Image.new("1", (10_000, 10_000)).save(export.folder / "cam0/0.png"), "10000x10000 pixels"),
        (lambda export: (export.folder / "cam0/0.png").write_text("no image"), "cam0/0.png"),
    ],
)
def test_impossible_annotations_and_images_are_one_sentence(export, damage, message):
    damage(export)
    with pytest.raises(UserError, match=message) as error:
        data.load(export.write())
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged"),
        ('{"images": [', "damaged"),
        ("[" * 100_000, "damaged"),
        ("\xff", "damaged"),
        ("[]", "COCO's format"),
        ('{"images": []}', "'annotations' must be a list"),
        ('{"images": {}, "annotations": [], "categories": []}', "'images' must be a list"),
        ('{"images": [7], "annotations": [], "categories": []}', "'images' must be a list of objects"),
    ],
)
def test_damaged_annotation_files_are_one_sentence(export, text, message):
    name = export.write()
    (export.folder.parent / "labels" / "boxes.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=message) as error:
        data.info(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["coco:", "coco:/nowhere", "coco:/nowhere:", "coco:/nowhere:x.json", "coco:~nobody-x:a", "coco:\0:a"]
)
def test_names_that_name_nothing_are_one_sentence(name):
    with pytest.raises(UserError, match=f"{NOWHERE}|can't be read"):
        data.info(name)


def test_a_folder_without_a_training_file_and_too_few_images(tmp_path, export):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="train in its name"):
        data.info(f"coco:{export.folder}:{tmp_path / 'empty'}")
    del export.images[9:]
    listed = {image["id"] for image in export.images}
    export.annotations = [row for row in export.annotations if row["image_id"] in listed]
    with pytest.raises(UserError, match="10 or more"):
        data.info(export.write())


@settings(max_examples=60)
@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["images", "annotations", "categories", "id", "bbox", "image_id", "category_id", "name"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_rejected(content, tmp_path_factory):
    file = tmp_path_factory.mktemp("any") / "a.json"
    file.write_text(json.dumps(content))
    try:
        assert coco_annotations.read(file).categories
    except UserError as error:
        assert "\n" not in str(error)


def test_a_letterbox_keeps_the_whole_image_and_its_proportions(tmp_path):
    image = Image.new("RGB", (100, 40), "red")
    image.paste((0, 0, 255), (90, 30, 100, 40))
    image.save(tmp_path / "a.png")
    pixels, scale = letterbox(tmp_path / "a.png", 50, 3)
    assert pixels.shape == (3, 50, 50) and scale == (0.5, 0.5)
    assert pixels[:, 18, 48].tolist() == [0, 0, 255] and pixels[:, 0, 0].tolist() == [255, 0, 0]
    assert (pixels[:, 20:] == 128).all()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image.save(tmp_path / "a.jpg", exif=exif, quality=100)
    pixels, _ = letterbox(tmp_path / "a.jpg", 50, 3)
    assert (pixels[:, :, 20:] == 128).all() and (pixels[:, :, :20] != 128).any()
