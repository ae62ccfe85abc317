"""The example pack of the documentation, and a library for packs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quizzes import packs
from tests import example_pack
from workbench import syllabus


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the example pack, for tests to change."""
    return example_pack.write(tmp_path / "my pack")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Path]:
    """The folder from which packs are loaded during the test."""
    path = tmp_path / "packs"
    packs.configure(lambda: path, syllabus.topics)
    yield path
    packs.configure(lambda: tmp_path / "nowhere", dict)


@pytest.fixture
def reload(library: Path) -> Callable[[], None]:
    """A function that makes the packs be read again, as the next start of the program does."""
    return lambda: packs.configure(lambda: library, syllabus.topics)
