"""Steps: a procedure, state by state, with its reason, its values and a drawing."""

import shlex

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Footer, Input, Static

from quizzes import procedures
from quizzes.procedure import Procedure, State
from quizzes.symbols import read_values, split_assignments
from workbench.errors import UserError
from workbench.render.question import wrap_text
from workbench.render.states import draw_state, render_values
from workbench.tui.screens.boxes import VIEWS
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading

PACE = 1.5  # seconds per state while it plays
FRAME = 7  # rows of the heading, the inputs, the footer and what separates them
CAPTION_ROWS = 8  # at most, that are reserved for captions
VALUE_ROWS = 3  # at least, that are left for the values
LEAST_DRAWING = 7  # rows
CAPTIONS = 500  # at most, whose heights are compared


class Steps(Page):
    """A procedure that the arrow keys step through.

    Args:
        id: The procedure.
        inputs: Inputs as a line of `name=value`; those that are left out are those of its example.
    """

    CSS_PATH = "steps.tcss"
    HELP = """
    The left and right arrows step through the states, Home and End go to the first and the last one, and Space plays
    them one after another. `i` changes the inputs: edit the line and press Enter.
    """
    BINDINGS = [
        Binding("right", "step(1)", "Step", key_display="←→", id="steps.next"),
        Binding("left", "step(-1)", "Step back", show=False, id="steps.back"),
        Binding("space", "play", "Play", id="steps.play"),
        Binding("home", "first", "First", show=False, id="steps.first"),
        Binding("end", "last", "Last", show=False, id="steps.last"),
        Binding("i", "edit", "Inputs", id="steps.inputs"),
        Binding("o", "other", "Other", id="steps.other"),
        Binding("m", "boxes", "Move boxes", id="steps.boxes"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, id: str, inputs: str = ""):
        super().__init__()
        self.procedure: Procedure = procedures.get(id)
        words = split_assignments(inputs, self.procedure.symbols)
        typed = {word.partition("=")[0] for word in words}
        defaults = split_assignments(self.procedure.input_text(), self.procedure.symbols)
        self.inputs = " ".join([*words, *(word for word in defaults if word.partition("=")[0] not in typed)])
        self.states: list[State] = []
        self.index = 0
        self.is_playing = False
        self.timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Heading(self.procedure.title)
        yield Input(self.inputs, compact=True, id="inputs")
        yield Static(id="problem", markup=False)
        with VerticalScroll(id="sheet", can_focus=False):
            yield Static(id="caption", markup=False)
            yield Static(id="drawing", markup=False)
            yield Static(id="values", classes="quiet", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.set_focus(None)
        self.timer = self.set_interval(PACE, self.tick)
        self._run(self.inputs)

    @work(thread=True, exclusive=True, group="states", exit_on_error=False)
    def _run(self, text: str) -> None:
        """Compute the states in a thread, because there may be thousands; if they can't be computed, say why."""
        symbols = self.procedure.symbols
        try:
            values = read_values(self.procedure.id, symbols, split_assignments(text, symbols))
            states = self.procedure.states(values)
        except UserError as error:
            self.from_thread(self._report, str(error))
            return
        self.from_thread(self._begin, text, states)

    def _report(self, problem: str) -> None:
        self.query_one("#problem", Static).update(f"? {problem}")
        self.query_one("#problem").display = True

    def _begin(self, text: str, states: list[State]) -> None:
        """Show the first state of other inputs."""
        self.query_one("#problem").display = False
        self.query_one("#inputs", Input).cursor_position = 0  # so that the beginning of a long line is in sight
        self.inputs, self.states, self.index, self.is_playing = text, states, 0, False
        self.set_focus(None)
        self._show()

    def _show(self) -> None:
        if not self.states:
            return
        state = self.states[self.index]
        playing = "▶ " if self.is_playing else ""
        count = f"{playing}state {self.index + 1} of {len(self.states)}"
        self.query_one(Heading).say(self.procedure.title, count)
        width = self.workbench.size.width - 4
        caption = wrap_text(state.caption, width)
        rows = min(max(wrap_text(each.caption, width).count("\n") + 1 for each in self._near()), CAPTION_ROWS)
        self.query_one("#caption").styles.min_height = rows  # so that the drawing stays where it is
        self.query_one("#caption", Static).update(caption)
        height = max(LEAST_DRAWING, self.workbench.size.height - FRAME - rows - VALUE_ROWS)
        drawing = draw_state(state, width, height)
        self.query_one("#drawing", Static).update(drawing)
        self.query_one("#drawing").display = bool(drawing)
        room = max(VALUE_ROWS, self.workbench.size.height - FRAME - rows - len(drawing.splitlines()))
        self.query_one("#values", Static).update("\n".join(render_values(state.values, width)[:room]))
        self.query_one("#sheet").scroll_home(animate=False)
        self.refresh_bindings()

    def _near(self) -> list[State]:
        """The states whose captions have room: all of them, or those around this one if there are thousands."""
        start = max(0, self.index - CAPTIONS // 2)
        return self.states[start : start + CAPTIONS]

    def on_resize(self) -> None:
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._run(event.value)

    def tick(self) -> None:
        """Go to the next state if it plays; at the last one, stop."""
        if self.is_playing:
            self.action_step(1)
            if self.index == len(self.states) - 1:
                self.is_playing = False
                self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what does something now."""
        last = len(self.states) - 1
        if action in ("step", "play", "first", "last"):
            return last > 0
        if action == "boxes":
            return self.procedure.id in VIEWS
        if action == "other":
            return len(procedures.of_topic(self.procedure.topic)) > 1
        return super().check_action(action, parameters)

    def action_step(self, distance: int) -> None:
        self._go_to(self.index + distance)

    def action_first(self) -> None:
        self._go_to(0)

    def action_last(self) -> None:
        self._go_to(len(self.states) - 1)

    def _go_to(self, index: int) -> None:
        self.index = max(0, min(index, len(self.states) - 1))
        self._show()

    def action_play(self) -> None:
        """Play or pause; from the last state, play from the first."""
        if not self.is_playing and self.index == len(self.states) - 1:
            self.index = 0
        self.is_playing = not self.is_playing
        if self.timer:
            self.timer.reset()  # the first state lasts as long as every other
        self._show()

    def action_edit(self) -> None:
        """Put the cursor into the line of the inputs."""
        self.is_playing = False
        self.query_one("#inputs", Input).focus()

    def action_other(self) -> None:
        """Open the next procedure of the topic."""
        ids = [entry.id for entry in procedures.of_topic(self.procedure.topic)]
        self.workbench.steps(ids[(ids.index(self.procedure.id) + 1) % len(ids)])

    def action_boxes(self) -> None:
        """Open the playground of the procedure."""
        self.workbench.boxes(self.procedure.id)

    def copied(self) -> str:
        """The command that prints the same states."""
        words = split_assignments(self.inputs, self.procedure.symbols)
        return shlex.join(["workbench", "calc", self.procedure.id, *words, "--steps"])

    def action_leave(self) -> None:
        """Leave the line of the inputs, then the screen."""
        if isinstance(self.focused, Input):
            self.set_focus(None)
        else:
            self.workbench.pop_screen()
