"""Lab: choose a network, start it, and watch it learn."""

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Footer, Input, Label, ProgressBar, Select, Static

import models
from workbench import BadInput
from workbench.engine import Run, RunSpec, runs, start
from workbench.engine.events import Tail
from workbench.show.curves import Curves
from workbench.tui.screens.page import Page
from workbench.tui.widgets.chart import Chart
from workbench.tui.widgets.heading import Heading

LOOK = 0.1  # seconds between two looks at a run's events
REFUSALS = (BadInput, models.BadInput)


class Lab(Page):
    """A form, a progress bar, and the curves of the run that is shown. The run goes on when the screen is left."""

    CSS_PATH = "lab.tcss"
    BINDINGS = [
        ("ctrl+s", "start", "Start"),
        ("ctrl+x", "stop", "Stop"),
        ("escape", "leave", "Home"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.tail: Tail | None = None
        self.curves = Curves()
        self.running = False

    def compose(self) -> ComposeResult:
        names = models.names()
        yield Heading("Lab")
        with Horizontal(id="form"):
            yield Label("Network")
            yield Select([(name, name) for name in names], value=names[0], allow_blank=False, compact=True, id="model")
            yield Label("Epochs")
            yield Input("10", type="integer", compact=True, id="epochs")
            yield Label("Seed")
            yield Input("0", type="integer", compact=True, id="seed")
            yield Button("Start", compact=True, variant="primary", id="start")
            yield Button("Stop", compact=True, id="stop", disabled=True)
        yield Static(id="about", classes="quiet", markup=False)
        with Horizontal(id="progress"):
            yield ProgressBar(show_eta=True)
            yield Static(id="said", markup=False)
        with Vertical(id="charts", classes="empty"):
            yield Chart("loss")
            yield Chart("accuracy")
        yield Static(id="ended", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.set_interval(LOOK, self._look)
        self.query_one("#progress").display = False
        running = [run for run in runs.every() if run.status() == "running"]
        if running:
            self._watch(running[-1])
        self._describe()

    def on_select_changed(self) -> None:
        self._describe()

    def _describe(self) -> None:
        info = models.info(str(self.query_one(Select).value))
        text = f"{info.year}, learns {info.task}. A run goes on when you leave this screen."
        self.query_one("#about", Static).update(text)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "start":
            self.action_start()
        else:
            self.action_stop()

    def on_input_submitted(self) -> None:
        self.action_start()

    def action_start(self) -> None:
        """Order a run with what the form says."""
        try:
            spec = RunSpec(
                model=str(self.query_one(Select).value),
                epochs=_whole(self.query_one("#epochs", Input), "Epochs"),
                seed=_whole(self.query_one("#seed", Input), "Seed"),
            )
            self._watch(start(spec))
        except REFUSALS as problem:
            self.workbench.problem(str(problem))

    def action_stop(self) -> None:
        """Ask the run to write a checkpoint and end."""
        if self.run and self.running:
            try:
                self.run.stop()
            except BadInput as problem:
                self.workbench.problem(str(problem))

    def _watch(self, run: Run) -> None:
        self.run, self.tail, self.curves, self.running = run, run.tail(), Curves(), True
        self.query_one(Heading).say(f"Lab · {run.id}", "starting")
        self.query_one("#ended", Static).update("")
        self.query_one("#said", Static).update("PyTorch is starting ...")
        self.query_one(ProgressBar).update(total=None, progress=0)
        self.query_one("#charts").add_class("empty")
        self.query_one("#progress").display = True
        self._show_state()

    def _look(self) -> None:
        """Read on from the last byte, and draw once."""
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
            self.query_one("#charts").set_class(not self.curves.metrics(), "empty")
            for chart in self.query(Chart):
                chart.show(self.curves.chart(str(chart.name)))

    def _note(self, event: dict[str, Any]) -> None:
        assert self.run
        said = "  ".join(f"{k} {v:.4f}" for k, v in (event.get("metrics") or {}).items() if v is not None)
        if event["event"] == "start":
            self.query_one(ProgressBar).update(total=event["steps"])
            about = f"{event['model']} on {event['task']} · {event['params']:,} parameters · seed {event['seed']}"
            self.query_one(Heading).say(f"Lab · {event['run']}", about)
        elif event["event"] == "metric":
            self.query_one(ProgressBar).update(progress=event["step"])
            self.query_one("#said", Static).update(said)
        elif event.get("refused"):
            self._end("")
            self.run.remove()
            self.workbench.problem(event["reason"])
        elif event["event"] == "end":
            floor = self.curves.start.get("floor")
            beside = f"   floor ({floor['method']}): {floor['metric']} {floor['value']:.4f}" if floor else ""
            outcome = f"test {said}{beside}" if said else event.get("reason", "")
            self._end(f"{event['status']}: {outcome}")

    def _end(self, text: str) -> None:
        self.running = False
        self.query_one("#ended", Static).update(text)
        self._show_state()

    def _show_state(self) -> None:
        self.query_one("#start", Button).disabled = self.running
        self.query_one("#stop", Button).disabled = not self.running
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        if action == "start":
            return not self.running
        return self.running if action == "stop" else True

    def action_leave(self) -> None:
        self.workbench.pop_screen()


def _whole(line: Input, name: str) -> int:
    try:
        return int(line.value)
    except ValueError:
        raise BadInput(f"{name} must be a whole number.") from None
