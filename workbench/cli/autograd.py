"""`workbench autograd`: the computation graph of an expression, and its gradients in three ways."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.reply import Json, say_json

if TYPE_CHECKING:
    from quizzes.expressions.gradients import Derivative
    from quizzes.expressions.graph import Passes

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog='Example: workbench autograd "sigmoid(w*x + b)" w=2 x=-1 b=0.5',
    context_settings={"ignore_unknown_options": True},
)
def autograd(
    expression: Annotated[
        str,
        typer.Argument(metavar="EXPRESSION", help="Or equations that use one another: 'u = x*y; v = u + x; f = u*v'."),
    ],
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE ...", help="Of every variable.")] = None,
    as_json: Json = False,
) -> None:
    """The graph of an expression with value and gradient at each node: by hand, by SymPy and by PyTorch.

    No gradient goes through sign, floor and ceil. Where relu and abs have a kink (at 0) the gradient 0 is taken, and at
    max and min of equals one half for each, as PyTorch does. Exit code 0: all agree. 1: they do not.
    """
    from quizzes.expressions.graph import build_graph, describe_nodes, run_passes
    from quizzes.expressions.parser import FormatError
    from workbench.engine.verify import ScriptError, Verifier
    from workbench.errors import UserError

    given = _given(values or [])
    try:
        graph = build_graph(expression, given)
    except FormatError as error:
        raise UserError(f"The expression can't be read: {error.sentence}.") from None
    found = run_passes(graph, given)
    nodes = describe_nodes(graph, found)
    with Verifier() as worker:
        worker.warm()  # PyTorch starts while SymPy differentiates
        if sys.stderr.isatty():
            print("Asking SymPy and PyTorch ...", file=sys.stderr)
        from quizzes.expressions.gradients import compare_gradients, differentiate

        sympy = differentiate(graph, found)
        try:
            verdict = compare_gradients(graph, found, sympy, worker.gradients(nodes))
        except ScriptError as error:
            raise UserError(f"PyTorch could not be asked: {error} See 'workbench doctor'.") from None
    if as_json:
        say_json({"expression": graph.text, "nodes": nodes, "root": graph.root, **verdict})
    else:
        _print(nodes, found, sympy, verdict)
    raise typer.Exit(0 if verdict["agree"] else 1)


def _given(values: list[str]) -> dict[str, Any]:
    """The values by name, read safely."""
    from quizzes.expressions.graph import read_name, read_value
    from quizzes.expressions.parser import FormatError
    from workbench.errors import UserError

    given: dict[str, Any] = {}
    for text in values:
        left, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"Write {text[:40]!r} as NAME=VALUE, such as x=3.")
        try:
            name = read_name(left)
            if name in given:
                raise UserError(f"{name} is given twice: give it once.")
            given[name] = read_value(value)
        except FormatError as error:
            raise UserError(f"{left[:30]}: {error.sentence}.") from None
    return given


def _print(
    nodes: list[dict[str, Any]], found: "Passes", sympy: "dict[str, Derivative]", verdict: dict[str, Any]
) -> None:
    from workbench.render.graph import render_comparison, render_graph, render_notes, render_table

    root = nodes[-1]["node"]
    print(f"Forward, and the gradient of {root} at each node\n\n{render_table(nodes)}\n")
    print(f"Backward from {root}: gradient times local derivative, added up over all paths\n\n{render_graph(nodes)}\n")
    if said := render_notes(nodes, found.kinks):
        print(f"{said}\n")
    print(render_comparison(root, {name: one.pretty for name, one in sympy.items()}, verdict, found.kinks))
