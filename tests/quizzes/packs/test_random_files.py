"""Random files: reading a pack never fails, and reports problems on lines that exist."""

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes.packs.pack import read_pack
from workbench import syllabus

WORDS = [
    "id",
    "name",
    "title",
    "card",
    "drill",
    "mistake",
    "ranges",
    "formula",
    "kind",
    "prompt",
    "wrong",
    "pairs",
    "asks",
]
VALUES = st.recursive(
    st.sampled_from(["o", "o | n", "n > f", "3..9", "conv-out-size", "{n}", "choice", "a", "o = n", "", "[", "\\"])
    | st.integers(-(10**20), 10**20)
    | st.just(10**400)  # more than a float can hold
    | st.floats()
    | st.booleans(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inside, max_size=3),
    max_leaves=6,
)


def toml(value) -> str:
    """Return a value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


LINES = st.tuples(st.sampled_from(WORDS), VALUES).map(lambda pair: f"{pair[0]} = {toml(pair[1])}")
HEADERS = st.sampled_from(["[[card]]", "[[drill]]", "[drill.ranges]", "[[drill.mistake]]", "[card]", "# [[x]]", "]"])
FILES = st.lists(LINES | HEADERS | st.text(max_size=8), max_size=12).map("\n".join)


@settings(max_examples=150)
@given(head=FILES, cards=FILES, drills=FILES)
def test_random_files_are_read_or_have_problems(head, cards, drills):
    with tempfile.TemporaryDirectory() as folder:
        texts = {"pack.toml": head, "cards/iou.toml": cards, "drills/any.toml": drills}
        for file, text in texts.items():
            (Path(folder) / file).parent.mkdir(exist_ok=True)
            (Path(folder) / file).write_text(text, encoding="utf-8", errors="replace")
        pack = read_pack(Path(folder), syllabus.topics())
        for problem in pack.problems:
            text = texts[problem.file]
            assert problem.message and 1 <= problem.line <= text.count("\n") + text.count("\r") + 1
        assert pack.problems or pack.cards or pack.drills
