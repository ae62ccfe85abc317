"""`workbench ask`: a question to a trained network."""

from typing import Annotated

import typer

from workbench.cli import completion
from workbench.cli.output import Json, print_json, print_rows, progress_note
from workbench.errors import UserError
from workbench.untrusted import printable

HEIGHT, TEXT_HEIGHT = 24, 10_000  # rows of a drawing, which is visible at once, and of a text, which can be scrolled

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench ask mlp-0001 x=0.5 y=-0.2")
def ask(
    run_id: Annotated[
        str,
        typer.Argument(metavar="RUN", help="Run id: see 'workbench runs list'.", autocompletion=completion.runs),
    ],
    question: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="The question. Without any, what can be asked."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a trained network for its answer to one input.

    The task of the run says what can be asked: the features of a row, an image, a prompt. The weights are those of the
    run's best checkpoint, or of its last if there is no best one.
    """
    from workbench.engine import Verifier
    from workbench.engine.ask import ask as ask_network
    from workbench.engine.ask import possible_questions
    from workbench.engine.runs import get
    from workbench.render import predictions

    run = get(run_id)
    if not question:
        progress_note("Running PyTorch ...")
        with Verifier() as worker:
            questions = possible_questions(worker, run)
        if as_json:
            print_json({"run": run.id, "questions": questions})
            return
        print(f"What {run.id} can be asked:")
        for name, meaning in questions.items():
            print(f"  {name}=  {meaning}")
        return
    values = read_pairs(question)
    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        answer = ask_network(worker, run, values)
    if as_json:
        print_json(answer)
    else:
        height = TEXT_HEIGHT if answer["kind"] in ("text", "translation") else HEIGHT
        print_rows(lambda width, color: predictions.draw([answer], answer["kind"], width, height, color))
        if "reason" in answer:
            print(printable(answer["reason"]))


def read_pairs(words: list[str]) -> dict[str, str]:
    """Return words such as `x=0.5` as values by name.

    Raises:
        UserError: If a word has no name or value, or a name is given twice.
    """
    values: dict[str, str] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not (name and separator):
            raise UserError(f"A question is written name=value, not {word[:60]!r}.")
        if name in values:
            raise UserError(f"{name[:60]} is given twice.")
        values[name] = value
    return values
