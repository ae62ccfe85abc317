"""`workbench calc`: evaluate a formula, solve it for any of its symbols, or step through a procedure."""

from math import isinf
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import calc_table, completion
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
    only: Annotated[
        str, typer.Option(metavar="NAMES", help="Outputs to compute, separated by commas; others need no inputs.")
    ] = "",
    table: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES", help="Values of a symbol, s=1..4 or s=[1,2,4]; repeat it for combinations."
        ),
    ] = None,
    last: Annotated[bool, typer.Option("--last", help="Of tables with a row per step, show the last step.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate a formula, or solve it for any of its symbols.

    Some formulas are procedures: conv-values, pooling-values, batch-norm, optimizer-steps, confusion-matrix, iou, nms,
    bleu, network-size (shapes, parameters, MACs, memory and receptive fields of a stack of layers) and more.
    'workbench formulas FORMULA' lists the inputs of each and its conventions.

    A number may be a list, x=[1,2,3], or a range of integers, s=1..4: the result is a table, with a row per value.

    A number may have letters, C_in=C or k=2*f+1: the result is an expression.

    NAME=@FILE reads a value from a file: a text, or numbers from a CSV file, a .npy file or an image (gray values).

    With --steps, a procedure prints its states one after another; inputs that are left out are those of an example.
    gd-steps, adam-steps, backprop-steps, k-fold-standardization and others have only steps.
    """
    from quizzes import letters, procedures
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
    selection = [name.strip() for name in only.split(",") if name.strip()]
    single, lists = calc_table.split_lists(definition, values or [])
    if lists or table:
        if solve or (lists and table):
            raise UserError("A table has either lists or --table, and no --solve.")
        _print_table(definition, single, lists or calc_table.combinations(definition, table or []), selection, as_json)
        return
    numbers, in_letters = letters.split_letters(definition, values or [])
    if in_letters:
        number_values = read_values(definition.id, definition.symbols, numbers)
        expressions = letters.evaluate(definition, number_values, in_letters, solve)
        _print_expressions(definition, number_values, in_letters, expressions, as_json)
        return
    inputs = read_values(definition.id, definition.symbols, values or [])
    plain_inputs = {name: _to_json(definition, name, value) for name, value in inputs.items()}
    undefined: dict[str, str] = {}
    if solve and only:
        raise UserError("Give --solve or --only, not both.")
    if solve:
        solutions = definition.solutions(solve, inputs)
        result: dict[str, Any] = {solve: [_to_json(definition, solve, value) for value in solutions]}
    else:
        outputs, undefined = definition.results(inputs, selection)
        if not outputs:
            raise UserError(f"{definition.id} has no value there: {next(iter(undefined.values()))}.")
        result = {name: _to_json(definition, name, value) for name, value in outputs.items()}
        if last:
            result = _last_step(definition, result)
    if as_json:
        print_json(
            {"formula": definition.id, "inputs": plain_inputs, "result": result}
            | ({"undefined": undefined} if undefined else {})
        )
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
    for name, reason in undefined.items():
        print(f"{name} has no value: {reason}.")
    if not solve:
        for text in definition.roundings({**definition.complete(inputs), **outputs}, selection):
            print(f"{text}.")


def _last_step(formula: "Formula", result: dict[str, Any]) -> dict[str, Any]:
    """Return outputs with the last step alone of tables with a row per step, and of lists with a value per step."""
    ends = {name: value[-1] for name, value in result.items() if formula.symbols[name].kind == "table" and value}
    for name, end in ends.items():
        step = next(iter(end))
        count = end[step]
        result = result | {name: [row for row in result[name] if row[step] == count]}
        result = {
            key: value[-1:]
            if isinstance(value, list) and key not in ends and len(value) in (count, count + 1)
            else value
            for key, value in result.items()
        }
    return result


def _print_expressions(
    formula: "Formula", numbers: dict[str, Any], letters: dict[str, str], result: dict[str, Any], as_json: bool
) -> None:
    """Print outputs that are expressions in letters."""
    if as_json:
        inputs = {name: _to_json(formula, name, value) for name, value in numbers.items()} | letters
        print_json({"formula": formula.id, "inputs": inputs, "result": result})
        return
    for name, value in result.items():
        texts = value if isinstance(value, list) else [value]
        print(f"{name} = {', '.join(texts) or 'no solution'}    {formula.symbols[name].meaning}")


def _print_table(
    formula: "Formula", words: list[str], columns: dict[str, list[str]], only: list[str], as_json: bool
) -> None:
    """Print the outputs of a formula for each row of values of some of its inputs."""
    from workbench.cli.file_values import read_values
    from workbench.errors import UserError
    from workbench.render.formatting import format_table

    inputs: dict[str, list[Any]] = {name: [] for name in columns}
    results: list[dict[str, Any]] = []
    for row in zip(*columns.values(), strict=True):
        typed = [f"{name}={text}" for name, text in zip(columns, row, strict=True)]
        values = read_values(formula.id, formula.symbols, [*words, *typed])
        for name in columns:
            inputs[name].append(_to_json(formula, name, values[name]))
        outputs, _ = formula.results(values, only)
        results.append({name: _to_json(formula, name, value) for name, value in outputs.items()})
    names = [name for name in formula.outputs if not only or name in only]
    if as_json:
        result = {name: [row.get(name) for row in results] for name in names}
        print_json({"formula": formula.id, "inputs": inputs, "result": result})
        return
    rows = calc_table.table_rows(formula, inputs, results)
    if not any(name in rows[0] for name in names):
        raise UserError(f"The outputs of {formula.id} are not single numbers. Add --json for all values.")
    print("\n".join(format_table(rows, console().width)))


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

    if isinstance(value, float) and isinf(value):  # JSON has no infinity
        return "infinity" if value > 0 else "-infinity"
    if isinstance(value, list) and any(isinstance(item, float) and isinf(item) for item in value):
        return [
            _to_json(formula, name, item) if isinstance(item, float) and isinf(item) else float(item) for item in value
        ]
    kind = formula.symbols[name].answer_kind
    if kind == "integer" and value != int(value):
        kind = "decimal"  # areas of boxes with decimal corners
    if kind == "table":
        return [{column: to_json(cell) for column, cell in row.items()} for row in value]
    return KINDS[kind].to_json(value) if kind in KINDS else value
