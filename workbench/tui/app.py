"""The app: what all screens share, and the way between them."""

from collections.abc import Iterator

from textual.app import App, SystemCommand
from textual.events import Resize
from textual.screen import Screen

from workbench.engine.verify import Verifier
from workbench.store import Store
from workbench.tui import state
from workbench.tui.screens.home import Home
from workbench.tui.screens.small import Small, too_small


class WorkbenchApp(App[None]):
    """The workbench in a terminal.

    Args:
        store: The study file; closed with the app.
    """

    TITLE = "workbench"
    CSS_PATH = "app.tcss"

    def __init__(self, store: Store):
        super().__init__()
        self.store = store
        self.verifier = Verifier()
        self.restored = False  # before that, a theme is nobody's choice

    def on_mount(self) -> None:
        kept = state.load()
        if kept.theme in self.available_themes:
            self.theme = kept.theme
        self.restored = True
        self.push_screen(Home())

    def watch_theme(self, theme: str) -> None:
        """A theme that was chosen is there again at the next start."""
        if self.restored and theme != state.load().theme:
            state.save(state.State(theme=theme))

    def on_resize(self, event: Resize) -> None:
        small = too_small(event.size.width, event.size.height)
        if small and not isinstance(self.screen, Small):
            self.push_screen(Small())
        elif not small and isinstance(self.screen, Small):
            self.pop_screen()

    def on_unmount(self) -> None:
        self.verifier.close()
        self.store.close()

    def practise(self, name: str | None = None) -> None:
        """Open Practice on a drill, card, topic or chapter; on what is due where nothing is named."""
        from workbench.tui.screens.practice import Practice

        self._open(Practice(name))

    def lab(self) -> None:
        """Open the Lab."""
        from workbench.tui.screens.lab import Lab

        self._open(Lab())

    def runs(self, chosen: str = "") -> None:
        """Open the list of runs, at one of them."""
        from workbench.tui.screens.runs import Runs

        self._open(Runs(chosen))

    def formulas(self, name: str | None = None) -> None:
        """Open the formula sheet, at a formula."""
        from workbench.tui.screens.formulas import Formulas

        self._open(Formulas(name))

    def _open(self, screen: Screen) -> None:
        """Put a screen on top of Home, in place of the one that is there."""
        while len(self.screen_stack) > 2:
            self.pop_screen()
        self.push_screen(screen)

    def problem(self, sentence: str) -> None:
        """Say in a dialog what is the matter and what to do."""
        from workbench.tui.widgets.problem import Problem

        self.push_screen(Problem(sentence))

    def get_system_commands(self, screen: Screen) -> Iterator[SystemCommand]:
        yield from super().get_system_commands(screen)
        from quizzes import bank
        from quizzes.formulas import all_formulas
        from workbench import syllabus

        yield SystemCommand("Practise what is due", "A round of ten questions", self.practise)
        yield SystemCommand("Formulas", "The sheet, with a calculator", self.formulas)
        for formula in all_formulas().values():
            yield SystemCommand(f"Formula: {formula.title}", formula.id, lambda id=formula.id: self.formulas(id))
        yield SystemCommand("Runs", "Watch, stop, compare", self.runs)
        yield SystemCommand("Lab", "Train a network and watch it learn", self.lab)
        for drill in bank.all_drills().values():
            yield SystemCommand(f"Practise: {drill.title}", drill.id, lambda id=drill.id: self.practise(id))
        for topic in {drill.topic for drill in bank.all_drills().values()}:
            yield SystemCommand(f"Topic: {syllabus.get(topic).title}", topic, lambda id=topic: self.practise(id))
