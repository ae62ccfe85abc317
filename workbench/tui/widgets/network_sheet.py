"""One network on a sheet: what it is, what it costs, and its layers as a table or drawn."""

from collections.abc import Mapping
from typing import Any

from rich.console import JustifyMethod
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from models import Architecture
from models.summary import ModelSummary
from workbench import syllabus
from workbench.render import diagram
from workbench.render.shape import format_shape
from workbench.tui.widgets.table import Table

COUNTING = "counting ..."
COLUMNS: dict[str, JustifyMethod] = {
    "layer": "left",
    "output": "right",
    "parameters": "right",
    "MACs": "right",
    "type": "left",
}
TOLD = {"input": "input_shape", "output": "output_shape", "parameters": "params", "MACs": "macs", "FLOPs": "flops"}
WIDTH = 16  # of a column of counts
PRESETS = ("paper", "mini")


class NetworkSheet(Vertical):
    """What is known of a network without building it at once; counts and layers as they come."""

    DEFAULT_CSS = """
    NetworkSheet #title { text-style: bold; height: auto; }
    NetworkSheet #idea { margin-top: 1; height: auto; }
    NetworkSheet #counts { margin: 1 0; height: auto; }
    NetworkSheet DataTable { height: 1fr; min-height: 4; background: $background; scrollbar-size: 1 1; }
    NetworkSheet #drawn { height: 1fr; min-height: 4; scrollbar-size: 1 1; }
    NetworkSheet #drawn Static { width: auto; min-width: 100%; }
    NetworkSheet.table #drawn, NetworkSheet.diagram DataTable { display: none; }
    """

    def __init__(self) -> None:
        super().__init__(id="one", classes="table")
        self.known: Architecture | None = None
        self.preset = "paper"
        self.outlines: dict[tuple[str, str], ModelSummary] = {}
        self.problem = ""

    def compose(self) -> ComposeResult:
        yield Static(id="title", markup=False)
        yield Static(id="where", classes="quiet", markup=False)
        yield Static(id="idea", markup=False)
        yield Static(id="counts", markup=False)
        yield Table(show_cursor=False, zebra_stripes=False)
        with VerticalScroll(id="drawn"):
            yield Static(markup=False)

    def show(self, known: Architecture, preset: str) -> None:
        """Show a network; what was counted of it before stands there at once."""
        self.known, self.preset, self.problem = known, preset, ""
        topic = syllabus.topics()[known.topic].title if known.topic in syllabus.topics() else known.topic
        self.query_one("#title", Static).update(f"{known.name} · {known.year} · {preset}")
        self.query_one("#where", Static).update(f"{known.paper} · {topic} · learns {known.task}")
        self.query_one("#idea", Static).update(known.contribution)
        self._draw()

    def told(self, outline: ModelSummary) -> None:
        """Take in what was counted of a network."""
        self.outlines[outline.name, outline.preset] = outline
        if self.known and self.known.name == outline.name:
            self._draw()

    def failed(self, sentence: str) -> None:
        """Say why nothing could be counted."""
        self.problem = sentence
        self._draw()

    def turn(self) -> None:
        """The diagram in place of the table, or the table again."""
        self.toggle_class("table", "diagram")
        self._draw()

    @property
    def reader(self) -> Widget:
        """What shows the layers: the table or the diagram."""
        return self.query_one("#drawn" if self.has_class("diagram") else Table)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self.known is None:
            return
        self.query_one("#counts", Static).update("\n".join(self._counts(self.known)))
        table = self.query_one(Table)
        table.fill({}, [])
        outline = self.outlines.get((self.known.name, self.preset))
        drawn = self.query_one("#drawn Static", Static)
        if outline is None:
            drawn.update("")
            return
        if self.has_class("diagram"):
            drawn.update("\n".join(diagram.render_diagram(outline, max(60, self.size.width - 1))[2:]))
            return
        table.fill(
            {column: Text(column, justify=justify) for column, justify in COLUMNS.items()},
            ((row["name"], _cells(row)) for row in outline.table()["layers"]),
        )

    def _counts(self, known: Architecture) -> list[str]:
        """Both presets side by side: shapes, parameters, MACs, FLOPs."""
        if self.problem:
            return [f"? {self.problem}"]
        told = [self._told(known, preset) for preset in PRESETS]
        rows = zip(("", *TOLD), *told, strict=True)
        return ["".join([f"{what:<12}", *(f"{said:>{WIDTH}}" for said in row)]) for what, *row in rows]

    def _told(self, known: Architecture, preset: str) -> list[str]:
        """A preset's column: its name, and what is told of it."""
        head = f"▸ {preset}" if preset == self.preset else preset
        outline = self.outlines.get((known.name, preset))
        if outline is None:
            return [head, COUNTING, *[""] * (len(TOLD) - 1)]
        table = outline.table()
        told = [table[name] for name in TOLD.values()]
        return [head, *(f"{one:,}" if isinstance(one, int) else format_shape(one) for one in told)]


def _cells(row: Mapping[str, Any]) -> list[Text]:
    """A layer's row of the table."""
    counts = [f"{row[name]:,}" if row[name] else "" for name in ("params", "macs")]
    texts = (row["name"], format_shape(row["output_shape"]), *counts, row["type"])
    return [Text(text, justify=justify) for text, justify in zip(texts, COLUMNS.values(), strict=True)]
