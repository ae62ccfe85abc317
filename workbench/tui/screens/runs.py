"""Runs: what was trained and what is training, one watched, several compared."""

from collections.abc import Callable
from datetime import datetime

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from workbench.engine import Run, notes, runs
from workbench.engine.index import RunIndex
from workbench.engine.methods import pairs
from workbench.engine.run_query import SORTS, Query
from workbench.engine.run_row import Row
from workbench.errors import UserError
from workbench.render.metrics import format_metric
from workbench.render.run_list import format_date, format_duration
from workbench.tui import state
from workbench.tui.screens.ask import Ask
from workbench.tui.screens.inspect import Inspect
from workbench.tui.screens.watching import Watching
from workbench.tui.widgets.asking import Asking
from workbench.tui.widgets.confirming import Confirming
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.listing import Listing
from workbench.tui.widgets.run_view import RunView
from workbench.untrusted import printable

REST = 0.1  # seconds that the mark stays on a run before it is opened
AGAIN = 1.0  # seconds between two looks at the list
ROOMY, WIDE = 120, 150  # columns from which on the list also has durations and metrics; and dates
MAX_LISTED = 1000  # runs in the list: the screen is blocked for a moment while it is filled
MAX_REPLACED = 20  # rows that are replaced one by one; for more of them, filling the list again is faster
Offered = Callable[[notes.Notes], str]
Change = Callable[[Run, str], object]
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

    `/` searches names, networks, tasks, notes and tags; Escape ends the search. `s` sorts by date, name, metric or
    duration. `n` writes a note about a run, `#` its tags, `r` gives it another name, `d` deletes it. A wide terminal
    shows durations, metrics and dates. `workbench runs pack` makes one file of runs, for another machine.
    """
    BINDINGS = [
        Binding("i", "inspect", "Inspect", id="runs.inside"),
        Binding("a", "ask", "Ask", id="runs.ask"),
        Binding("space", "mark", "Compare", id="runs.mark"),
        Binding("t", "transfer", "Transfer", id="runs.transfer"),
        Binding("slash", "search", "Search", show=False, id="runs.search", priority=True),
        Binding("s", "sort", "Sort", show=False, id="runs.sort"),
        Binding("n", "note", "Note", show=False, id="runs.note"),
        Binding("number_sign", "tag", "Tags", show=False, id="runs.tag"),
        Binding("r", "rename", "Rename", show=False, id="runs.rename"),
        Binding("d", "delete", "Delete", show=False, id="runs.delete"),
        Binding("escape", "leave", "Home"),
    ]

    def __init__(self, chosen: str = ""):
        super().__init__()
        self.chosen = chosen or state.load().run
        self.marked: list[str] = []
        self.listed: dict[str, str] = {}  # id -> the text of its row
        self.index = RunIndex()
        self.query_of_list = Query()
        self.looking = self.stale = False  # whether a thread reads the list; whether it must do so again

    def compose(self) -> ComposeResult:
        yield Heading("Runs")
        yield Static("No run was made yet: the Lab starts one.", id="none", markup=False)
        with Horizontal():
            with Vertical(id="index"):
                yield Input(placeholder="search", compact=True, id="search", classes="empty")
                yield Static(id="order", classes="quiet empty", markup=False)
                yield Listing(id="list", markup=False)
            with Vertical(id="view"):
                yield Static(id="note", classes="empty", markup=False)
                yield RunView()
        yield Footer()

    def on_mount(self) -> None:
        self.resting = self.set_timer(REST, self._open, pause=True)
        self._refresh()
        self.set_interval(AGAIN, self._refresh)
        self.query_one(OptionList).focus()

    def _refresh(self) -> None:
        """Look at the folder again: another process may have made, ended or deleted runs."""
        self.stale = True
        if not self.looking:
            self.looking, self.stale = True, False
            self._look(self.query_of_list)

    @work(thread=True, group="list")
    def _look(self, query: Query) -> None:
        rows, count = self.index.page(query, MAX_LISTED)
        texts = self._texts(rows)
        if not query.is_filtered and self.chosen not in texts:  # it is older than those
            texts |= self._texts([row for row in self.index.list() if row["run"] == self.chosen])
        self.from_thread(self._looked, query, texts, count)

    def _texts(self, rows: list[Row]) -> dict[str, str]:
        """Return the texts of rows by the ids of the runs."""
        width, now = self.workbench.size.width, datetime.now().astimezone()
        return {id: self._row(id, row, width, now) for row in rows if (id := row["folder"].rpartition("/")[2])}

    def _looked(self, query: Query, texts: dict[str, str], count: int) -> None:
        self.looking = False
        if query == self.query_of_list:
            self._list(texts, query)
            self._show_order(len(texts), count)
        if self.stale:
            self._refresh()

    def _list(self, rows: dict[str, str], query: Query) -> None:
        before, self.listed = self.listed, rows
        chosen = self.query_one(OptionList)
        changed = [id for id, text in rows.items() if text != before.get(id)]
        if rows and [*rows] == [*before] and len(changed) <= MAX_REPLACED:  # the mark stays where it is
            for id in changed:
                chosen.replace_option_prompt(id, rows[id])
            return
        at = self.chosen if self.chosen in rows else next(iter(rows), "")
        chosen.clear_options()
        chosen.add_options([Option(text, id=id) for id, text in rows.items()])
        self.query_one("#none").display = not rows and not query.is_filtered
        self.query_one(RunView).display = bool(rows)
        if at:
            chosen.highlighted = chosen.get_option_index(at)
        else:
            self._show_note()
        self.offer()
        self.refresh_bindings()

    def _show_order(self, listed: int, count: int) -> None:
        """Say how many runs are listed and in which order, where that isn't all of them by date."""
        query = self.query_of_list
        words = [f"{listed:,} of {count:,}"] if listed < count else []
        words += [f"{count:,} fit"] if query.is_filtered else []
        words += [f"by {query.sort}"] if query.sort != "made" else []
        order = self.query_one("#order", Static)
        order.update(" · ".join(words))
        order.set_class(not words, "empty")

    def _row(self, id: str, row: Row, width: int, now: datetime) -> str:
        text = f"{'+' if id in self.marked else ' '}{SIGNS.get(row['status'], '?')} {row['run']}"
        if width < ROOMY:
            return text
        value = format_metric(row["monitor"], row["value"]) if row["value"] is not None else ""
        date = f"{format_date(row['created'], now):<12} " if width >= WIDE else ""
        return f"{text:<22} {date}{format_duration(row['duration']):>7}  {row['monitor'] or ''} {value}".rstrip()

    def on_resize(self) -> None:
        width = self.workbench.size.width
        index = self.query_one("#index")
        index.set_class(ROOMY <= width < WIDE, "roomy")
        index.set_class(width >= WIDE, "wide")
        self._refresh()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The mark moves at once; the run is opened when it rests."""
        self.chosen = event.option.id or ""
        self.resting.stop()
        self.resting = self.set_timer(REST, self._open)

    def _open(self) -> None:
        view = self.query_one(RunView)
        run = runs.find(self.chosen)
        if run and (view.run is None or view.run.id != run.id):
            state.remember(run=run.id)
            view.follow(run)
            self._compare()
        self._show_note()

    def _show_note(self) -> None:
        run = runs.find(self.chosen) if self.listed else None
        current = notes.read(run) if run else notes.Notes()
        note = self.query_one("#note", Static)
        note.update(" ".join(filter(None, [*(f"#{tag}" for tag in current.tags), current.note])))
        note.set_class(current == notes.Notes(), "empty")

    def _compare(self) -> None:
        others = [runs.find(id) for id in self.marked if id != self.chosen]
        self.query_one(RunView).compare([run for run in others if run])

    def on_run_view_changed(self, message: RunView.Changed) -> None:
        if message.about:
            self.query_one(Heading).say(f"Runs · {printable(self.chosen)}", message.about)
        self.offer()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        needs_run = ("mark", "inspect", "ask", "transfer", "note", "tag", "rename", "delete", "sort")
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
        if run := runs.find(self.chosen):
            self.app.push_screen(Inspect(run))

    def action_ask(self) -> None:
        """Put a question to the chosen run's network."""
        if run := runs.find(self.chosen):
            self.app.push_screen(Ask(run))

    def action_transfer(self) -> None:
        """Order another run of the same network in the Lab, which begins with this one's weights."""
        run = runs.find(self.chosen)
        if run is not None:
            try:
                spec = run.spec
            except UserError as problem:
                self.workbench.problem(str(problem))
                return
            options = " ".join(pairs(spec.network.options))
            texts = {"model": spec.network.model, "preset": spec.network.preset, "options": options, "origin": run.id}
            self.workbench.lab(spec.network.model, {name: text for name, text in texts.items() if text})

    def action_search(self) -> None:
        """Let words be typed that narrow the list."""
        line = self.query_one("#search", Input)
        line.remove_class("empty")
        line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._select(event.value, self.query_of_list.sort)

    def on_input_submitted(self) -> None:
        self._end_search(keep=True)

    def _end_search(self, keep: bool) -> None:
        line = self.query_one("#search", Input)
        if not keep:
            line.value = ""
        line.set_class(not line.value, "empty")
        self.query_one(OptionList).focus()

    def action_sort(self) -> None:
        """Sort by the next of date, name, metric and duration."""
        sorts = [*SORTS]
        self._select(self.query_of_list.text, sorts[(sorts.index(self.query_of_list.sort) + 1) % len(sorts)])

    def _select(self, text: str, sort: str) -> None:
        self.query_of_list = Query(text=text, sort=sort)
        self._refresh()

    def action_note(self) -> None:
        """Write a note about the chosen run."""
        self._change("Note about {run}. An empty line removes it.", lambda current: current.note, notes.set_note)

    def action_tag(self) -> None:
        """Write the tags of the chosen run."""
        self._change(
            "Tags of {run}, with spaces between them.",
            lambda current: " ".join(current.tags),
            lambda run, text: notes.set_tags(run, text.split()),
        )

    def _change(self, question: str, offered: Offered, change: Change) -> None:
        """Ask for a note or tags, and write them."""
        run = runs.find(self.chosen)
        if run is None:
            return

        def write(answer: str | None) -> None:
            if answer is not None:
                try:
                    change(run, answer)
                except UserError as problem:
                    self.workbench.problem(str(problem))
                self._show_note()
                self._refresh()

        self.app.push_screen(Asking(question.format(run=printable(run.id)), offered(notes.read(run))), write)

    def action_rename(self) -> None:
        """Give the chosen run another name."""
        run = runs.find(self.chosen)
        if run is None:
            return

        def rename(name: str | None) -> None:
            if name and name != run.id:
                try:
                    self.chosen = runs.rename(run, name).id
                except UserError as problem:
                    self.workbench.problem(str(problem))
                    return
                self.marked = [self.chosen if id == run.id else id for id in self.marked]
                self._open()
                self._refresh()

        self.app.push_screen(Asking(f"New name of {printable(run.id)}.", printable(run.id)), rename)

    @work(thread=True)
    def action_delete(self) -> None:
        """Ask whether to delete the chosen run."""
        run = runs.find(self.chosen)
        if run is None:
            return
        try:
            runs.check_ended(run)
        except UserError as problem:
            self.from_thread(self.workbench.problem, str(problem))
            return
        question = f"Delete run {printable(run.id)}? This can't be undone."
        if others := self.index.continued_by([run.id]).get(run.id):
            question += f" Its weights are the initial weights of {', '.join(others)}; copies of them are there."
        self.from_thread(self._confirm, run, question)

    def _confirm(self, run: Run, question: str) -> None:
        def delete(is_sure: bool | None) -> None:
            if is_sure:
                self._delete(run)

        self.app.push_screen(Confirming(question, "Delete"), delete)

    @work(thread=True)
    def _delete(self, run: Run) -> None:
        try:
            runs.delete(run)
        except UserError as problem:
            self.from_thread(self.workbench.problem, str(problem))
        self.from_thread(self._forget, run.id)

    def _forget(self, id: str) -> None:
        """Choose the next run in the list, since this one is gone."""
        ids = [*self.listed]
        if self.chosen == id and len(ids) > 1:
            place = ids.index(id) if id in ids else 0
            self.chosen = ids[place + 1] if place + 1 < len(ids) else ids[place - 1]
        self._refresh()

    def action_leave(self) -> None:
        """First out of the search; then home."""
        if isinstance(self.focused, Input) or self.query_of_list.text:
            self._end_search(keep=False)
        else:
            self.workbench.pop_screen()
