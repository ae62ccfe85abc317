"""Zip files are measured before they are unpacked."""

import os
from contextlib import suppress
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import numpy as np
import pytest

from workbench import archives
from workbench.archives import check_zip, free_memory
from workbench.data.cache import kept
from workbench.errors import UserError
from workbench.paths import cache_dir


def bomb(path, size=10**8):
    """Write a zip file of zeros, which deflate to a thousandth."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive, archive.open("arr_0.npy", "w", force_zip64=True) as entry:
        for _ in range(size // 10**6):
            entry.write(bytes(10**6))


def test_a_small_file_that_unpacks_to_a_large_one_is_an_error(tmp_path):
    bomb(tmp_path / "a.zip")
    assert (tmp_path / "a.zip").stat().st_size < 120_000
    with pytest.raises(UserError, match=r"would unpack to 100,000,000, which is suspicious") as error:
        check_zip(tmp_path / "a.zip")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED])
@pytest.mark.parametrize("size", [0, 100, 10**6])
def test_ordinary_files_are_fine(tmp_path, method, size):
    with ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("noise", os.urandom(size))
        archive.writestr("zeros", bytes(2 * size))
    check_zip(tmp_path / "a.zip")


def test_more_than_the_memory_is_an_error(tmp_path, monkeypatch):
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("noise", os.urandom(10**5))
    monkeypatch.setattr(archives, "free_memory", lambda: 10**5)
    with pytest.raises(UserError, match="of memory is free"):
        check_zip(tmp_path / "a.zip")
    monkeypatch.setattr(archives, "free_memory", lambda: None)
    check_zip(tmp_path / "a.zip")


@pytest.mark.parametrize("content", [b"", b"hello" * 100, b"PK\x03\x04" + bytes(100), b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_file_is_an_error(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(UserError, match="is not a zip file, or is damaged"):
        check_zip(tmp_path / "a.zip")


def test_an_entry_that_states_too_small_a_size_is_not_read_beyond_it(tmp_path):
    bomb(tmp_path / "a.zip", 10**7)
    content = (tmp_path / "a.zip").read_bytes()
    directory = content.rindex(b"PK\x01\x02")
    lie = content[: directory + 24] + (1000).to_bytes(4, "little") + content[directory + 28 :]
    (tmp_path / "a.zip").write_bytes(lie)
    check_zip(tmp_path / "a.zip")
    with suppress(BadZipFile), ZipFile(tmp_path / "a.zip") as archive:  # its checksum is that of more
        assert len(archive.read("arr_0.npy")) <= 1000


def test_a_cached_array_that_is_a_bomb_is_made_anew(home, monkeypatch):
    expected = np.arange(5)
    kept("numbers", lambda: (expected,))
    bomb(cache_dir() / "numbers.npz")
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("it was unpacked"))
    assert np.array_equal(kept("numbers", lambda: (expected,))[0], expected)
    monkeypatch.undo()
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    assert np.array_equal(kept("numbers", lambda: pytest.fail("it is there again"))[0], expected)


def test_the_free_memory_is_more_than_this_process_has_to_spare_and_less_than_a_petabyte():
    assert free_memory() is None or 10**6 < free_memory() < 10**15
