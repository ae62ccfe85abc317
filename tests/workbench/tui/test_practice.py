"""Practice: what a student types, and what comes back."""

import asyncio

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, Static

from quizzes.answers import KINDS
from quizzes.question import Question
from tests.workbench.tui.seeing import settled, shown
from workbench.store import Store
from workbench.tui.screens.home import Home
from workbench.tui.screens.practice import Practice
from workbench.tui.widgets.answer import Answers


def question(pilot: Pilot) -> Question:
    assert isinstance(pilot.app.screen, Practice)
    return pilot.app.screen.question


async def answer(pilot: Pilot, *texts: str) -> None:
    for text in texts:
        pilot.app.focused.value = text
        await pilot.press("enter")
    await pilot.pause()


async def test_a_right_answer_is_kept_and_marked(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    asked = question(pilot)
    await answer(pilot, str(asked.parts[0].answer))
    assert "✓ Correct" in shown(pilot)
    with Store() as store:
        [kept] = store.attempts()
    assert (kept.item, kept.seed, kept.mark) == ("conv-params", asked.seed, "right")


async def test_a_mistake_is_named_with_steps(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    wrong = question(pilot).mistakes[0]
    await answer(pilot, str(wrong.answer))
    await settled(pilot)
    assert wrong.mistake.replace("-", " ") in str(pilot.app.screen.query_one("#mark", Static).render())
    assert "Source:" in str(pilot.app.screen.query_one("#steps", Static).render())


async def test_steps_that_sympy_cannot_draw_stay_as_they_are_written(pilot: Pilot, monkeypatch) -> None:
    def fails(*_: object) -> str:
        raise KeyError("lfloor")

    monkeypatch.setattr("quizzes.expressions.symbolic.pretty_text", fails)
    pilot.app.practise("conv-params")
    await pilot.pause()
    await answer(pilot, "1")
    written = question(pilot).steps[0].math[0]
    assert pilot.app.is_running
    assert written in str(pilot.app.screen.query_one("#steps", Static).render())


async def test_a_check_that_fails_is_reported_and_ends_nothing(pilot: Pilot, monkeypatch) -> None:
    def fails(*_: object) -> dict[str, object]:
        raise KeyError("o")

    monkeypatch.setattr(pilot.app.verifier, "values", fails)
    pilot.app.practise("conv-params")
    await pilot.pause()
    await answer(pilot, str(question(pilot).parts[0].answer))
    await pilot.press("v")
    await settled(pilot)
    assert "could not be checked: KeyError('o')" in str(pilot.app.screen.query_one("#verified", Static).render())


async def test_an_answer_to_the_question_before_is_no_answer_to_this_one(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    lines = pilot.app.screen.query_one(Answers)
    late = Answers.Given(lines.parts, {part.part: "1" for part in lines.parts})
    await answer(pilot, str(question(pilot).parts[0].answer))
    await pilot.press("r")
    await pilot.pause()
    lines.post_message(late)
    await pilot.pause()
    assert pilot.app.screen.mark is None
    assert len(pilot.app.store.attempts()) == 1


async def test_what_is_not_understood_costs_nothing_and_can_be_mended(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    await answer(pilot, "1 2")
    assert "Can't read this" in shown(pilot)
    assert pilot.app.store.attempts() == []
    line = pilot.app.screen.query_one(Input)
    line.value = ""
    await answer(pilot, str(question(pilot).parts[0].answer))
    assert "✓ Correct" in shown(pilot)


async def test_what_is_typed_before_the_line_is_there_belongs_into_it(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    await answer(pilot, str(question(pilot).parts[0].answer))
    asked = question(pilot)
    for key in (Key("enter", "\r"), Key("s", "s"), Key("7", "7")):
        pilot.app.post_message(key)  # all at once, as a fast typist or a slow machine has it
    while question(pilot) is asked:
        await asyncio.sleep(0)
    await pilot.pause()
    assert pilot.app.screen.query_one(Input).value == "s7"
    assert len(pilot.app.store.attempts()) == 1, "an s is no key for giving up there"


async def test_the_reading_is_echoed_while_typing(pilot: Pilot) -> None:
    pilot.app.practise("bce-value")
    await pilot.pause()
    await pilot.press(*"1/8")
    await pilot.pause()
    assert "I read this as  1 / 8 = 0.125" in shown(pilot)


async def test_several_parts_are_answered_line_by_line(pilot: Pilot) -> None:
    pilot.app.practise("iou")
    await pilot.pause()
    texts = [KINDS[part.kind].format_answer(part.answer, part) for part in question(pilot).parts]
    await answer(pilot, *texts)
    assert pilot.app.screen.mark.mark == "right"


async def test_a_hint_is_shown_by_a_question_mark_and_noted(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    hints = question(pilot).hints
    for number in (1, 2, 3):
        assert "? Hint" in shown(pilot)
        await pilot.press("?")
        await pilot.pause()
        first_line, *others = hints[number - 1].splitlines()
        shows = str(pilot.app.screen.query_one("#hint", Static).render())
        assert f"Hint {number} of 3: {first_line[:40]}" in shows and f"Hint {number + 1} of 3" not in shows
        assert all(line in shows for line in others)
    assert "? Hint" not in shown(pilot)
    await pilot.press("?")
    assert pilot.app.screen.query_one(Input).value == ""
    await answer(pilot, str(question(pilot).parts[0].answer))
    [kept] = pilot.app.store.attempts()
    assert kept.hinted


async def test_steps_before_an_answer_are_giving_up(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    await pilot.press("escape", "s")
    await settled(pilot)
    [kept] = pilot.app.store.attempts()
    assert (kept.mark, kept.mistakes, kept.rating) == ("wrong", "given-up", 1)


@pytest.mark.full
async def test_new_numbers_and_the_next_question(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    first = question(pilot)
    await answer(pilot, str(first.parts[0].answer))
    await pilot.press("r")
    await pilot.pause()
    again = question(pilot)
    assert again.drill == first.drill
    assert again.seed != first.seed
    await answer(pilot, str(again.parts[0].answer))
    await pilot.press("enter")
    await pilot.pause()
    assert question(pilot).seed != again.seed


async def test_pytorch_confirms_on_request(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    await answer(pilot, str(question(pilot).parts[0].answer))
    await pilot.press("v")
    await settled(pilot)
    assert "✓ PyTorch" in str(pilot.app.screen.query_one("#verified", Static).render())


@pytest.mark.full
async def test_a_card_of_each_kind_is_answered_by_keyboard(pilot: Pilot) -> None:
    for card in ("equivariance", "output-depth", "advantages", "feature-hierarchy", "bias-and-activation"):
        pilot.app.practise(f"convolution/{card}")
        await pilot.pause()
        part = question(pilot).parts[0]
        await answer(pilot, KINDS[part.kind].format_answer(part.answer, part))
        assert pilot.app.screen.mark.mark == "right", card


async def test_a_study_file_that_cannot_be_written_loses_no_answer(pilot: Pilot, monkeypatch) -> None:
    from workbench.errors import UserError

    def full(*_: object) -> None:
        raise UserError("The disk takes no more: make room and try again.")

    pilot.app.practise("conv-params")
    await pilot.pause()
    text = str(question(pilot).parts[0].answer)
    with monkeypatch.context() as patch:
        patch.setattr(pilot.app.store, "save_attempt", full)
        await answer(pilot, text)
        assert "make room" in shown(pilot)
        await pilot.press("escape")
    await pilot.pause()
    assert pilot.app.screen.query_one(Input).value == text
    await pilot.press("enter")
    await pilot.pause()
    assert pilot.app.screen.mark.mark == "right"


@pytest.mark.full
async def test_the_round_ends_with_its_score(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    while question(pilot):
        await answer(pilot, str(question(pilot).parts[0].answer))
        await pilot.press("enter")
        await pilot.pause()
    assert "10 of 10 right" in shown(pilot)


async def test_what_a_thread_still_has_to_say_is_dropped_once_the_screen_is_left(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    practice = pilot.app.screen
    await asyncio.to_thread(practice.from_thread, practice._say, "#steps", "while it is there")
    await pilot.pause()
    assert "while it is there" in shown(pilot)
    await pilot.press("escape", "escape")
    await pilot.pause()
    await asyncio.to_thread(practice.from_thread, practice._say, "#steps", "too late")
    assert isinstance(pilot.app.screen, Home)
