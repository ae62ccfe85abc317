"""Values of `calc` from files: texts, CSV, .npy and images; what can't be used is one sentence."""

import numpy as np
import pytest
from PIL import Image

from quizzes.formulas import get
from workbench.cli.file_values import read_values
from workbench.errors import UserError

IMAGES, NGRAMS, VECTOR = (get(id) for id in ("psnr-images", "ngram-text", "perplexity"))


def read(formula, *words):
    return read_values(formula.id, formula.symbols, words)


def test_numbers_from_csv_npy_and_an_image(tmp_path):
    rows = [[10, 20], [30, 40]]
    (tmp_path / "a.csv").write_text("left,right\n10,20\n\n30;40\n", encoding="utf-8")
    np.save(tmp_path / "a.npy", np.array(rows))
    Image.fromarray(np.array(rows, np.uint8)).save(tmp_path / "a.png")
    for name in ("a.csv", "a.npy", "a.png"):
        assert read(IMAGES, f"X=@{tmp_path / name}", "Y=[[1, 2], [3, 4]]") == {"X": rows, "Y": [[1, 2], [3, 4]]}


def test_a_vector_in_a_row_or_a_column(tmp_path):
    for text in ("0.5,0.25\n", "0.5\n0.25\n"):
        (tmp_path / "p.csv").write_text(text, encoding="utf-8")
        assert read(VECTOR, f"p=@{tmp_path / 'p.csv'}") == {"p": [0.5, 0.25]}


def test_texts(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat.\nthe dog\n", encoding="utf-8")
    assert read(NGRAMS, f"text=@{tmp_path / 'text.txt'}", "first=the")["text"] == "the cat sat.\nthe dog"
    table = get("tfidf-table")
    assert read(table, f"documents=@{tmp_path / 'text.txt'}") == {"documents": ["the cat sat.", "the dog"]}


@pytest.mark.parametrize(
    ("formula", "name", "content", "sentence"),
    [
        (IMAGES, "X", b"", "has no numbers"),
        (IMAGES, "X", b"1,2\n3,x\n", "Line 2 of .* not a number"),
        (IMAGES, "X", b"1,nan\n", "not a finite number"),
        (IMAGES, "X", b"\xff\xfe1", "is not UTF-8 text"),
        (VECTOR, "p", b"1,2\n3,4\n", "one row or one column"),
        (NGRAMS, "text", b" \n", "is empty"),
        (IMAGES, "MAX", b"1", "MAX can't be read from a file"),
        (IMAGES, "Z", b"1", "Unknown symbol of psnr-images 'Z'"),
    ],
)
def test_unusable_files_are_one_sentence(tmp_path, formula, name, content, sentence):
    (tmp_path / "file.csv").write_bytes(content)
    with pytest.raises(UserError, match=sentence) as error:
        read(formula, f"{name}=@{tmp_path / 'file.csv'}")
    assert "\n" not in str(error.value)


def test_files_that_are_missing_damaged_or_too_large(tmp_path):
    (tmp_path / "damaged.npy").write_bytes(b"no array")
    np.save(tmp_path / "large.npy", np.zeros((300, 300)))
    for name, sentence in (
        ("missing.csv", "can't be read: No such file"),
        ("damaged.npy", "is not a matrix or an image"),
        ("large.npy", "90,000 numbers, and at most 40,000"),
    ):
        with pytest.raises(UserError, match=sentence):
            read(IMAGES, f"X=@{tmp_path / name}")


def test_a_name_is_given_once(tmp_path):
    (tmp_path / "p.csv").write_text("0.5", encoding="utf-8")
    with pytest.raises(UserError, match="p is given twice"):
        read(VECTOR, f"p=@{tmp_path / 'p.csv'}", "p=[1]")
