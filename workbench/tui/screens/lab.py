"""Lab: order a run of a network, or one for each of several seeds, and watch it learn."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.events import DescendantFocus
from textual.widgets import Button, Footer, Static

import models
from workbench.engine import Run, runs
from workbench.tui.screens.find_lr import FindLR
from workbench.tui.screens.watching import Watching
from workbench.tui.widgets.field import Field
from workbench.tui.widgets.form import REFUSALS, Form
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.run_view import RunView

LOOK = 0.5  # seconds between two looks whether the next seed's run was started
LASTS = "A run goes on when you leave this screen."


class Lab(Watching):
    """A form, and the run that was started: below it, or in its place where the terminal is low.

    Args:
        model: The network to order; the one of the last order, if left out.
    """

    CSS_PATH = "lab.tcss"
    HELP = """
    What is left blank is as usual. Tab and the arrows go from field to field, Space opens a list, Enter starts. The
    line above the buttons is the command that does the same. Several seeds (`0..4`) run at once on several processors.
    `Ctrl+L` finds a learning rate for what the form says: it shows the loss at rising learning rates.
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (36, "-high")]
    BINDINGS = [
        Binding("ctrl+s", "start", "Start", show=False, id="lab.start"),
        Binding("ctrl+o", "turn", "Form/run", id="lab.turn"),
        Binding("ctrl+l", "find_lr", "Find lr", show=False, id="lab.find_lr"),
        Binding("ctrl+y", "app.copy", "Copy command", id="lab.copy"),
        Binding("escape", "leave", "Home"),
    ]

    def __init__(self, model: str = ""):
        super().__init__()
        self.model = model
        self.followed = 0  # of the runs of the last order, how many were shown
        self.is_compared = False  # whether all their lines were drawn to the end

    def compose(self) -> ComposeResult:
        texts = self.workbench.orders.texts
        texts["model"] = self.model or texts.get("model") or models.names()[0]
        yield Heading("Lab", LASTS)
        yield Form(texts)
        yield Static(id="about", classes="quiet", markup=False)
        yield Static(id="command", markup=False)
        with Horizontal(id="acts"):
            yield Button("Start", compact=True, variant="primary", id="start")
            yield Button("Stop", compact=True, id="stop", disabled=True)
        yield RunView()
        yield Footer()

    def on_mount(self) -> None:
        orders = self.workbench.orders
        running = runs.running()
        orders.warm()
        self.followed = len(orders.runs)
        if running:
            self._watch(running[-1])
        elif orders.runs and orders.runs[-1].folder.exists():
            self.view.follow(orders.runs[-1])
        if self.view.run in orders.runs:
            self.view.compare([run for run in orders.runs if run != self.view.run])
        self.set_interval(LOOK, self._next_seed)
        self._show_state()
        if not self.has_class("watching"):
            self.query_one("#model").focus()

    def _watch(self, run: Run) -> None:
        self.query_one(Heading).say(f"Lab · {run.id}", "starting")
        self.view.follow(run)
        self._turn_to(run=True)

    def _next_seed(self) -> None:
        orders, view = self.workbench.orders, self.view
        if view.running or view.run not in orders.runs:
            return
        others = [run for run in orders.runs if run != view.run]
        if len(orders.runs) > self.followed:
            *others, newest = orders.runs
            self.followed, self.is_compared = len(orders.runs), False
            view.follow(newest)
            view.compare(others)
            self._show_state()
        elif view.run.status() == "running":  # its worker was killed, and another one continues
            view.follow(view.run)
            self._show_state()
        elif orders.is_done and not self.is_compared:  # now that all lines are whole
            self.is_compared = True
            view.compare(others)

    def _turn_to(self, run: bool) -> None:
        """Where there is no room for both: the run in place of the form, or the form again."""
        self.set_class(run, "watching")
        if run and self.has_class("-low"):
            self.set_focus(None)  # what can't be seen takes no keys
        elif not run:
            self.query_one("#model").focus()
        self.refresh_bindings()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        field = event.widget.parent
        if isinstance(field, Field):
            self.query_one("#about", Static).update(field.about)

    def on_form_changed(self) -> None:
        try:
            said = self.query_one(Form).command()
        except REFUSALS as problem:
            said = f"? {problem}"
        self.query_one("#command", Static).update(said)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "start":
            self.action_start()
        else:
            self.action_stop()

    def action_start(self) -> None:
        """Order what the form says."""
        form = self.query_one(Form)
        try:
            spec, seeds = form.order()
            run = self.workbench.orders.start(spec, seeds)
        except REFUSALS as problem:
            if wrong := form.wrong():
                wrong.editor.focus()
            self.workbench.problem(str(problem))
            return
        self.followed, self.is_compared = 1, False
        self._watch(run)
        self._show_state()

    def action_find_lr(self) -> None:
        """Find a learning rate for what the form says; the one that is accepted is written into the form."""
        try:
            spec, _ = self.query_one(Form).order()
        except REFUSALS as problem:
            self.workbench.problem(str(problem))
            return
        self.app.push_screen(FindLR(spec, self._set_lr))

    def _set_lr(self, lr: float) -> None:
        field = self.query_one("#lr-field", Field)
        field.text = f"{lr:g}"
        field.editor.focus()

    def action_stop(self) -> None:
        """Ask the run to write a checkpoint and end, and those of the other seeds with it."""
        orders = self.workbench.orders
        if self.view.run in orders.runs and not orders.is_done:
            orders.stop()
        else:
            super().action_stop()

    def action_turn(self) -> None:
        self._turn_to(run=not self.has_class("watching"))

    def copied(self) -> str:
        """The command line that orders the same."""
        try:
            return self.query_one(Form).command()
        except REFUSALS:
            return ""

    def action_over(self, by: int) -> None:
        """Go to the nearest field in the line above, or below."""
        here = self.focused.region if self.focused else self.region
        others = [field.editor for field in self.query(Field) if field.display]
        beyond = [one for one in others if (one.region.y - here.y) * by > 0]
        if beyond:
            min(beyond, key=lambda one: (abs(one.region.y - here.y), abs(one.region.x - here.x))).focus()

    def on_run_view_changed(self, message: RunView.Changed) -> None:
        if message.refused:
            self.workbench.orders.stop()
            self._turn_to(run=False)
            self.workbench.problem(message.refused)
        elif message.about and self.view.run:
            self.query_one(Heading).say(f"Lab · {self.view.run.id}", message.about + self._others())
        self._show_state()

    def _others(self) -> str:
        waiting = self.workbench.orders.waiting
        return f" · {waiting} more to come" if waiting else ""

    def on_resize(self) -> None:
        self.call_after_refresh(self.refresh_bindings)

    def _show_state(self) -> None:
        self.query_one("#start", Button).disabled = self.view.running
        self.query_one("#stop", Button).disabled = not self.view.running
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        if action == "start":
            return self.is_mounted and not self.view.running
        if action == "turn":
            return self.has_class("-low") and self.is_mounted and self.view.run is not None
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        self.workbench.pop_screen()
