"""The mean IoU step by step: equal to counts by hand and to scikit-learn's, and files that are not such a case."""

import json

import pytest

from workbench.cli.predict import to_pixel_classes
from workbench.engine.explain_miou import explain_miou, read
from workbench.errors import UserError

CASE = {
    "classes": ["background", "cat", "dog"],
    "target": [[0, 1, 1], [255, 1, 0]],
    "predicted": [[0, 1, 0], [0, 1, 1]],
}


def write(folder, **changes):
    file = folder / "case.json"
    file.write_text(json.dumps({**CASE, **changes}))
    return file


def test_counts_ious_and_mean_are_those_by_hand(tmp_path):
    result = explain_miou(None, write(tmp_path), "test", (0, 1))
    assert result["confusion"] == [[1, 1, 0], [1, 2, 0], [0, 0, 0]] and (result["pixels"], result["void"]) == (5, 1)
    assert [row["iou"] for row in result["rows"]] == [pytest.approx(1 / 3), pytest.approx(1 / 2), None]
    assert result["miou"] == pytest.approx(5 / 12) and result["agree"] and result["counted"] == 2


def test_it_is_printed_with_the_library_value(tmp_path, cli):
    code, out, _ = cli("explain", "miou", str(write(tmp_path)))
    assert code == 0 and "0.4167" in out and "equal to scikit-learn" in out and "left out" in out
    assert json.loads(cli("explain", "miou", str(write(tmp_path)), "--json").out)["miou"] == pytest.approx(5 / 12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": [[0, 1, 3], [0, 0, 0]]}, r"target of case\.json has 3: a pixel has a class from 0 to 2, or 255"),
        (
            {"predicted": [[0, 1, 255], [0, 0, 0]]},
            r"predicted of case\.json has 255: a pixel has a class from 0",
        ),
        ({"predicted": [[0, 1], [0, 0]]}, r"must have rows of the same lengths"),
        ({"predicted": [0, 1]}, r"must be rows of numbers"),
        ({"classes": []}, r"must be a list of names"),
    ],
)
def test_files_that_are_no_such_case_are_one_clear_sentence(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        read(write(tmp_path, **changes))


def test_void_pixels_alone_have_no_iou(tmp_path):
    with pytest.raises(UserError, match="All pixels are void"):
        explain_miou(None, write(tmp_path, target=[[255] * 3] * 2), "test", (0, 1))


def test_run_lengths_are_drawn_where_the_classes_are(tmp_path):
    from PIL import Image

    Image.new("RGB", (20, 10)).save(tmp_path / "a.png")
    inside = {"class": "cat", "share": 0.25, "rle": {"size": [10, 20], "counts": [150, 50]}}  # the last five columns
    outside = {"class": "background", "share": 0.75, "rle": {"size": [10, 20], "counts": [0, 150, 50]}}
    prediction = {"file": str(tmp_path / "a.png"), "width": 20, "height": 10, "segments": [outside, inside]}
    drawn = to_pixel_classes(prediction)
    names = [[drawn["classes"][label] for label in row] for row in drawn["predicted"]]
    assert names == [["background"] * 15 + ["cat"] * 5] * 10
