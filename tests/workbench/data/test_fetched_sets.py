"""Sets that are fetched: small files in the published forms, from a server of this machine."""

import gzip
import io
import json
import tarfile
import zipfile
from functools import partial
from hashlib import md5
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from PIL import Image

from workbench import data
from workbench.data import cifar10, coco_val2017, fetch, mnist, voc2007, voc2012
from workbench.errors import UserError
from workbench.paths import cache_dir


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *said):
        """Say nothing of what is asked for."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The folder that is served."""
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "server"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as serving:
        Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setattr(Quiet, "port", serving.server_port, raising=False)
        yield folder
        serving.shutdown()


def address(place=""):
    return f"http://127.0.0.1:{Quiet.port}/{place}"


def published(folder, name, content):
    (folder / name).write_bytes(content)
    return name, md5(content, usedforsecurity=False).hexdigest()


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def small_mnist(server, monkeypatch):
    rng = np.random.default_rng(0)
    files, raw = [], {}
    for part, count in (("train", 60), ("t10k", 20)):
        pictures = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        digits = np.arange(count, dtype=np.uint8) % 10
        for name, array in ((f"{part}-images-idx3-ubyte", pictures), (f"{part}-labels-idx1-ubyte", digits)):
            raw[name] = idx(array)
            files.append(published(server, f"{name}.gz", gzip.compress(raw[name])))
    monkeypatch.setattr(mnist, "FILES", tuple(files))
    monkeypatch.setattr(mnist, "SOURCES", (address(),))
    return raw


def test_mnist_is_read_as_torchvision_reads_it(small_mnist, tmp_path):
    from torchvision.datasets.mnist import read_image_file, read_label_file

    parts = mnist.load()
    for part, theirs in (("train", "train"), ("test", "t10k")):
        pictures, digits = parts[part]
        for name in (f"{theirs}-images-idx3-ubyte", f"{theirs}-labels-idx1-ubyte"):
            (tmp_path / name).write_bytes(small_mnist[name])
        assert torch.equal(
            torch.from_numpy(pictures[:, 0].copy()), read_image_file(str(tmp_path / f"{theirs}-images-idx3-ubyte"))
        )
        assert digits.tolist() == read_label_file(str(tmp_path / f"{theirs}-labels-idx1-ubyte")).tolist()
        assert pictures.dtype == np.uint8 and digits.dtype == np.int64


def test_published_parts_stay_and_the_seed_deals_the_rest(small_mnist):
    one, other = data.load("mnist", seed=0), data.load("mnist", seed=1)
    assert {part: len(columns[1]) for part, columns in one.items()} == {"train": 54, "validation": 6, "test": 20}
    assert np.array_equal(one["test"][0], other["test"][0])
    assert not np.array_equal(one["validation"][0], other["validation"][0])
    together = np.concatenate([one["train"][0], one["validation"][0]])
    assert sorted(map(bytes, together)) == sorted(map(bytes, mnist.load()["train"][0]))


def test_cifar10_is_read_from_its_bytes(server, monkeypatch):
    rng = np.random.default_rng(0)
    rows = {
        name: rng.integers(0, 256, (12, 3073), dtype=np.uint8) for part in cifar10.BATCHES.values() for name in part
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, array in rows.items():
            array[:, 0] = np.arange(12) % 10
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = array.size
            tar.addfile(entry, io.BytesIO(array.tobytes()))
    monkeypatch.setattr(cifar10, "FILES", (published(server, "cifar-10-binary.tar.gz", archive.getvalue()),))
    monkeypatch.setattr(cifar10, "SOURCE", address())
    parts = cifar10.load()
    assert parts["train"][0].shape == (60, 3, 32, 32) and parts["test"][0].shape == (12, 3, 32, 32)
    row = rows["data_batch_2.bin"][3]  # the second batch's fourth: its class, then red, green and blue, row by row
    assert parts["train"][1][15] == row[0] == 3
    for channel, y, x in ((0, 0, 0), (1, 5, 7), (2, 31, 30)):
        assert parts["train"][0][15, channel, y, x] == row[1 + 1024 * channel + 32 * y + x]


def test_what_lies_there_whole_is_not_fetched_again(server):
    file = published(server, "a.bin", b"as published")
    folder = fetch.fetched("some", [file], [address()])
    (server / "a.bin").unlink()
    assert fetch.fetched("some", [file], [address()]) == folder
    assert (folder / "a.bin").read_bytes() == b"as published"


def test_a_damaged_file_is_fetched_anew(server):
    file = published(server, "a.bin", b"as published")
    folder = fetch.fetched("some", [file], [address()])
    (folder / "a.bin").write_bytes(b"as publi")
    fetch.fetched("some", [file], [address()])
    assert (folder / "a.bin").read_bytes() == b"as published"


def test_the_next_source_is_asked_where_one_fails(server):
    file = published(server, "a.bin", b"as published")
    folder = fetch.fetched("some", [file], [address("nowhere/"), address()])
    assert (folder / "a.bin").read_bytes() == b"as published"


@pytest.mark.parametrize("served", [None, b"something else"])
def test_what_cannot_be_fetched_is_met_with_what_to_put_where(server, served):
    file = published(server, "a.bin", b"as published")
    (server / "a.bin").unlink()
    if served:
        (server / "a.bin").write_bytes(served)
    with pytest.raises(UserError, match="some can't be fetched") as refusal:
        fetch.fetched("some", [file], [address()])
    assert f"put a.bin, as published, into {cache_dir() / 'some'}" in str(refusal.value)
    assert "digits and shapes need no download" in str(refusal.value)
    assert not list((cache_dir() / "some").iterdir())  # nothing half fetched is left


def test_a_wrong_file_is_kept_until_the_right_one_is_there(server):
    file = published(server, "a.bin", b"as published")
    folder = fetch.fetched("some", [file], [address()])
    (folder / "a.bin").write_bytes(b"mine")
    (server / "a.bin").unlink()
    with pytest.raises(UserError, match="in place of what lies in"):
        fetch.fetched("some", [file], [address()])
    assert (folder / "a.bin").read_bytes() == b"mine"


def test_which_sets_are_here_is_known(small_mnist):
    assert data.here(data.info("digits")) and not data.here(data.info("mnist"))
    mnist.load()
    assert data.here(data.info("mnist"))


def image_file(width, height, fmt):
    content = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(content, fmt)
    return content.getvalue()


def voc_annotation(name, *objects):
    rows = "".join(
        f"<object><name>{kind}</name><difficult>{difficult}</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for kind, difficult, x1, y1, x2, y2 in objects
    )
    return f"<annotation><filename>{name}</filename>{rows}</annotation>".encode()


def tar_of(files, year=2007):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"VOCdevkit/VOC{year}/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return content.getvalue()


def test_voc_is_read_by_torchvisions_loader(server, monkeypatch):
    archives = []
    for name, image_set, count in (("trainval.tar", "trainval", 4), ("test.tar", "test", 2)):
        numbers = [f"{image_set}{k}" for k in range(count)]
        files = {f"ImageSets/Main/{image_set}.txt": "\n".join(numbers).encode()}
        for k, number in enumerate(numbers):
            objects = [("dog", 0, 1, 1, 100, 50), ("cat", 1, 21, 11, 60, 30)][: k + 1]
            files[f"JPEGImages/{number}.jpg"] = image_file(200, 100, "JPEG")
            files[f"Annotations/{number}.xml"] = voc_annotation(number, *objects)
        archives.append(published(server, name, tar_of(files)))
    monkeypatch.setattr(voc2007, "FILES", tuple(archives))
    monkeypatch.setattr(voc2007, "SOURCES", (address(),))
    voc2007.load.cache_clear()
    splits = voc2007.load()
    voc2007.load.cache_clear()
    assert {split: len(columns[0]) for split, columns in splits.items()} == {"train": 4, "test": 2}
    images, boxes, areas, crowds, scales, labels = splits["train"]
    assert images.shape == (4, 3, 128, 128) and (images[:, :, :64] == 255).all() and (images[:, :, 64:] == 128).all()
    np.testing.assert_allclose(scales, 0.64, rtol=1e-6)
    np.testing.assert_allclose(boxes[1], np.array([[0, 0, 100, 50], [20, 10, 60, 30]]) * 0.64, rtol=1e-6)
    assert areas[1].tolist() == [5000, 800] and crowds[1].tolist() == [False, True]
    assert labels.tolist() == [[11, -1], [11, 7], [11, 7], [11, 7]]


def png_of(mask):
    content = io.BytesIO()
    image = Image.fromarray(mask)
    image.putpalette([value for k in range(256) for value in (k, 0, 255 - k)])  # VOC's masks have a palette
    image.save(content, "PNG")
    return content.getvalue()


def test_vocs_masks_are_read_by_torchvisions_loader(server, monkeypatch):
    mask = np.zeros((100, 200), np.uint8)
    mask[:50], mask[50:54] = 12, 255
    files = {}
    for image_set, count in (("train", 3), ("val", 2)):
        numbers = [f"{image_set}{k}" for k in range(count)]
        files[f"ImageSets/Segmentation/{image_set}.txt"] = "\n".join(numbers).encode()
        for number in numbers:
            files[f"JPEGImages/{number}.jpg"] = image_file(200, 100, "JPEG")
            files[f"SegmentationClass/{number}.png"] = png_of(mask)
    content = tar_of(files, year=2012)
    monkeypatch.setattr(voc2012, "FILES", (published(server, "trainval.tar", content),))
    monkeypatch.setattr(voc2012, "SOURCES", (address(),))
    voc2012.load.cache_clear()
    splits = voc2012.load()
    voc2012.load.cache_clear()
    assert {split: len(columns[0]) for split, columns in splits.items()} == {"train": 3, "test": 2}
    images, segments = splits["train"]
    assert images.shape == (3, 3, 128, 128) and (images[:, :, :64] == 255).all() and (images[:, :, 64:] == 128).all()
    assert (segments[:, :31] == 12).all() and (segments[:, 33] == 255).all()
    assert (segments[:, 36:64] == 0).all() and (segments[:, 64:] == 255).all()


def test_cocos_validation_set_is_read_by_torchvisions_loader(server, monkeypatch):
    names = ["person", "toothbrush"]
    content = dict(
        images=[dict(id=9 - k, file_name=f"{k}.jpg", width=100, height=200) for k in range(3)],
        categories=[dict(id=1, name=names[0]), dict(id=90, name=names[1])],
        annotations=[
            dict(id=1, image_id=9, category_id=90, bbox=[10, 20, 30, 40], area=600.5, iscrowd=0),
            dict(id=2, image_id=9, category_id=1, bbox=[0, 0, 0, 40], area=0, iscrowd=0),
            dict(id=3, image_id=7, category_id=1, bbox=[0, 0, 50, 60], area=7, iscrowd=1),
        ],
    )
    archives = {"val2017.zip": {}, "annotations_trainval2017.zip": {coco_val2017.ANNOTATIONS: json.dumps(content)}}
    for k in range(3):
        archives["val2017.zip"][f"val2017/{k}.jpg"] = image_file(100, 200, "JPEG")
    files = []
    for name, members in archives.items():
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for member, text in members.items():
                archive.writestr(member, text)
        files.append(published(server, name, packed.getvalue()))
    monkeypatch.setattr(coco_val2017, "FILES", tuple(files))
    monkeypatch.setattr(coco_val2017, "SOURCES", {name: (address(),) for name, _ in files})
    coco_val2017.load.cache_clear()
    images, boxes, areas, crowds, scales, labels = coco_val2017.load()
    coco_val2017.load.cache_clear()
    assert images.shape == (3, 3, 160, 160) and np.allclose(scales, 0.8)
    assert labels.tolist() == [[0], [-1], [79]] and crowds[:, 0].tolist() == [True, False, False]  # by id
    np.testing.assert_allclose(boxes[2, 0], [8, 16, 32, 48], rtol=1e-6)
    assert areas[:, 0].tolist() == [7, 0, 600.5]
    assert len(set(coco_val2017.CLASSES)) == 80


@pytest.mark.parametrize("module", [voc2007, coco_val2017])
def test_offline_the_message_names_the_files(module, monkeypatch):
    def fail(*arguments):
        raise OSError("no network")

    monkeypatch.setattr(fetch, "_fetch", fail)
    module.load.cache_clear()
    with pytest.raises(UserError, match=r"can't be fetched \(no network\): put ") as error:
        module.load()
    assert module.FILES[0][0] in str(error.value) and "\n" not in str(error.value)
