"""Autograd: the graph of an expression as it is typed, its gradients, and what SymPy and PyTorch say of them."""

import shlex
from contextlib import suppress
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, Input, Static

from quizzes.answers.numbers import reading_text
from quizzes.expressions.graph import Graph, Passes, build_graph, describe_nodes, read_value, run_passes
from quizzes.expressions.parser import FormatError, read
from quizzes.question import to_json
from workbench.errors import UserError
from workbench.render import graph as lines
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading

EXAMPLE = "sigmoid(w*x + b)", {"w": "2", "x": "-1", "b": "0.5"}
WIDE = 110  # columns from which on the derivatives stand beside the graph
GRAPH = 66  # columns of the graph there
ASK = "Enter: what SymPy and PyTorch say."


class Line(Input):
    """A line to write in."""

    BINDINGS = [Binding("enter", "screen.derive", "SymPy and PyTorch")]


class Autograd(Page):
    """An expression, a value for each of its variables, and below them what comes of it.

    Args:
        expression: What to begin with; an example where nothing is named.
    """

    CSS_PATH = "autograd.tcss"
    HELP = """
    Type an expression such as `sigmoid(w*x + b)`, or equations with semicolons between them, and a number for each
    variable: the graph is worked out as you type. Enter has SymPy and PyTorch say the same.
    """
    BINDINGS = [
        Binding("enter", "derive", "SymPy and PyTorch", id="autograd.derive"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, expression: str = ""):
        super().__init__()
        self.expression, self.texts = (expression, {}) if expression else EXAMPLE
        self.texts = dict(self.texts)
        self.graph: Graph | None = None
        self.found: Passes | None = None
        self.derived: dict[str, Any] | None = None

    def compose(self) -> ComposeResult:
        yield Heading("Autograd", "forward, and back by the chain rule")
        with VerticalScroll(id="sheet", can_focus=False):
            yield Line(self.expression, placeholder="such as sigmoid(w*x + b)", compact=True, id="expression")
            yield Static(id="reading", classes="quiet", markup=False)
            yield Vertical(id="values")
            yield Static(id="state", classes="quiet", markup=False)
            with Horizontal(id="results"):
                with Vertical(id="passes"):
                    yield Static(id="graph", markup=False)
                    yield Static(id="remarks", markup=False)
                    yield Static(id="table", markup=False)
                yield Static(id="derivatives", markup=False)
        yield Footer()

    async def on_mount(self) -> None:
        self.workbench.verifier.warm()
        await self._read(self.expression)
        self._work_out()
        self._lay_out()
        self.query_one("#expression", Input).focus()

    def on_resize(self) -> None:
        self._lay_out()
        if self.derived:
            self._derive()

    async def on_input_changed(self, event: Input.Changed) -> None:
        name, row = event.input.name, event.input.parent
        if name is None and event.value != self.expression:
            await self._read(event.value)
            self._work_out()
        elif name and row and event.value != self.texts.get(name, ""):
            self.texts[name] = event.value
            for echo in row.query(".echo").results(Static):  # none where the row has been taken away meanwhile
                echo.update(echoed(event.value))
            self._work_out()

    async def _read(self, expression: str) -> None:
        """Read the expression, and return once there is a line for the value of each variable found in it."""
        self.expression, before = expression, self.graph.leaves if self.graph else []
        try:
            self.graph = build_graph(expression)
            text = f"I read this as  {self.graph.read_as}"
        except FormatError as error:
            self.graph, text = None, f"? {error.message_with_caret()}"
        except UserError as error:
            self.graph, text = None, f"? {error}"
        self.query_one("#reading", Static).update(text)
        if self.graph and self.graph.leaves != before:
            leaves, values = self.graph.leaves, self.query_one("#values", Vertical)
            async with values.batch():
                await values.remove_children()
                await values.mount(*map(self._row, leaves))

    def _row(self, name: str) -> Horizontal:
        text = self.texts.get(name, "")
        return Horizontal(
            Static(f"{name} = ", classes="label", markup=False),
            Line(text, compact=True, name=name),
            Static(echoed(text), classes="echo", markup=False),
        )

    def _work_out(self) -> None:
        """Both passes, where every variable has a value; else the graph alone, or nothing."""
        self.found, self.derived, state = None, None, ""
        if self.graph:
            given = self._given()
            missing = [name for name in self.graph.leaves if name not in given]
            try:
                self.found = None if missing else run_passes(self.graph, given)
                state = f"A number is wanted for {', '.join(missing)}." if missing else ASK
            except UserError as error:
                state = f"? {error}"
        self._say("#state", state)
        self._say("#derivatives", "")
        self._draw()
        if self.focused:
            self.focused.scroll_visible(animate=False)

    def _given(self) -> dict[str, Any]:
        """The values that can be read."""
        given = {}
        for name in self.graph.leaves if self.graph else []:
            with suppress(FormatError):
                given[name] = read_value(self.texts.get(name, ""))
        return given

    def _draw(self) -> None:
        nodes = describe_nodes(self.graph, self.found) if self.graph else []
        if not self.found:
            nodes = [node | {"value": to_json(self._given().get(node["node"]))} for node in nodes]
        width = GRAPH if self._is_wide() else self.workbench.size.width - 4
        self._say("#graph", lines.render_graph(nodes, width) if nodes else "")
        self._say("#remarks", lines.render_notes(nodes, self.found.kinks, width) if self.found else "")
        self._say("#table", lines.render_table(nodes, width) if self.found else "")

    def _lay_out(self) -> None:
        self.query_one("#results").set_class(self._is_wide(), "wide")
        self._draw()

    def _is_wide(self) -> bool:
        return self.workbench.size.width >= WIDE

    def _say(self, place: str, text: str) -> None:
        shown = self.query_one(place, Static)
        shown.update(text)
        shown.display = bool(text)

    def action_derive(self) -> None:
        """To the next line that is still empty; where none is, SymPy and PyTorch are asked."""
        self.call_later(self._go_on)  # in turn, not while the lines of another expression are being put up

    def _go_on(self) -> None:
        if self.graph is None:
            self.query_one("#expression").focus()
            return
        empty = [line for line in self.query(Line) if not line.value.strip()]
        if empty:
            empty[0].focus()
        elif self.found:
            self._derive()

    @work(thread=True, exclusive=True, group="derive")
    def _derive(self) -> None:
        """SymPy's and PyTorch's gradients, in a thread: the first time they wait for both to start."""
        graph, found = self.graph, self.found
        assert graph and found
        self.from_thread(self._say, "#state", "Asking SymPy and PyTorch ...")
        from quizzes.expressions.gradients import compare_gradients, differentiate

        width = self.workbench.size.width - (GRAPH if self._is_wide() else 0) - 12
        verdict = None
        try:
            sympy = differentiate(graph, found, width)
            verdict = compare_gradients(
                graph, found, sympy, self.workbench.verifier.gradients(describe_nodes(graph, found))
            )
            drawn = {name: one.pretty for name, one in sympy.items()}
            text = lines.render_comparison(graph.root, drawn, verdict, found.kinks)
        except RuntimeError as error:
            text = f"PyTorch could not be asked: {error}"
        except Exception as error:  # the graph stands without this check: nothing else may end by it
            text = f"This could not be checked: {error!r}"
        if found is self.found:
            self.derived = verdict
            self.from_thread(self._say, "#state", text.splitlines()[-1])
            self.from_thread(self._say, "#derivatives", text)
            if not self._is_wide():
                self.from_thread(lambda: self.query_one("#derivatives").scroll_visible(animate=False, top=True))

    def copied(self) -> str:
        """The command that prints the same."""
        leaves = self.graph.leaves if self.graph else []
        values = [f"{name}={self.texts[name]}" for name in leaves if self.texts.get(name)]
        return shlex.join(["workbench", "autograd", self.expression, *values])

    def action_leave(self) -> None:
        self.workbench.pop_screen()


def echoed(text: str) -> str:
    """How a variable's value is read."""
    if not text.strip():
        return "a number"
    try:
        return f"I read this as  {reading_text(read_value(text), read(text))}"
    except FormatError as error:
        return f"? {error.sentence}"
