"""Formulas: the sheet, with a calculator under each that computes or solves for what is left blank."""

from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from quizzes import BadInput
from quizzes.answers.numbers import short
from quizzes.formula import Formula, Symbol
from quizzes.formulas import all_formulas
from quizzes.reading import FormatError
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading


class Formulas(Page):
    """A list that a search narrows, and beside it the formula that is chosen.

    Args:
        chosen: The formula to begin with.
    """

    CSS_PATH = "formulas.tcss"
    BINDINGS = [
        ("slash", "search", "Search"),
        ("escape", "leave", "Leave"),
    ]

    def __init__(self, chosen: str | None = None):
        super().__init__()
        self.chosen = chosen or next(iter(all_formulas()))
        self.formula: Formula | None = None

    def compose(self) -> ComposeResult:
        yield Heading("Formulas", "fill in what you know, ? for what you seek")
        with Horizontal():
            with Vertical(id="index"):
                yield Input(placeholder="search", compact=True, id="search")
                yield OptionList(id="found")
            with VerticalScroll(id="sheet", can_focus=False):
                yield Static(id="title", markup=False)
                yield Static(id="equations", markup=False)
                yield Vertical(id="calculator")
                yield Static(id="result", markup=False)
                yield Static(id="source", classes="quiet", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self._list("")
        listed = self.query_one("#found", OptionList)
        listed.highlighted = listed.get_option_index(self.chosen)
        listed.focus()

    def _list(self, sought: str) -> None:
        words = sought.casefold().split()
        listed = self.query_one("#found", OptionList)
        listed.clear_options()
        for formula in all_formulas().values():
            text = " ".join([formula.id, formula.title, formula.topic, *(s.meaning for s in formula.symbols.values())])
            if all(word in text.casefold() for word in words):
                listed.add_option(Option(formula.title, id=formula.id))

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "search":
            self._list(event.value)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option.id and (self.formula is None or event.option.id != self.formula.id):
            self._show(all_formulas()[event.option.id])

    def on_option_list_option_selected(self) -> None:
        self.query("#calculator Input").first(Input).focus()

    def _show(self, formula: Formula) -> None:
        self.formula = formula
        self.query_one("#title", Static).update(formula.title)
        self.query_one("#equations", Static).update("\n".join(eq.text for eq in formula.equations))
        self.query_one("#result", Static).update("")
        self.query_one("#source", Static).update(f"Source: {formula.source}")
        calculator = self.query_one("#calculator", Vertical)
        calculator.remove_children()
        calculator.mount(*(self._row(symbol) for symbol in formula.symbols.values()))
        self.query_one("#sheet").scroll_home(animate=False)
        self._draw()

    def _row(self, symbol: Symbol) -> Horizontal:
        default = "" if symbol.default is None else short(symbol.default)
        unit = f" [{symbol.unit}]" if symbol.unit else ""
        return Horizontal(
            Static(f"{symbol.name} = ", classes="label", markup=False),
            Input(placeholder=default, compact=True, name=symbol.name),
            Static(f"{symbol.meaning}{unit}", classes="asks", markup=False),
        )

    @work(thread=True, exclusive=True, group="drawing")
    def _draw(self) -> None:
        """The equations as SymPy prints them, in a thread: the first time they wait for SymPy."""
        formula = self.formula
        assert formula
        from quizzes.symbolic import pretty_text

        drawn = "\n\n".join(pretty_text(eq.text) for eq in formula.equations) or "A procedure: its drill has the steps."
        if formula is self.formula:
            self.app.call_from_thread(self.query_one("#equations", Static).update, drawn)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "search":
            self.query_one("#found", OptionList).focus()
        else:
            self.query_one("#result", Static).update(self._compute())
            self.query_one("#result").scroll_visible(animate=False)

    def _compute(self) -> str:
        """What the filled lines lead to, or one sentence on what is the matter."""
        formula = self.formula
        assert formula
        try:
            typed = {line.name or "": line.value.strip() for line in self.query("#calculator Input").results(Input)}
            sought = [name for name, text in typed.items() if text == "?"]
            given = {name: formula.symbols[name].read(text) for name, text in typed.items() if text not in ("", "?")}
            sought += [n for n in formula.inputs if not typed[n] and formula.symbols[n].default is None]
            if len(sought) == 1 and sought[0] in formula.inputs and any(name in given for name in formula.outputs):
                found = formula.solutions(sought[0], given)
                fits = " or ".join(map(short, found)) or f"nothing that is {formula.symbols[sought[0]].domain()}"
                return f"✓ {sought[0]} = {fits}"
            known = {name: value for name, value in given.items() if name in formula.inputs}
            return "\n".join(f"✓ {name} = {_shown(value)}" for name, value in formula.solve(**known).items())
        except FormatError as error:
            return f"? {error.shown()}"
        except BadInput as error:
            return f"? {error}"

    def action_search(self) -> None:
        self.query_one("#search", Input).focus()

    def action_leave(self) -> None:
        """First out of a line, so that the arrows choose another formula; then home."""
        if isinstance(self.focused, Input):
            self.query_one("#found", OptionList).focus()
        else:
            self.workbench.pop_screen()


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return value if isinstance(value, str) else short(value)
