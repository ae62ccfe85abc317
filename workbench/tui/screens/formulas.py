"""Formulas: the sheet, with a calculator under each that computes or solves for what is left blank."""

from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, HorizontalScroll, Vertical, VerticalScroll
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from quizzes import formula_search, procedures
from quizzes.expressions.parser import FormatError
from quizzes.formula import Formula
from quizzes.formulas import all_formulas
from quizzes.symbols import Symbol
from workbench.errors import UserError
from workbench.render.formatting import format_table, format_value
from workbench.tui import state
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.listing import Listing
from workbench.user_bank import user_bank


class Formulas(Page):
    """A list that a search narrows, and beside it the formula that is chosen.

    Args:
        chosen: The formula to begin with.
    """

    CSS_PATH = "formulas.tcss"
    HELP = """
    Fill in what you know and press Enter: what is left blank is computed. A `?` for what is sought solves for it; every
    solution in its domain is given. `t` steps through a procedure of the formula or of its topic. `/` searches titles,
    topics and what the symbols mean. Space shows the next page of a long formula, `b` the page before.
    """
    BINDINGS = [
        Binding("slash", "search", "Search", id="formulas.search", priority=True),
        Binding("p", "practise", "Practise", id="formulas.practise"),
        Binding("t", "steps", "Steps", id="formulas.steps"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, chosen: str | None = None):
        super().__init__()
        kept = state.load().formula
        self.chosen = chosen or (kept if kept in all_formulas() else next(iter(all_formulas())))
        self.formula: Formula | None = None

    def compose(self) -> ComposeResult:
        yield Heading("Formulas", "fill in what you know, ? for what you seek")
        with Horizontal():
            with Vertical(id="index"):
                yield Input(placeholder="search", compact=True, id="search")
                yield Listing(id="found")
            with VerticalScroll(id="sheet", can_focus=False):
                yield Static(id="title", markup=False)
                yield Static(id="equations", markup=False)
                yield Vertical(id="calculator")
                yield Static(id="result", markup=False)
                with HorizontalScroll(id="tables"):
                    yield Static(id="table", markup=False)
                yield Static(id="conventions", markup=False)
                yield Static(id="source", classes="quiet", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self._list("")
        listed = self.query_one("#found", OptionList)
        listed.highlighted = listed.get_option_index(self.chosen)
        self.set_focus(listed)

    def _list(self, sought: str) -> None:
        found = formula_search.find(sought, all_formulas().values())
        listed = self.query_one("#found", OptionList)
        listed.clear_options()
        listed.add_options([Option(formula.title, id=formula.id) for formula in found])
        if sought and found:
            listed.highlighted = 0  # the best is shown, and Enter begins to fill it in

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "search":
            self._list(event.value)

    async def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        await self._show(event.option.id)

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        await self._show(event.option.id)
        self.set_focus(self.query("#calculator Input").first(Input))

    async def _show(self, name: str | None) -> None:
        """Show a formula, and return once the lines of its calculator are there to be filled in."""
        if name is None or (self.formula and self.formula.id == name):
            return
        self.formula = formula = all_formulas()[name]
        state.remember(formula=formula.id)
        self.refresh_bindings()
        self.query_one("#title", Static).update(formula.title)
        self.query_one("#equations", Static).update("\n".join(eq.text for eq in formula.equations))
        self.query_one("#result", Static).update("")
        self._tabulate([])
        self.query_one("#conventions", Static).update(formula.conventions)
        self.query_one("#conventions").display = bool(formula.conventions)
        self.query_one("#source", Static).update(f"Source: {formula.source}")
        symbols = [symbol for symbol in formula.symbols.values() if symbol.kind != "table"]
        longest = max(len(symbol.name) for symbol in symbols)
        calculator = self.query_one("#calculator", Vertical)
        async with calculator.batch():
            await calculator.remove_children()
            await calculator.mount(*(self._row(symbol, longest) for symbol in symbols))
        self.query_one("#sheet").scroll_home(animate=False)
        self._draw()

    def _row(self, symbol: Symbol, longest: int) -> Horizontal:
        default = "" if symbol.default is None else format_value(symbol.default)
        unit = f" [{symbol.unit}]" if symbol.unit else ""
        return Horizontal(
            Static(f"{symbol.name:<{longest}} = ", classes="label", markup=False),
            Input(placeholder=default, compact=True, name=symbol.name),
            Static(f"{symbol.meaning}{unit}", classes="asks", markup=False),
        )

    @work(thread=True, exclusive=True, group="drawing", exit_on_error=False)
    def _draw(self) -> None:
        """The equations as SymPy prints them, in a thread: the first time they wait for SymPy.

        Where that fails they stay as they are written.
        """
        formula = self.formula
        assert formula
        from workbench.render.formula import draw_formula

        drawn = draw_formula(formula)
        if formula is self.formula:
            self.from_thread(lambda: self.query_one("#equations", Static).update(drawn))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "search":
            self.set_focus(self.query_one("#found", OptionList))
        else:
            self.query_one("#result", Static).update(self._compute())
            shown = self.query_one("#tables").display
            self.call_after_refresh(self.query_one("#result").scroll_visible, animate=False, top=shown)

    def _compute(self) -> str:
        """What the filled lines lead to, or one sentence on what is the matter."""
        formula = self.formula
        assert formula
        self._tabulate([])
        try:
            typed = {line.name or "": line.value.strip() for line in self.query("#calculator Input").results(Input)}
            sought = [name for name, line in typed.items() if line == "?"]
            given = {name: formula.symbols[name].read(line) for name, line in typed.items() if line not in ("", "?")}
            sought += [name for name in formula.inputs if not typed[name] and formula.symbols[name].is_required]
            if len(sought) == 1 and sought[0] in formula.inputs and any(name in given for name in formula.outputs):
                found = formula.solutions(sought[0], given)
                fits = (
                    " or ".join(map(format_value, found))
                    or f"nothing that is {formula.symbols[sought[0]].describe_domain()}"
                )
                return f"✓ {sought[0]} = {fits}"
            known = {name: value for name, value in given.items() if name in formula.inputs}
            values = formula.solve(**known)
            self._tabulate([values.pop(name) for name in formula.outputs if formula.symbols[name].kind == "table"])
            return "\n".join(f"✓ {name} = {format_value(value)}" for name, value in values.items())
        except FormatError as error:
            return f"? {error.message_with_caret()}"
        except UserError as error:
            return f"? {error}"

    def _tabulate(self, tables: list[list[dict[str, Any]]]) -> None:
        """Show tables under the values; on a narrow screen they scroll sideways."""
        width = self.query_one("#sheet").size.width
        self.query_one("#table", Static).update("\n\n".join("\n".join(format_table(rows, width)) for rows in tables))
        self.query_one("#tables").display = bool(tables)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        if action == "steps":
            return bool(self._procedures())
        return bool(self._drills()) if action == "practise" else super().check_action(action, parameters)

    def _drills(self) -> list[str]:
        """The drills over the formula that is shown."""
        formula = self.formula
        return [drill.id for drill in user_bank().all_drills().values() if formula and drill.formula is formula]

    def _procedures(self) -> list[str]:
        """The procedure of the formula that is shown; those of its topic if it has none."""
        formula = self.formula
        if formula is None:
            return []
        if formula.id in procedures.entries():
            return [formula.id]
        return [entry.id for entry in procedures.of_topic(formula.topic)]

    def copied(self) -> str:
        """What was computed; before that, the equations."""
        computed = str(self.query_one("#result", Static).render())
        equations = self.formula.equations if self.formula else []
        return computed or "\n".join(equation.text for equation in equations)

    def action_steps(self) -> None:
        """Step through the formula, with the values that are filled in, or through the first procedure of its topic."""
        formula, id = self.formula, self._procedures()[0]
        lines = self.query("#calculator Input").results(Input)
        inputs = formula.inputs if formula and formula.id == id else []
        values = [f"{line.name}={line.value}" for line in lines if line.name in inputs and line.value.strip(" ?")]
        self.workbench.steps(id, " ".join(values))

    def action_practise(self) -> None:
        """The formula's drill."""
        self.workbench.practise(self._drills()[0])

    def action_search(self) -> None:
        self.set_focus(self.query_one("#search", Input))

    def action_leave(self) -> None:
        """First out of a line, so that the arrows choose another formula; then home."""
        if isinstance(self.focused, Input):
            self.set_focus(self.query_one("#found", OptionList))
        else:
            self.workbench.pop_screen()
