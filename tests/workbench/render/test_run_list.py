"""Runs as lines of a list."""

from datetime import UTC, datetime

import pytest

from workbench.render.run_list import format_date, format_duration, format_monitored, lines

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROW = dict(run="mlp-0001", status="done", task="digits", created="2026-05-31T12:30:00.000+00:00", duration=75.2)
ROW |= dict(split="test", monitor="accuracy", value=0.97, tags=[], note="")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, "0.0 s"), (4.24, "4.2 s"), (59.9, "59.9 s"), (60, "1:00"), (3599.4, "59:59"), (3661, "1:01:01")],
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


def test_dates_are_local_and_have_a_year_if_it_is_another(monkeypatch):
    assert format_date(None, NOW) == ""
    local = datetime(2026, 5, 31, 12, 30, tzinfo=UTC).astimezone()
    assert format_date(ROW["created"], NOW) == local.strftime("%m-%d %H:%M")
    assert format_date("2020-07-31T12:30:00.000+00:00", NOW) == "2020-07-31"


def test_the_metric_says_on_which_split_it_was_measured():
    assert format_monitored(ROW) == "test accuracy 0.9700"
    assert format_monitored(ROW | {"split": "validation"}) == "val accuracy 0.9700"
    assert format_monitored(ROW | {"value": None}) == ""


def test_a_list_fits_80_columns_and_names_are_whole():
    long = ROW | dict(run="x" * 60, status="diverged", task=f"csv:/home/student/{'a' * 60}/prices.csv")
    long |= dict(
        split="validation", note="word " * 40, tags=["baseline", "two"], reason="It broke. " * 12, duration=4e4
    )
    text = lines([ROW, long], 80, NOW)
    assert max(map(len, text)) <= 80
    joined = " ".join(" ".join(text).split())
    assert "x" * 60 in joined and "...s.csv" in joined and "#baseline #two word" in joined
    assert joined.count("It broke.") == 12 and joined.count("word") == 40
    assert text[0].split() == ["run", "status", "task", "made", "duration", "metric"]
    assert text[1].split()[:3] == ["mlp-0001", "done", "digits"]


def test_usual_names_stay_on_their_line():
    row = ROW | dict(run="lenet5-modern-0001", status="diverged", task="california-housing", split="validation")
    text = lines([row, ROW | {"duration": 36_000.0}], 80, NOW)
    assert len(text) == 3 and max(map(len, text)) <= 80
    assert text[1].split()[:3] == ["lenet5-modern-0001", "diverged", "...housing"]


def test_a_damaged_run_is_a_line_with_its_reason():
    row = dict(run="x", status="damaged", reason="Why.", created=None, duration=None, monitor=None, value=None)
    assert lines([row | dict(tags=[], note="")], 80, NOW)[1:] == ["x    damaged", "    Why."]
