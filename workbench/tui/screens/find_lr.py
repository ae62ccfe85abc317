"""Find a learning rate: the loss of a network while the learning rate rises, and a suggestion to take from it."""

from collections.abc import Callable
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer, Static

from workbench.engine import RunSpec
from workbench.engine.lr_finder import find_lr
from workbench.errors import UserError
from workbench.render.lr_chart import format_suggestion, lr_chart
from workbench.tui.screens.page import Page
from workbench.tui.widgets.chart import Chart
from workbench.tui.widgets.heading import Heading

WAITING = "Raising the learning rate …"


class FindLR(Page):
    """The chart of a learning rate range test, and the learning rate to take from it.

    Args:
        spec: The configuration to test.
        accept: Called with the learning rate that the user takes.
    """

    CSS_PATH = "find_lr.tcss"
    HELP = """
    The network is trained with a learning rate that rises from 1e-6 to 10, and then thrown away. A good learning rate
    is where the loss falls fast, well before it rises. The line is at the suggestion: the arrows move it, and Enter
    writes the learning rate at the line into the form of the Lab.
    """
    BINDINGS = [
        Binding("enter", "accept", "Use this lr", id="find_lr.accept"),
        Binding("escape", "leave", "Lab"),
    ]

    def __init__(self, spec: RunSpec, accept: Callable[[float], None]):
        super().__init__()
        self.spec, self._accept = spec, accept
        self.result: dict[str, Any] | None = None
        self.is_waiting = True

    def compose(self) -> ComposeResult:
        yield Heading("Find a learning rate")
        yield Static(WAITING, id="state", classes="quiet", markup=False)
        yield Chart("loss")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Heading).say("Find a learning rate", self.spec.network.model)
        self.query_one(Chart).focus()
        self._compute()

    @work(thread=True, group="find_lr")
    def _compute(self) -> None:
        def report_progress(progress: float) -> None:
            self.from_thread(self._show_state, f"{WAITING} {progress:.0%}")

        result, problem = None, ""
        try:
            result = find_lr(self.workbench.verifier, self.spec, on_progress=report_progress)
        except UserError as error:
            problem = str(error)
        self.from_thread(self._show, result, problem)

    def _show(self, result: dict[str, Any] | None, problem: str) -> None:
        self.is_waiting, self.result = False, result
        self._show_state(problem if result is None else format_suggestion(result))
        if result is not None:
            chart = self.query_one(Chart)
            chart.cursor = result["steepest"]
            chart.show(lr_chart(result))
        self.refresh_bindings()

    def _show_state(self, text: str) -> None:
        self.query_one("#state", Static).update(text)

    @property
    def lr(self) -> float | None:
        """The learning rate at the line, rounded to two significant digits; None if there is no line."""
        cursor = self.query_one(Chart).cursor
        return None if self.result is None or cursor is None else float(f"{cursor:.2g}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action does something now; the footer shows only those."""
        if action == "accept":
            return self.is_mounted and self.result is not None
        return super().check_action(action, parameters)

    def action_accept(self) -> None:
        """Take the learning rate at the line."""
        lr = self.lr
        if lr is not None:
            self.workbench.pop_screen()
            self._accept(lr)

    def action_leave(self) -> None:
        """Go back to the Lab."""
        self.workbench.pop_screen()

    def on_unmount(self) -> None:
        if self.is_waiting:
            self.is_waiting = False
            self.workbench.verifier.interrupt()
