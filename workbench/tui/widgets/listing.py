"""A list to choose from, by arrows, by vim's keys or by mouse."""

from textual.binding import Binding
from textual.widgets import OptionList


class Listing(OptionList):
    """An `OptionList` that also knows j, k, g and G."""

    BINDINGS = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("g", "first", "First", show=False),
        Binding("G", "last", "Last", show=False),
    ]
