"""All networks in one table, to be sorted by any of its columns."""

from typing import Any

from rich.text import Text
from textual.binding import Binding

from models import Architecture
from models.summary import ModelSummary
from workbench.tui.widgets.table import Table

COLUMNS = {"name": "name", "year": "year", "params": "parameters", "macs": "MACs", "idea": "idea"}
NUMBERS = ("params", "macs")


class NetworkTable(Table):
    """The paper preset of each network; counts as they come, and those that are missing last whatever the order."""

    DEFAULT_CSS = """
    NetworkTable { height: 1fr; background: $background; scrollbar-size: 1 1; }
    """
    BINDINGS = [Binding("enter", "screen.train", "Train")]

    def __init__(self) -> None:
        super().__init__(cursor_type="row", id="all")
        self.by, self.backwards = "year", False
        self.rows_of: dict[str, dict[str, Any]] = {}

    def show(self, known: list[Architecture], counted: dict[tuple[str, str], ModelSummary]) -> None:
        """Show these networks, with the counts that are there."""
        self.rows_of = {
            one.name: {"name": one.name, "year": one.year, "params": one.params, "macs": None, "idea": one.contribution}
            for one in known
        }
        for one in known:
            if outline := counted.get((one.name, "paper")):
                self.rows_of[one.name] |= {
                    "params": outline.network.total_params,
                    "macs": outline.network.total_macs,
                }
        self._fill()

    def told(self, outline: ModelSummary) -> None:
        """Take in what was counted of a network."""
        if outline.name in self.rows_of and outline.preset == "paper":
            network = outline.network
            self.rows_of[outline.name] |= {"params": network.total_params, "macs": network.total_macs}
            self._fill()

    def order_by(self, column: str) -> None:
        """Another order: texts from A, everything else from the smallest; the same column again turns it round."""
        self.backwards = column == self.by and not self.backwards
        self.by = column
        self._fill()

    def next_order(self) -> None:
        """The order by the column after the one that counts now."""
        columns = list(COLUMNS)
        self.order_by(columns[(columns.index(self.by) + 1) % len(columns)])

    def _fill(self) -> None:
        chosen = self.chosen
        heads = COLUMNS | {self.by: f"{COLUMNS[self.by]} {'▼' if self.backwards else '▲'}"}
        names = sorted(self.rows_of, key=self._place, reverse=self.backwards)
        self.fill(
            {name: Text(head, justify="right" if name in NUMBERS else "left") for name, head in heads.items()},
            ((name, [_cell(column, self.rows_of[name][column]) for column in COLUMNS]) for name in names),
        )
        if chosen in names:
            self.move_cursor(row=names.index(chosen))

    def _place(self, name: str) -> tuple[Any, ...]:
        row = self.rows_of[name]
        value = row[self.by]
        return (value is None) is not self.backwards, value if value is not None else 0, row["year"], name

    @property
    def chosen(self) -> str:
        """The network that the cursor is on."""
        return str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value) if self.row_count else ""


def _cell(column: str, value: Any) -> Text:
    if column in NUMBERS:
        return Text("" if value is None else f"{value:,}", justify="right")
    return Text(str(value))
