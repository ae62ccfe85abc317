"""Ask: put a question to a run's network, and see its answer at once."""

from collections.abc import Mapping
from typing import Any

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widgets import Footer, Static

from workbench import data, tasks
from workbench.engine import Run
from workbench.engine.ask import Conversation, possible_questions
from workbench.errors import UserError
from workbench.tui.screens.page import Page
from workbench.tui.widgets.ask_view import AskView, ImageQuestions, Pad, Plane, WordQuestions
from workbench.tui.widgets.heading import Heading
from workbench.tui.widgets.point_questions import PointQuestions
from workbench.tui.widgets.question_parts import Asked
from workbench.untrusted import printable

WAITING = "Asking PyTorch ..."
HELP_OF = {
    Plane: "Arrows move the point, with Shift farther.",
    Pad: "Arrows move, with Shift they paint; Space paints or erases; or draw with the mouse.",
    ImageQuestions: "Arrows move, Shift or Space paints, or the mouse. Tab: more questions, where Enter asks.",
    PointQuestions: "Type a file. Arrows or the mouse move the point; Space lets it stay, X does outside the object.",
    WordQuestions: "Arrows or the mouse move to a word; T switches between PCA and t-SNE; in a line, Enter asks.",
}


class Ask(Page):
    """A question to a trained network.

    Args:
        run: The run whose network is asked.
    """

    CSS_PATH = "ask.tcss"
    HELP = """
    A trained network answers for one input, with the weights of its best checkpoint. In a plane, the arrows move the
    point. On a pad, they move the cursor; Space paints or erases, Shift and an arrow paint a line, `c` clears. On a map
    of words, the arrows move to the nearest word, which is named with the most similar ones; `t` switches between PCA
    and t-SNE. In an image
    file, the arrows or the mouse move a point of an object; Space lets it stay, `x` lets a point outside the object
    stay, `c` removes all. Where there are lines, Enter asks.
    """
    BINDINGS = [Binding("escape", "leave", "Runs")]

    def __init__(self, run: Run):
        super().__init__()
        self.run = run
        self.conversation: Conversation | None = None

    def compose(self) -> ComposeResult:
        yield Heading("Ask", self.run.id)
        yield Static(WAITING, id="state", classes="quiet", markup=False)
        yield Container(id="place")
        yield Footer()

    def on_mount(self) -> None:
        self._begin()

    @work(thread=True, group="ask")
    def _begin(self) -> None:
        """Find out what can be asked; the first time, PyTorch has to start."""
        try:
            questions = possible_questions(self.workbench.verifier, self.run)
            dataset = data.info(tasks.info(self.run.spec.data.task).data)
        except UserError as error:
            self.from_thread(self._say, str(error))
            return
        self.from_thread(self._open, dataset, questions)

    def _open(self, dataset: data.DataSet, questions: Mapping[str, str]) -> None:
        self.conversation = Conversation(
            self.workbench.verifier,
            self.run,
            lambda question, answer: self.from_thread(self._show, answer),
            lambda message: self.from_thread(self._say, message),
        )
        view = AskView(dataset, questions)
        if not isinstance(view.editor, Plane | WordQuestions):  # which have asked already
            self._say(HELP_OF.get(type(view.editor), "Enter asks."))
        self.query_one("#place").mount(view)

    def on_asked(self, message: Asked) -> None:
        if self.conversation:
            self.conversation.ask(message.question)

    def _show(self, answer: dict[str, Any]) -> None:
        view = self.query_one(AskView)
        # Why an older checkpoint answers, if the newest one is damaged.
        self._say(printable(answer.get("reason", "")) or HELP_OF.get(type(view.editor), "Enter asks."))
        view.show_answer(answer)

    def _say(self, text: str) -> None:
        self.query_one("#state", Static).update(text)

    def action_leave(self) -> None:
        self.workbench.pop_screen()

    def on_unmount(self) -> None:
        if self.conversation:
            self.conversation.close()
