"""Watching a run from another process, for screens, commands and scripts."""

import time
from collections.abc import Iterator

from workbench.engine.events import Event, RunState
from workbench.engine.run import POLL_INTERVAL, Run
from workbench.untrusted import printable


class Watcher:
    """Reads the events of a run as they are written.

    Args:
        run: The run.
        offset: The byte of its events to begin at.

    Attributes:
        state: The state of the run after all events so far.
        is_finished: Whether the run has ended, and its end was returned.
    """

    def __init__(self, run: Run, offset: int = 0):
        self.run = run
        self.state = RunState(run.created())
        self.is_finished = False
        self._reader = run.reader(offset)
        self._last: Event | None = None

    def poll(self) -> list[Event]:
        """Return the events since the last call, without waiting.

        The `end` event is returned once no worker runs any more, because a resumed run continues after an earlier end.
        If the worker died without an end event, one with the status `crashed` is added.
        """
        if self.is_finished:
            return []
        is_alive = self.run.is_alive()  # checked before reading, so that no event from before its death is missed
        events = self._reader.read()
        if events:
            self._last = events[-1]
            events = [event for event in events if event["event"] != "end"]
        if self._last is not None and self._last["event"] == "end":
            if self.run.status() != "running":
                events.append(self._last)
                self.is_finished = True
        elif not events and not is_alive:
            events.append(self.run.crash(self._last))
            self.is_finished = True
        for event in events:
            if "run" in event:
                event["run"] = printable(self.run.id)  # the folder may have been renamed since
            self.state.apply(event)
        return events


def follow(run: Run, offset: int = 0) -> Iterator[Event]:
    """Yield the events of a run as they are written, up to its end.

    Args:
        run: The run.
        offset: The byte of its events to begin at.
    """
    watcher = Watcher(run, offset)
    while not watcher.is_finished:
        events = watcher.poll()
        yield from events
        if not events:
            time.sleep(POLL_INTERVAL)
