"""Commands on segments: `explain pq` of a file, and files with masks, as `predict` prints them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import models
from workbench.cli.predict import print_detections, select_detections, to_segments
from workbench.data import panoptic_scenes, run_lengths, shape_instances
from workbench.engine import explain_panoptic, panoptic_case
from workbench.errors import UserError
from workbench.tasks import get
from workbench.tasks.scalers import Scaler

CASE = {
    "target": {
        "map": [[1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2], [3, 3, 3, 2, 2, 0], [3, 3, 3, 3, 0, 0]],
        "classes": {"1": "sky", "2": "cat", "3": "grass"},
    },
    "predicted": {
        "map": [[1, 1, 1, 1, 5, 5], [1, 1, 1, 5, 5, 5], [3, 3, 6, 6, 5, 5], [3, 3, 6, 6, 5, 7]],
        "classes": {"1": "sky", "5": "cat", "3": "grass", "6": "cat", "7": "cat"},
    },
    "stuff": ["sky", "grass"],
}


def write(folder, case):
    path = folder / "case.json"
    path.write_text(case if isinstance(case, str) else json.dumps(case))
    return path


def test_the_panoptic_quality_of_a_file_is_explained(cli, tmp_path):
    """By hand: sky 6/7, grass 4/7, cat 6/8 with one false positive; segment 7 lies in void alone."""
    path = str(write(tmp_path, CASE))
    result = json.loads(cli("explain", "pq", path, "--json").out)
    assert result["pq"] == pytest.approx((6 / 7 + 4 / 7 + 0.75 / 1.5) / 3) and result["agree"]
    assert [row["id"] for row in result["false_positives"]] == [6] and result["false_negatives"] == []
    assert [row["id"] for row in result["ignored"]] == [7]
    rows = {row["class"]: (row["tp"], row["fp"], row["fn"]) for row in result["classes"]}
    assert rows == {"cat": (1, 1, 0), "grass": (1, 0, 0), "sky": (1, 0, 0)}
    text = cli("explain", "pq", path)
    assert text.code == 0 and max(map(len, text.out.splitlines())) <= 80
    assert "PQ 0.6429   equal to the metric" in text.out and "111155" in text.out
    crowd = {**CASE, "target": {**CASE["target"], "crowds": [2]}}
    result = json.loads(cli("explain", "pq", str(write(tmp_path, crowd)), "--json").out)
    assert {row["class"] for row in result["classes"]} == {"cat", "grass", "sky"}
    assert [row["id"] for row in result["ignored"]] == [5, 7] and result["agree"]


@pytest.mark.parametrize("seed", range(4))
def test_the_steps_of_random_maps_agree_with_the_metric(seed):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 4, (6, 7))
    maps = (np.where(rng.random(ids.shape) < 0.3, rng.integers(0, 4, ids.shape), ids), ids)
    classes = {number: "ab"[number % 2] for number in range(1, 4)}
    case = {
        origin: {"map": one.tolist(), "classes": classes, "crowds": [3] if origin == "target" and seed == 3 else []}
        for origin, one in zip(("predicted", "target"), maps, strict=True)
    }
    steps = explain_panoptic.compute(case)
    for name, value in explain_panoptic.by_metric(case).items():
        assert steps[name] == pytest.approx(value)


def changed(origin, **parts):
    return {**CASE, origin: {**CASE[origin], **parts}}


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("{", "is not JSON"),
        ({"target": CASE["target"]}, "needs a target and a predicted map"),
        (changed("predicted", map=[[1, 5, 3, 6, 7]]), "has 4x6 pixels, and the predicted one 1x5"),
        (changed("target", map=[[1, 2, 3], [1]]), "rows of different lengths"),
        (changed("target", map=[[1, 2, 3, 9]]), "has the id 9, whose class is unknown"),
        (changed("target", map=[[1, 2, 3, 1.5]]), "has the id 1.5, whose class is unknown"),
        (changed("target", map=[[1, 2]]), "has no pixel of segment 3"),
        (changed("target", map=[]), "must be rows of ids"),
        (changed("target", classes={"0": "sky"}), "ids are 1 to 16,777,215, and 0 is void"),
        (changed("target", classes={"1": 7}), "a segment 1 whose class is not a name"),
        (changed("target", crowds=[8]), "crowds of the target map"),
        ({**CASE, "stuff": ["sea"]}, "stuff of case.json must be classes of its segments, and 'sea' is none"),
    ],
)
def test_files_that_are_no_case_are_rejected_in_one_sentence(tmp_path, case, message):
    with pytest.raises(UserError, match=message) as error:
        panoptic_case.read(write(tmp_path, case))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_sentence(cli):
    result = cli("explain", "pq", "nowhere.json")
    assert result.code == 2 and result.out == "" and "can't be read" in result.err and result.err.count("\n") == 1


def test_maps_of_void_alone_have_no_quality(tmp_path):
    nothing = {"map": [[0, 0]], "classes": {}}
    with pytest.raises(UserError, match="no segment to compare"):
        explain_panoptic.compute(panoptic_case.read(write(tmp_path, {"target": nothing, "predicted": nothing})))


@pytest.mark.parametrize(("name", "model"), [("shape-instances", "mask-rcnn"), ("panoptic-scenes", "panoptic-fpn")])
def test_image_files_get_masks_in_their_own_size(tmp_path, monkeypatch, capsys, name, model):
    module = "workbench.tasks.detection.training_scaler"
    monkeypatch.setattr(module, lambda *arguments, **options: Scaler(np.float32(128), np.float32(64)))
    monkeypatch.setattr(shape_instances, "load", None)
    monkeypatch.setattr(panoptic_scenes, "load_maps", None)
    torch.manual_seed(0)
    network = models.build(model, "mini").eval()
    network.roi_heads["box_predictor"].cls_score.bias.data = torch.tensor([-9.0, 4.0, -9.0, -9.0, -9.0])
    if model == "panoptic-fpn":
        network.semantic.predictor.bias.data[2] = 9.0
    file = tmp_path / "wide.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 100, 3), dtype=np.uint8)).save(file)
    [prediction] = json.loads(json.dumps(get(name).predict_files(network, [file], 0)))
    assert (prediction["width"], prediction["height"]) == (100, 40) and prediction["detections"]
    masks = [run_lengths.decode(row["rle"]) for row in prediction["detections"]]
    assert all(mask.shape == (40, 100) and mask.any() for mask in masks)
    for row, mask in zip(prediction["detections"], masks, strict=True):
        x1, y1, x2, y2 = row["box"]
        assert 0 <= x1 < x2 <= 100 and 0 <= y1 < y2 <= 40 and row["class"] == "circle"
        if model == "panoptic-fpn":
            rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
            assert row["box"] == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] and row["area"] == mask.sum()
    if model == "panoptic-fpn":
        assert [row["class"] for row in prediction["stuff"]] == ["grass"]
        stuff = run_lengths.decode(prediction["stuff"][0]["rle"])
        assert (sum(mask.astype(int) for mask in masks) + stuff).max() == 1
    result = {"predictions": [{"file": str(file), **prediction}]}
    select_detections(result, 0.3)
    visualization = to_segments(result["predictions"][0])
    assert len(visualization["ids"]) == len(visualization["pixels"])
    print_detections(result)
    printed = capsys.readouterr().out
    assert "1 circle" in printed and (model == "mask-rcnn" or "Stuff in wide.png: grass" in printed)
