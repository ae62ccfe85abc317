"""A run as it is watched: how far it is, its curves, and how it ended."""

from dataclasses import replace
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import ProgressBar, Static

from workbench.engine import Run
from workbench.engine.events import Tail
from workbench.show.curves import Curves, compared
from workbench.tui.widgets.chart import Chart

LOOK = 0.1  # seconds between two looks at a run's events


class RunView(Vertical):
    """Reads a run's events from the last byte it saw, ten times a second, and draws at most once each time."""

    DEFAULT_CSS = """
    RunView #progress { height: 1; }
    RunView #progress ProgressBar { width: auto; margin-right: 2; }
    RunView #progress #said { width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    RunView #charts { height: 1fr; margin-top: 1; }
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
        self.tail: Tail | None = None
        self.curves = Curves()
        self.beside: dict[str, Curves] = {}
        self.running = False
        self.log_axis = False
        self.second = 1  # which metric the lower chart shows

    def compose(self) -> ComposeResult:
        with Horizontal(id="progress", classes="empty"):
            yield ProgressBar(show_eta=True)
            yield Static(id="said", markup=False)
        with Vertical(id="charts", classes="empty"):
            yield Chart("upper")
            yield Chart("lower")
        yield Static(id="ended", markup=False)

    def on_mount(self) -> None:
        self.set_interval(LOOK, self._look)

    def follow(self, run: Run) -> None:
        """Show a run, from its first event."""
        self.run, self.tail, self.curves, self.beside, self.running = run, run.tail(), Curves(), {}, True
        self.query_one("#ended", Static).update("")
        self.query_one("#said", Static).update("PyTorch is starting ...")
        self.query_one(ProgressBar).update(total=None, progress=0)
        self.query_one("#charts").add_class("empty")
        self.query_one("#progress").remove_class("empty")
        self._look()

    def compare(self, others: list[Run]) -> None:
        """Draw other runs' lines beside this one's: each metric as one chart of all."""
        self.beside = {}
        for other in others:
            curves, tail = Curves(), other.tail()
            while events := tail.read():
                for event in events:
                    curves.note(event)
            self.beside[other.id] = curves
        self._draw()

    def toggle_log(self) -> None:
        """A logarithmic axis for the upper chart, or a linear one again."""
        self.log_axis = not self.log_axis
        self._draw()

    def next_metric(self) -> None:
        """Another metric in the lower chart."""
        self.second += 1
        self._draw()

    def _look(self) -> None:
        if not (self.run and self.tail and self.running):
            return
        alive = self.run.alive()  # asked before reading, so that nothing written before its death is missed
        events = self.tail.read()
        if not events and not alive:
            events = [self.run.crash(self.curves.start)]
        for event in events:
            self.curves.note(event)
            self._note(event)
        if events:
            self._draw()

    def _draw(self) -> None:
        if self.beside and self.run:
            charts = list(compared({self.run.id: self.curves, **self.beside}))
        else:
            charts = list(self.curves.charts())
        self.query_one("#charts").set_class(not charts, "empty")
        upper, lower = self.query(Chart)
        lower.display = len(charts) > 1
        if charts:
            upper.show(replace(charts[0], log=self.log_axis))
        if len(charts) > 1:
            lower.show(charts[1 + (self.second - 1) % (len(charts) - 1)])

    def _note(self, event: dict[str, Any]) -> None:
        said = "  ".join(
            f"{name} {value:.4g}" for name, value in (event.get("metrics") or {}).items() if value is not None
        )
        if event["event"] == "start":
            self.query_one(ProgressBar).update(total=event["steps"], progress=event["step"])
            self.post_message(
                self.Changed(
                    f"{event['model']} on {event['task']} · {event['params']:,} parameters · seed {event['seed']}"
                )
            )
        elif event["event"] == "metric":
            self.query_one(ProgressBar).update(progress=event["step"])
            self.query_one("#said", Static).update(said)
        elif event["event"] == "end":
            self._end(event, said)

    def _end(self, event: dict[str, Any], said: str) -> None:
        self.running = False
        if event.get("refused") and self.run:
            self.run.remove()
            self.post_message(self.Changed("", event["reason"]))
            return
        floor = self.curves.start.get("floor")
        beside = f"   floor ({floor['method']}): {floor['metric']} {floor['value']:.4g}" if floor and said else ""
        words = [f"test {said}{beside}" if said else "", event.get("reason", "")]
        self.query_one("#ended", Static).update(f"{event['status']}: {' '.join(filter(None, words))}")
        self.query_one("#progress").add_class("empty")
        self.post_message(self.Changed(""))
