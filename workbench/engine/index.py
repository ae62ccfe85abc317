"""The index of runs: all runs as rows, of which only those that have changed are read again.

Every query lists the folder and compares the times and sizes of each run's files. Only runs that are new, changed,
running or damaged are read. So a run folder that is copied, deleted, renamed or changed by hand is noticed by the next
query.
"""

import os
import struct
import threading
from collections.abc import Iterable

from workbench.engine import index_file, run_row, runs
from workbench.engine.index_file import Entry
from workbench.engine.run import Run
from workbench.engine.run_query import Query
from workbench.engine.run_row import FILES, Row
from workbench.paths import data_dir

FILE = "runs.sqlite"
NUMBERS = struct.Struct(f"{3 * len(FILES)}q")
MISSING = (-1, -1, -1)
UNSETTLED = ("running", "damaged")  # a running run changes; a damaged one may be read by another version

Rows = list[Row]
Ids = list[str]


class RunIndex:
    """The rows of all runs in the data directory. It may be used from several threads."""

    def __init__(self) -> None:
        self._folder, self._file = runs.folder(), data_dir() / FILE
        self._entries: dict[str, Entry] | None = None  # of the runs that have ended, by folder name
        self._lock = threading.Lock()

    def _look(self) -> dict[str, Entry]:
        """Return an entry for every run by folder name."""
        with self._lock:
            if self._entries is None:
                self._entries = index_file.load(self._file)
            entries: dict[str, Entry] = {}
            changed: dict[str, Entry] = {}
            for name in runs.names():
                state = read_state(f"{self._folder}/{name}")
                entry = self._entries.get(name)
                if entry is None or entry.state != state:
                    row = run_row.read(Run(self._folder / name))
                    entry = Entry(state, row["created"] or "", row=row)
                    if row["status"] not in UNSETTLED:
                        changed[name] = entry
                entries[name] = entry
            removed = self._entries.keys() - entries.keys()
            if changed or removed:
                index_file.save(self._file, changed, removed)
                self._entries |= changed
                for name in removed:
                    del self._entries[name]
            return entries

    def continued_by(self, ids: Iterable[str]) -> dict[str, Ids]:
        """Return, for each of these runs whose weights are the initial weights of others, the ids of those."""
        others: dict[str, Ids] = {}
        origins = [(entry.row["origin"], entry.row["run"]) for entry in self._look().values()]
        for run_id in ids:
            files = f"{self._folder / run_id}/"  # a spec may name a checkpoint file instead
            followers = [run for origin, run in origins if origin and (origin == run_id or origin.startswith(files))]
            if followers:
                others[run_id] = sorted(followers)
        return others

    def page(self, query: Query, limit: int | None = None) -> tuple[Rows, int]:
        """Return the first rows that a query selects, and the number of all that it selects."""
        entries = self._look()
        if query.sort == "made" and not query.is_filtered:  # without parsing the rows that are not returned
            newest = sorted(entries, key=lambda name: (entries[name].created, name), reverse=True)
            return [self._row(name, entries[name]) for name in newest[:limit]], len(newest)
        rows = query.select([self._row(name, entry) for name, entry in entries.items()])
        return rows[:limit], len(rows)

    def _row(self, name: str, entry: Entry) -> Row:
        return {**entry.row, "folder": f"{self._folder}/{name}"}  # it isn't stored, because the data may be moved

    def list(
        self,
        *,
        status: str | None = None,
        model: str | None = None,
        task: str | None = None,
        tag: str | None = None,
        text: str = "",
        sort: str = "made",
        limit: int | None = None,
    ) -> Rows:
        """Return the rows that a `Query` with these values selects.

        Raises:
            UserError: If there is no such status or order.
        """
        return self.page(Query(status, model, task, tag, text, sort), limit)[0]


def read_state(folder: str) -> bytes:
    """Return the times and sizes of the files that a run's row is read from."""
    numbers: list[int] = []
    for name in FILES:
        try:
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116  a Path for each file takes longer
        except OSError:
            numbers += MISSING
        else:
            numbers += (status.st_mtime_ns, status.st_ctime_ns, status.st_size)
    return NUMBERS.pack(*numbers)
