"""Parts of questions to a trained network: what was asked, drawings, and lines for values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.events import DescendantFocus
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static

from workbench.render.halfblock import Rows


@dataclass
class Asked(Message):
    """A question was put.

    Attributes:
        question: Name -> its value.
        is_whole: Whether no other widget has a part of the question.
    """

    question: Mapping[str, str]
    is_whole: bool = True


class Drawing(Widget, can_focus=True):
    """A widget that draws rows of segments."""

    def render_rows(self, width: int, height: int) -> Rows:
        """Return what is to be seen."""
        raise NotImplementedError

    def render_lines(self, crop: Any) -> list[Strip]:
        """Draw the rows that are visible."""
        width, height = self.size
        rows = self.render_rows(width, height)[:height] if width > 0 and height > 0 else []
        strips = [Strip(row).adjust_cell_length(width).apply_style(self.rich_style) for row in rows]
        strips += [Strip.blank(width, self.rich_style)] * (height - len(strips))
        return strips[crop.y : crop.bottom]


class Values(VerticalScroll, can_focus=False):
    """A line for each value of a question, and below them what the focused one means; Enter asks.

    Args:
        questions: Name -> its meaning.
        is_whole: Whether these values are the whole question.
    """

    def __init__(self, questions: Mapping[str, str], is_whole: bool = True) -> None:
        super().__init__()
        self.questions = questions
        self.is_whole = is_whole

    def compose(self) -> ComposeResult:
        width = max(map(len, self.questions), default=0) + 2
        for name in self.questions:
            with Horizontal(classes="line"):
                label = Static(name, classes="label", markup=False)
                label.styles.width = width
                yield label
                yield Input(compact=True, name=name)
        yield Static(classes="meaning", markup=False)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show what the focused value means: there is no room for all."""
        if isinstance(event.widget, Input):
            name = event.widget.name or ""
            self.query_one(".meaning", Static).update(f"{name}: {self.questions[name]}")

    def entries(self) -> dict[str, str]:
        """Return the values that were typed, by name."""
        return {line.name or "": line.value.strip() for line in self.query(Input) if line.value.strip()}

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(Asked(self.entries(), self.is_whole))
