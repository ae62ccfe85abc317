"""The chart read along and looked at closer, by keys and by mouse."""

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.workbench.tui.seeing import shown
from workbench.render.chart import LineChart, Series
from workbench.tui.widgets.chart import Chart

XS = list(range(0, 101, 10))
CHART = LineChart([Series("square", XS, [x * x for x in XS])], title="power")


class OneChart(App[None]):
    def compose(self) -> ComposeResult:
        yield Chart("only")

    def on_mount(self) -> None:
        chart = self.query_one(Chart)
        chart.show(CHART)
        chart.focus()


@pytest.fixture
async def chart():
    async with OneChart().run_test(size=(60, 16)) as pilot:
        await pilot.pause()
        yield pilot


async def test_the_crosshair_reads_the_nearest_point(chart: Pilot) -> None:
    await chart.press("left")
    await chart.pause()
    assert "step 100" in shown(chart) and "square 1e+04" in shown(chart).replace("10k", "1e+04")
    await chart.press("left", "h")
    await chart.pause()
    assert "step 80" in shown(chart) and "square 6400" in shown(chart)
    await chart.press("l")
    await chart.pause()
    assert "step 90" in shown(chart) and "square 8100" in shown(chart)
    await chart.press("0")
    await chart.pause()
    assert "┊" not in shown(chart)


async def test_a_closer_look_keeps_what_the_crosshair_is_at(chart: Pilot) -> None:
    await chart.press("left", "left", "left", "plus", "plus")
    await chart.pause()
    low, high = chart.app.query_one(Chart).window
    assert low <= 80 <= high and high - low == 25
    await chart.press("minus", "minus")
    await chart.pause()
    assert chart.app.query_one(Chart).window is None


@pytest.mark.full
async def test_one_can_only_look_as_close_as_there_is_something_to_see(chart: Pilot) -> None:
    await chart.press(*["plus"] * 20)
    low, high = chart.app.query_one(Chart).window
    assert sum(low <= x <= high for x in XS) > 1


async def test_a_click_puts_the_crosshair_there(chart: Pilot) -> None:
    plot = chart.app.query_one(Chart)._plot()
    await chart.click(Chart, offset=(plot.start + round(0.3 * (len(plot) - 1)), 5))
    await chart.pause()
    assert "step 30" in shown(chart)
    await chart.click(Chart, offset=(59, 5))  # beyond the plot is its end
    await chart.pause()
    assert "step 100" in shown(chart)


async def test_a_log_axis_is_looked_at_closer_in_ratios(chart: Pilot) -> None:
    widget = chart.app.query_one(Chart)
    xs = [10.0**power for power in range(-6, 3)]
    widget.show(LineChart([Series("loss", xs, xs)], log_x=True))
    widget.cursor = 1e-2
    await chart.press("plus")
    assert widget.window == pytest.approx((1e-4, 1.0))
    plot = widget._plot()
    await chart.click(Chart, offset=(plot.start + round(0.25 * (len(plot) - 1)), 5))
    await chart.pause()
    assert widget.cursor == pytest.approx(1e-3, rel=0.2) and "loss 0.001" in shown(chart)


async def test_an_empty_chart_takes_every_key(chart: Pilot) -> None:
    chart.app.query_one(Chart).show(LineChart([]))
    await chart.press("left", "right", "plus", "minus", "0")
    await chart.click(Chart, offset=(20, 5))
    await chart.pause()
