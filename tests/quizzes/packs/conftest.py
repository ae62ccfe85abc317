"""A pack to be broken: the example of the document, written into a folder."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quizzes import packs
from workbench import syllabus

DOCUMENT = Path(__file__).parents[3] / "docs" / "packs.md"


def example() -> dict[str, str]:
    """The files of the document's example."""
    blocks = re.findall(r"^`([\w./-]+)`\n\n```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.M)
    return dict(blocks)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example as a folder."""
    place = tmp_path / "my pack"
    for file, text in example().items():
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    """A folder of packs that the bank looks into; nowhere again after the test."""
    place = tmp_path / "packs"
    packs.use(lambda: place, syllabus.topics)
    yield place
    packs.use(lambda: tmp_path / "nowhere", dict)


@pytest.fixture
def again(shelf: Path) -> Callable[[], None]:
    """Has the packs read once more, as the next start of the program does."""
    return lambda: packs.use(lambda: shelf, syllabus.topics)
