"""Programs that questions show: executed as they are, and with the corrected line, they print the answers."""

import ast
import contextlib
import io

import pytest

from quizzes import bank
from workbench.render import visualizations
from workbench.render.visualizations.texts import listing


def drills_with_code():
    """Return the drills that show a program with a wrong line, and ask what it prints."""
    drills = [d for d in bank.all_drills().values() if d.visualization.startswith("code")]
    return [drill.id for drill in drills if {"line", "fix", "prints", "fixed"} <= set(drill.asks)]


def run(program):
    """Return what a program prints; each question assumes these imports."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(program, {"torch": torch, "nn": nn, "F": F})  # noqa: S102
    return output.getvalue().strip()


def approx(value):
    """Return what is close to a value that may be a nested list."""
    return [approx(item) for item in value] if isinstance(value, list) else pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("id", drills_with_code())
def test_a_program_prints_what_the_answers_say(id):
    for seed in range(1, 21):
        question = bank.draw(id, seed)
        answer = {part.part: part.answer for part in question.parts}
        lines = listing(visualizations.drawing_data(question.visualization)[1]).splitlines()
        assert ast.literal_eval(run("\n".join(lines))) == approx(answer["prints"])
        fix = next(part for part in question.parts if part.part == "fix")
        wrong = lines[answer["line"] - 1]
        indentation = wrong[: len(wrong) - len(wrong.lstrip())]
        for line in [fix.answer, *fix.other_answers]:
            fixed = [*lines[: answer["line"] - 1], indentation + line, *lines[answer["line"] :]]
            assert ast.literal_eval(run("\n".join(fixed))) == approx(answer["fixed"]), line


def test_there_are_such_drills():
    assert "discarded-relu" in drills_with_code()
