"""Export of the metrics of a run to a CSV table, or to event files for TensorBoard. Torch is not imported."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from workbench.engine.run import Run
from workbench.errors import UserError


class Point(NamedTuple):
    """One value that a run reported."""

    step: int
    epoch: float
    seconds: float
    time: float
    split: str
    metric: str
    value: float | None


def points(run: Run) -> Iterator[Point]:
    """Yield all values of a run.

    Raises:
        UserError: If it has reported none yet.
    """
    rows = run.state().rows
    if not rows:
        raise UserError(f"The run {run.id} has reported no metrics yet: there is nothing to export.")
    for row in rows:
        for metric, value in row.metrics.items():
            yield Point(row.step, row.epoch, row.seconds, row.time, row.split, metric, value)


def to_csv(run: Run, path: Path) -> int:
    """Write a table with a row for each value, and return their number.

    Raises:
        UserError: If there are none, or the file can't be written.
    """
    rows = list(points(run))
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("run", "step", "epoch", "seconds", "split", "metric", "value"))
            for row in rows:
                value = "" if row.value is None else repr(row.value)
                writer.writerow((run.id, row.step, row.epoch, row.seconds, row.split, row.metric, value))
    except OSError as error:
        raise UserError(f"{path} can't be written ({error.strerror}): name a file in a folder that can.") from error
    return len(rows)


def to_tensorboard(run: Run, folder: Path) -> int:
    """Write event files into FOLDER/RUN, with a line for each split, and return the number of values.

    Raises:
        UserError: If there are none, TensorBoard isn't installed, or the folder can't be written.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise UserError("TensorBoard isn't installed: pip install 'workbench[tensorboard]'.") from error
    rows = list(points(run))
    try:
        writers: dict[str, Any] = {}
        for row in rows:
            if row.split not in writers:
                place = folder / run.id / row.split
                for before in place.glob("events.out.tfevents.*"):
                    before.unlink()  # of an earlier export, because its points would appear twice
                writers[row.split] = EventFileWriter(str(place))
            if row.value is not None:
                summary = Summary(value=[Summary.Value(tag=row.metric, simple_value=row.value)])
                writers[row.split].add_event(Event(wall_time=row.time, step=row.step, summary=summary))
        for writer in writers.values():
            writer.close()
    except OSError as error:
        raise UserError(f"{folder} can't be written ({error.strerror}): name a folder that can.") from error
    return len(rows)
