"""The answer box: a line for each part, with the reading echoed while one types."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, Static

from quizzes.answers import KINDS
from quizzes.expressions.parser import FormatError
from quizzes.marking import read_part
from quizzes.question import Part, Question


class AnswerInput(Input):
    """One line; a question mark is never part of an answer, so it asks for the hint."""

    async def _on_key(self, event: Key) -> None:
        if event.character == "?":
            event.stop()
            event.prevent_default()
            await self.run_action("screen.hint")


class Answers(Vertical):
    """The lines of a question's parts. Enter goes to the next line, and from the last gives the answer."""

    DEFAULT_CSS = """
    Answers { height: auto; margin-top: 1; }
    Answers Horizontal { height: 1; }
    Answers .label { width: auto; min-width: 6; text-style: bold; }
    Answers AnswerInput { width: 2fr; max-width: 40; background: $surface; }
    Answers AnswerInput.code { width: 4fr; max-width: 72; }
    Answers AnswerInput:focus { background: $panel; }
    Answers .asks { width: 3fr; color: $text-muted; padding-left: 2; text-wrap: nowrap; text-overflow: ellipsis; }
    Answers #echo { color: $text-muted; height: auto; min-height: 1; }
    """

    class Given(Message):
        """An answer to every part, by part; `parts` tells whose it is where the next question has come meanwhile."""

        def __init__(self, parts: list[Part], texts: dict[str, str]):
            super().__init__()
            self.parts, self.texts = parts, texts

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Part] = []

    def compose(self) -> ComposeResult:
        yield Static(id="echo", markup=False)

    async def ask(self, question: Question) -> None:
        """Make the lines for another question and put the cursor into the first; then the next key belongs there."""
        await self.clear()
        self.parts = question.parts
        rows = []
        longest = max(len(part.part) for part in self.parts)
        for part in self.parts:
            label = f"{part.part:<{longest}} = " if question.tier else "> "
            asks = part.label if len(self.parts) > 1 else KINDS[part.kind].format_hint(part)
            rows.append(
                Horizontal(
                    Static(label, classes="label", markup=False),
                    AnswerInput(name=part.part, compact=True, classes="code" if part.kind == "line" else ""),
                    Static(asks, classes="asks", markup=False),
                )
            )
        await self.mount(*rows, before="#echo")
        self.screen.set_focus(self.query(AnswerInput).first())

    async def clear(self) -> None:
        """Take the lines away."""
        self.parts = []
        self.query_one("#echo", Static).update("")
        await self.query("Horizontal").remove()

    def close(self) -> None:
        """Leave the lines to be read, but not changed."""
        for line in self.query(Input):
            line.disabled = True
        self.query_one("#echo", Static).update("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._echo(event.input)

    def on_descendant_focus(self) -> None:
        if isinstance(self.screen.focused, AnswerInput):
            self._echo(self.screen.focused)

    def _echo(self, line: Input) -> None:
        part = next((part for part in self.parts if part.part == line.name), None)
        if part is None or not line.value.strip():
            text = f"{KINDS[part.kind].format_hint(part)}" if part and len(self.parts) > 1 else ""
        else:
            try:
                text = f"I read this as  {read_part(part, line.value).read_as}"
            except FormatError as error:
                text = f"? {error.sentence}"
        self.query_one("#echo", Static).update(text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        lines = list(self.query(Input))
        if event.input not in lines:  # taken away before its Enter came
            return
        at = lines.index(event.input)
        if at + 1 < len(lines):
            self.screen.set_focus(lines[at + 1])  # at once: the next key belongs there already
        else:
            self.post_message(self.Given(self.parts, {line.name or "": line.value for line in lines}))
