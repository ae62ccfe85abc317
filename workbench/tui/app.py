"""The app: what all screens share, and the way between them."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.events import Resize
from textual.screen import Screen

from workbench.errors import UserError
from workbench.store import Store
from workbench.tui import keys, state
from workbench.tui.formula_search import FormulaSearch
from workbench.tui.orders import Orders
from workbench.tui.screens.home import Home
from workbench.tui.screens.page import Page
from workbench.tui.screens.small import Small, too_small

if TYPE_CHECKING:
    from workbench.engine.verify import Verifier

LONGEST_FAREWELL = 3.0
"""Seconds from a signal to end until the process ends in any case: Textual's threads of input and output
wait for ever on a terminal that has vanished. Nothing is lost by it, as every answer is kept when it is marked."""


class WorkbenchApp(App[None]):
    """The workbench in a terminal.

    Args:
        store: The study file; closed with the app.
    """

    TITLE = "workbench"
    COMMANDS = App.COMMANDS | {FormulaSearch}
    CSS_PATH = ["app.tcss", "screens/home.tcss"]  # of a default screen only the app reads it
    BINDINGS = [
        Binding("f1", "help", "Help", id="help", show=False),
        Binding("ctrl+y", "copy", "Copy", id="copy", show=False),
    ]

    def __init__(self, store: Store):
        super().__init__()
        self.store = store
        self._verifier: Verifier | None = None
        self.orders = Orders()
        self.clashes: set[str] = set()
        self.restored = False  # before that, a theme is nobody's choice

    def on_mount(self) -> None:
        kept = state.load()
        if kept.theme in self.available_themes:
            self.theme = kept.theme
        self.restored = True
        try:
            self.set_keymap(keys.load())
        except UserError as problem:
            self.problem(str(problem))
        for asked in ("SIGTERM", "SIGHUP"):  # leave the terminal as it was
            with suppress(AttributeError, NotImplementedError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(getattr(signal, asked), self.leave)
        self.set_interval(1.0, self._next_run)

    @property
    def verifier(self) -> "Verifier":
        """Who computes with PyTorch, in a process that is started when there is something to ask."""
        if self._verifier is None:
            from workbench.engine.verify import Verifier

            self._verifier = Verifier()
        return self._verifier

    def leave(self) -> None:
        """End, even where the terminal is gone."""
        last = Timer(LONGEST_FAREWELL, os._exit, (0,))
        last.daemon = True
        last.start()
        self.exit()

    def get_default_screen(self) -> Screen[Any]:
        return Home()

    def _next_run(self) -> None:
        try:
            self.orders.look()
        except UserError as problem:
            self.problem(str(problem))

    def watch_theme(self, theme: str) -> None:
        """A theme that was chosen is there again at the next start."""
        if self.restored:
            state.remember(theme=theme)

    def on_resize(self, event: Resize) -> None:
        small = too_small(event.size.width, event.size.height)
        if small and not isinstance(self.screen, Small):
            self.push_screen(Small())
        elif not small and isinstance(self.screen, Small):
            self.pop_screen()

    def on_unmount(self) -> None:
        if self._verifier:
            self._verifier.close()
        self.orders.close()
        self.store.close()

    def action_help(self) -> None:
        """What can be done here and on which key, made from the bindings; or away with it."""
        from textual.widgets import HelpPanel

        if self.screen.query(HelpPanel):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def action_copy(self) -> None:
        """Copy what the screen is about, through the terminal (OSC 52)."""
        text = self.screen.copied() if isinstance(self.screen, Page) else ""
        if text:
            self.copy_to_clipboard(text)
            self.notify(f"Copied: {text.splitlines()[0]}", markup=False)

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: DOMNode) -> None:
        """Two actions of one screen on one key: say so, once."""
        clash = ", ".join(sorted(str(binding.id) for binding in clashed_bindings))
        if clash not in self.clashes:
            self.clashes.add(clash)
            self.problem(f"{clash} share a key in {keys.path()}: give each its own.")

    def practise(self, name: str | None = None) -> None:
        """Open Practice on a drill, card, topic or chapter; on what is due where nothing is named."""
        from workbench.tui.screens.practice import Practice

        self._open(Practice(name))

    def models(self, chosen: str = "") -> None:
        """Open the list of networks, at one of them."""
        from workbench.tui.screens.models import Models

        self._open(Models(chosen))

    def lab(self, model: str = "", begun: dict[str, str] | None = None) -> None:
        """Open the Lab, with a network chosen, and a form that begins with these fields where they are given."""
        from workbench.tui.screens.lab import Lab

        if begun is not None:
            self.orders.texts = dict(begun)
        self._open(Lab(model))

    def runs(self, chosen: str = "") -> None:
        """Open the list of runs, at one of them."""
        from workbench.tui.screens.runs import Runs

        self._open(Runs(chosen))

    def formulas(self, name: str | None = None) -> None:
        """Open the formula sheet, at a formula."""
        from workbench.tui.screens.formulas import Formulas

        self._open(Formulas(name))

    def autograd(self, expression: str = "") -> None:
        """Open the computation graph of an expression."""
        from workbench.tui.screens.autograd import Autograd

        self._open(Autograd(expression))

    def steps(self, id: str, inputs: str = "") -> None:
        """Open the steps of a procedure on top of the screen that is there, in place of those of another one."""
        from workbench.tui.screens.steps import Steps

        if isinstance(self.screen, Steps):
            self.pop_screen()
        self.push_screen(Steps(id, inputs))

    def boxes(self, view: str = "iou") -> None:
        """Open the boxes that can be moved, on top of the screen that is there."""
        from workbench.tui.screens.boxes import Boxes

        self.push_screen(Boxes(view))

    def _open(self, screen: Screen[Any]) -> None:
        """Put a screen on top of Home, in place of the one that is there."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(screen)

    def problem(self, sentence: str) -> None:
        """Say in a dialog what is the matter and what to do."""
        from workbench.tui.widgets.problem import Problem

        self.push_screen(Problem(sentence))

    def get_system_commands(self, screen: Screen[Any]) -> Iterator[SystemCommand]:
        """Everything by its name: what one looks for stands in a command's title, ids too."""
        yield from super().get_system_commands(screen)
        import models
        from quizzes import procedures
        from workbench import question_index, syllabus
        from workbench.engine.runs import every

        yield SystemCommand("Practise what is due", "A round of ten questions", self.practise)
        yield SystemCommand("Formulas", "The sheet, with a calculator", self.formulas)
        yield SystemCommand("Autograd", "The graph of an expression, with its gradients", self.autograd)
        yield SystemCommand("Boxes: IoU and GIoU", "Move two boxes", self.boxes)
        yield SystemCommand("Boxes: NMS", "Move boxes, and slide the threshold", lambda: self.boxes("nms"))
        yield SystemCommand("Models", "Every network, layer by layer", self.models)
        yield SystemCommand("Lab", "Train a network and watch it learn", self.lab)
        yield SystemCommand("Runs", "Watch, stop, compare", self.runs)
        drills = question_index.drills()
        for drill in drills:
            title = f"Practise: {drill.title} ({drill.id})"
            yield SystemCommand(title, syllabus.get(drill.topic).title, lambda id=drill.id: self.practise(id))
        for topic in dict.fromkeys(drill.topic for drill in drills):
            title = f"Topic: {syllabus.get(topic).title} ({topic})"
            yield SystemCommand(title, "A round of its questions", lambda id=topic: self.practise(id))
        for formula in question_index.formulas():
            title = f"Formula: {formula.title} ({formula.id})"
            yield SystemCommand(title, syllabus.get(formula.topic).title, lambda id=formula.id: self.formulas(id))
        for entry in procedures.entries().values():
            title = f"Steps: {entry.title} ({entry.id})"
            yield SystemCommand(title, syllabus.get(entry.topic).title, lambda id=entry.id: self.steps(id))
        for name in models.names():
            yield SystemCommand(f"Network: {name}", models.info(name).family, lambda name=name: self.models(name))
        for run in reversed(every()):
            yield SystemCommand(f"Run: {run.id}", "Watch it, or look at it again", lambda id=run.id: self.runs(id))
