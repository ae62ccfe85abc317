"""Arrays that are kept: made once, and made again where what is kept is damaged."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.cache import kept
from workbench.paths import cache_dir


def make(calls):
    def made():
        calls.append(1)
        return np.arange(6).reshape(2, 3), np.array([1.5])

    return made


def test_they_are_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    calls = []
    first, again = kept("some-v1", make(calls)), kept("some-v1", make(calls))
    assert calls == [1] and all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(first, again, strict=True))
    assert [file.name for file in cache_dir().iterdir()] == ["some-v1.npz"]
    kept("some-v2", make(calls))
    assert calls == [1, 1]


@given(place=st.integers(0, 10**6), byte=st.integers(1, 255), cut=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_made_again(tmp_path_factory, place, byte, cut):
    import pytest

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        right = kept("some", make([]))
        file = cache_dir() / "some.npz"
        content = bytearray(file.read_bytes())
        place %= len(content)
        if cut:
            del content[place:]
        else:
            content[place] ^= byte
        file.write_bytes(bytes(content))
        assert all(np.array_equal(a, b) for a, b in zip(kept("some", make([])), right, strict=True))


def test_without_a_place_to_write_they_are_made_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "file"))
    calls = []
    kept("some", make(calls))
    kept("some", make(calls))
    assert calls == [1, 1]
