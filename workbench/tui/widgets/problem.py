"""A dialog that says what is the matter and what to do."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Problem(ModalScreen[None]):
    """One sentence and a button; nothing is lost by closing it."""

    BINDINGS = [("escape,enter", "dismiss", "Close")]

    def __init__(self, sentence: str):
        super().__init__()
        self.sentence = sentence

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self.sentence, markup=False)
            yield Button("Close")

    def on_button_pressed(self) -> None:
        self.dismiss()
