"""Practice at 80x24 with programs, printouts, curves, and parts that have choices."""

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from quizzes.answers import KINDS
from quizzes.question import Visualization
from quizzes.selftest import answer_texts
from tests.workbench.tui.seeing import settled, shown
from workbench.render import visualizations
from workbench.tui.widgets.code import program


async def ask(pilot: Pilot, id: str):
    pilot.app.practise(id)
    await pilot.pause()
    return pilot.app.screen.question


async def answer(pilot: Pilot, *texts: str) -> None:
    for text in texts:
        pilot.app.focused.value = text
        await pilot.press("enter")
    await pilot.pause()


async def test_a_program_is_shown_whole_with_line_numbers_and_colors(pilot: Pilot) -> None:
    question = await ask(pilot, "discarded-relu")
    content = pilot.app.screen.query_one("#picture", Static).render()
    source = question.params["program"].splitlines()
    rows = str(content).splitlines()
    assert [row.split(None, 1)[1] for row in rows] == source
    assert [int(row.split()[0]) for row in rows] == [*range(1, len(source) + 1)]
    assert len({span.style for span in content.spans}) > 3
    for row in rows:
        assert row.rstrip() in shown(pilot)


async def test_a_line_of_a_program_is_echoed_and_graded(pilot: Pilot) -> None:
    question = await ask(pilot, "discarded-relu")
    texts = answer_texts(question)
    await answer(pilot, texts["line"])
    name = texts["fix"].partition(" ")[0]
    pilot.app.focused.value = f"{name}=(torch.nn.functional.relu( {name} ))"
    await pilot.pause()
    echo = pilot.app.screen.query_one("#echo", Static)  # below the lines that 24 rows show, if the program is long
    assert str(echo.render()) == f"I read this as  {name} = torch.nn.functional.relu({name})"
    pilot.app.focused.value = f"{name} = relu("
    await pilot.pause()
    assert "? Python can't read this" in str(echo.render())
    pilot.app.focused.value = f"{name}=(torch.nn.functional.relu( {name} ))"
    await pilot.press("enter")
    await answer(pilot, texts["prints"], texts["fixed"])
    assert pilot.app.screen.mark.mark == "right"


async def test_an_unreadable_line_is_not_counted(pilot: Pilot) -> None:
    question = await ask(pilot, "discarded-relu")
    texts = answer_texts(question)
    await answer(pilot, texts["line"], "h = = 1", texts["prints"], texts["fixed"])
    assert pilot.app.screen.mark is None and pilot.app.store.attempts() == []
    text = str(pilot.app.screen.query_one("#mark", Static).render())
    row = text.splitlines()[-1]
    assert row.strip() == "^" and text.splitlines()[-2][row.index("^")] == "="


@pytest.mark.parametrize(
    "id", ["grad-accumulate:printout", "autograd-dag:order", "normal-or-gd", "gradient-norm-profile"]
)
async def test_choices_stand_under_their_part_and_the_answer_is_correct(pilot: Pilot, id: str) -> None:
    question = await ask(pilot, id)
    part = next(part for part in question.parts if part.choices)
    text = str(pilot.app.screen.query_one("#choices", Static).render())
    assert text.startswith(f"{part.part}: {part.label}") and all(choice in text for choice in part.choices)
    await answer(pilot, *answer_texts(question).values())
    assert pilot.app.screen.mark.mark == "right"


async def test_a_correct_choice_without_its_number_says_so(pilot: Pilot) -> None:
    question = await ask(pilot, "normal-or-gd")
    texts = answer_texts(question) | {"c_gd": "1"}
    await answer(pilot, *texts.values())
    await settled(pilot)
    marks = str(pilot.app.screen.query_one("#mark", Static).render())
    assert "≈ cheaper: Partially correct" in marks and "c_gd doesn't support it" in " ".join(marks.split())


async def test_a_form_is_asked_for(pilot: Pilot) -> None:
    question = await ask(pilot, "unscale-coefficients")
    await answer(pilot, KINDS["expression"].format_answer(question.parts[0].answer, question.parts[0]))
    assert "as a single fraction" in str(pilot.app.screen.query_one("#echo", Static).render())
    assert len(pilot.app.screen.query(Input)) == 2


def test_indentation_is_exact_and_a_printout_has_no_numbers() -> None:
    source = "for x in y:\n    if x:\n\n        print('a  b')"
    code = program(Visualization("code source", {"source": source}))
    assert str(code) == "1  for x in y:\n2      if x:\n3  \n4          print('a  b')"
    plain = visualizations.draw(Visualization("code source", {"source": source}))
    assert plain == "\n".join(row.rstrip() for row in str(code).splitlines())
    printout = Visualization("printout log", {"log": "  loss 0.5\n  loss 0.25"})
    assert str(program(printout)) == visualizations.draw(printout) == "loss 0.5\nloss 0.25"
