"""One field of a run's order: its name, and a line or a choice to fill in."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Select, Static

from workbench.engine.methods import WORDS

BETWEEN = [
    Binding("enter", "screen.start", "Start"),
    Binding("up", "screen.over(-1)", show=False),
    Binding("down", "screen.over(1)", show=False),
]

SHORT = {  # labels of fields whose names are longer than there is room for
    "class_weights": "balance",
    "evaluate_every": "evaluate",
    "label_smoothing": "smoothing",
    "plateau_patience": "patience",
}


class Line(Input):
    """A line to write in; the arrows go to the lines above and below."""

    BINDINGS = [*BETWEEN, Binding("ctrl+x", "screen.stop", "Stop")]  # as everywhere; Input would cut


class Choice(Select[str], inherit_bindings=False):
    """One of some names: the space bar opens the list, left and right take the neighbour.

    Args:
        names: What may be chosen.
        blank: Whether it may be none of them.
    """

    BINDINGS = [
        *BETWEEN,
        Binding("space", "show_overlay", "List"),
        Binding("left", "step(-1)", show=False),
        Binding("right", "step(1)", show=False),
    ]

    def __init__(self, names: Sequence[str], blank: bool, id: str):
        super().__init__([(name, name) for name in names], prompt="", allow_blank=blank, compact=True, id=id)
        self.names, self.blank = list(names), blank

    def offer(self, names: Sequence[str]) -> None:
        """Let other names be chosen from; what was chosen stays where it is among them."""
        if list(names) != self.names:
            before, self.names = self.value, list(names)
            self.set_options((name, name) for name in names)
            if before in self.names:
                self.value = before

    def action_step(self, by: int) -> None:
        """Take the name before or after."""
        values = [Select.NULL] * self.blank + self.names
        self.value = values[max(0, min(len(values) - 1, values.index(self.value) + by))]


class Field(Horizontal):
    """A field of a spec, as text.

    Args:
        field: Its name in the spec.
        about: What it is, in a sentence.
        names: The names that it may be; a line where none are given.
        blank: Whether it may be left as it is.
    """

    DEFAULT_CSS = """
    Field { height: 1; width: 1fr; }
    Field .name { width: 13; color: $text-muted; }
    Field.here .name { color: $foreground; text-style: bold; }
    Field.wrong .name { color: $text-error; }
    Field Input { width: 1fr; background: $surface; }
    Field Select { width: 1fr; }
    Field Select > SelectOverlay { width: 26; max-height: 10; }
    """

    class Changed(Message):
        """Another text stands in a field."""

    def __init__(self, field: str, about: str, names: Sequence[str] | None = None, blank: bool = True):
        super().__init__(id=f"{field}-field")
        self.field, self.about = field, about
        self.name_shown = SHORT.get(field) or WORDS.get(field, field).replace("_", " ")
        self.editor = Line(compact=True, id=field) if names is None else Choice(names, blank, id=field)

    def compose(self) -> ComposeResult:
        yield Static(self.name_shown, classes="name", markup=False)
        yield self.editor

    @property
    def text(self) -> str:
        """What was written or chosen; empty where nothing was."""
        return "" if self.editor.value is Select.NULL else str(self.editor.value)

    @text.setter
    def text(self, text: str) -> None:
        if isinstance(self.editor, Line) or text in self.editor.names:
            self.editor.value = text
        elif self.editor.blank:
            self.editor.clear()

    def hint(self, usual: str) -> None:
        """Show what it is where nothing is written."""
        if isinstance(self.editor, Line):
            self.editor.placeholder = usual
        else:
            self.editor.prompt = usual

    def mark(self, wrong: bool) -> None:
        """Show whether what is written can't be."""
        if wrong != self.has_class("wrong"):
            self.set_class(wrong, "wrong")
            self.query_one(".name", Static).update(("? " if wrong else "") + self.name_shown)

    def on_descendant_focus(self) -> None:
        self.add_class("here")

    def on_descendant_blur(self) -> None:
        self.remove_class("here")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def on_select_changed(self, event: Select.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())
