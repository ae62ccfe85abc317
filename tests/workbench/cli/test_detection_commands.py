"""Commands on detectors: a folder in COCO's format is shown, trained on, evaluated and predicted on; `explain`."""

import csv
import json
import random

import pytest
from PIL import Image, ImageDraw

from tests.trained_runs import train_run


def make_folder(root, count=24):
    """Write images of two sizes in two folders with ids that are texts; return the name of the data."""
    rng, images, annotations = random.Random(0), [], []
    for k in range(count):
        size = (96, 60) if k % 2 else (50, 80)
        image = Image.new("RGB", size, (30, 60, 30))
        for category in ("t-shirt", "shoe")[: k % 3]:
            x, y = rng.randint(0, size[0] - 30), rng.randint(0, size[1] - 30)
            ImageDraw.Draw(image).rectangle((x, y, x + 24, y + 24), fill="red" if category == "shoe" else "white")
            row = dict(id=f"a{len(annotations)}", image_id=f"photo {k}", category_id=category, bbox=[x, y, 25.0, 25.0])
            annotations.append(row)
        file = root / "shop" / f"shelf{k % 2}" / f"{k}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(file)
        images.append(dict(id=f"photo {k}", file_name=f"shelf{k % 2}/{k}.jpg"))
    categories = [dict(id=name, name=name) for name in ("t-shirt", "shoe", "unused")]
    (root / "export.json").write_text(json.dumps(dict(annotations=annotations, images=images, categories=categories)))
    return f"coco:{root / 'shop'}:{root / 'export.json'}"


@pytest.fixture
def name(tmp_path):
    return make_folder(tmp_path)


def test_a_folder_is_shown(cli, name):
    result = json.loads(cli("data", "show", name, "--json").out)
    assert (result["samples"], result["classes"], result["shape"]) == (24, ["shoe", "t-shirt"], [3, 80, 80])
    assert result["splits"]["train"]["samples"] == 16 and result["data"] == name
    assert cli("data", "show", name).code == 0 and "coco:IMAGES:ANNOTATIONS" in cli("data", "list").out


def test_a_detector_is_evaluated_and_predicts_in_pixels_of_the_file(cli, name, tmp_path):
    run = train_run("yolo-v1", task=name, steps=4, batch_size=8)
    evaluation = json.loads(cli("evaluate", run.id, "--json").out)
    assert {"ap50", "ap", "ap50_voc2007", "ap50_voc2010"} <= evaluation["metrics"].keys()
    assert evaluation["baseline"]["method"] == "the median box of each class, in every image"

    photo = str(tmp_path / "shop" / "shelf1" / "1.jpg")
    result = json.loads(cli("predict", run.id, photo, "--min-score", "0.05", "--json").out)
    [prediction] = result["predictions"]
    assert (prediction["file"], prediction["width"], prediction["height"]) == (photo, 96, 60)
    for one in prediction["detections"]:
        x1, y1, x2, y2 = one["box"]
        assert 0 <= x1 < x2 <= 96 and 0 <= y1 < y2 <= 60 and one["class"] in ("shoe", "t-shirt")
        assert 0.05 <= one["score"] <= 1
    table = tmp_path / "out.csv"
    assert cli("predict", run.id, photo, "--min-score", "0.05", "--csv", str(table)).code == 0
    rows = list(csv.DictReader(table.open()))
    assert [(row["class"], float(row["x1"])) for row in rows] == [
        (one["class"], one["box"][0]) for one in prediction["detections"]
    ]
    assert cli("predict", run.id, photo, "--min-score", "1").out.count("Nothing detected in 1 image.") == 1
    Image.new("RGB", (1, 1)).save(tmp_path / "tiny.png")
    tiny = cli("predict", run.id, str(tmp_path / "tiny.png"))
    assert tiny.code == 2 and "1x1 pixels" in tiny.err and tiny.err.count("\n") == 1


def test_a_score_is_for_detectors(cli, tmp_path):
    run = train_run("lenet5-modern", steps=2)
    Image.new("L", (8, 8)).save(tmp_path / "digit.png")
    result = cli("predict", run.id, str(tmp_path / "digit.png"), "--min-score", "0.5")
    assert result.code == 2 and "--min-score is for detectors" in result.err


CASE = {
    "objects": [{"box": [0, 0, 10, 10]}, {"box": [20, 20, 30, 30]}],
    "detections": [{"box": [0, 0, 10, 9], "score": 0.9}, {"box": [0, 0, 10, 8], "score": 0.8}],
}


def test_average_precision_and_nms_of_a_file_are_explained(cli, tmp_path):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(CASE))
    result = cli("explain", "ap", str(path))
    assert result.code == 0 and max(map(len, result.out.splitlines())) <= 80
    assert "VOC 2007, the mean of 11 recalls          0.5455" in result.out  # 6 of 11
    assert "COCO, the mean of 101 recalls             0.5050   equal to pycocotools" in result.out  # 51 of 101
    assert json.loads(cli("explain", "ap", str(path), "--json").out)["ap"]["voc2010"] == 0.5
    steps = cli("explain", "nms", str(path), "--iou", "0.7")
    assert steps.code == 0 and "box 2    IoU 0.889  suppressed" in steps.out and "equal to torchvision" in steps.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ap", "nowhere.json"], "can't be read"),
        (["nms", "yolo-v1-0001"], "yolo-v1-0001"),
        (["ap", "case.json", "--iou", "1.5"], "--iou"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(cli, words, message):
    result = cli("explain", *words)
    assert result.code == 2 and result.out == "" and message in result.err and result.err.count("\n") == 1
