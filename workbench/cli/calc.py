"""`workbench calc`: evaluate a formula, or solve it for any of its symbols."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.free_text import SETTINGS, FreeTextCommand
from workbench.cli.output import Json, console, print_json

if TYPE_CHECKING:
    from quizzes.formula import Formula

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    cls=FreeTextCommand,
    epilog="Example: workbench calc conv-out-size o=112 f=3 p=1 s=2 --solve n. Example of a procedure: "
    "workbench calc network-size input=32x32x1 layers=conv5x5-6,pool2,fc10",
    context_settings=SETTINGS,
)
def calc(
    formula: Annotated[
        str,
        typer.Argument(
            metavar="FORMULA", help="Formula: see 'workbench formulas'.", autocompletion=completion.formulas
        ),
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE ...",
            help="Values: n=3, a vector z=[1,2], a shape input=32x32x1.",
            autocompletion=completion.symbols,
        ),
    ] = None,
    solve: Annotated[
        str,
        typer.Option(metavar="NAME", help="Symbol to solve for: every solution in its domain. Default: the outputs."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Evaluate a formula, or solve it for any of its symbols.

    Some formulas are procedures: conv-values, pooling-values, batch-norm, optimizer-steps, confusion-matrix, iou, nms,
    bleu, network-size (shapes, parameters, MACs, memory and receptive fields of a stack of layers) and more.
    'workbench formulas FORMULA' lists the inputs of each and its conventions.
    """
    from quizzes.formulas import get
    from workbench.render.formatting import format_table, format_value

    definition = get(formula)
    inputs = _read_values(definition, values or [])
    plain_inputs = {name: _to_json(definition, name, value) for name, value in inputs.items()}
    if solve:
        solutions = definition.solutions(solve, inputs)
        result: dict[str, Any] = {solve: [_to_json(definition, solve, value) for value in solutions]}
    else:
        outputs = definition.solve(**inputs)
        result = {name: _to_json(definition, name, value) for name, value in outputs.items()}
    if as_json:
        print_json({"formula": definition.id, "inputs": plain_inputs, "result": result})
        return
    for name, value in result.items():
        symbol = definition.symbols[name]
        unit = f" [{symbol.unit}]" if symbol.unit else ""
        if symbol.kind == "table":
            for rows in value if solve else [value]:
                print("\n".join([*format_table(rows, console().width), ""]))
            continue
        if solve:
            answer = ", ".join(map(format_value, value)) if value else f"no solution that is {symbol.describe_domain()}"
        else:
            answer = format_value(value)
        print(f"{name} = {answer}    {symbol.meaning}{unit}")


def _read_values(formula: "Formula", words: list[str]) -> dict[str, Any]:
    """Return the values by name, from words such as `n=3`.

    Raises:
        UserError: If a word isn't NAME=VALUE, its name isn't a symbol or is repeated, or its value can't be read.
    """
    from quizzes.expressions.parser import FormatError
    from workbench.errors import UserError, unknown_name

    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"Write {word[:40]!r} as NAME=VALUE, such as {next(iter(formula.symbols))}=3.")
        if name not in formula.symbols:
            raise unknown_name(f"symbol of {formula.id}", name, formula.symbols)
        if name in values:
            raise UserError(f"{name} is given twice. Give it once.")
        try:
            values[name] = formula.symbols[name].read(text)
        except FormatError as error:
            raise UserError(f"{name}: {error.sentence}.") from None
    return values


def _to_json(formula: "Formula", name: str, value: Any) -> Any:
    """Return the value of a symbol as plain data: integers as integers, fractions as text."""
    from quizzes.answers import KINDS
    from quizzes.question import to_json

    kind = formula.symbols[name].answer_kind
    if kind == "integer" and value != int(value):
        kind = "decimal"  # areas of boxes with decimal corners
    if kind == "table":
        return [{column: to_json(cell) for column, cell in row.items()} for row in value]
    return KINDS[kind].to_json(value) if kind in KINDS else value
