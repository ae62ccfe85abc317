"""Names and prose use the words of `docs/glossary.md`; `tests/phrases.txt` has the phrases that prose avoids."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.words import ROOT, docstrings, names, prose, words

ROOMS = {
    "quizzes": ["quizzes/*.py", "quizzes/expressions", "quizzes/answers", "tests/content"],
    "quiz tests": ["tests/quizzes/*.py", "tests/quizzes/expressions"],
    "content": ["quizzes/content", "tests/quizzes/golden"],
    "packs": ["quizzes/packs", "tests/quizzes/packs", "docs/packs.md"],
    "models": ["models", "tests/models"],
    "tasks": ["workbench/tasks", "tests/workbench/tasks"],
    "engine": ["workbench/engine", "tests/workbench/engine/training"],
    "claims": ["workbench/claims", "tests/workbench/claims"],
    "cli": ["workbench/cli", "tests/workbench/cli"],
    "render": ["workbench/render", "tests/workbench/render"],
    "study": ["workbench/store", "workbench/study", "tests/workbench/store", "tests/workbench/study"],
    "ground": ["workbench/*.py", "workbench/syllabus.toml", "tests/*.py", "tests/workbench/*.py", "benchmarks"],
    "documents": ["*.md", "docs"],
}

# Participles say nothing about what a variable holds; in a sentence, such as the name of a test, they are fine.
PARTICIPLES = (
    "asked chosen drawn found given kept known made marked said seen shown sought taken told wanted written".split()
)

# Names that need such a word: name -> why.
ALLOWED = {
    "floor": "the mathematical function, rounding down",
    "last_seen": "English has no shorter word",
    "left_side": "of an equation",
    "right_side": "of an equation",
    "both_sides": "of an equation",
    "one_sided": "of a limit or an interval",
    "refused": "a key of the last event of a run",
    "output_size_without_floor": "the mathematical function",
    "CONV_OUTPUT_SIZE_FLOOR": "the mathematical function",
}

# Phrases that mean something else where they stand: (phrase, where) -> why.
EXCUSED = {
    ("floor", "floor("): "the mathematical function",
    ("chance", "chance."): "a prefix in the checkpoints of older runs",
    ("root of the", "square root of the"): "the standard term",
    ("of least", "of least-squares"): "the standard term",
    ("standardise", "standardise"): "the id of a formula",
    ("picture", '{"picture": '): "a key in a run's folder",
    ("marking", "benchmarks/marking.py"): "the name of a file",
    ("standardised", "standardised value"): "a spelling that an answer may have",
}


def files(room: str) -> list[Path]:
    """The sources and documents of a room."""
    found = []
    for place in ROOMS[room]:
        path = ROOT / place
        if path.is_dir():
            found += [file for file in path.rglob("*") if file.suffix in (".py", ".toml", ".md")]
        else:
            found += ROOT.glob(place)
    ours = {"test_words.py", "glossary.md"}
    return sorted(file for file in found if file.name not in ours and "screens" not in file.parts)


@cache
def glossary() -> dict[str, str]:
    """The words that names don't have, each with the word that the project uses; a plural is the same word."""
    rows = [line.split("|") for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()]
    cells = [(row[1].strip(), row[3]) for row in rows if len(row) == 5]
    return {word: use for use, avoid in cells for word in re.findall(r"`(\w+)`", avoid)}


def at(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


def banned(name: str) -> str:
    """The word of a name that the project doesn't use, with the one that it uses; empty if there is none."""
    if name in ALLOWED:
        return ""
    a_sentence = name.startswith(("test_", "is_", "has_", "was_"))
    for word in words(name):
        for form in (word, word.removesuffix("s"), word.removesuffix("d")):
            if form in glossary() and not (a_sentence and form in PARTICIPLES):
                return f"{word} ({glossary()[form]})"
    return ""


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "documents"])
def test_names_use_the_words_of_the_glossary(room):
    problems = [
        f"{at(file, line)}: {name}: {word}"
        for file in files(room)
        if file.suffix == ".py"
        for line, name in names(file.read_text(encoding="utf-8"))
        if (word := banned(name))
    ]
    assert not problems, f"{len(problems)} names\n" + "\n".join(sorted(set(problems)))


@cache
def phrases() -> re.Pattern[str]:
    """Everything that prose avoids."""
    lines = (ROOT / "tests" / "phrases.txt").read_text(encoding="utf-8").splitlines()
    return re.compile("|".join(f"(?:{line})" for line in lines), re.IGNORECASE)


def excused(text: str, hit: re.Match[str]) -> bool:
    around = text[max(0, hit.start() - 40) : hit.end() + 40]
    return any(phrase in hit[0].lower() and where in around for phrase, where in EXCUSED)


@pytest.mark.parametrize("room", ROOMS)
def test_prose_avoids_the_phrases(room):
    problems = [
        f"{at(file, line)}: {hit[0]!r} in: ...{text[max(0, hit.start() - 30) : hit.end() + 30]}..."
        for file in files(room)
        for line, text in prose(file)
        for hit in phrases().finditer(text)
        if not excused(text, hit)
    ]
    assert not problems, f"{len(problems)} phrases\n" + "\n".join(problems)


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "documents"])
def test_docstrings_begin_with_a_verb_or_a_noun(room):
    problems = [
        f"{at(file, line)}: {text[:60]}"
        for file in files(room)
        if file.suffix == ".py"
        for line, text in docstrings(file.read_text(encoding="utf-8"))
        if text.split()[0].lower() in ("what", "how", "where", "who", "which", "whose", "whether")
    ]
    assert not problems, f"{len(problems)} docstrings\n" + "\n".join(problems)


def test_the_searches_find_what_they_look_for():
    source = 'class Floor:\n    def said(self, chances, *, colour=1):\n        """Where."""\n'
    source += '        self.picture = {"faults": 1}\n'
    assert {name for _, name in names(source) if banned(name)} == {
        *("Floor", "said", "chances", "colour", "picture", "faults"),
    }
    assert [name for _, name in names('x = {"picture": 1, "chance": 2}')] == ["x", "chance"]  # the first is a run's
    assert not banned("floor") and not banned("unknown_name") and banned("all_pictures") and banned("WrongAstray")
    assert set(PARTICIPLES) < set(glossary())
    assert [text for _, text in docstrings(source)] == ["Where."]
    for text in ("a whole number", "so many epochs", "one weight a channel", "It is no choice", "two data sets"):
        assert phrases().search(text), text
    for text in ("an integer", "n epochs", "one weight per channel", "It is no longer there", "two datasets"):
        assert not phrases().search(text), text


def test_prose_is_read_across_line_breaks(tmp_path):
    file = tmp_path / "a.py"
    file.write_text('"""One\ntwo."""\n# three\n# four\nx = f"five {x} `six`" "seven"\n')
    assert [text for _, text in prose(file)] == ["One two.", "five X Xseven", "three four"]
