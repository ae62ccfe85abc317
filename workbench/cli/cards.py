"""`workbench cards`: recall cards."""

import sys
from typing import Annotated

import typer

from workbench.cli import completion
from workbench.cli.reply import Json, say_json

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Recall cards: list, show, answer."
)


Id = Annotated[
    str, typer.Argument(metavar="CARD", help="A card: see 'workbench cards list'.", autocompletion=completion.cards)
]


@app.command("list", epilog="Example: workbench cards list --topic convolution")
def list_cards(topic: Annotated[str, typer.Option(help="Only this topic's.")] = "", as_json: Json = False) -> None:
    """Every card, or a topic's."""
    from quizzes import bank
    from workbench import syllabus

    if topic:
        syllabus.get(topic)
    found = [card for card in bank.all_cards().values() if topic in ("", card.topic)]
    if as_json:
        say_json([dict(card=c.id, topic=c.topic, kind=c.kind, prompt=c.prompt) for c in found])
        return
    wide = max((len(card.id) for card in found), default=0) + 2
    for card in found:
        print(f"{card.id:<{wide}}{card.kind:<9}{card.prompt}")
    print("\nNext: workbench cards show CARD" if found else "This topic has no card yet.")


@app.command(epilog="Example: workbench cards show convolution/equivariance --solution")
def show(
    card: Id,
    seed: Annotated[int, typer.Option(help="Shuffles what there is to choose.")] = 1,
    solution: Annotated[bool, typer.Option("--solution", help="With the answer and its explanation.")] = False,
    as_json: Json = False,
) -> None:
    """One card."""
    from quizzes import bank
    from quizzes.answers import KINDS
    from workbench.render import question as lines

    asked = bank.card(card).draw(seed)
    part = asked.parts[0]
    if as_json:
        row = dict(
            card=card,
            seed=seed,
            topic=asked.topic,
            kind=part.kind,
            ask=asked.prompt,
            items=part.items,
            choices=part.choices,
        )
        if solution:
            row |= dict(
                answer=KINDS[part.kind].write(part.answer, part), explanation=asked.explanation, source=asked.source
            )
        say_json(row)
        return
    print(lines.render_question(asked))
    print(
        f"\n{lines.render_solution(asked)}"
        if solution
        else f"\nNext: workbench cards answer {card} --seed {seed} ANSWER"
    )


@app.command(
    epilog="Example: workbench cards answer convolution/equivariance equivariance",
    context_settings={"ignore_unknown_options": True},
)
def answer(
    card: Id,
    text: Annotated[str, typer.Argument(metavar="ANSWER")],
    seed: Annotated[int, typer.Option(help="The seed the card was shown with.")] = 1,
    as_json: Json = False,
) -> None:
    """Mark an answer, without keeping it. Exit code as for 'workbench drill answer'."""
    from dataclasses import asdict

    from quizzes import bank
    from quizzes.marking import mark
    from workbench.render import question as lines

    asked = bank.card(card).draw(seed)
    given = mark(asked, {"answer": text})
    if as_json:
        say_json({**asdict(given), "explanation": asked.explanation})
    else:
        print(lines.render_mark(given))
        if given.mark != "not_understood":
            print(f"\n{lines.render_solution(asked)}")
    if given.mark == "not_understood":
        print(f"workbench: not understood: {given.feedback.splitlines()[0]}", file=sys.stderr)
    raise typer.Exit({"right": 0, "not_understood": 2}.get(given.mark, 1))
