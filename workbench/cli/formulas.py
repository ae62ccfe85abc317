"""`workbench formulas`: the formula sheet, or one formula with its symbols."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, print_json

if TYPE_CHECKING:
    from quizzes.formula import Formula

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench formulas conv-out-size")
def formulas(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[TOPIC|FORMULA]",
            help="Topic or formula. Default: all formulas.",
            autocompletion=completion.sheets,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Show the formula sheet, or one formula with its symbols, units and source."""
    from quizzes.formulas import all_formulas
    from workbench.errors import unknown_name

    by_id = all_formulas()
    selected = [f for f in by_id.values() if name in ("", f.id, f.topic)]
    if not selected:
        raise unknown_name("formula or topic", name, [*by_id, *{f.topic for f in by_id.values()}])
    if as_json:
        print_json([_to_json(f) for f in selected])
        return
    for f in selected:
        _print(f, with_symbols=f.id == name)
    if not name:
        print("Next: workbench formulas FORMULA, or workbench calc FORMULA name=value ...")


def _to_json(f: "Formula") -> dict[str, Any]:
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


def _print(f: "Formula", with_symbols: bool) -> None:
    from quizzes.expressions.symbolic import pretty_text
    from workbench.render.formatting import format_value
    from workbench.render.question import wrap_text

    print(f"{f.title}  ({f.id})\n")
    for eq in f.equations:
        print("\n".join(f"    {line}" for line in pretty_text(eq.text).splitlines()), end="\n\n")
    if not f.equations:
        print("    a procedure, computed step by step\n")
    if with_symbols:
        for s in f.symbols.values():
            default = "" if s.default is None else f"; default: {format_value(s.default)}"
            print(f"  {s.name:<12}{s.meaning}{f' [{s.unit}]' if s.unit else ''}; {s.describe_domain()}{default}")
        if f.conventions:
            print(f"\n{wrap_text(f.conventions)}")
        print(f"\nSource: {f.source}")
        print(f"Next: workbench calc {f.id} {' '.join(f'{n}=...' for n in f.inputs if f.symbols[n].is_required)}")
