"""Time series and sequences that test a memory: how they are made, read and split."""

import numpy as np
import pytest

from workbench import data
from workbench.data import adding, copy, forecasts, series
from workbench.errors import UserError


def write(tmp_path, lines, name="own.csv"):
    file = tmp_path / name
    file.write_text("\n".join(lines) + "\n")
    return f"series:{file}"


def rows(count=150):
    return [f"2026-01-{k},{k % 12 + 0.5 * k},{k % 7}" for k in range(count)]


def test_a_series_is_split_in_the_order_of_time_whatever_the_seed():
    splits = data.load("series", seed=3)
    assert [len(splits[split][0]) for split in data.SPLITS] == [1400, 200, 400]
    whole = np.concatenate([splits[split][0] for split in data.SPLITS])
    assert np.array_equal(whole, series.load())
    assert np.array_equal(data.load("series", seed=0)["test"][0], splits["test"][0])


def test_the_series_made_by_code_has_a_trend_and_a_season_of_24():
    values = series.load()
    slope, _ = np.polyfit(np.arange(2000), values, 1)
    assert slope == pytest.approx(0.03, abs=0.002)
    assert forecasts.find_period(values[:1400]) == 24
    spectrum = np.abs(np.fft.rfft(values - np.polyval(np.polyfit(np.arange(2000), values, 1), np.arange(2000))))
    assert spectrum.argmax() == pytest.approx(2000 / 24, abs=1)


@pytest.mark.parametrize(("column", "values"), [("", [k % 7 for k in range(150)]), (":b", None)])
def test_a_column_of_a_file_is_a_series(tmp_path, column, values):
    name = write(tmp_path, ["day,b,c", *rows()]) + column
    info = data.info(name)
    expected = values or [k % 12 + 0.5 * k for k in range(150)]
    assert (info.samples, info.modality, info.sizes) == (150, "series", {"window": 48, "horizon": 12})
    assert info.name.endswith(":b" if column else ":c")
    splits = data.load(info.name)
    assert np.concatenate([splits[split][0] for split in data.SPLITS]).tolist() == expected
    assert [len(splits[split][0]) for split in data.SPLITS] == [105, 15, 30]


def test_a_file_may_have_one_column_and_is_read_again_when_it_changed(tmp_path):
    name = write(tmp_path, ["price", *(str(k % 9) for k in range(130))])
    first = data.fingerprint(name)
    assert data.info(name).samples == 130
    write(tmp_path, ["price", *(str(k % 9) for k in range(140))])
    assert data.info(name).samples == 140 and data.fingerprint(name) != first


@pytest.mark.parametrize(
    ("lines", "column", "message"),
    [
        (["day,b,c", *rows()], ":d", "Unknown column of own.csv called 'd'"),
        (["day,b,c", *rows()], ":day", "line 2, column 'day', '2026-01-0' is not a number. Name a column"),
        (["day,b,c", *rows(5), "x,1,", *rows()], "", r"gap in line 7, column 'c' \(empty\). Fill it"),
        (["day,b,c", *rows(5), "x,1,nan", *rows()], "", r"gap in line 7, column 'c' \(nan\)"),
        (["day,b,c", *rows(5), "x,1,1e300", *rows()], "", "too large"),
        (["v", *"12345", "", *"12345" * 30], "", r"gap in line 7, column 'v' \(empty\)"),
        (["day,b,c", *rows(1)], "", "own.csv has 1 value, and a series needs at least 120"),
        (["day,b,c", *rows(119)], "", "own.csv has 119 values, and a series needs at least 120"),
        (["day,b,c", *("x,1,4" for _ in range(130))], "", "Column 'c' is 4 in every row"),
        (["1,2,3", *rows()], "", "has no header"),
        ([], "", "is empty"),
    ],
)
def test_a_file_that_is_no_series_is_rejected_in_a_sentence(tmp_path, lines, column, message):
    with pytest.raises(UserError, match=message):
        data.load(write(tmp_path, lines) + column)


def test_a_file_that_is_missing_says_how_to_name_one(tmp_path):
    with pytest.raises(UserError, match="write series:PATH, or series:PATH:COLUMN"):
        data.info(f"series:{tmp_path}/missing.csv")


def test_simple_forecasts():
    past = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert forecasts.last_value(past, 3).tolist() == [5, 5, 5]
    assert forecasts.seasonal_naive(past, 4, 3).tolist() == [3, 4, 5, 3]
    assert forecasts.find_period(np.tile([1.0, 5.0, 2.0, 7.0], 10)) == 4


@pytest.mark.parametrize("steps", [2, 5, 20, 41])
def test_two_values_are_marked_in_each_sequence_one_in_either_half(steps):
    sequences, sums = adding.load(steps)
    values, marks = sequences[:, :, 0], sequences[:, :, 1]
    assert sequences.shape == (10_000, steps, 2) and set(np.unique(marks)) <= {0, 1}
    assert (marks[:, : steps // 2].sum(axis=1) == 1).all() and (marks[:, steps // 2 :].sum(axis=1) == 1).all()
    assert sums == pytest.approx((values * marks).sum(axis=1), abs=1e-6)
    assert values.min() >= 0 and values.max() < 1 and values.mean() == pytest.approx(0.5, abs=0.01)
    assert sums.var() == pytest.approx(1 / 6, rel=0.05)


@pytest.mark.parametrize("steps", [9, 20, 33])
def test_symbols_are_followed_by_blanks_and_a_token_that_asks_for_them(steps):
    tokens, symbols = copy.load(steps)
    assert tokens.shape == (10_000, steps) and symbols.shape == (10_000, 4)
    assert np.array_equal(tokens[:, :4], symbols) and set(np.unique(symbols)) == set(range(1, 9))
    assert (tokens[:, -5] == 9).all() and (tokens == 9).sum() == 10_000
    assert not tokens[:, 4:-5].any() and not tokens[:, -4:].any()
