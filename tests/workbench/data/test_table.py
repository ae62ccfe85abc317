"""The user's own tables: what is read from them, and every way in which they can be unfit."""

import csv
import os
from io import StringIO

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench import data
from workbench.data import csv_file
from workbench.errors import UserError


def table(rows=20, header="age,height,passed", line="{k},{h},{p}"):
    lines = [line.format(k=k, h=150 + k / 2, p="yes" if k % 3 else "no") for k in range(rows)]
    return "\n".join([header, *lines, ""])


@pytest.fixture
def write(tmp_path):
    def write(content, name="table.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return f"csv:{file}"

    return write


def whole(name):
    return [np.concatenate(column) for column in zip(*data.load(name).values(), strict=True)]


def test_a_table_is_read_as_it_stands(write):
    name = write(table())
    known = data.info(name)
    assert (known.samples, known.shape, known.features) == (20, (2,), ("age", "height"))
    assert (known.kind, known.classes, known.target) == ("classification", ("no", "yes"), "passed")
    inputs, targets = whole(name)
    assert sorted(map(tuple, inputs.tolist())) == [(k, 150 + k / 2) for k in range(20)]
    assert all(target == (age % 3 > 0) for (age, _), target in zip(inputs, targets, strict=True))


def test_any_column_can_be_the_target_and_the_name_is_good_in_any_folder(write, monkeypatch, tmp_path):
    text = table().replace("yes", "1").replace("no", "0")
    (tmp_path / "a:b.csv").write_text(text.replace("age", "age: years"))
    monkeypatch.chdir(tmp_path)
    known = data.info("csv:a:b.csv:age: years")
    assert (known.target, known.features, known.kind) == ("age: years", ("height", "passed"), "regression")
    monkeypatch.chdir("/")
    assert data.info(known.name) == known
    assert sorted(whole(known.name)[1].tolist()) == list(range(20))


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1] * 15, ("0", "1")),
        ([3, -1, 10] * 10, ("-1", "3", "10")),
        (["1.0", "1", "2"] * 10, ("1", "2")),
        (["b", "a", "10"] * 10, ("10", "a", "b")),
        ([0, 0.5] * 15, ()),  # not whole
        (list(range(30)), ()),  # a row each
        ([7, 7, *range(20, 48)], ()),
    ],
)
def test_what_makes_classes_and_what_a_number_to_be_told(write, values, classes):
    name = write("x,y\n" + "".join(f"{k},{value}\n" for k, value in enumerate(values)))
    assert data.info(name).classes == classes
    inputs, targets = whole(name)
    for row, target in zip(inputs[:, 0].astype(int), targets, strict=True):
        assert (classes[target] == str(values[row]).removesuffix(".0")) if classes else target == values[row]


@pytest.mark.parametrize("change", [
    lambda text: text.replace(",", ";"), lambda text: text.replace(",", "\t"), lambda text: "\ufeff" + text,
    lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("\n", "\n\n"),
    lambda text: text.replace(",", " , "), lambda text: '"age",' + text.removeprefix("age,"), str.rstrip,
])  # fmt: skip
def test_other_ways_to_write_the_same_table(write, change):
    plain, other = whole(write(table())), whole(write(change(table()), "other.csv"))
    assert all((one == same).all() for one, same in zip(plain, other, strict=True))


def with_cell(line, cell):
    lines = table().splitlines()
    lines[line - 1] = cell
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        (" \n\n ", "is empty"),
        (table(header="5.1,3.5,setosa"), "has no header"),
        (table(header="age,,passed"), "Column 2 of table.csv has no name"),
        (table(header="age,age,passed"), "2 columns of table.csv are called 'age'"),
        ("a\n" + "1\n" * 30, "one column"),
        (with_cell(7, "1,2"), "Line 7 of table.csv has 2 cells, and the header has 3"),
        (with_cell(7, "1,2,yes,no"), "Line 7 of table.csv has 4 cells"),
        (with_cell(7, "1,tall,yes"), "In line 7, column 'height', 'tall' is no number"),
        (with_cell(7, "1_0,2,yes"), "In line 7, column 'age', '1_0' is no number"),
        (with_cell(7, "1,,yes"), r"a gap in line 7, column 'height' \(empty\)"),
        (with_cell(7, "NaN,2,yes"), r"a gap in line 7, column 'age' \(NaN\)"),
        (with_cell(7, "1,-inf,yes"), "a gap in line 7, column 'height'"),
        (with_cell(7, "1,2,"), "a gap in line 7, column 'passed'"),
        (with_cell(7, "1,1e300,yes"), "column 'height', 1e300 is too large"),
        (with_cell(7, '1,"2,yes'), "is no CSV"),
        (with_cell(7, '1,"2"x,yes'), "Line 7 of table.csv is no CSV"),
        (table(19), "Rows in table.csv: 19"),
        (table().replace("no", "yes"), "'yes' in every row"),
        (table().replace("no", "1").replace("yes", "1.0"), "1 in every row"),
        (with_cell(7, "1,2,maybe"), "Class 'maybe' of column 'passed' has too few rows, 1"),
        (table(line="{k},{h},n{k}", rows=200), "200 different texts"),
        (table(line="{k},{h},{k}").replace(",17\n", ",l7\n"), "line 19, column 'passed', 'l7' is no number, as most"),
        (table().encode("utf-16"), "UTF-8"),
        (table().replace("no", "é").encode("latin-1"), "UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_met_with_its_place(write, content, said):
    with pytest.raises(UserError, match=said) as refusal:
        data.info(write(content))
    assert len(str(refusal.value).splitlines()) == 1


def test_files_that_are_none(write, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for name, said in [
        ("csv:", "folder"),
        (f"csv:{tmp_path}", "folder"),
        (f"csv:{tmp_path}:x", "folder"),
        (f"csv:{tmp_path}/pipe", "no ordinary file"),
        ("csv:nowhere.csv", "no file nowhere.csv"),
        ("csv:~nobody-of-that-name/x.csv", "can't be read"),
        ("csv:" + "x" * 5000, "can't be read"),
        ("csv:a\0b", "no file"),
        (write(table()) + ":hight", "called 'hight'. Did you mean 'height"),
    ]:
        with pytest.raises(UserError, match=said):
            data.info(name)
    monkeypatch.setattr(csv_file, "MOST_BYTES", 100)
    with pytest.raises(UserError, match="MB"):
        data.info(write(table()))


def test_a_file_that_changed_is_read_again(write):
    assert data.info(write(table())).samples == 20
    assert data.info(write(table(25))).samples == 25


cells = st.sampled_from(["1", "2.5", "-3", "", "x", "nan", "1e400", '"', "a,b", "\r", "\0", " "]) | st.text(max_size=3)
grids = st.lists(st.lists(cells, min_size=2, max_size=3), min_size=20, max_size=24)


def written(grid):
    out = StringIO()
    csv.writer(out).writerows([["a", "b", "c"][: len(grid[0])], *grid])
    return out.getvalue().encode(errors="replace")


@given(st.binary(max_size=200) | st.text(alphabet='a1.,;"\n\r\t-', max_size=200).map(str.encode) | grids.map(written))
@example(b"\xef\xbb\xbf")
@example(b"a,b\n" + b"1,\x00\n" * 30)
@example(b"a,b\n1," + b"x" * 200_000)
def test_any_file_is_a_table_or_is_refused(write, content):
    name = write(content)
    try:
        inputs, targets = whole(name)
    except UserError as refusal:
        assert str(refusal)
    else:
        assert np.isfinite(inputs).all() and np.isfinite(targets).all() and len(inputs) == len(targets) >= 20


numbers = st.floats(-1e12, 1e12).map(lambda x: x + 0.0)


@given(st.lists(st.tuples(numbers, numbers), min_size=20, max_size=30, unique_by=lambda row: row[1]))
def test_numbers_come_back_as_they_were_written(write, rows):
    inputs, targets = whole(write("x,y\n" + "".join(f"{x!r},{y!r}\n" for x, y in rows)))
    assert sorted(zip(inputs[:, 0].tolist(), targets.tolist(), strict=True)) == sorted(rows)
