"""A table that is filled at once."""

from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text
from textual.widgets import DataTable


class Table(DataTable[Text]):
    """Columns as wide as their widest cell."""

    def fill(self, columns: Mapping[str, Text], rows: Iterable[tuple[str, Sequence[Text]]]) -> None:
        """Put these columns and rows in place of all before.

        Textual measures columns only once it is idle, and keeps the lines that it drew before that, with columns as
        narrow as their heads; so each column gets its width here.

        Args:
            columns: Each column's key and head.
            rows: Each row's key and its cells, in the order of the columns.
        """
        rows = list(rows)
        self.clear(columns=True)
        for place, (key, head) in enumerate(columns.items()):
            widest = max(text.cell_len for text in (head, *(cells[place] for _, cells in rows)))
            self.add_column(head, key=key, width=widest)
        for key, cells in rows:
            self.add_row(*cells, key=key)
