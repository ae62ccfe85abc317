"""Line mode: a session at the prompt, and that no way of ending it loses what was marked."""

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
    """A quiz in a process of its own, driven through pipes."""

    def __init__(self, *args):
        command = [sys.executable, "-P", "-m", "workbench.cli.main", "quiz", *args]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.said, self.heard = "", 0  # what came, and how far it was looked at

    def until(self, pattern):
        """Read on until the pattern has come, and return what came with it."""
        deadline = monotonic() + PATIENCE
        while not (found := re.search(pattern, self.said[self.heard :], re.DOTALL)):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert piece, f"{pattern} never came: {self.said}"
            self.said += piece.decode()
        self.heard += found.end()
        return found

    def say(self, line):
        self.process.stdin.write(f"{line}\n".encode())

    def end(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        self.said += out.decode()
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
    """Answer the question that stands there with what is right."""
    seed = quiz.until(r"seed (\d+).*L = $")[1]
    quiz.say(answer_texts(bank.draw("bce-value", int(seed)))["L"])
    quiz.until(r"✓ Correct")


def test_what_was_marked_survives_a_kill(quiz, home):
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
    assert code in (0, 130) and err == ""
    assert "1 of 1 right." in one.said
    with Store() as store:
        assert len(store.attempts()) == 1


def test_hints_and_mistakes_and_solutions(cli):
    question = bank.draw("bce-value", 1)
    said = cli("quiz", "bce-value", "-n", "1", "--seed", "5", input="?\nabc\n99\n.\n")
    assert said.code == 0 and said.err == ""
    assert question.hint in " ".join(said.out.split())
    assert "not understood" in said.out and "That cost nothing: try again." in said.out
    assert "✗ Incorrect" in said.out and "Source:" in said.out
    assert "0 of 2 right." in said.out  # the wrong one came once more, and was given up
    with Store() as store:
        assert [(a.mark, a.hinted, a.mistakes) for a in store.attempts()] == [
            ("wrong", True, ""),
            ("wrong", False, "given-up"),
        ]


def test_input_that_is_no_text_is_no_answer(home):
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
    said = cli("review", input="q\n")
    assert said.code == 0 and "1 due today." in said.out and "Binary cross-entropy" in said.out
