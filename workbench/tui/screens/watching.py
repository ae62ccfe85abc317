"""What every screen with a run on it can do: look at it in several ways, stop it, take it up again."""

from textual.binding import Binding
from textual.css.query import NoMatches

from workbench.engine import resume
from workbench.errors import UserError
from workbench.tui.screens.page import Page
from workbench.tui.widgets.asking import Asking
from workbench.tui.widgets.run_view import RunView

MORE = "5"  # epochs that are offered when a run that is done is taken up again


class Watching(Page):
    """A screen with a `RunView`."""

    BINDINGS = [
        Binding("ctrl+x", "stop", "Stop", id="run.stop"),
        Binding("ctrl+r", "resume", "Resume", id="run.resume"),
        Binding("p", "picture", "View", id="run.picture"),
        Binding("m", "metric", "Metric", show=False, id="run.metric"),
        Binding("y", "log", "Log", show=False, id="run.log"),
    ]

    offered: tuple[bool, ...] = ()

    @property
    def view(self) -> RunView:
        """The run that is shown."""
        return self.query_one(RunView)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        try:
            view = self.view
        except NoMatches:  # not composed yet
            return False
        if action == "stop":
            return view.running
        if action == "resume":
            return view.resumable
        if action in ("picture", "metric", "log"):
            return view.run is not None
        return super().check_action(action, parameters)

    def offer(self) -> None:
        """Make the footer anew where something else can be done than before: it takes longer than a chart."""
        now = (self.view.run is not None, self.view.running, self.view.resumable)
        if now != self.offered:
            self.offered = now
            self.refresh_bindings()

    def copied(self) -> str:
        """The run's id, which every `workbench runs` command takes."""
        return self.view.run.id if self.view.run else ""

    def action_stop(self) -> None:
        """Ask the run to write a checkpoint and end."""
        try:
            if self.view.run:
                self.view.run.stop()
        except UserError as problem:
            self.workbench.problem(str(problem))

    def action_resume(self) -> None:
        """Go on from the last checkpoint; a run that is done is asked for how long."""
        if self.view.run and self.view.run.status() == "done":
            question = f"{self.view.run.id} is done. How many epochs more?"
            self.app.push_screen(Asking(question, MORE), lambda more: self._resume(more or ""))
        else:
            self._resume(None)

    def _resume(self, more: str | None) -> None:
        run = self.view.run
        if run is None or more == "":
            return
        try:
            if more is not None and not more.isdigit():
                raise UserError(f"The number of epochs must be an integer of at least 1, such as {MORE}.")
            resume(run, epochs=int(more) if more else None)
        except UserError as problem:
            self.workbench.problem(str(problem))
            return
        self.view.follow(run)
        self.offer()

    def action_picture(self) -> None:
        self.view.next_picture()

    def action_metric(self) -> None:
        self.view.next_metric()

    def action_log(self) -> None:
        self.view.toggle_log()
