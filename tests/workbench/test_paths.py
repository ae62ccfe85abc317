"""Folders of the user's data are their own."""

import os
import stat
import sys

import numpy as np
import pytest

from tests import example_pack
from workbench.data.cache import kept
from workbench.engine import RunSpec, runs
from workbench.paths import cache_dir, data_dir, make_private, packs_dir
from workbench.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")


@pytest.fixture(autouse=True)
def umask():
    """The umask that most systems have."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_created_is_private_and_what_is_there_stays_as_it_is(tmp_path):
    tmp_path.chmod(0o755)
    make_private(tmp_path / "a" / "b" / "c")
    assert [mode(tmp_path / part) for part in ("", "a", "a/b", "a/b/c")] == [0o755, 0o700, 0o700, 0o700]
    (tmp_path / "a" / "b").chmod(0o750)
    make_private(tmp_path / "a" / "b" / "c")
    assert mode(tmp_path / "a" / "b") == 0o750


def test_a_file_in_the_way_is_an_error(tmp_path):
    (tmp_path / "a").write_text("here")
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(OSError):
            make_private(path)


def test_the_data_of_the_program_is_private(cli, home):
    run = runs.create(RunSpec.create("mlp", steps=1))
    Store().close()
    kept("numbers", lambda: (np.ones(3),))
    cli("drill", "list")
    folders = [data_dir(), run.folder.parent, run.folder, cache_dir()]
    assert [mode(folder) for folder in folders] == [0o700] * len(folders)
    assert mode(home / "study.sqlite") == 0o600


def test_the_folder_of_packs_is_private(cli, home, tmp_path):
    assert cli("packs", "add", example_pack.write(tmp_path / "mypack")).code == 0
    assert mode(packs_dir()) == 0o700


def test_a_study_file_in_a_folder_that_others_may_open_is_still_private(home):
    home.mkdir(mode=0o755)
    Store().close()
    assert mode(home) == 0o755 and mode(home / "study.sqlite") == 0o600
