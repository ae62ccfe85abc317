"""A session at the prompt: question, answer, result, line by line."""

import sys
from time import monotonic

import typer

from quizzes.answers import KINDS
from quizzes.expressions.parser import FormatError
from quizzes.marking import SIGNS, read_part
from quizzes.question import Mark, Question
from workbench.render import question as lines
from workbench.study.session import Session

QUIT, HINT, SHOW = ("q", "quit", "exit"), ("?", "hint"), (".", "show")


class Quit(Exception):
    """The user quits the session; the results are saved already."""


def ask_all(session: Session) -> None:
    """Ask the questions of a session until they are answered or the user quits, then print a summary.

    Raises:
        typer.Exit: After Ctrl-C, with exit code 130.
    """
    print("Type an answer, or ? for the next hint, . for the solution, q to quit. Each result is saved at once.")
    is_interrupted = False
    try:
        while question := session.next():
            number = len(session.marks) + 1
            print(f"\n--- Question {number} of {number + len(session.queue)}\n")
            ask(session, question)
    except (Quit, EOFError):
        print()
    except KeyboardInterrupt:
        is_interrupted = True
        print()
    correct = sum(mark.mark == "right" for mark in session.marks)
    count = len(session.marks)
    print(f"\n{correct} of {count} correct." if count else "\nNo questions answered.")
    print("Next: workbench review, or workbench quiz TOPIC")
    if is_interrupted:
        raise typer.Exit(130)


def ask(session: Session, question: Question) -> None:
    """Ask one question until it is answered or its solution is shown."""
    print(lines.render_question(question, draw=False))
    started, hint_count = monotonic(), 0
    answers: dict[str, str] = {}
    while len(answers) < len(question.parts):
        part = question.parts[len(answers)]
        text = _read_line(f"{part.part} = " if question.tier else "> ")
        word = text.strip().casefold()
        if word in QUIT:
            raise Quit
        if word in HINT:
            hint_count += 1
            own = lines.render_hint(question, hint_count) if question.hints else ""
            print(own or f"It is {KINDS[part.kind].format_hint(part)}.")
        elif word in SHOW:
            session.give_up(question, monotonic() - started)
            print(f"\n{lines.render_solution(question, draw=False)}")
            return
        else:
            try:
                read_part(part, text)
                answers[part.part] = text
            except FormatError as error:
                print(f"{SIGNS['not_understood']} Can't read this. (Not counted.)\n{error.message_with_caret()}")
    mark = session.answer(question, answers, hint_count > 0, monotonic() - started)
    print(lines.render_mark(mark))
    _explain(question, mark)


def _explain(question: Question, mark: Mark) -> None:
    if mark.mark != "right":
        print(f"\n{lines.render_solution(question, draw=False)}")
    elif question.explanation:
        print(question.explanation)


def _read_line(prompt: str) -> str:
    """Return a line from stdin; the prompt goes to stdout even if stdin is a pipe."""
    print(prompt, end="", flush=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
