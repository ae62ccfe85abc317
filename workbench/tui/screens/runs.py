"""Runs: what was trained and what is training, one watched, several compared."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from workbench import BadInput
from workbench.engine import Run, runs
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.run_view import RunView

AGAIN = 1.0  # seconds between two looks at the list
SIGNS = {"running": "▸", "done": "✓", "stopped": "■", "diverged": "✗", "crashed": "✗", "damaged": "?"}


class Runs(Page):
    """The list of runs, newest first, and the one that is chosen.

    Args:
        chosen: The run to begin with.
    """

    CSS_PATH = "runs.tcss"
    BINDINGS = [
        ("space", "mark", "Compare"),
        ("ctrl+x", "stop", "Stop"),
        ("y", "log", "Log axis"),
        ("m", "metric", "Metric"),
        ("escape", "leave", "Home"),
    ]

    def __init__(self, chosen: str = ""):
        super().__init__()
        self.chosen = chosen
        self.marked: list[str] = []
        self.listed: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Heading("Runs")
        yield Static("No run was made yet: the Lab starts one.", id="none", markup=False)
        with Horizontal():
            yield OptionList(id="list")
            yield RunView()
        yield Footer()

    def on_mount(self) -> None:
        self._refresh()
        self.set_interval(AGAIN, self._refresh)
        self.query_one(OptionList).focus()

    def _refresh(self) -> None:
        """Look at the folder again: another process may have made, ended or deleted runs."""
        rows = {run.id: self._row(run) for run in reversed(runs.every())}
        if rows == self.listed:
            return
        self.listed = rows
        chosen = self.query_one(OptionList)
        at = self.chosen if self.chosen in rows else next(iter(rows), "")
        chosen.clear_options()
        chosen.add_options([Option(text, id=id) for id, text in rows.items()])
        self.query_one("#none").display = not rows
        self.query_one(RunView).display = bool(rows)
        if at:
            chosen.highlighted = chosen.get_option_index(at)

    def _row(self, run: Run) -> str:
        mark = "+" if run.id in self.marked else " "
        return f"{mark}{SIGNS.get(run.status(), '?')} {run.id}"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        view = self.query_one(RunView)
        id = event.option.id or ""
        if view.run is None or view.run.id != id:
            self.chosen = id
            view.follow(runs.get(id))
            self._compare()

    def _compare(self) -> None:
        others = [runs.get(id) for id in self.marked if id != self.chosen and id in self.listed]
        self.query_one(RunView).compare(others)

    def on_run_view_changed(self, message: RunView.Changed) -> None:
        if message.about:
            self.query_one(Heading).say(f"Runs · {self.chosen}", message.about)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        if action == "stop":
            return self.query_one(RunView).running
        return bool(self.listed) if action in ("mark", "log", "metric") else True

    def action_mark(self) -> None:
        """Take the chosen run into the comparison, or out of it."""
        if self.chosen in self.marked:
            self.marked.remove(self.chosen)
        else:
            self.marked.append(self.chosen)
        self._compare()
        self._refresh()

    def action_stop(self) -> None:
        """Ask the run to write a checkpoint and end."""
        run = self.query_one(RunView).run
        try:
            if run:
                run.stop()
        except BadInput as problem:
            self.workbench.problem(str(problem))

    def action_log(self) -> None:
        self.query_one(RunView).toggle_log()

    def action_metric(self) -> None:
        self.query_one(RunView).next_metric()

    def action_leave(self) -> None:
        self.workbench.pop_screen()
