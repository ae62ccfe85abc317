"""Line numbers of TOML keys, in documents that are generated with their line numbers."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from quizzes.toml_lines import MAX_DEPTH, line_numbers

# Values with everything in them that could be read as a header, a comment or a line break.
VALUES = [
    "1",
    '"a # b = [c]"',
    "'[[card]]'",
    "[1, 2] # [",
    '[\n  1, # ]\n  "]",\n]',
    '"""\n[[card]]\nx = 1\n\\""" # """',
    '"""a"""""',
    "'''\nid = 1\n''''",
    '{ a = "}", b = [ { c = 1 } ] }',
    "1979-05-27",
]
KEYS = ["id", '"a=b"', "'c # d'", "x.y", "deep . 'er'", '"\\u00e9"']


@st.composite
def documents(draw):
    """Return a document, and the line of each key and table by its path."""
    lines: list[str] = []
    expected: dict[tuple, int] = {}

    def write(text: str) -> int:
        lines.extend(draw(st.lists(st.sampled_from(["", "  # [[x]] = 1", "\t"]), max_size=2)))
        line = len(lines) + 1
        lines.extend(text.split("\n"))
        return line

    def assign(path: tuple):
        for key in draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3)):
            parts = tuple(key_parts(tomllib.loads(f"{key} = 0")))
            expected[(*path, *parts)] = write(f"{key} = {draw(st.sampled_from(VALUES))}")

    assign(())
    for k in range(draw(st.integers(0, 3))):
        expected["drill", k] = write(draw(st.sampled_from(["[[drill]]", ' [[ "drill" ]] # ]'])))
        assign(("drill", k))
        if draw(st.booleans()):
            expected["drill", k, "ranges"] = write("[drill.ranges]")
            assign(("drill", k, "ranges"))
        for m in range(draw(st.integers(0, 2))):
            expected["drill", k, "mistake", m] = write("[[drill.mistake]]")
            assign(("drill", k, "mistake", m))
    return "\n".join(lines), expected


def key_parts(table):
    while isinstance(table, dict):
        [(key, table)] = table.items()
        yield key


@given(documents())
def test_every_key_and_table_has_its_line(document):
    text, expected = document
    tomllib.loads(text)  # it is valid TOML
    lines = line_numbers(text)
    assert {path: lines.get(path) for path in expected} == expected


@given(documents())
def test_windows_line_ends_give_the_same_lines(document):
    text, expected = document
    lines = line_numbers(text.replace("\n", "\r\n"))
    assert {path: lines.get(path) for path in expected} == expected


def test_deep_keys_are_cut_off():
    key = ".".join(["a"] * 1900)
    assert max(map(len, line_numbers(f"x = 1\n{key} = 1"))) == MAX_DEPTH
