"""The events of a run: JSON lines that its worker appends, and that other processes read as the file grows."""

from workbench.engine.events.kinds import Checkpoint, End, Evaluation, Event, Metrics, Report, Start
from workbench.engine.events.log import Reader, Writer, last, size
from workbench.engine.events.state import Points, Row, RunState

__all__ = [
    "Checkpoint",
    "End",
    "Evaluation",
    "Event",
    "Metrics",
    "Points",
    "Reader",
    "Report",
    "Row",
    "RunState",
    "Start",
    "Writer",
    "last",
    "size",
]
