"""`workbench formulas`: the formula sheet, or one formula with its symbols."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.reply import Json, say_json

if TYPE_CHECKING:
    from quizzes.formula import Formula

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench formulas conv-out-size")
def formulas(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[TOPIC|FORMULA]",
            help="A topic or a formula; everything if left out.",
            autocompletion=completion.sheets,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """The formula sheet: every formula, a topic's, or one with its symbols, units and source."""
    from quizzes.formulas import all_formulas
    from workbench.errors import unknown_name

    known = all_formulas()
    found = [f for f in known.values() if name in ("", f.id, f.topic)]
    if not found:
        raise unknown_name("formula or topic with formulas called", name, [*known, *{f.topic for f in known.values()}])
    if as_json:
        say_json([_plain(f) for f in found])
        return
    for f in found:
        _print(f, conventions=f.id == name)
    if not name:
        print("Next: workbench formulas FORMULA, or workbench calc FORMULA name=value ...")


def _plain(f: "Formula") -> dict[str, Any]:
    from quizzes.question import to_json

    symbols = [
        {
            "symbol": s.name,
            "kind": s.kind,
            "meaning": s.meaning,
            "unit": s.unit,
            "domain": s.describe_domain(),
            "default": to_json(s.default),
        }
        for s in f.symbols.values()
    ]
    equations = [eq.text for eq in f.equations]
    row = dict(formula=f.id, topic=f.topic, title=f.title, equations=equations, symbols=symbols, source=f.source)
    return row | dict(conventions=f.conventions)


def _print(f: "Formula", conventions: bool) -> None:
    from quizzes.expressions.symbolic import pretty_text
    from workbench.render.formatting import format_value
    from workbench.render.question import wrap_text

    print(f"{f.title}  ({f.id})\n")
    for eq in f.equations:
        print("\n".join(f"    {line}" for line in pretty_text(eq.text).splitlines()), end="\n\n")
    if not f.equations:
        print("    a procedure: it counts, compares or goes step by step\n")
    if conventions:
        for s in f.symbols.values():
            default = "" if s.default is None else f"; {format_value(s.default)} if not given"
            print(f"  {s.name:<12}{s.meaning}{f' [{s.unit}]' if s.unit else ''}; {s.describe_domain()}{default}")
        if f.conventions:
            print(f"\n{wrap_text(f.conventions)}")
        print(f"\nSource: {f.source}")
        print(f"Next: workbench calc {f.id} {' '.join(f'{n}=...' for n in f.inputs if f.symbols[n].is_required)}")
