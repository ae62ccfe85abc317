"""Line mode: a session at the prompt, and that its results are saved however it ends."""

import os
import re
import select
import signal
import subprocess
import sys
from time import monotonic

import pytest

from quizzes import bank
from quizzes.selftest import answer_texts
from tests.patience import PATIENCE
from workbench.store import Store


class Quiz:
    """A quiz in a separate process, driven through pipes."""

    def __init__(self, *args):
        command = [sys.executable, "-P", "-m", "workbench.cli.main", "quiz", *args]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.output, self.position = "", 0  # position: where the next search starts

    def until(self, pattern):
        """Read until the pattern appears, and return the match."""
        deadline = monotonic() + PATIENCE
        while not (match := re.search(pattern, self.output[self.position :], re.DOTALL)):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert piece, f"{pattern} never appeared: {self.output}"
            self.output += piece.decode()
        self.position += match.end()
        return match

    def say(self, line):
        self.process.stdin.write(f"{line}\n".encode())

    def end(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        self.output += out.decode()
        return self.process.returncode, err.decode()


@pytest.fixture
def quiz():
    started = []

    def start(*args):
        started.append(Quiz(*args))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def answer(quiz):
    """Answer the current question correctly."""
    seed = quiz.until(r"seed (\d+).*L = $")[1]
    quiz.say(answer_texts(bank.draw("bce-value", int(seed)))["L"])
    quiz.until(r"✓ ")


def test_results_survive_a_kill(quiz, home):
    one = quiz("bce-value", "-n", "5")
    answer(one)
    answer(one)
    one.until(r"L = $")
    one.process.send_signal(signal.SIGKILL)
    one.end()
    with Store() as store:
        assert [a.mark for a in store.attempts()] == ["right", "right"]
        assert len(store.items()) == 1


@pytest.mark.parametrize("how", ["interrupt", "hangup", "q"])
def test_a_session_can_be_left_at_any_time(quiz, how):
    one = quiz("bce-value", "-n", "5")
    answer(one)
    one.until(r"L = $")
    if how == "interrupt":
        one.process.send_signal(signal.SIGINT)
    elif how == "q":
        one.say("q")
    code, err = one.end()  # closes its input
    assert code == (130 if how == "interrupt" else 0) and err == ""
    assert "1 of 1 correct." in one.output
    with Store() as store:
        assert len(store.attempts()) == 1


def test_hints_and_mistakes_and_solutions(cli):
    question = bank.draw("bce-value", 1)
    result = cli("quiz", "bce-value", "-n", "1", "--seed", "5", input="?\nabc\n99\n.\n")
    assert result.code == 0 and result.err == ""
    assert question.hint in " ".join(result.out.split())
    assert "Can't read this. (Not counted.)" in result.out
    assert "✗ " in result.out and "Source:" in result.out
    assert "0 of 2 correct." in result.out  # the incorrect one was asked again, and its solution was shown
    with Store() as store:
        assert [(a.mark, a.hinted, a.mistakes) for a in store.attempts()] == [
            ("wrong", True, ""),
            ("wrong", False, "given-up"),
        ]


def test_each_question_mark_gives_the_next_hint(cli):
    result = cli("quiz", "conv-params", "-n", "1", "--seed", "5", input="?\n?\n?\n?\nq\n")
    assert [line[:12] for line in result.out.replace("P = Hint", "\nHint").splitlines() if line.startswith("Hint")] == [
        "Hint 1 of 3:",
        "Hint 2 of 3:",
        "Hint 3 of 3:",
        "Hint 3 of 3:",
    ]


def test_input_that_is_not_text_is_not_an_answer(home):
    command = [sys.executable, "-P", "-m", "workbench.cli.main", "quiz", "bce-value", "-n", "1"]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(command, input=b"\xff\xfe\n\x00\n", capture_output=True, env=env, timeout=PATIENCE)
    assert done.returncode == 0 and done.stderr == b""
    with Store() as store:
        assert store.attempts() == []


def test_the_same_seed_asks_the_same(cli):
    first, again = (cli("quiz", "-n", "3", "--seed", "9", input="q\n").out for _ in range(2))
    assert first == again


def test_review_asks_what_is_due(cli):
    assert "Nothing is due today" in cli("review").out
    cli("quiz", "bce-value", "-n", "1", input=".\nq\n")
    with Store() as store, store.transaction():
        store._connection.execute(
            "UPDATE item SET due = '2020-01-01T00:00:00+00:00', reviewed = '2019-12-01T00:00:00+00:00'"
        )
        store._connection.execute("INSERT INTO item SELECT 'gone', topic, memory, due, reviewed FROM item")
    result = cli("review", input="q\n")
    assert result.code == 0 and "1 due today." in result.out and "Binary cross-entropy" in result.out
