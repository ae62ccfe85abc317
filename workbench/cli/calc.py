"""`workbench calc`: evaluate a formula, solve it for any of its symbols, or step through a procedure."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.free_text import SETTINGS, FreeTextCommand
from workbench.cli.output import Json, console, print_json

if TYPE_CHECKING:
    from quizzes.formula import Formula
    from quizzes.procedure import Procedure

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    cls=FreeTextCommand,
    epilog="Example: workbench calc conv-out-size o=112 f=3 p=1 s=2 --solve n. Example of a procedure: "
    "workbench calc network-size input=32x32x1 layers=conv5x5-6,pool2,fc10. Example of steps: "
    "workbench calc nms --steps",
    context_settings=SETTINGS,
)
def calc(
    formula: Annotated[
        str,
        typer.Argument(
            metavar="FORMULA",
            help="Formula or procedure: see 'workbench formulas'.",
            autocompletion=completion.formulas_and_procedures,
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
    steps: Annotated[
        bool, typer.Option("--steps", help="Step through a procedure: each state with its reason, values and drawing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Evaluate a formula, or solve it for any of its symbols.

    Some formulas are procedures: conv-values, pooling-values, batch-norm, optimizer-steps, confusion-matrix, iou, nms,
    bleu, network-size (shapes, parameters, MACs, memory and receptive fields of a stack of layers) and more.
    'workbench formulas FORMULA' lists the inputs of each and its conventions.

    NAME=@FILE reads a value from a file: a text, or numbers from a CSV file, a .npy file or an image (gray values).

    With --steps, a procedure prints its states one after another; inputs that are left out are those of an example.
    gd-steps, adam-steps, backprop-steps, k-fold-standardization and others have only steps.
    """
    from quizzes import procedures
    from quizzes.formulas import get
    from workbench.cli.file_values import read_values
    from workbench.errors import UserError
    from workbench.render.formatting import format_table, format_value

    entry = procedures.entries().get(formula)
    if steps or (entry and not entry.has_formula):
        if solve:
            raise UserError("Steps can't be solved for a symbol. Leave out --solve or --steps.")
        if not entry:
            get(formula)  # an unknown name has its own error
            raise UserError(f"{formula} has no steps. These have: {', '.join(procedures.entries())}.")
        _print_steps(procedures.get(formula), values or [], as_json)
        return
    definition = get(formula)
    inputs = read_values(definition.id, definition.symbols, values or [])
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


def _print_steps(procedure: "Procedure", words: list[str], as_json: bool) -> None:
    """Print the states of a procedure in order."""
    from workbench.cli.file_values import read_values
    from workbench.render.question import wrap_text
    from workbench.render.states import render_state

    states = procedure.states(read_values(procedure.id, procedure.symbols, words))
    if as_json:
        print_json([state.to_json(number) for number, state in enumerate(states, 1)])
        return
    print(f"{procedure.title}  ({procedure.id})")
    for number, state in enumerate(states, 1):
        print(f"\n--- State {number} of {len(states)}\n")
        print(render_state(state, console().width))
    print("\n" + wrap_text(f"Source: {procedure.source}"))


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
