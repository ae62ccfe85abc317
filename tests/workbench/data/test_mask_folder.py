"""The user's own images with masks: `masks:IMAGES:MASKS`."""

import json

import numpy as np
import pytest
from PIL import Image

from workbench import data, tasks
from workbench.engine import RunSpec
from workbench.errors import UserError


@pytest.fixture
def folders(tmp_path):
    """Twenty images of three sizes, each with a square of class 1 or 2 and a void border of its mask."""
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / folder / "set a").mkdir(parents=True)
    for k in range(20):
        width, height = [(40, 20), (30, 40), (40, 40)][k % 3]
        mask = np.zeros((height, width), np.uint8)
        mask[5:15, 5:15] = 1 + k % 2
        mask[0] = 255
        pixels = rng.integers(0, 100, (height, width, 3), dtype=np.uint8)
        pixels[mask == 1, 0], pixels[mask == 2, 1] = 255, 255
        place = "set a/" if k < 5 else ""
        Image.fromarray(pixels).save(tmp_path / "images" / f"{place}{k:02}.jpg", quality=95)
        Image.fromarray(mask).save(tmp_path / "masks" / f"{place}{k:02}.png")
    return tmp_path


def name_of(folders):
    return f"masks:{folders / 'images'}:{folders / 'masks'}"


def test_images_become_squares_whose_rest_is_void(folders):
    name = name_of(folders)
    described = data.info(name)
    assert (described.samples, described.shape, described.kind) == (20, (3, 40, 40), "segmentation")
    assert described.classes == ("class 0", "class 1", "class 2")
    splits = data.load(name, seed=0)
    assert {split: len(columns[0]) for split, columns in splits.items()} == {"train": 14, "validation": 2, "test": 4}
    images, segments = (np.concatenate(column) for column in zip(*splits.values(), strict=True))
    wide = (segments[:, 20:] == 255).all(axis=(1, 2))
    assert wide.sum() == 7 and (images[wide][:, :, 20:] == 128).all()
    for image, classes in zip(images, segments, strict=True):
        assert (classes[0] == 255).all() and {*np.unique(classes)} <= {0, 1, 2, 255}
        label = int(classes[10, 10])
        assert (classes[5:15, 5:15] == label).all() and image[label - 1, 10, 10] > 200


def test_names_of_classes_are_those_of_the_file(folders):
    (folders / "masks" / "classes.txt").write_text("nothing\nred\ngreen\nblue\n")
    assert data.info(name_of(folders)).classes == ("nothing", "red", "green", "blue")


def test_folders_of_splits_are_the_splits(folders, tmp_path):
    for split, numbers in (("train", range(5, 12)), ("val", range(12, 15)), ("test", range(15, 20))):
        for kind, end in (("images", "jpg"), ("masks", "png")):
            (tmp_path / "b" / kind / split).mkdir(parents=True)
            for k in numbers:
                (folders / kind / f"{k:02}.{end}").rename(tmp_path / "b" / kind / split / f"{k:02}.{end}")
    splits = data.load(f"masks:{tmp_path / 'b' / 'images'}:{tmp_path / 'b' / 'masks'}")
    assert {split: len(columns[0]) for split, columns in splits.items()} == {"train": 7, "validation": 3, "test": 5}


def test_a_task_of_them_is_that_of_shapes(folders, monkeypatch, cli):
    monkeypatch.chdir(folders)
    name = name_of(folders)
    assert RunSpec.create("unet-padded", task="masks:images:masks", pixel_loss="dice").data.task == name
    info = tasks.info(name)
    assert str(info.outputs["logits"]) == "float32[classes, rows, columns]" and info.sizes["classes"] == (3,)
    assert str(info.inputs["image"]) == "float32[3, 40, 40]" and next(iter(info.metrics)) == "miou"
    code, out, _ = cli("data", "show", "masks:images:masks", "--json")
    assert code == 0 and json.loads(out)["samples"] == 20


def test_a_changed_mask_changes_the_fingerprint(folders):
    before = data.fingerprint(name_of(folders))
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(folders / "masks" / "06.png")
    assert data.fingerprint(name_of(folders)) != before


def save(folders, array, mode=None):
    image = Image.fromarray(np.asarray(array, np.uint8))
    (image.convert(mode) if mode else image).save(folders / "masks" / "06.png")


def shrink(folders):
    save(folders, np.zeros((10, 40)))


def leave_a_gap(folders):
    save(folders, np.full((20, 40), 7))


def exceed_the_names(folders):
    (folders / "masks" / "classes.txt").write_text("nothing\nred\n")


def repeat_a_name(folders):
    (folders / "masks" / "classes.txt").write_text("red\nred\n")


def color(folders):
    save(folders, np.zeros((20, 40)), "RGB")


def damage(folders):
    (folders / "masks" / "06.png").write_bytes(b"no image")


def remove_a_mask(folders):
    (folders / "masks" / "06.png").unlink()


def remove_all_images(folders):
    for file in (folders / "images").rglob("*.jpg"):
        file.unlink()


def remove_most_images(folders):
    for file in list((folders / "images").rglob("*.jpg"))[3:]:
        file.unlink()


def remove_all_classes(folders):
    for file in (folders / "masks").rglob("*.png"):
        Image.fromarray(np.asarray(Image.open(file)) * 0).save(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            shrink,
            r"06\.png has 40x10 pixels, and its image .*06\.jpg has 40x20\. Save the mask in the size",
        ),
        (leave_a_gap, r"06\.png has pixels of the class 7, and no mask has the class 3\. Number the classes"),
        (exceed_the_names, r"has pixels of the class 2, and there are 2 classes, from 0 to 1\. Add its name"),
        (repeat_a_name, r"classes\.txt must have 2 to 255 different names"),
        (color, r"06\.png holds colors or 16 bits \(mode RGB\)\. Save the number of each pixel's class"),
        (damage, r"06\.png is not a PNG file that can be read\. Replace it"),
        (remove_a_mask, r"06\.jpg has no mask .*06\.png\. Add it, or remove the image"),
        (remove_all_images, r"images holds no images\. Put some into it"),
        (remove_most_images, r"images holds 3 images: to train, to choose and to test takes 10"),
        (remove_all_classes, r"have fewer than two classes\. Segmentation needs two"),
    ],
)
def test_what_can_not_be_learned_from_is_one_clear_sentence(folders, change, message):
    change(folders)
    with pytest.raises(UserError, match=message) as error:
        data.info(name_of(folders))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["masks:", "masks:/nowhere", "masks:/nowhere:", "masks:~nobody-x:a", "masks:\0:a"])
def test_names_of_nothing_are_user_errors(name):
    with pytest.raises(UserError):
        data.info(name)
