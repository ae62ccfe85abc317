"""Drawings of what a trained network computes: their size, captions and frames, with and without color."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment

from tests.workbench.render.cells import text_of
from workbench.render import interpretation
from workbench.render.frame import render_with_frame
from workbench.render.halfblock import to_stretched_pixels

ABOUT = dict(run="lenet5-0001", model="lenet5", checkpoint="best", step=9, classes=["cat", "dog"])
GRAY = [[(x * y) % 7 / 7 for x in range(8)] for y in range(8)]
SAMPLE = dict(sample=4, pixels=GRAY, target=0, predicted=1, probability=0.875, all_layers=["c1"])
FILTERS = ABOUT | {"kind": "filters"} | dict(layer="c1", type="Conv2d", shape=[3, 1, 8, 8], filters=[GRAY] * 3)
MAPS = ABOUT | SAMPLE | {"kind": "maps"}
MAPS["layers"] = [
    dict(layer="c1", type="Conv2d", shape=[5, 8, 8], maps=[dict(channel=3, strength=0.5, pixels=GRAY)] * 2),
    dict(layer="c2", type="Conv2d", shape=[1, 1, 1], maps=[dict(channel=0, strength=2.0, pixels=[[1.0]])]),
]
ERRORS = ABOUT | {"kind": "errors"} | dict(tested=50, wrong=2, errors=[{**SAMPLE, "true_probability": 0.1}] * 2)
FIELD = ABOUT | SAMPLE | {"kind": "field"} | dict(layer="c1", type="Conv2d", shape=[5, 8, 8], unit=[4, 4])
FIELD |= dict(
    theoretical=dict(size=[3, 3], first=[3, 3]), effective={"gradients": GRAY, "samples": 8, "pixels": 4, "side": 2.0}
)
COUNTS = [0, 1, 8] + [4] * 28 + [0]
WEIGHT = dict(parameter="layer1.0.conv.weight", type="Conv2d", shape=[4, 3, 3, 3], count=121, mean=0.5, sd=0.25)
WEIGHT |= dict(norm=2.0, zeros=0.25, not_finite=0, low=-0.125, high=1.0, counts=COUNTS)
WEIGHTS = ABOUT | {"kind": "weights", "parameters": [WEIGHT, WEIGHT | {"mean": None, "sd": None, "not_finite": 121}]}
GRADIENTS = ABOUT | {"kind": "gradients", "samples": 32, "loss": 0.5, "unused": ["aux.weight"]}
GRADIENTS["parameters"] = [WEIGHT | {"weight_norm": 4.0}]
DEAD = ABOUT | {"kind": "dead", "samples": 90}
DEAD["layers"] = [
    dict(layer="activations.0", units=20, dead=[*range(10)], zeros=0.5),
    dict(layer="backbone.layer4.0.blocks.3.activation_after_the_norm", units=8, dead=[], zeros=0.25),
]
RESULTS = [FILTERS, MAPS, ERRORS, FIELD, WEIGHTS, GRADIENTS, DEAD]


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result["kind"])
@pytest.mark.parametrize("size", [(40, 10), (78, 19), (118, 35), (200, 60)])
def test_no_row_is_wider_than_allowed(result, size, color):
    rows = interpretation.draw(result, *size, color)
    assert rows and max(map(Segment.get_line_length, rows)) <= size[0]


def test_captions():
    filters = " ".join(text_of(interpretation.draw(FILTERS, 78, 30)))
    assert "c1: 3 filters 8x8." in filters and all(f"{k}: 0, .86" in filters for k in range(3))
    maps = " ".join(text_of(interpretation.draw(MAPS, 78, 30)))
    assert "cat ✗ dog 88%" in maps and "c1  5x8x8  Conv2d: the strongest 2 of 5 channels" in maps and "3: 0.5" in maps
    assert "1x1x1  Conv2d: all channels" in maps
    errors = " ".join(text_of(interpretation.draw(ERRORS, 78, 30)))
    assert "2 of 50 test samples" in errors and errors.count("4: cat ✗ dog 88%") == 2
    no_errors = " ".join(text_of(interpretation.draw(ERRORS | dict(errors=[], wrong=0), 78, 30)))
    assert "All 50 test samples are classified correctly." in no_errors
    field = " ".join(text_of(interpretation.draw(FIELD, 78, 30)))
    assert "rows 3 to 5, columns 3 to 5" in field and "44% of the border's area" in field  # 4 of 9 pixels


def test_a_histogram_has_a_bar_per_bin_with_its_ends_and_statistics():
    rows = text_of(interpretation.draw(WEIGHTS, 74, 10))
    text = " ".join(rows)
    assert "layer1.0.conv.weight  Conv2d 4x3x3x3" in text and "mean 0.5  sd 0.25  zeros 25%" in text
    assert "Conv2d 4x3x3x3  zeros 25%  not finite: 121" in text
    bars = next(row for row in rows if row.startswith(" -0.125 "))
    assert bars == " -0.125  ▁█" + "▄" * 28 + "  1"  # 8 is the highest, 4 half as high, and 1 an eighth
    gradients = " ".join(text_of(interpretation.draw(GRADIENTS, 78, 30)))
    assert "norm 2 (weights 4)" in gradients and "Without a gradient: aux.weight." in gradients


def test_dead_units_are_counted_per_layer_and_in_total():
    rows = text_of(interpretation.draw(DEAD, 100, 30))
    text = " ".join(rows)
    assert "10 of 28 units are dead" in text and "dead: 0, 1, 2, 3, 4, 5, 6, 7 and 2 more" in text
    first = next(row for row in rows if row.startswith("activations.0"))
    assert first.split() == ["activations.0", "20", "10", "50%", "█" * 10 + "░" * 10, "50%"]
    assert any(row.split()[1:] == ["8", "0", "0%", "░" * 20, "25%"] for row in rows)


def test_a_sample_without_a_class_has_its_number_alone():
    for result in (MAPS, FIELD):
        plain = {key: value for key, value in result.items() if key not in ("target", "predicted", "probability")}
        text = " ".join(text_of(interpretation.draw(plain | {"classes": []}, 78, 30)))
        assert "sample 4" in text and "sample 4:" not in text and "✗" not in text


@pytest.mark.parametrize("width", [30, 78])
def test_errors_on_a_table_are_rows(width):
    values = [round(-1.5 + k, 3) for k in range(12)]
    error = dict(sample=4, values=values, target=0, predicted=1, probability=0.875, true_probability=0.1)
    rows = text_of(interpretation.draw(ERRORS | {"errors": [error, error | {"sample": 11}]}, width, 30))
    first, second = (row for row in rows if "cat ✗ dog 88%" in row)
    assert first.startswith("4: cat") and second.startswith("11: cat") and "-1.50" in first
    assert max(map(len, rows)) <= width and ("9.50" in first) == (width > 120)
    assert "its features" in " ".join(rows)


def test_a_receptive_field_can_be_the_whole_image_or_extend_beyond_it():
    whole = FIELD | dict(theoretical=dict(size=[None, None], first=[None, None]))
    assert "the whole 8x8 image" in " ".join(text_of(interpretation.draw(whole, 78, 30)))
    beyond = FIELD | dict(theoretical=dict(size=[11, 11], first=[-1, -1]))
    rows = text_of(interpretation.draw(beyond, 78, 30, color=False))
    assert "beyond the 8x8 image" in " ".join(rows) and not set("┌┐└┘│─") & set("".join(rows))


@pytest.mark.parametrize("color", [True, False])
def test_a_frame_is_drawn_on_the_outermost_pixels_in_it(color):
    pixels = to_stretched_pixels([[0.0] * 8 for _ in range(8)])
    rows = text_of(render_with_frame(pixels, (2, 1), (6, 7), 16, 8, color))  # a pixel is two columns wide, one row high
    assert [row.rstrip()[2:14] if k in range(2, 6) else "" for k, row in enumerate(rows)] == [
        *["", ""],
        "┌──────────┐",
        *["│" + ("▀" if color else " ") * 10 + "│"] * 2,
        "└──────────┘",
        *["", ""],
    ]
    open_above = text_of(render_with_frame(pixels, (-3, 1), (6, 9), 16, 8, color))
    assert "┌" not in "".join(open_above) and "┘" not in "".join(open_above) and "└" in "".join(open_above)


@given(
    st.integers(2, 40),
    st.integers(2, 40),
    st.tuples(st.integers(-50, 50), st.integers(-50, 50)),
    st.tuples(st.integers(1, 99), st.integers(1, 99)),
    st.booleans(),
)
def test_any_frame_fits_on_any_image(height, width, first, size, color):
    pixels = to_stretched_pixels([[float(x + y) for x in range(width)] for y in range(height)])
    rows = render_with_frame(pixels, first, (first[0] + size[0], first[1] + size[1]), 30, 12, color)
    assert len({Segment.get_line_length(row) for row in rows}) == 1 and Segment.get_line_length(rows[0]) <= 80
