"""Average precision and NMS step by step: equal to pycocotools and torchvision; files that can't be explained."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trained_runs import train_run
from workbench import data
from workbench.data import shape_scenes
from workbench.engine import explain, explain_case, worker
from workbench.errors import UserError


class Worker:
    """A worker in this process."""

    def ask(self, request, timeout):
        reply = worker.answer(json.dumps(request))
        if "refused" in reply:
            raise UserError(reply["refused"])
        return reply["values"]


WORKER = Worker()


def ap(source, iou=0.5, class_name=None, images=(0, 8)):
    return explain.explain_ap(WORKER, source, iou, class_name, "test", images)


def nms(source, iou=0.5, class_name=None, image=0, min_score=0.0):
    return explain.explain_nms(WORKER, source, iou, class_name, "test", image, min_score)


def write(path, **content):
    path.write_text(json.dumps(content))
    return path


def random_case(seed, levels=40):
    """Return objects and detections of three images and two classes; few levels make equal scores and equal IoUs."""
    generator = np.random.default_rng(seed)

    def row(**keys):
        x, y, w, h = generator.integers([0, 0, 8, 8], [30, 30, 20, 20]).tolist()
        place = {"image": f"image {generator.integers(0, 3)}", "class": ["cat", "dog"][generator.integers(0, 2)]}
        return place | {"box": [x, y, x + w, y + h]} | keys

    objects = [row() for _ in range(12)]
    near = [{**one, "score": int(generator.integers(0, levels)) / levels} for one in objects]
    for one in near:
        one["box"] = [value + int(generator.integers(-3, 4)) for value in one["box"][:2]] + one["box"][2:]
    others = [row(score=int(generator.integers(0, levels)) / levels) for _ in range(20)]
    detections = [*near, *near[:4], *others]
    return dict(objects=objects, detections=[detections[k] for k in generator.permutation(len(detections))])


@pytest.mark.parametrize("levels", [8, 1000])
@pytest.mark.parametrize("iou", [0.3, 0.5, 0.75])
def test_average_precision_by_steps_is_pycocotools(tmp_path, iou, levels):
    for seed in range(12):
        path = write(tmp_path / "case.json", **random_case(seed, levels))
        for name in ("cat", "dog"):
            result = ap(path, iou, name)
            assert result["agree"], (seed, name, result["ap"], result["library"])
            assert result["ap"]["coco"] == pytest.approx(result["library"]["pycocotools"], abs=1e-6)


@pytest.mark.parametrize("iou", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_nms_by_steps_is_torchvisions(tmp_path, iou):
    for seed in range(12):
        path = write(tmp_path / "case.json", **random_case(seed, 1000))
        result = nms(path, iou)
        assert result["agree"] and result["remaining"] == result["library"]["torchvision"]
        assert nms(path, iou, "cat", min_score=0.3)["agree"]
        suppressed = {one["number"] for step in result["steps"] for one in step["compared"] if one["suppressed"]}
        assert suppressed | set(result["remaining"]) == set(range(1, len(result["boxes"]) + 1))


def test_a_case_by_hand(tmp_path):
    objects = [{"box": [0, 0, 10, 10]}, {"box": [20, 20, 30, 30]}]
    detections = [
        {"box": [0, 0, 10, 9], "score": 0.9},
        {"box": [0, 0, 10, 8], "score": 0.8},
        {"box": [20, 20, 30, 30], "score": 0.7},
    ]
    result = ap(write(tmp_path / "case.json", objects=objects, detections=detections))
    assert [row["correct"] for row in result["rows"]] == [True, False, True]
    assert [row["object"] for row in result["rows"]] == [1, 1, 2]
    assert [row["reason"] for row in result["rows"]][1] == "the object has a better-scoring detection"
    assert [row["precision"] for row in result["rows"]] == pytest.approx([1, 1 / 2, 2 / 3])
    assert [row["interpolated"] for row in result["rows"]] == pytest.approx([1, 2 / 3, 2 / 3])
    assert [(row["true_positives"], row["false_positives"]) for row in result["rows"]] == [(1, 0), (1, 1), (2, 1)]
    expected = {"voc2007": (6 + 5 * 2 / 3) / 11, "voc2010": 5 / 6, "coco": (51 + 50 * 2 / 3) / 101}
    assert result["ap"] == pytest.approx(expected) and result["class"] == "object" and result["objects"] == 2
    steps = nms(tmp_path / "case.json")["steps"]
    assert [(step["box"], [one["number"] for one in step["compared"]]) for step in steps] == [(1, [2, 3]), (3, [])]
    assert steps[0]["compared"][0]["iou"] == pytest.approx(80 / 90) and steps[0]["compared"][0]["suppressed"]


def test_a_case_without_detections_has_an_average_precision_of_0(tmp_path):
    result = ap(write(tmp_path / "case.json", objects=[{"box": [0, 0, 1, 1]}], detections=[]))
    assert result["ap"] == {"voc2007": 0, "voc2010": 0, "coco": 0} and result["rows"] == [] and result["agree"]


BOX = {"box": [0, 0, 5, 5], "score": 0.5}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "no detections"),
        ({"objects": []}, "no detections"),
        ({"detections": {}}, "must be a list"),
        ({"detections": [5]}, "Row 1 of detections"),
        ({"detections": [BOX | {"box": [5, 0, 5, 5]}]}, "without area"),
        ({"detections": [BOX | {"box": [9, 0, 5, 5]}]}, "without area"),
        ({"detections": [BOX | {"box": [0, 0, float("nan"), 5]}]}, "4 finite numbers"),
        ({"detections": [BOX | {"box": [0, 0, 5]}]}, "4 finite numbers"),
        ({"detections": [BOX | {"box": "0 0 5 5"}]}, "4 finite numbers"),
        ({"detections": [BOX | {"score": None}]}, "needs a score"),
        ({"detections": [BOX | {"score": float("inf")}]}, "needs a score"),
        ({"detections": [BOX | {"class": ["cat"]}]}, "class that is not a name"),
        ({"detections": [BOX | {"image": "\x1b[2J"}]}, "image that is not a name"),
        ({"detections": [BOX] * 101}, "more than 100 detections"),
        ({"detections": [BOX], "objects": []}, "no objects"),
    ],
)
def test_a_file_that_cannot_be_explained_is_one_sentence(tmp_path, content, message):
    path = tmp_path / "case.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(UserError, match=message) as error:
        ap(path)
    assert "\n" not in str(error.value)


def test_there_must_be_a_file_and_boxes_and_the_class(tmp_path):
    with pytest.raises(UserError, match="can't be read"):
        ap(tmp_path / "nowhere.json")
    path = write(tmp_path / "case.json", detections=[BOX], objects=[{"box": [0, 0, 5, 5], "class": "cat"}])
    with pytest.raises(UserError, match=r"Unknown class 'cot'\. Did you mean 'cat'"):
        ap(path, class_name="cot")
    with pytest.raises(UserError, match=r"no boxes with a score of 0\.9"):
        nms(path, min_score=0.9)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["objects", "detections", "box", "score", "class", "image"]), inner, max_size=4
            )
        ),
        max_leaves=15,
    )
)
def test_any_json_is_read_or_rejected(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "case.json"
    path.write_text(json.dumps(content))
    try:
        assert isinstance(explain_case.read(path)["detections"], list)
    except UserError as error:
        assert "\n" not in str(error)


def test_a_run_is_explained_by_its_detections(monkeypatch):
    images, boxes, labels = shape_scenes.draw_scenes(shape_scenes.options(), 60, first_seed=0)
    parts = {"train": slice(0, 40), "validation": slice(40, 50), "test": slice(50, 60)}
    splits = {name: (images[part], boxes[part], labels[part]) for name, part in parts.items()}
    monkeypatch.setattr(data, "load", lambda name, seed=0: splits)
    run = train_run("yolo-v1", steps=12)
    result = ap(run, images=(0, 4))
    assert result["run"] == run.id and result["agree"] and result["class"] in ("circle", "square", "triangle", "star")
    assert {row["image"] for row in result["rows"]} <= set("0123") and "image" not in result
    suppression = nms(run, image=1, min_score=0.01)
    assert suppression["agree"] and {row["image"] for row in suppression["boxes"]} == {"1"}
    assert np.shape(suppression["visualization"]["pixels"]) == (64, 64, 3)
    with pytest.raises(UserError, match="images 0 to 9"):
        ap(run, images=(10, 15))
    with pytest.raises(UserError, match="Unknown split"):
        explain.explain_ap(WORKER, run, 0.5, None, "tests", (0, 4))


def test_other_runs_detect_nothing():
    run = train_run("lenet5-modern", steps=2)
    with pytest.raises(UserError, match="detects no objects"):
        ap(run)
