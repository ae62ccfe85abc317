"""Text wrapped into rows of segments, and styles of headings."""

from textwrap import wrap

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import QUIET
from workbench.render.halfblock import Rows

BOLD = Style(bold=True)


def render_text(text: str, width: int, style: Style = QUIET) -> Rows:
    """Render a text in as many rows as it needs."""
    return [[Segment(line, style)] for line in wrap(text, width)]


def shorten_start(text: str, width: int) -> str:
    """Return a text that is at most `width` cells long: the end of a module's name says more than its start."""
    return text if len(text) <= width else f"…{text[len(text) - width + 1 :]}"
