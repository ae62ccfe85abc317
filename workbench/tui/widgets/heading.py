"""The line at the top of a screen: what it is, and beside it how far."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static


class Heading(Horizontal):
    """A title to the left, an aside to the right, a rule below."""

    DEFAULT_CSS = """
    Heading { height: 2; border-bottom: solid $foreground 25%; }
    Heading .title { width: 1fr; text-style: bold; }
    Heading .aside { width: auto; color: $text-muted; }
    """

    def __init__(self, title: str, aside: str = ""):
        super().__init__()
        self._title = Static(title, classes="title", markup=False)
        self._aside = Static(aside, classes="aside", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._aside

    def say(self, title: str, aside: str = "") -> None:
        """Change both texts."""
        self._title.update(title)
        self._aside.update(aside)
