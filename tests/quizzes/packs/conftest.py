"""A pack to be broken: the example of the document, written into a folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quizzes import packs
from tests import example_pack
from workbench import syllabus


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example as a folder."""
    return example_pack.write(tmp_path / "my pack")


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
