"""Drawings of translations, of attention and of scores by length."""

import io

import pytest
from rich.console import Console
from rich.segment import Segment, Segments

from tests.workbench.render.cells import text_of
from workbench.render import predictions

MATRIX = {
    "rows": ["c", " ", "end"],
    "columns": ["a", "b", "end"],
    "weights": [[0.9, 0.06, 0.04], [0.3, 0.6, 0.1], [0, 0, 1]],
}
ATTENTION = {"kind": "attention", **MATRIX}
CORRECT = {"kind": "translation", "source": "May 1", "predicted": "05-01", "target": "05-01"}
INCORRECT = {"kind": "translation", "source": "May 2", "predicted": "05-03", "target": "05-02"}
HYPOTHESES = [
    dict(tokens=[4, 2], text="05", log_probability=-0.5, score=-0.25, is_complete=True),
    dict(tokens=[5, 5], text="06", log_probability=-2.0, score=-1.0, is_complete=False),
]
ANSWER = {**CORRECT, "alpha": 1.0, "hypotheses": HYPOTHESES, "attention": MATRIX, "note": "characters: é"}
LENGTHS = {
    "kind": "lengths",
    "rows": [
        dict(length=[4, 4], samples=1200, bleu=99.5, exact_match=0.995, token_accuracy=1.0),
        dict(length=[5, 8], samples=7, bleu=0.0, exact_match=0.0, token_accuracy=0.25),
    ],
}


def test_a_matrix_has_a_row_per_target_token_with_its_largest_weight():
    rows = text_of(predictions.draw([ATTENTION], "attention", 60, 20))
    assert [row.rstrip() for row in rows] == [
        "  a b ↵",
        "c ██░░·   a 90%",
        "␣ ▒▒▓▓░░  b 60%",
        "↵ · · ██  ↵ 100%",
        "weights below 5%: ·, 25%: ░, 50%: ▒, 75%: ▓, above: █; ↵: en",
    ]


def test_labels_of_several_characters_are_written_from_top_to_bottom():
    words = {**ATTENTION, "rows": ["the", "cat", "end"], "columns": ["le", "chat", "end"]}
    rows = text_of(predictions.draw([words], "attention", 60, 20))
    assert [row.rstrip() for row in rows[:5]] == ["      c", "      h", "    l a", "    e t ↵", "the ██░░·   le 90%"]


def test_a_matrix_without_room_says_what_is_left_out():
    wide = {**ATTENTION, "columns": ["x"] * 30, "weights": [[1 / 30] * 30] * 3}
    rows = text_of(predictions.draw([wide], "attention", 24, 4))
    assert rows[0].count("x") == 22 and rows[-1].startswith("1 row and 8 columns not")


def test_translations_have_a_sign_that_is_not_a_color():
    head, correct, incorrect = text_of(predictions.draw([CORRECT, INCORRECT], "translation", 60, 10))
    assert head.split() == ["source", "predicted", "target"]
    assert correct.split() == ["✓", "May", "1", "05-01", "05-01"] and incorrect.startswith("✗ May 2")


def test_an_answer_lists_the_texts_of_its_beams_with_their_scores():
    rows = text_of(predictions.draw([ANSWER], "translation", 60, 30))
    assert rows[0] == "source       May 1" and rows[1] == "translation  05-01" and rows[2] == "characters: é"
    assert " -0.5000   -0.2500  05" in rows and " -2.0000   -1.0000  06 ..." in rows
    assert "score: ln p / length^1" in rows and any("██" in row for row in rows)
    plain = text_of(predictions.draw([{**ANSWER, "alpha": 0.0}], "translation", 60, 30))
    assert "score: ln p, without length normalization" in plain


def test_drawn_texts_are_a_table_without_references():
    samples = [{"kind": "translation", "source": "a\x1b[31m", "predicted": text} for text in ("x", "y")]
    head, first, second = text_of(predictions.draw(samples, "translation", 60, 9))
    assert head.split() == ["source", "predicted"] and first.split() == ["a?[31m", "x"] and second.split()[-1] == "y"


def test_scores_by_length_have_a_row_per_group():
    head, first, second = text_of(predictions.draw([LENGTHS], "lengths", 80, 9))
    assert head.split("  ") == ["source length", "samples", "BLEU", "exact match", "token accuracy"]
    assert first.split() == ["4", "1,200", "99.5", "99.5%", "100.0%"] and second.split()[:3] == ["5", "to", "8"]


@pytest.mark.parametrize("visualization", [ATTENTION, CORRECT, ANSWER, LENGTHS])
@pytest.mark.parametrize("size", [(20, 4), (30, 8), (70, 16), (120, 40)])
def test_drawings_fit_into_their_cells(visualization, size):
    width, height = size
    rows = predictions.draw([visualization] * 2, visualization["kind"], width, height)
    assert 0 < len(rows) <= height
    assert all(Segment.get_line_length(row) <= width for row in rows)
    Console(file=io.StringIO(), width=width).print(*map(Segments, rows))


@pytest.mark.parametrize("kind", ["translation", "attention", "lengths"])
def test_damaged_data_is_reported(kind):
    assert "damaged" in text_of(predictions.draw([{"kind": kind}], kind, 90, 9))[0]
