"""Home: the thing most worth doing now, and where one stands."""

from collections.abc import Collection

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from workbench import syllabus
from workbench.store import ItemState
from workbench.study import schedule
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.listing import Listing

WELCOME = (
    "Every question here has fresh numbers each time, and says what went wrong when it does. "
    "What you answer is kept and comes back when it is about to be forgotten. "
    "Networks train in the Lab while you watch."
)


FIRST = "conv-out-size"  # what a newcomer meets: one number, a picture, and mistakes that everybody makes


class Home(Page):
    """One list: what to do now first, then what runs, then the chapters."""

    HELP = """
    Enter does what is marked: begin there. Ctrl+P finds any question, formula, network or run by its name. Ctrl+Y
    copies what a screen is about. Keys can be changed in `keys.toml` beside the study file (`workbench doctor` says
    where), a line each: `"run.stop" = "f8"`.
    """
    BINDINGS = [
        Binding("p", "practise", "Practise", id="home.practise"),
        Binding("f", "formulas", "Formulas", id="home.formulas"),
        Binding("m", "models", "Models", id="home.models"),
        Binding("l", "lab", "Lab", id="home.lab"),
        Binding("r", "runs", "Runs", id="home.runs"),
        Binding("f1", "app.help", "Help"),
        Binding("q", "app.quit", "Quit", id="home.quit"),
    ]

    topics: dict[str, str] | None = None  # of all there is to ask, by id; None until it was read

    def compose(self) -> ComposeResult:
        yield Heading("workbench")
        yield Static(id="welcome", classes="quiet")
        yield Listing(id="list")
        yield Footer()

    def on_screen_resume(self) -> None:
        """Everything is looked up again whenever one comes back here; at the start the list is there before it."""
        if self.topics is None:
            self._show()
            self.call_after_refresh(self._look_up)
        else:
            self._look_up()

    @work(thread=True)
    def _look_up(self) -> None:
        from workbench import question_index
        from workbench.engine import runs

        topics = {drill.id: drill.topic for drill in question_index.drills()}
        topics |= {card.id: card.topic for card in question_index.cards()}
        running = [run.id for run in runs.running()]
        self.from_thread(self._show, topics, running)

    def _show(self, topics: dict[str, str] | None = None, running: Collection[str] = ()) -> None:
        self.topics = topics
        states = self.workbench.store.items()
        due = {state.item for state in schedule.due(states.values(), schedule.now())}
        due &= (topics or {}).keys()  # what a pack brought may be gone
        welcome = self.query_one("#welcome", Static)
        welcome.update(WELCOME)
        welcome.display = not states
        sheet = Option("  Formulas: look up, compute, solve", id="formulas")
        zoo = Option("  Models: every network, layer by layer", id="models")
        options = [self._next(states, due), sheet, zoo, self._lab(running), None, *self._chapters(states, due)]
        listed = self.query_one(OptionList)
        place = listed.highlighted or 0
        listed.clear_options()
        listed.add_options(options)
        listed.highlighted = place
        listed.focus()

    def _next(self, states: dict[str, ItemState], due: set[str]) -> Option:
        if self.topics is None and states:
            text = "▸ Practise"
        elif due:
            text = f"▸ Practise: {len(due)} question{'s are' if len(due) > 1 else ' is'} due today"
        elif states:
            text = "▸ Practise something new: nothing is due today"
        else:
            text = "▸ Begin with a first question"
        return Option(text, id="practise")

    def _chapters(self, states: dict[str, ItemState], due: set[str]) -> list[Option]:
        now = schedule.now()
        rows = [Option(f"  {'Chapter':<44}{'questions':>10}{'due':>6}{'recall':>9}", disabled=True)]
        for chapter, title in syllabus.chapters().items():
            own = [id for id, topic in (self.topics or {}).items() if syllabus.topics()[topic].chapter == chapter]
            seen = [states[id] for id in own if id in states]
            recall = sum(schedule.retrievability(state, now) for state in seen) / len(seen) if seen else None
            late = sum(id in due for id in own)
            known = "" if recall is None else f"{recall:.0%}"
            text = f"  {title:<44}{len(own) or '':>10}{late or '':>6}{known:>9}"
            rows.append(Option(text, id=f"chapter {chapter}", disabled=self.topics is not None and not own))
        return rows

    def _lab(self, running: Collection[str]) -> Option:
        text = f"  Lab: {', '.join(running)} running" if running else "  Lab: train a network and watch it learn"
        return Option(text, id="lab")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        what, _, name = (event.option.id or "").partition(" ")
        if what == "chapter":
            self.workbench.practise(name)
        elif what == "lab":
            self.workbench.lab()
        elif what == "formulas":
            self.workbench.formulas()
        elif what == "models":
            self.workbench.models()
        else:
            self.action_practise()

    def action_practise(self) -> None:
        self.workbench.practise(None if self.workbench.store.items() else FIRST)

    def action_formulas(self) -> None:
        self.workbench.formulas()

    def action_models(self) -> None:
        self.workbench.models()

    def action_runs(self) -> None:
        self.workbench.runs()

    def action_lab(self) -> None:
        self.workbench.lab()
