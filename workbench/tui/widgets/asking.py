"""A dialog that asks for one thing."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class Asking(ModalScreen[str | None]):
    """One question and a line to answer it; the answer is None after Escape.

    Args:
        question: What is asked.
        offered: What the line holds at first.
    """

    BINDINGS = [("escape", "leave", "Leave it")]

    def __init__(self, question: str, offered: str):
        super().__init__()
        self.question, self.offered = question, offered

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self.question, markup=False)
            yield Input(self.offered, compact=True)
            yield Static("Enter: do it   Escape: leave it", classes="quiet")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())

    def action_leave(self) -> None:
        self.dismiss(None)
