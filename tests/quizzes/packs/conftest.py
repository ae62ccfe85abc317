"""The example pack of the documentation, and a library for packs."""

from pathlib import Path

import pytest

from tests import example_pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the example pack, for tests to change."""
    return example_pack.write(tmp_path / "my pack")


@pytest.fixture
def library(home: Path) -> Path:
    """The folder from which packs are loaded during the test."""
    return home / "packs"
