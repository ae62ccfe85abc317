"""Declarations read from sources."""

import pytest

from workbench.literals import literal

READ = {
    "plain": "FAMILY = dict(a=1, b={'x': dict(c=(1, 2))}, d=[dict()])",
    "annotated": "FAMILY: dict[str, object] = dict(a=1, b={'x': dict(c=(1, 2))}, d=[dict()])",
    "two blanks": "FAMILY  =  dict(a=1, b={'x': dict(c=(1, 2))}, d=[dict()])",
    "no blanks": "FAMILY=dict(a=1,b={'x':dict(c=(1,2))},d=[dict()])",
    "several lines": "FAMILY = dict(\n    a=1,\n    # a comment\n    b={'x': dict(c=(1, 2))},\n    d=[dict()],\n)",
    "another class": "FAMILY = Family(a=1, b={'x': dict(c=(1, 2))}, d=[dict()])",
}


@pytest.mark.parametrize("source", READ.values(), ids=READ)
@pytest.mark.parametrize("after", ["", "\nother = f()\n", "\n\n\ndef f():\n    return 1\n"])
def test_an_assignment_is_read_however_it_is_written(tmp_path, source, after):
    file = tmp_path / "a.py"
    file.write_text(f"import os\nFAMILY_NAME = 3\n{source}{after}")
    assert literal(file, "FAMILY") == {"a": 1, "b": {"x": {"c": (1, 2)}}, "d": [{}]}


def test_a_file_without_the_variable_declares_nothing(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("from b import FAMILY\nprint(FAMILY)\n")
    assert literal(file, "FAMILY") is None


@pytest.mark.parametrize(
    "value", ["dict(a=open('x'))", "dict(1)", "3", "{'a': 1}", "dict(a=b)", "dict(a=1", "f().g", "dict(**b)"]
)
def test_anything_else_is_an_error_that_names_the_line(tmp_path, value):
    file = tmp_path / "a.py"
    file.write_text(f"import os\n\nFAMILY = {value}\n")
    with pytest.raises(ValueError, match=r"a\.py:3: "):
        literal(file, "FAMILY")
