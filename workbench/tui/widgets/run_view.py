"""A run as it is watched: how far it is, its curves, what its network says of test samples, and how it ended."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.events import Resize
from textual.message import Message
from textual.widgets import ProgressBar, Static

from workbench.engine import Run
from workbench.engine.events import End, Event, Metrics, Report, RunState, Start
from workbench.engine.overview import VISUALIZATION_FILES, counted, visualizations
from workbench.engine.watcher import Watcher
from workbench.render import predictions
from workbench.render.curves import charts, compare_runs
from workbench.render.metrics import format_metrics
from workbench.tui.widgets.chart import Chart
from workbench.tui.widgets.seen import Seen

LOOK = 0.1  # seconds between two looks at a run's events
WIDE, TALL = 100, 28  # columns or rows from which on there is room for two charts and a picture at once


class RunView(Vertical):
    """Reads a run's events from the last byte it saw, ten times a second, and draws at most once each time."""

    DEFAULT_CSS = """
    RunView #progress { height: 1; }
    RunView #progress ProgressBar { width: auto; margin-right: 2; }
    RunView #progress #latest { width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    RunView #charts { height: 1fr; margin-top: 1; layout: vertical; }
    RunView #charts.wide { layout: grid; grid-size: 2; grid-gutter: 1 2; }
    RunView #charts.wide Seen { column-span: 2; }
    RunView #ended { height: auto; }
    RunView .empty { display: none; }
    """

    class Changed(Message):
        """The run began, or ended; `refused` says why it could not even begin."""

        def __init__(self, about: str, refused: str = ""):
            super().__init__()
            self.about, self.refused = about, refused

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.watcher: Watcher | None = None
        self.beside: dict[str, RunState] = {}
        self.running = False
        self.status = ""  # how it ended
        self.log_axis = False
        self.second = 1  # which metric the lower chart shows
        self._pictures: list[dict[str, Any]] = []
        self._written: tuple[str, int] | None = None  # whose pictures these are, and of when
        self.picture = 0  # which kind of picture is shown; in a small view 0 is the lower chart instead

    def compose(self) -> ComposeResult:
        with Horizontal(id="progress", classes="empty"):
            yield ProgressBar(show_eta=True)
            yield Static(id="latest", markup=False)
        with Container(id="charts", classes="empty"):
            yield Chart("upper")
            yield Chart("lower")
            yield Seen()
        yield Static(id="ended", markup=False)

    def on_mount(self) -> None:
        self.set_interval(LOOK, self._look)

    def on_resize(self, event: Resize) -> None:
        charts = self.query_one("#charts")
        charts.set_class(event.size.width >= WIDE, "wide")
        charts.set_class(event.size.height >= TALL, "tall")
        self._draw()

    @property
    def resumable(self) -> bool:
        """Whether the run has ended in a way that can be gone on from."""
        return not self.running and self.status in ("done", "stopped", "crashed")

    def follow(self, run: Run) -> None:
        """Show a run, from its first event."""
        self.run, self.watcher, self.beside, self.running = run, Watcher(run), {}, True
        self.query_one("#ended", Static).update("")
        for chart in self.query(Chart):
            chart.forget()
        self._look()
        self.query_one("#progress").set_class(not self.running, "empty")
        if self.watcher.state.start is None:
            self.query_one("#latest", Static).update("PyTorch is starting ...")
            self.query_one(ProgressBar).update(total=None, progress=0)
            self._draw()

    def compare(self, others: list[Run]) -> None:
        """Draw other runs' lines beside this one's: each metric as one chart of all."""
        if others or self.beside:
            self.beside = {other.id: other.state() for other in others}
            self._draw()

    def toggle_log(self) -> None:
        """A logarithmic axis for the upper chart, or a linear one again."""
        self.log_axis = not self.log_axis
        self._draw()

    def next_metric(self) -> None:
        """Another metric in the lower chart."""
        self.second += 1
        self._draw()

    def next_picture(self) -> None:
        """Another kind of picture; in a small view they take turns with the lower chart."""
        self.picture += 1
        self._draw()

    def _look(self) -> None:
        if not (self.watcher and self.running):
            return
        events = self.watcher.poll()
        newest: dict[str, Event] = {event["event"]: event for event in events}  # one of each kind is shown
        for event in newest.values():
            match event["event"]:
                case "start":
                    self._begin(event)
                case "metric":
                    self._tell(event)
                case "end":
                    self._end(event)
        if events:
            self._draw()

    def _draw(self) -> None:
        if self.watcher is None:
            return
        if self.beside:
            drawn = list(compare_runs({self.watcher.run.id: self.watcher.state, **self.beside}))
        else:
            drawn = list(charts(self.watcher.state))
        place = self.query_one("#charts")
        place.set_class(not drawn, "empty")
        upper, lower = self.query(Chart)
        roomy = place.has_class("wide") or place.has_class("tall")
        pictured = self._draw_pictures(roomy)
        lower.display = len(drawn) > 1 and (roomy or not pictured)
        if drawn:
            upper.show(replace(drawn[0], log=self.log_axis))
        if lower.display:
            lower.show(drawn[1 + (self.second - 1) % (len(drawn) - 1)])

    def _draw_pictures(self, roomy: bool) -> bool:
        """Show the kind of picture that was chosen; whether there is one."""
        shown = self.query_one(Seen)
        found = [] if self.beside else self._newest_pictures()
        turns = predictions.kinds(found) if roomy else ["", *predictions.kinds(found)]
        kind = turns[self.picture % len(turns)] if turns else ""
        shown.display = bool(kind)
        if kind:
            shown.show(found, kind)
        return bool(kind)

    def _newest_pictures(self) -> list[dict[str, Any]]:
        """The run's pictures, read again only when the file is another."""
        if self.run is None:
            return []
        written = (self.run.id, _latest_write(self.run))
        if written != self._written:
            self._written, self._pictures = written, visualizations(self.run)
        return self._pictures

    def _begin(self, event: Start) -> None:
        self.query_one(ProgressBar).update(total=event["steps"], progress=event["step"])
        about = f"{event['model']} on {event['task']} · {counted(event)} · seed {event['seed']}"
        self.post_message(self.Changed(about))

    def _tell(self, event: Report) -> None:
        self.query_one(ProgressBar).update(progress=event["step"])
        self.query_one("#latest", Static).update(f"{self._how_far(event)}  {_named(event['metrics'])}")

    def _how_far(self, event: Report) -> str:
        of = self.watcher.state.start.get("epochs") if self.watcher and self.watcher.state.start else None
        speed = event["step"] / event["seconds"] if event.get("seconds") else 0
        return f"epoch {event.get('epoch', 0):.4g}" + (f"/{of:.6g}" if of else "") + f" · {speed:.0f} steps/s"

    def _end(self, event: End) -> None:
        metrics = _named(event["metrics"])
        self.running, self.status = False, str(event["status"])
        start = self.watcher.state.start if self.watcher else None
        if event.get("refused") and self.run and start is None:
            self.run.remove()
            self.post_message(self.Changed("", event["reason"]))
            return
        baseline = start.get("baseline") if start else None
        beside = (
            f"   baseline ({baseline['method']}): {format_metrics({baseline['metric']: baseline['value']})}"
            if baseline and metrics
            else ""
        )
        words = [f"test {metrics}{beside}" if metrics else "", event.get("reason", "")]
        if not metrics and event.get("validation"):
            words.insert(0, f"validation {_named(event['validation'])}")
        self.query_one("#ended", Static).update(f"{event['status']}: {' '.join(filter(None, words))}")
        self.query_one("#progress").add_class("empty")
        self.post_message(self.Changed("", event["reason"] if event.get("refused") else ""))


def _named(metrics: Metrics) -> str:
    return format_metrics({name: value for name, value in metrics.items() if value is not None})


def _latest_write(run: Run) -> int:
    """Return when a run's visualizations were written last, in nanoseconds; 0 if there are none."""
    for name in VISUALIZATION_FILES:
        with suppress(OSError):
            return (run.folder / name).stat().st_mtime_ns
    return 0
