"""What a person at the terminal would see."""

from contextlib import suppress

from textual.pilot import Pilot
from textual.worker import WorkerCancelled


def shown(pilot: Pilot) -> str:
    """The screen as text."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


async def settled(pilot: Pilot) -> None:
    """Wait until background work is done and drawn."""
    while pilot.app.workers:
        with suppress(WorkerCancelled):  # by the next of its kind, which is waited for then
            await pilot.app.workers.wait_for_complete()
            break
        await pilot.pause(0.01)
    await pilot.pause()
