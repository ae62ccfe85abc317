"""`workbench cards`: flashcards, which are questions without random numbers."""

from typing import Annotated

import typer

from workbench.cli import completion
from workbench.cli.free_text import SETTINGS, FreeTextCommand
from workbench.cli.output import Json, print_error, print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="List, show and answer flashcards.")

Id = Annotated[
    str, typer.Argument(metavar="CARD", help="Card: see 'workbench cards list'.", autocompletion=completion.cards)
]


@app.command("list", epilog="Example: workbench cards list --topic convolution")
def list_cards(
    topic: Annotated[str, typer.Option(help="Topic to list. Default: all.")] = "",
    as_json: Json = False,
) -> None:
    """List the cards."""
    from workbench import question_index, syllabus

    if topic:
        syllabus.get(topic)
    cards = [card for card in question_index.cards() if topic in ("", card.topic)]
    if as_json:
        print_json(
            [dict(card=c.id, topic=c.topic, kind=c.kind, prompt=c.prompt, place=f"{c.file}:{c.line}") for c in cards]
        )
        return
    width = max((len(card.id) for card in cards), default=0) + 2
    for card in cards:
        print(f"{card.id:<{width}}{card.kind:<9}{card.prompt}")
    print("\nNext: workbench cards show CARD" if cards else "This topic has no cards yet.")


@app.command(epilog="Example: workbench cards show convolution/equivariance --solution")
def show(
    card: Id,
    seed: Annotated[int, typer.Option(help="Seed that shuffles the choices.")] = 1,
    solution: Annotated[bool, typer.Option("--solution", help="Show the answer and the explanation too.")] = False,
    as_json: Json = False,
) -> None:
    """Show a card."""
    from quizzes.answers import KINDS
    from workbench.claims import index
    from workbench.render import question as lines
    from workbench.user_bank import user_bank

    question = user_bank().get_card(card).draw(seed)
    part = question.parts[0]
    claims = index.by_topic(question.topic)
    if as_json:
        row = dict(
            card=card,
            seed=seed,
            topic=question.topic,
            kind=part.kind,
            prompt=question.prompt,
            items=part.items,
            choices=part.choices,
            claims=claims,
        )
        if solution:
            answer = KINDS[part.kind].format_answer(part.answer, part)
            row |= dict(answer=answer, explanation=question.explanation, source=question.source)
        print_json(row)
        return
    print(lines.render_question(question))
    text = lines.render_solution(question) if solution else f"Next: workbench cards answer {card} --seed {seed} ANSWER"
    print(f"\n{text}")
    if solution and claims:
        print(f"\nTested claims about {question.topic}: {', '.join(claims)}")


@app.command(
    cls=FreeTextCommand,
    epilog="Example: workbench cards answer convolution/equivariance equivariance",
    context_settings=SETTINGS,
)
def answer(
    card: Id,
    text: Annotated[str, typer.Argument(metavar="ANSWER", help="Answer, in quotes if it has spaces.")],
    seed: Annotated[int, typer.Option(help="Seed that the card was shown with.")] = 1,
    as_json: Json = False,
) -> None:
    """Grade an answer to a card without saving the result. Exit codes are those of 'workbench drill answer'."""
    from dataclasses import asdict

    from quizzes.marking import mark as grade
    from workbench.render import question as lines
    from workbench.user_bank import user_bank

    question = user_bank().get_card(card).draw(seed)
    mark = grade(question, {"answer": text})
    if as_json:
        print_json({**asdict(mark), "explanation": question.explanation})
    else:
        print(lines.render_mark(mark))
        if mark.mark != "not_understood":
            print(f"\n{lines.render_solution(question)}")
    if mark.mark == "not_understood":
        print_error(f"Can't read the answer: {mark.feedback.splitlines()[0]}")
    raise typer.Exit({"right": 0, "not_understood": 2}.get(mark.mark, 1))
