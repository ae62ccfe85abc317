"""Lab: choose a network and how it is trained, start it, and watch it learn."""

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Footer, Input, Label, Select, Static

import models
from workbench import BadInput
from workbench.engine import RunSpec, runs, start
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.run_view import RunView

REFUSALS = (BadInput, models.BadInput)


class Lab(Page):
    """A form, and below it the run that was started. The run goes on when the screen is left."""

    CSS_PATH = "lab.tcss"
    BINDINGS = [
        ("ctrl+s", "start", "Start"),
        ("ctrl+x", "stop", "Stop"),
        ("escape", "leave", "Home"),
    ]

    def __init__(self, model: str = ""):
        super().__init__()
        self.model = model or models.names()[0]

    def compose(self) -> ComposeResult:
        yield Heading("Lab")
        with Horizontal(id="form"):
            yield Label("Network")
            yield Select(
                [(n, n) for n in models.names()], value=self.model, allow_blank=False, compact=True, id="model"
            )
            yield Label("Epochs")
            yield Input("10", type="integer", compact=True, id="epochs")
            yield Label("Seed")
            yield Input("0", type="integer", compact=True, id="seed")
            yield Button("Start", compact=True, variant="primary", id="start")
            yield Button("Stop", compact=True, id="stop", disabled=True)
        yield Static(id="about", classes="quiet", markup=False)
        yield RunView()
        yield Footer()

    @property
    def view(self) -> RunView:
        """The run that is shown."""
        return self.query_one(RunView)

    def on_mount(self) -> None:
        running = [run for run in runs.every() if run.status() == "running"]
        if running:
            self.view.follow(running[-1])
        self._describe()
        self._show_state()

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
            order: dict[str, Any] = dict(
                model=str(self.query_one(Select).value),
                epochs=_whole(self.query_one("#epochs", Input), "Epochs"),
                seed=_whole(self.query_one("#seed", Input), "Seed"),
            )
            run = start(RunSpec(**order))
        except REFUSALS as problem:
            self.workbench.problem(str(problem))
            return
        self.query_one(Heading).say(f"Lab · {run.id}", "starting")
        self.view.follow(run)
        self._show_state()

    def action_stop(self) -> None:
        """Ask the run to write a checkpoint and end."""
        try:
            if self.view.run:
                self.view.run.stop()
        except BadInput as problem:
            self.workbench.problem(str(problem))

    def on_run_view_changed(self, message: RunView.Changed) -> None:
        if message.refused:
            self.workbench.problem(message.refused)
        elif message.about and self.view.run:
            self.query_one(Heading).say(f"Lab · {self.view.run.id}", message.about)
        self._show_state()

    def _show_state(self) -> None:
        self.query_one("#start", Button).disabled = self.view.running
        self.query_one("#stop", Button).disabled = not self.view.running
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        if action == "start":
            return not self.view.running
        return self.view.running if action == "stop" else True

    def action_leave(self) -> None:
        self.workbench.pop_screen()


def _whole(line: Input, name: str) -> int:
    try:
        return int(line.value)
    except ValueError:
        raise BadInput(f"{name} must be a whole number.") from None
