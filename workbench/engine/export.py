"""A run's numbers for other programs: a table in CSV, or event files that TensorBoard reads. No torch is needed."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from workbench.engine.run import Run
from workbench.errors import UserError


class Point(NamedTuple):
    """One number that a run told."""

    step: int
    epoch: float
    seconds: float
    time: float
    split: str
    metric: str
    value: float | None


def points(run: Run) -> Iterator[Point]:
    """All numbers of a run, once each: what was told after the checkpoint that it was taken up from is told again.

    Raises:
        UserError: The run has told nothing yet.
    """
    kept: list[Point] = []
    began = 0.0
    tail = run.tail()
    while news := tail.read():
        for event in news:
            if event["event"] == "start":
                while kept and kept[-1].step > event["step"]:
                    kept.pop()
                began = event.get("time", run.made()) - event["seconds"]
            elif event["event"] in ("metric", "eval"):
                # The split `train` is told as it is trained, and evaluated besides: two lines, and so two names.
                split = "train_eval" if (event["event"], event["split"]) == ("eval", "train") else event["split"]
                at = (event["step"], event["epoch"], event["seconds"], began + event["seconds"], split)
                kept += [Point(*at, metric, value) for metric, value in event["metrics"].items()]
    if not kept:
        raise UserError(f"The run {run.id} has told no numbers yet: nothing is there to export.")
    yield from kept


def to_csv(run: Run, path: Path) -> int:
    """Write a table with a row for each number; how many there are.

    Raises:
        UserError: There are none, or the file can't be written.
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
    """Write event files into FOLDER/RUN, one line a split; how many numbers there are.

    Raises:
        UserError: There are none, TensorBoard isn't installed, or the folder can't be written.
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
                    before.unlink()  # of an export before this one: its points would stand twice
                writers[row.split] = EventFileWriter(str(place))
            if row.value is not None:
                summary = Summary(value=[Summary.Value(tag=row.metric, simple_value=row.value)])
                writers[row.split].add_event(Event(wall_time=row.time, step=row.step, summary=summary))
        for writer in writers.values():
            writer.close()
    except OSError as error:
        raise UserError(f"{folder} can't be written ({error.strerror}): name a folder that can.") from error
    return len(rows)
