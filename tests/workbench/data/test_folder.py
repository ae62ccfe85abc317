"""The user's own pictures: how a folder is read, and every way in which it can be unfit."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from workbench import data, tasks
from workbench.data.picture_file import header, square
from workbench.errors import UserError


def picture(file, colour, size=(12, 10), mode="RGB"):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(file)


@pytest.fixture
def pets(tmp_path):
    """Twelve red cats and twelve blue dogs."""
    for k in range(12):
        picture(tmp_path / "pets" / "cat" / f"{k}.png", (200 + k, 0, 0))
        picture(tmp_path / "pets" / "dog" / f"{k}.jpg", (0, 0, 200 + k))
    return tmp_path / "pets"


def test_a_folder_of_classes_is_dealt_by_the_seed(pets):
    name = f"folder:{pets}"
    known = data.info(name)
    assert (known.samples, known.shape, known.classes, known.name) == (24, (3, 10, 10), ("cat", "dog"), name)
    parts = data.load(name, seed=1)
    assert {part: len(columns[1]) for part, columns in parts.items()} == {"train": 16, "validation": 3, "test": 5}
    for pictures, classes in parts.values():
        assert pictures.dtype == np.uint8
        assert all((one[2].mean() > one[0].mean()) == (kind == 1) for one, kind in zip(pictures, classes, strict=True))
    assert tasks.info(name).sizes["outputs"] == (1, 2) and tasks.get(name).data == name


def test_a_folder_of_parts_stays_as_it_is_divided(pets, tmp_path):
    for part, count in (("train", 8), ("val", 2), ("test", 2)):
        for kind in ("cat", "dog"):
            for k in range(count):
                picture(tmp_path / "parted" / part / kind / f"{k}.png", k, mode="L")
    name = f"folder:{tmp_path / 'parted'}"
    assert data.info(name).shape == (1, 10, 10)  # all grey
    parts = data.load(name, seed=3)
    assert {part: len(columns[1]) for part, columns in parts.items()} == {"train": 16, "validation": 4, "test": 4}


def test_what_has_changed_is_read_anew(pets):
    name = f"folder:{pets}"
    assert data.info(name).samples == 24
    picture(pets / "cat" / "new.png", "red")
    assert data.info(name).samples == 25
    (pets / "cat" / ".hidden").write_text("")
    (pets / "dog" / "Thumbs.db").write_text("")
    assert data.info(name).samples == 25


def spoil(pets, how):
    if how == "empty class":
        (pets / "bird").mkdir()
    elif how == "stray":
        picture(pets / "stray.png", "red")
    elif how == "no picture":
        (pets / "cat" / "a.png").write_text("not a picture")
    elif how == "tiny":
        picture(pets / "cat" / "a.png", "red", size=(7, 20))
    elif how == "inner":
        (pets / "cat" / "more").mkdir()
    elif how == "few":
        for k in range(10):
            (pets / "dog" / f"{k}.jpg").unlink()
    elif how == "odd mode":
        Image.new("F", (10, 10)).save(pets / "cat" / "a.tiff")
    elif how == "beside train":
        picture(pets / "train" / "cat" / "a.png", "red")
    elif how == "pipe":
        os.mkfifo(pets / "cat" / "pipe")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("empty class", "The class 'bird' is empty"),
        ("stray", "lies beside the classes' folders"),
        ("no picture", "is no picture of a known kind"),
        ("tiny", "is 7x20 pixels: a picture needs 8 a side"),
        ("inner", "is a folder inside a class"),
        ("few", "pictures to train with"),
        ("odd mode", "Save it with 8 bits per channel"),
        ("beside train", "lies beside train, and is neither val nor test"),
        ("pipe", "is no ordinary file"),
    ],
)
def test_a_folder_that_is_unfit_is_met_with_a_sentence(pets, how, said):
    spoil(pets, how)
    with pytest.raises(UserError, match=said):
        data.info(f"folder:{pets}")


def test_a_folder_that_is_none_is_met_with_a_sentence(tmp_path, pets):
    for where, said in (
        (tmp_path / "nowhere", "no folder"),
        (pets / "cat" / "0.png", "is no folder"),
        ("a\0b", r"a\?b"),
    ):
        with pytest.raises(UserError, match=said):
            data.info(f"folder:{where}")
    with pytest.raises(UserError, match="is a folder inside a class"):
        data.info(f"folder:{pets / '..' / 'pets' / '..'}")


def test_a_picture_is_its_middle_upright(tmp_path):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20, 1] = 250  # green in the middle third
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert (square(tmp_path / "wide.png", 10, 3)[1] == 250).all()
    turned = Image.fromarray(np.r_[np.zeros((8, 16), np.uint8), np.full((8, 16), 255, np.uint8)])
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    turned.save(tmp_path / "turned.png", exif=exif)
    upright = square(tmp_path / "turned.png", 16, 1)
    assert (upright[0, :8] == 255).all() and (upright[0, 8:] == 0).all()


def test_what_is_transparent_lies_on_white_and_16_bits_become_8(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (square(tmp_path / "clear.png", 8, 3) == 255).all()
    Image.fromarray(np.full((8, 8), 65535, np.uint16)).save(tmp_path / "deep.png")
    assert header(tmp_path / "deep.png") == (8, True)
    assert (square(tmp_path / "deep.png", 8, 1) == 255).all()


@given(
    kind=st.sampled_from(["png", "jpeg", "gif", "bmp", "webp", "tiff"]),
    places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 10**6),
)
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_read_or_refused(tmp_path_factory, kind, places, cut):
    file = tmp_path_factory.mktemp("damaged") / "picture"
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, kind)
    content = bytearray(file.read_bytes())
    for place, byte in places:
        content[place % len(content)] = byte
    file.write_bytes(bytes(content[: len(content) - cut % 40]))
    try:
        assert square(file, 8, 3).shape == (3, 8, 8)
    except UserError as refusal:
        assert str(file) in str(refusal) and str(refusal).endswith(".")
