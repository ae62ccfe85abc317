"""A dialog that asks before something that can't be undone."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Confirming(ModalScreen[bool]):
    """A question and two buttons; Escape is no.

    Args:
        question: What is asked, with what follows from it.
        verb: What is done, as the button says it.
    """

    DEFAULT_CSS = """
    Confirming { align: center middle; }
    Confirming > Vertical { width: 64; max-width: 90%; height: auto; padding: 1 2; border: round $error; }
    Confirming > Vertical { background: $surface; }
    Confirming Horizontal { height: auto; margin-top: 1; }
    Confirming Button { margin-right: 2; }
    """
    BINDINGS = [("escape", "dismiss(False)", "Cancel")]

    def __init__(self, question: str, verb: str):
        super().__init__()
        self.question, self.verb = question, verb

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self.question, markup=False)
            with Horizontal():
                yield Button(self.verb, variant="error", id="yes")
                yield Button("Cancel", id="no")

    def on_mount(self) -> None:
        self.query_one("#no", Button).focus()  # Enter alone deletes nothing

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")
