"""What a person at the terminal would see."""

from textual.pilot import Pilot


def shown(pilot: Pilot) -> str:
    """The screen as text."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


async def settled(pilot: Pilot) -> None:
    """Wait until background work is done and drawn."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
