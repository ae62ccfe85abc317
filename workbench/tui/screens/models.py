"""Models: every network, with what it is, what it costs and its layers; one by one, or all in a table."""

from threading import BoundedSemaphore

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import ContentSwitcher, DataTable, Footer, Input, OptionList
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

import models
from models import Architecture
from models.summary import ModelSummary
from workbench import syllabus
from workbench.errors import UserError
from workbench.render import layers
from workbench.tui.screens.page import Page
from workbench.tui.widgets.family_list import FamilyList
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.listing import Listing
from workbench.tui.widgets.network_sheet import PRESETS, NetworkSheet
from workbench.tui.widgets.network_table import NetworkTable

AT_ONCE = BoundedSemaphore(2)  # processes that count layers: each imports torch


class Networks(Listing):
    """The names that were found."""

    BINDINGS = [Binding("enter", "screen.train", "Train")]


class Models(Page):
    """A list that a search narrows, and beside it the network that is chosen; or a table of all that were found.

    Args:
        chosen: The network to begin with.
    """

    CSS_PATH = "models.tcss"
    HELP = """
    Every network with what it is for, what it costs and how it is built. `/` searches names, years, topics and ideas;
    `t` shows all that were found as a table: `s` sorts it by the next column, `S` turns the order round, and so does a
    click on a column's head. `f` shows who builds on whom, by year. Enter takes a network to the Lab.
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (36, "-high")]
    BINDINGS = [
        Binding("slash", "search", "Search", show=False, id="models.search", priority=True),
        Binding("p", "preset", "Preset", id="models.preset"),
        Binding("l", "layers", "Read", id="models.layers"),
        Binding("d", "diagram", "Draw", id="models.diagram"),
        Binding("t", "table", "Table", id="models.table"),
        Binding("f", "tree", "Tree", id="models.tree"),
        Binding("s", "sort", "Sort", id="models.sort"),
        Binding("S", "turn_round", "Turn round", id="models.turn_round"),
        Binding("escape", "leave", "Back"),
    ]

    def __init__(self, chosen: str = ""):
        super().__init__()
        self.chosen = chosen
        self.preset = "paper"

    def compose(self) -> ComposeResult:
        yield Heading("Models")
        with Horizontal():
            with Vertical(id="index"):
                yield Input(placeholder="/ search", compact=True, id="search")
                yield Networks(id="found")
            with ContentSwitcher(initial="one", id="views"):
                yield NetworkSheet()
                yield NetworkTable()
                yield FamilyList()
        yield Footer()

    def on_mount(self) -> None:
        self._list("")
        self.set_focus(self.query_one("#found", OptionList))

    @property
    def sheet(self) -> NetworkSheet:
        """The network that is shown alone."""
        return self.query_one(NetworkSheet)

    @property
    def table(self) -> NetworkTable:
        """All networks that were found."""
        return self.query_one(NetworkTable)

    @property
    def in_table(self) -> bool:
        """Whether the table of all is shown."""
        return self.query_one(ContentSwitcher).current == "all"

    @property
    def in_tree(self) -> bool:
        """Whether the family tree is shown."""
        return self.query_one(ContentSwitcher).current == "tree"

    def _list(self, sought: str) -> None:
        """The networks that all words of a search speak of, in the order of their years."""
        found = [known for known in by_year() if all(word in _said(known) for word in sought.casefold().split())]
        listed = self.query_one("#found", OptionList)
        listed.clear_options()
        family = ("", 0)
        for known in found:
            year = "" if (known.family, known.year) == family else str(known.year)
            family = (known.family, known.year)
            listed.add_option(Option(f"{year:<5}{known.name}", id=known.name))
        names = [known.name for known in found]
        aside = "● can be trained here, ○ is told of only" if self.in_tree else ""
        self.query_one(Heading).say("Models", f"{len(names)} of {len(models.names())}" if sought.strip() else aside)
        if names:
            listed.highlighted = names.index(self.chosen) if self.chosen in names else 0
        if self.in_table:
            self.table.show(found, self.sheet.outlines)
        if self.in_tree:
            self.query_one(FamilyList).show(names if sought.strip() else None, self.chosen)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._list(event.value)

    def on_input_submitted(self) -> None:
        self._focus_list()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if isinstance(event.option_list, FamilyList):
            self.chosen = event.option_list.network or self.chosen
        elif event.option.id and (self.sheet.known is None or event.option.id != self.sheet.known.name):
            self._choose(event.option.id)

    def on_data_table_row_highlighted(self) -> None:
        if self.in_table and self.table.chosen:
            self.chosen = self.table.chosen

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        if self.in_table:
            self.table.order_by(str(event.column_key.value))

    def _choose(self, name: str) -> None:
        self.chosen = name
        known = models.info(name)
        self.sheet.show(known, self.preset)
        others = [preset for preset in PRESETS if preset != self.preset]
        self._count([(name, preset) for preset in (self.preset, *others)])

    @work(thread=True, exclusive=True, group="counting")
    def _count(self, wanted: list[tuple[str, str]]) -> None:
        """Find the layers of networks, in the order in which they are wanted; other wishes end it."""
        worker = get_current_worker()
        for name, preset in wanted:
            if (name, preset) in self.sheet.outlines:
                continue
            with AT_ONCE:
                if worker.is_cancelled:
                    return
                try:
                    outline = layers.summarize(name, preset)
                except UserError as problem:
                    self.from_thread(self._failed, name, str(problem))
                    return
            self.from_thread(self._told, outline)

    def _told(self, outline: ModelSummary) -> None:
        if self.is_attached:
            self.sheet.told(outline)
            self.table.told(outline)

    def _failed(self, name: str, sentence: str) -> None:
        if self.is_attached and self.sheet.known and self.sheet.known.name == name:
            self.sheet.failed(sentence)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        if not self.is_mounted:
            return False
        if action in ("preset", "diagram", "layers"):
            alone = not self.in_table and not self.in_tree
            return alone and bool(self.chosen) and (action != "layers" or not self.has_class("reading"))
        return self.in_table if action in ("sort", "turn_round") else super().check_action(action, parameters)

    def action_search(self) -> None:
        self.set_focus(self.query_one("#search", Input))

    def action_preset(self) -> None:
        """The other preset's layers."""
        self.preset = PRESETS[(PRESETS.index(self.preset) + 1) % len(PRESETS)]
        self._choose(self.chosen)

    def action_layers(self) -> None:
        """Read the layers; where there is little room, they get all of it."""
        self._read(True)

    def action_diagram(self) -> None:
        """The diagram in place of the table, or the table again."""
        self.sheet.turn()
        if self.has_class("reading"):
            self.set_focus(self.sheet.reader)

    def _read(self, reading: bool) -> None:
        self.set_class(reading, "reading")
        self.refresh_bindings()
        if reading:
            self.set_focus(self.sheet.reader)
        else:
            self._focus_list()

    def action_table(self) -> None:
        """All networks in a table, or one alone again."""
        self._show("one" if self.in_table else "all")
        if self.in_table:
            self._count([(name, "paper") for name in self.table.rows_of])

    def action_tree(self) -> None:
        """Who builds on whom, or one network alone again."""
        self._show("one" if self.in_tree else "tree")

    def _show(self, view: str) -> None:
        self.remove_class("reading")
        self.query_one(ContentSwitcher).current = view
        self.set_class(view != "one", "table")
        self._list(self.query_one("#search", Input).value)
        self._focus_list()
        self.refresh_bindings()

    def action_sort(self) -> None:
        self.table.next_order()

    def action_turn_round(self) -> None:
        """The same order from its other end."""
        self.table.order_by(self.table.by)

    def action_train(self) -> None:
        """Order a run of the chosen network in the Lab."""
        if self.chosen:
            self.workbench.lab(self.chosen)

    def _focus_list(self) -> None:
        views = {"all": self.table, "tree": self.query_one(FamilyList)}
        self.set_focus(views.get(self.query_one(ContentSwitcher).current or "", self.query_one("#found")))

    def action_leave(self) -> None:
        """First out of the search, the layers or the table; then home."""
        if isinstance(self.focused, Input):
            self._focus_list()
        elif self.has_class("reading"):
            self._read(False)
        elif self.in_table or self.in_tree:
            self._show("one")
        else:
            self.workbench.pop_screen()


def by_year() -> list[Architecture]:
    """All networks in the order in which they came up, those of a family together."""
    known = [models.info(name) for name in models.names()]
    sizes = {one.name: (one.params or 0) for one in known}
    return sorted(known, key=lambda one: (one.year, one.family, sizes[one.name], one.name))


def _said(known: Architecture) -> str:
    """All that a search looks at."""
    topic = syllabus.topics()[known.topic].title if known.topic in syllabus.topics() else ""
    words = (known.name, known.family, known.year, known.paper, known.topic, topic, known.task, known.contribution)
    return " ".join(map(str, words)).casefold()
