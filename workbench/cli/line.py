"""A session at the prompt: question, answer, mark, line by line."""

import sys
from time import monotonic

from quizzes.answers import KINDS
from quizzes.expressions.parser import FormatError
from quizzes.marking import SIGNS, read_part
from quizzes.question import Mark, Question
from workbench.render import question as lines
from workbench.study.session import Session

STOP, HINT, SHOW = ("q", "quit", "exit"), ("?", "hint"), (".", "show")


class Stopped(Exception):
    """The person has had enough; all that was marked is kept."""


def run(session: Session) -> None:
    """Ask until the questions or the patience end, then say how it went."""
    print("Answer, or type ? for a hint, . for the solution, q to stop. Every mark is kept at once.")
    try:
        while question := session.next():
            left = len(session.queue)
            print(f"\n--- question {len(session.marks) + 1}, {left} more after it\n")
            ask(session, question)
    except (Stopped, EOFError, KeyboardInterrupt):
        print()
    right = sum(mark.mark == "right" for mark in session.marks)
    done = len(session.marks)
    print(f"\n{right} of {done} right." if done else "\nNothing was answered.")
    print("Next: workbench review, or workbench quiz TOPIC")


def ask(session: Session, question: Question) -> None:
    """One question, until it is answered or given up."""
    print(lines.render_question(question, draw=False))
    started, hinted = monotonic(), False
    typed: dict[str, str] = {}
    while len(typed) < len(question.parts):
        part = question.parts[len(typed)]
        text = _prompt(f"{part.part} = " if question.tier else "> ")
        word = text.strip().casefold()
        if word in STOP:
            raise Stopped
        if word in HINT:
            hinted = True
            print(question.hint or f"It is {KINDS[part.kind].format_hint(part)}.")
        elif word in SHOW:
            session.give_up(question, monotonic() - started)
            print(f"\n{lines.render_solution(question, draw=False)}")
            return
        else:
            try:
                read_part(part, text)
                typed[part.part] = text
            except FormatError as error:
                print(f"{SIGNS['not_understood']} not understood\n{error.message_with_caret()}")
                print("That cost nothing: try again.")
    given = session.answer(question, typed, hinted, monotonic() - started)
    print(lines.render_mark(given))
    _explain(question, given)


def _explain(question: Question, given: Mark) -> None:
    if given.mark != "right":
        print(f"\n{lines.render_solution(question, draw=False)}")
    elif question.explanation:
        print(question.explanation)


def _prompt(text: str) -> str:
    """A line from the person; prompts go to stdout also where input is piped."""
    print(text, end="", flush=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")
