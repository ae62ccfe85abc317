"""Lines of keys: against documents of which it is known where everything was written."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from quizzes.packs.lines import places

# What a value looks like on its lines, with everything in it that could be taken for something else.
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
    """Lines of a document, and the line of each key and table by its path."""
    lines: list[str] = []
    known: dict[tuple, int] = {}

    def write(text: str) -> int:
        lines.extend(draw(st.lists(st.sampled_from(["", "  # [[x]] = 1", "\t"]), max_size=2)))
        at = len(lines) + 1
        lines.extend(text.split("\n"))
        return at

    def assign(path: tuple):
        for key in draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=3)):
            parts = tuple(_path(tomllib.loads(f"{key} = 0")))
            known[(*path, *parts)] = write(f"{key} = {draw(st.sampled_from(VALUES))}")

    assign(())
    for k in range(draw(st.integers(0, 3))):
        known["drill", k] = write(draw(st.sampled_from(["[[drill]]", ' [[ "drill" ]] # ]'])))
        assign(("drill", k))
        if draw(st.booleans()):
            known["drill", k, "ranges"] = write("[drill.ranges]")
            assign(("drill", k, "ranges"))
        for m in range(draw(st.integers(0, 2))):
            known["drill", k, "mistake", m] = write("[[drill.mistake]]")
            assign(("drill", k, "mistake", m))
    return "\n".join(lines), known


def _path(table):
    while isinstance(table, dict):
        [(key, table)] = table.items()
        yield key


@given(documents())
def test_every_key_is_found_on_its_line(document):
    text, known = document
    tomllib.loads(text)  # it is TOML
    found = places(text)
    assert {path: found.get(path) for path in known} == known


@given(documents())
def test_the_same_lines_with_windows_line_ends(document):
    text, known = document
    found = places(text.replace("\n", "\r\n"))
    assert {path: found.get(path) for path in known} == known


def test_a_very_deep_key_costs_little():
    key = ".".join(["a"] * 1900)
    assert max(map(len, places(f"x = 1\n{key} = 1"))) < 10
