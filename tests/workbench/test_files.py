"""Files written atomically."""

import os
from threading import Thread

import pytest

from workbench import files


@pytest.mark.parametrize("content", [b"new", lambda file: file.write(b"new")], ids=["bytes", "function"])
@pytest.mark.parametrize("sync", [False, True])
def test_a_file_is_written_and_nothing_else_is_left(tmp_path, content, sync):
    (tmp_path / "a").write_bytes(b"old")
    files.write(tmp_path / "a", content, sync)
    assert [file.name for file in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"new"


def fail(file):
    file.write(b"half")
    raise KeyboardInterrupt


def test_a_write_that_is_interrupted_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "a", fail)
    monkeypatch.setattr(os, "fsync", lambda descriptor: fail_with(OSError(28, "full")))
    with pytest.raises(OSError, match="full") as raised:
        files.write(tmp_path / "a", b"new", sync=True)
    assert raised.value.filename == str(tmp_path / "a")
    assert [file.name for file in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"old"


def fail_with(error: Exception):
    raise error


def test_threads_may_write_the_same_file(tmp_path):
    contents = [bytes([k]) * 100_000 for k in range(8)]
    threads = [Thread(target=files.write, args=(tmp_path / "a", content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_bytes() in contents and len(list(tmp_path.iterdir())) == 1
