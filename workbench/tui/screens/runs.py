"""Runs: what was trained and what is training, one watched, several compared."""

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from workbench import tasks
from workbench.engine import Run, runs
from workbench.engine.methods import pairs
from workbench.errors import UserError
from workbench.render.metrics import format_metrics
from workbench.tui import state
from workbench.tui.screens.ask import Ask
from workbench.tui.screens.inspect import Inspect
from workbench.tui.screens.watching import Watching
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.listing import Listing
from workbench.tui.widgets.run_view import RunView
from workbench.untrusted import printable

REST = 0.1  # seconds that the mark stays on a run before it is opened
AGAIN = 1.0  # seconds between two looks at the list
ROOMY = 120  # columns from which on the list also says what each run reached
SIGNS = {"running": "▸", "done": "✓", "stopped": "■", "diverged": "✗", "crashed": "✗", "damaged": "?"}


class Runs(Watching):
    """The list of runs, newest first, and the one that is chosen.

    Args:
        chosen: The run to begin with.
    """

    CSS_PATH = "runs.tcss"
    HELP = """
    Runs go on when the app is closed. `i` looks into a run's network: its filters, its maps, its mistakes.
    `a` asks it: about a point of the plane, an image that you draw, a row of a table.
    Space takes a run into the comparison, each metric then one chart of all.
    `m` shows another metric, `y` a log axis.
    Tab goes to a chart: there the arrows read values, `+` and `-` look closer, `0` shows all again.
    """
    BINDINGS = [
        Binding("i", "inspect", "Inspect", id="runs.inside"),
        Binding("a", "ask", "Ask", id="runs.ask"),
        Binding("space", "mark", "Compare", id="runs.mark"),
        Binding("t", "transfer", "Transfer", id="runs.transfer"),
        Binding("escape", "leave", "Home"),
    ]

    def __init__(self, chosen: str = ""):
        super().__init__()
        self.chosen = chosen or state.load().run
        self.marked: list[str] = []
        self.listed: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Heading("Runs")
        yield Static("No run was made yet: the Lab starts one.", id="none", markup=False)
        with Horizontal():
            yield Listing(id="list", markup=False)
            yield RunView()
        yield Footer()

    def on_mount(self) -> None:
        self.resting = self.set_timer(REST, self._open, pause=True)
        self._refresh()
        self.set_interval(AGAIN, self._refresh)
        self.query_one(OptionList).focus()

    @work(thread=True, exclusive=True, group="list")
    def _refresh(self) -> None:
        """Look at the folder again: another process may have made, ended or deleted runs."""
        rows = {run.id: self._row(run) for run in reversed(runs.every())}
        self.from_thread(self._list, rows)

    def _list(self, rows: dict[str, str]) -> None:
        before, self.listed = self.listed, rows
        chosen = self.query_one(OptionList)
        if rows and [*rows] == [*before]:  # the same runs: the mark stays where it is, only words change
            for id, text in rows.items():
                if text != before[id]:
                    chosen.replace_option_prompt(id, text)
            return
        at = self.chosen if self.chosen in rows else next(iter(rows), "")
        chosen.clear_options()
        chosen.add_options([Option(text, id=id) for id, text in rows.items()])
        self.query_one("#none").display = not rows
        self.query_one(RunView).display = bool(rows)
        if at:
            chosen.highlighted = chosen.get_option_index(at)
        self.offer()

    def _row(self, run: Run) -> str:
        mark = "+" if run.id in self.marked else " "
        row = f"{mark}{SIGNS.get(run.status(), '?')} {printable(run.id)}"
        if self.workbench.size.width < ROOMY:
            return row
        return f"{row:<28} {_monitored(run)}"

    def on_resize(self) -> None:
        self.query_one(Listing).set_class(self.workbench.size.width >= ROOMY, "roomy")
        self._refresh()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The mark moves at once; the run is opened when it rests."""
        self.chosen = event.option.id or ""
        self.resting.stop()
        self.resting = self.set_timer(REST, self._open)

    def _open(self) -> None:
        view = self.query_one(RunView)
        run = _there().get(self.chosen)
        if run and (view.run is None or view.run.id != run.id):
            state.remember(run=run.id)
            view.follow(run)
            self._compare()

    def _compare(self) -> None:
        there = _there()
        others = [there[id] for id in self.marked if id != self.chosen and id in there]
        self.query_one(RunView).compare(others)

    def on_run_view_changed(self, message: RunView.Changed) -> None:
        if message.about:
            self.query_one(Heading).say(f"Runs · {printable(self.chosen)}", message.about)
        self.offer()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        needs_run = ("mark", "inspect", "ask", "transfer")
        return bool(self.listed) if action in needs_run else super().check_action(action, parameters)

    def action_mark(self) -> None:
        """Take the chosen run into the comparison, or out of it."""
        option = self.query_one(OptionList).highlighted_option
        id = (option and option.id) or self.chosen  # the list is ahead of what it has told so far
        if id in self.marked:
            self.marked.remove(id)
        else:
            self.marked.append(id)
        self._compare()
        self._refresh()

    def action_inspect(self) -> None:
        """Look into the chosen run's network."""
        if run := _there().get(self.chosen):
            self.app.push_screen(Inspect(run))

    def action_ask(self) -> None:
        """Put a question to the chosen run's network."""
        if run := _there().get(self.chosen):
            self.app.push_screen(Ask(run))

    def action_transfer(self) -> None:
        """Order another run of the same network in the Lab, which begins with this one's weights."""
        run = _there().get(self.chosen)
        if run is not None:
            try:
                spec = run.spec
            except UserError as problem:
                self.workbench.problem(str(problem))
                return
            options = " ".join(pairs(spec.network.options))
            texts = {"model": spec.network.model, "preset": spec.network.preset, "options": options, "origin": run.id}
            self.workbench.lab(spec.network.model, {name: text for name, text in texts.items() if text})

    def action_leave(self) -> None:
        self.workbench.pop_screen()


def _there() -> dict[str, Run]:
    """The runs by id as of now: the list may still have some that were deleted."""
    return {run.id: run for run in runs.every()}


def _monitored(run: Run) -> str:
    """Return the metric that decides which checkpoint of a run is best, as it was measured last; empty if it wasn't."""
    last = run.last_event()
    if last is None:
        return ""
    metrics = last.get("metrics") or (last.get("validation") if last["event"] == "end" else None) or {}
    try:
        spec = run.spec
        is_own = spec.data.task.startswith(tasks.OWN)  # its data are not read for a list
        name = spec.evaluation.monitor or next(iter(metrics if is_own else tasks.info(spec.data.task).metrics), "")
    except UserError:
        return ""
    return format_metrics({name: metrics[name]}) if metrics.get(name) is not None else ""
