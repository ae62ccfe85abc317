"""`workbench calc`: compute a formula, or solve it for any of its symbols."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.reply import Json, console, say_json

if TYPE_CHECKING:
    from quizzes.formula import Formula

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog="Example: workbench calc conv-out-size o=112 f=3 p=1 s=2 --solve n, and of a procedure: "
    "workbench calc network-size input=32x32x1 layers=conv5x5-6,pool2,fc10",
    context_settings={"ignore_unknown_options": True},
)
def calc(
    formula: Annotated[
        str,
        typer.Argument(
            metavar="FORMULA", help="A formula: see 'workbench formulas'.", autocompletion=completion.formulas
        ),
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE ...",
            help="z=[1, 2] for a vector, input=32x32x1 for a shape.",
            autocompletion=completion.symbols,
        ),
    ] = None,
    solve: Annotated[
        str, typer.Option(metavar="NAME", help="Solve for this symbol: every solution in its domain.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Compute a formula, or solve it for any of its symbols.

    Procedures too: conv-values and pooling-values of a map, batch-norm, optimizer-steps, confusion-matrix, network-size
    (sizes, parameters, MACs, memory and receptive fields of layers in a line), iou, nms, bleu and more.
    'workbench formulas FORMULA' says what each needs, and its conventions.
    """
    from quizzes.formulas import get
    from workbench.render.formatting import format_table, format_value

    chosen = get(formula)
    given = _given(chosen, values or [])
    inputs = {name: _plain(chosen, name, value) for name, value in given.items()}
    if solve:
        found = chosen.solutions(solve, given)
        result: dict[str, Any] = {solve: [_plain(chosen, solve, value) for value in found]}
    else:
        result = {name: _plain(chosen, name, value) for name, value in chosen.solve(**given).items()}
    if as_json:
        say_json({"formula": chosen.id, "inputs": inputs, "result": result})
        return
    for name, value in result.items():
        described = chosen.symbols[name]
        unit = f" [{described.unit}]" if described.unit else ""
        if described.kind == "table":
            for rows in value if solve else [value]:
                print("\n".join([*format_table(rows, console().width), ""]))
            continue
        if solve:
            shown = (
                ", ".join(map(format_value, value)) if value else f"no solution that is {described.describe_domain()}"
            )
        else:
            shown = format_value(value)
        print(f"{name} = {shown}    {described.meaning}{unit}")


def _given(formula: "Formula", values: list[str]) -> dict[str, Any]:
    """The values by name, read safely."""
    from quizzes.expressions.parser import FormatError
    from workbench.errors import UserError

    given = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"Write {text[:40]!r} as NAME=VALUE, such as {next(iter(formula.symbols))}=3.")
        if name not in formula.symbols:
            raise UserError(f"{formula.id} has no symbol {name[:30]!r}: its symbols are {', '.join(formula.symbols)}.")
        if name in given:
            raise UserError(f"{name} is given twice: give it once.")
        try:
            given[name] = formula.symbols[name].read(value)
        except FormatError as error:
            raise UserError(f"{name}: {error.sentence}.") from None
    return given


def _plain(formula: "Formula", name: str, value: Any) -> Any:
    """A value as JSON has it: whole numbers whole, fractions as text where a fraction is meant."""
    from quizzes.answers import KINDS
    from quizzes.question import to_json

    kind = formula.symbols[name].answer_kind
    if kind == "integer" and value != int(value):
        kind = "decimal"  # areas of boxes with decimal corners
    if kind == "table":
        return [{column: to_json(cell) for column, cell in row.items()} for row in value]
    return KINDS[kind].to_json(value) if kind in KINDS else value
