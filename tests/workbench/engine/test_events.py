"""Events reach whoever reads on, whole and in order, whatever moment they look at."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine import events


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def line(step):
    return json.dumps({"event": "checkpoint", "step": step, "checkpoint": "ä"}, ensure_ascii=False).encode() + b"\n"


def test_a_partial_last_line_waits_for_its_end(path):
    tail = events.Reader(path)
    assert tail.read() == []  # not there yet
    whole, half = line(1), line(2)
    cut = half.index("ä".encode()) + 1  # in the midst of a character
    path.write_bytes(whole + half[:cut])
    assert [event["step"] for event in tail.read()] == [1]
    assert tail.read() == []
    with path.open("ab") as file:
        file.write(half[cut:] + line(3))
    assert [event["step"] for event in tail.read()] == [2, 3]
    assert tail.damaged == 0


@given(cuts=st.lists(st.integers(0, 2000)), limit=st.integers(1, 7))
def test_however_the_file_grows_every_event_is_read_once(tmp_path_factory, cuts, limit):
    path = tmp_path_factory.mktemp("tail") / "events.jsonl"
    content = b"".join(map(line, range(20)))
    places = sorted({0, len(content), *(cut % len(content) for cut in cuts)})
    tail, seen = events.Reader(path), []
    for start, end in pairwise(places):
        with path.open("ab") as file:
            file.write(content[start:end])
        while news := tail.read(limit):
            assert len(news) <= limit
            seen += news
    assert [event["step"] for event in seen] == list(range(20))


def test_a_damaged_line_is_counted_and_passed_over(path):
    path.write_bytes(line(1) + b'{"event": "metr\xff\n[1]\n{}\n\n' + line(2))
    tail = events.Reader(path)
    assert [event["step"] for event in tail.read()] == [1, 2]
    assert tail.damaged == 4


def test_the_first_event_carries_the_schema_and_all_carry_what_is_common(path):
    writer = events.Writer(path, run="mlp-0001", seed=7)
    writer.write({"event": "checkpoint", "step": 0, "checkpoint": "best"})
    writer.write({"event": "checkpoint", "step": 0, "checkpoint": "last"})
    writer.close()
    first, second = events.Reader(path).read()
    common = {"event": "checkpoint", "run": "mlp-0001", "seed": 7, "step": 0}
    assert first == {**common, "schema": events.log.SCHEMA, "checkpoint": "best"}
    assert second == {**common, "checkpoint": "last"}


def test_what_is_no_number_is_null(path):
    writer = events.Writer(path)
    writer.write({"event": "metric", "metrics": {"loss": float("nan"), "accuracy": float("inf"), "lr": 0.5}})
    writer.close()
    assert json.loads(path.read_text(), parse_constant=pytest.fail)["metrics"] == {
        "loss": None,
        "accuracy": None,
        "lr": 0.5,
    }


def test_the_file_is_touched_ten_times_a_second_at_most(path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(events.log.time, "monotonic", lambda: now)
    writer, sizes = events.Writer(path), []
    for step in range(1000):  # a hundred a second, for ten seconds
        now = 100 + step / 100
        writer.write({"event": "checkpoint", "step": step, "checkpoint": "last"})
        sizes.append(path.stat().st_size)
    assert 90 <= len(set(sizes)) <= 101
    writer.flush()
    assert len(events.Reader(path).read()) == 1000
    writer.close()


def test_the_last_event_is_read_from_the_end(path):
    assert events.last(path) is None
    path.write_bytes(b"".join(map(line, range(5000))) + line(5000)[:-5])
    assert events.last(path)["step"] == 4999
