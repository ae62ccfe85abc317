"""`workbench autograd`: the computation graph of an expression, and its gradients computed in three ways."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.free_text import SETTINGS, FreeTextCommand
from workbench.cli.output import Json, print_json, progress_note

if TYPE_CHECKING:
    from quizzes.expressions.gradients import Derivative
    from quizzes.expressions.graph import Passes

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    cls=FreeTextCommand,
    epilog='Example: workbench autograd "sigmoid(w*x + b)" w=2 x=-1 b=0.5',
    context_settings=SETTINGS,
)
def autograd(
    expression: Annotated[
        str,
        typer.Argument(
            metavar="EXPRESSION", help="Expression, or equations that build on each other: 'u = x*y; f = u + x'."
        ),
    ],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE ...", help="Value of each variable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the computation graph of an expression, with the value and gradient of each node.

    Gradients are computed by the chain rule, by SymPy and by PyTorch. No gradient passes through sign, floor and ceil.
    relu and abs have gradient 0 at their kink (0); max and min of equal inputs pass one half to each, as in PyTorch. Of
    where(x > 0, x, a*x), the gradient passes to the case that holds, and none to the condition.

    Exit code 0: all agree. 1: they do not.
    """
    from quizzes.expressions.graph import build_graph, describe_nodes, run_passes
    from quizzes.expressions.parser import FormatError
    from workbench.engine.verify import ScriptError, Verifier
    from workbench.errors import UserError

    inputs = _read_values(values or [])
    try:
        graph = build_graph(expression, inputs)
    except FormatError as error:
        raise UserError(f"The expression can't be read: {error.sentence}.") from None
    node_values = run_passes(graph, inputs)
    nodes = describe_nodes(graph, node_values)
    with Verifier() as worker:
        worker.warm()  # PyTorch starts while SymPy differentiates
        progress_note("Running SymPy and PyTorch ...")
        from quizzes.expressions.gradients import compare_gradients, differentiate

        sympy = differentiate(graph, node_values)
        try:
            verdict = compare_gradients(graph, node_values, sympy, worker.gradients(nodes))
        except ScriptError as error:
            raise UserError(f"PyTorch failed: {error} See 'workbench doctor'.") from None
    if as_json:
        print_json({"expression": graph.text, "nodes": nodes, "root": graph.root, **verdict})
    else:
        _print(nodes, node_values, sympy, verdict)
    raise typer.Exit(0 if verdict["agree"] else 1)


def _read_values(words: list[str]) -> dict[str, Any]:
    """Return the values by name, from words such as `x=3`.

    Raises:
        UserError: If a word isn't NAME=VALUE, its name is repeated, or a part of it can't be read.
    """
    from quizzes.expressions.graph import read_name, read_value
    from quizzes.expressions.parser import FormatError
    from workbench.errors import UserError

    values: dict[str, Any] = {}
    for word in words:
        left, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"Write {word[:40]!r} as NAME=VALUE, such as x=3.")
        try:
            name = read_name(left)
            if name in values:
                raise UserError(f"{name} is given twice. Give it once.")
            values[name] = read_value(text)
        except FormatError as error:
            raise UserError(f"{left[:30]}: {error.sentence}.") from None
    return values


def _print(
    nodes: list[dict[str, Any]], node_values: "Passes", sympy: "dict[str, Derivative]", verdict: dict[str, Any]
) -> None:
    from workbench.render.graph import render_comparison, render_graph, render_notes, render_table

    root = nodes[-1]["node"]
    print(f"Forward pass, and the gradient of {root} at each node\n\n{render_table(nodes)}\n")
    print(
        f"Backward pass from {root}: gradient times local derivative, summed over all paths\n\n{render_graph(nodes)}\n"
    )
    if notes := render_notes(nodes, node_values.kinks):
        print(f"{notes}\n")
    print(render_comparison(root, {name: one.pretty for name, one in sympy.items()}, verdict, node_values.kinks))
