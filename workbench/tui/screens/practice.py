"""Practice: question, picture, answer, mark, feedback, steps, and PyTorch's word on it."""

from random import Random
from time import monotonic

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.widgets import Footer, Input, Static

from quizzes.question import Mark, Question
from workbench.errors import UserError
from workbench.render import question as lines
from workbench.render import visualizations
from workbench.study import schedule
from workbench.study.session import Session, choose, items_of
from workbench.tui.screens.page import Page
from workbench.tui.widgets.answer import Answers
from workbench.tui.widgets.code import program
from workbench.tui.widgets.heading import Heading

ROUND = 10  # questions
WIDE = 100  # columns from which on a picture has room to be large


class Practice(Page):
    """A round of questions.

    Args:
        name: A drill, card, topic or chapter; everything where none is named.
    """

    CSS_PATH = "practice.tcss"
    HELP = """
    Type the answer and press Enter. Under the line stands how it is read; what can't be read costs nothing.
    A question mark asks for the next hint: the idea, the formula, the first step. Escape leaves the line, so that the
    keys below work: `s` shows the steps (before an answer that is giving up), `v` asks PyTorch, `r` gives the same
    question with other numbers.
    """
    BINDINGS = [
        # Of priority, so that the next key waits for the new question's line, and belongs there.
        Binding("enter", "next", "Next", id="practice.next", priority=True),
        Binding("r", "again", "New numbers", id="practice.again", priority=True),
        Binding("s", "steps", "Steps", id="practice.steps"),
        Binding("v", "verify", "Verify", id="practice.verify"),
        Binding("f2,question_mark", "hint", "Hint", key_display="?", id="practice.hint"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, name: str | None):
        super().__init__()
        self.chosen = name
        self.question: Question | None = None
        self.mark: Mark | None = None
        self.hint_count = 0
        self.started = 0.0

    def compose(self) -> ComposeResult:
        yield Heading("")
        with VerticalScroll(id="sheet", can_focus=False):
            with Horizontal(id="asked"):
                yield Static(id="prompt", markup=False)
                yield Static(id="picture", markup=False)
            yield Static(id="choices", markup=False)
            yield Answers()
            yield Static(id="hint", classes="quiet", markup=False)
            yield Static(id="mark", markup=False)
            yield Static(id="steps", markup=False)
            yield Static(id="verified", markup=False)
        yield Footer()

    async def on_mount(self) -> None:
        store, rng = self.workbench.store, Random()
        items = items_of(self.chosen)
        chosen = choose(store, items, ROUND, schedule.now(), rng)
        self.session = Session(store, chosen, rng)
        self.workbench.verifier.warm()
        await self._ask(self.session.next())

    async def _ask(self, question: Question | None) -> None:
        if question is None:
            await self._finish()
            return
        self.question, self.mark, self.hint_count, self.started = question, None, 0, monotonic()
        left = len(self.session.queue)
        title = " · ".join(filter(None, [question.title, question.topic]))
        tier = lines.LEVELS[question.tier]
        self.query_one(Heading).say(title, f"{tier} · seed {question.seed} · {left} more")
        self.query_one("#prompt", Static).update(question.prompt)
        self._draw_picture()
        self._say("#choices", lines.render_all_choices(question))
        for place in ("#hint", "#mark", "#steps", "#verified"):
            self._say(place, "")
        await self.query_one(Answers).ask(question)
        self.query_one("#sheet").scroll_home(animate=False)
        self.refresh_bindings()

    def _say(self, place: str, text: str | Content) -> None:
        shown = self.query_one(place, Static)
        shown.update(text)
        shown.display = bool(text)

    def _draw_picture(self) -> None:
        picture = self.question.visualization if self.question else None
        if picture and visualizations.is_text(picture):
            self.query_one("#asked").set_class(True, "stacked")
            self._say("#picture", program(picture))
            return
        wide = self.workbench.size.width >= WIDE
        text = visualizations.draw(picture, *((44, 14) if wide else (30, 9))) if picture else ""
        widest = max(map(len, text.splitlines()), default=0)
        self.query_one("#asked").set_class(widest > self.workbench.size.width // 2, "stacked")
        self._say("#picture", text)

    def on_resize(self) -> None:
        self._draw_picture()

    def on_key(self, event: Key) -> None:
        """What was typed before the line was there belongs into it: an `s` is then no key for the steps."""
        line = self.focused
        if isinstance(line, Input) and event.is_printable and event.character not in (None, "?"):
            event.stop()
            line.insert_text_at_cursor(event.character)

    def on_answers_given(self, message: Answers.Given) -> None:
        """Mark what was typed; it is kept before the mark is shown."""
        if self.mark or not self.question or message.parts is not self.question.parts:
            return
        try:
            mark = self.session.answer(self.question, message.texts, self.hint_count > 0, monotonic() - self.started)
        except UserError as problem:  # the study file can't be written now: what was typed stays
            self.workbench.problem(str(problem))
            return
        if mark.mark == "not_understood":
            self._say("#mark", lines.render_mark(mark))
            return
        self._show(mark)
        if mark.mark != "right" or self.question.explanation:
            self._work_out()

    def _show(self, mark: Mark) -> None:
        assert self.question
        self.mark = mark
        often = [
            f"  {part.mistake.replace('-', ' ')}: {count} times so far"
            for part in mark.parts
            if part.mistake and (count := self.workbench.store.mistake_count(self.question.drill, part.mistake)) > 1
        ]
        self._say("#mark", "\n".join([lines.render_mark(mark), *often]))
        self.query_one(Answers).close()
        self.set_focus(None)
        self.query_one("#mark").set_class(mark.mark == "right", "right")
        self.query_one("#mark").set_class(mark.mark != "right", "wrong")
        self.call_after_refresh(self.query_one("#mark").scroll_visible, animate=False)
        self.refresh_bindings()

    def _work_out(self) -> None:
        """The steps as they are written, then as SymPy draws their equations."""
        assert self.question
        self._say("#steps", lines.render_solution(self.question, draw=False))
        self._draw_steps()

    @work(thread=True, exclusive=True, group="steps", exit_on_error=False)
    def _draw_steps(self) -> None:
        """In a thread: the first time it waits for SymPy. Where it fails, the steps stay as they are written."""
        question = self.question
        assert question
        text = lines.render_solution(question)
        if question is self.question:
            self.from_thread(self._say, "#steps", text)

    @work(thread=True, exclusive=True, group="verify")
    def _confirm(self) -> None:
        """SymPy's and PyTorch's values, in a thread: the first time they wait for both to start."""
        from quizzes.verification import check_names, compare_values, evaluate_with_sympy

        question = self.question
        assert question and question.check
        self.from_thread(self._say, "#verified", "Asking PyTorch ...")
        try:
            found = self.workbench.verifier.values(question.check, check_names(question))
            torch, one = compare_values(question, found)
            _, two = compare_values(question, found | evaluate_with_sympy(question))
            values = "  ".join(f"{name} = {text}" for name, text in torch.items())
            text = f"{'✓' if one and two else '✗'} PyTorch: {values}\n\n{question.verify}"
        except RuntimeError as error:
            text = f"PyTorch could not be asked: {error}"
        except Exception as error:  # the mark stands without this check: nothing else may end by it
            text = f"This could not be checked: {error!r}"
        if question is self.question:
            self.from_thread(self._say, "#verified", text)
            self.from_thread(lambda: self.query_one("#verified").scroll_visible(animate=False))

    async def _finish(self) -> None:
        right = sum(mark.mark == "right" for mark in self.session.marks)
        self.question, self.mark = None, None
        self.query_one(Heading).say("The round is over", f"{right} of {len(self.session.marks)} right")
        self.query_one("#prompt", Static).update(
            f"{right} of {len(self.session.marks)} right. What went wrong was asked once more, and comes back tomorrow."
            "\n\nEnter: another round. Escape: home."
        )
        for place in ("#picture", "#choices", "#hint", "#mark", "#steps", "#verified"):
            self._say(place, "")
        await self.query_one(Answers).clear()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        marked, asking = self.mark is not None, self.question is not None
        if action == "next":
            return marked or not asking
        if action == "again":
            return marked
        if action == "verify":
            return marked and bool(self.question and self.question.verify)
        if action == "hint":
            return asking and not marked and self.question is not None and self.hint_count < len(self.question.hints)
        return asking if action == "steps" else super().check_action(action, parameters)

    def copied(self) -> str:
        """The question, and its steps once they are shown."""
        if self.question is None:
            return ""
        return "\n\n".join(
            filter(None, [self.question.prompt, lines.render_solution(self.question) if self.mark else ""])
        )

    async def action_next(self) -> None:
        if self.question is None:
            self.workbench.practise(self.chosen)
        else:
            await self._ask(self.session.next())

    async def action_again(self) -> None:
        if self.question:
            await self._ask(self.session.draw(self.question.drill))

    def action_hint(self) -> None:
        """Show one more hint below those that are shown; after the last one nothing changes."""
        if self.question and self.hint_count < len(self.question.hints):
            self.hint_count += 1
            hints = [lines.render_hint(self.question, k) for k in range(1, self.hint_count + 1)]
            self._say("#hint", "\n".join(hints))
            self.call_after_refresh(self.query_one("#hint").scroll_visible, animate=False)
            self.refresh_bindings()

    def action_steps(self) -> None:
        """The solution; before an answer was given, that is giving up."""
        if self.question and not self.mark:
            try:
                self._show(self.session.give_up(self.question, monotonic() - self.started))
            except UserError as problem:
                self.workbench.problem(str(problem))
                return
        self._work_out()

    def action_verify(self) -> None:
        self._confirm()

    def action_leave(self) -> None:
        """First out of the answer, so that the keys below work; then home."""
        if isinstance(self.focused, Input):
            self.set_focus(None)
            self.refresh_bindings()
        else:
            self.workbench.pop_screen()
