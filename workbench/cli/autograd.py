"""`workbench autograd`: the computation graph of an expression, and its gradients computed in three ways."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.free_text import SETTINGS, FreeTextCommand
from workbench.cli.output import Json, print_json, progress_note

if TYPE_CHECKING:
    from quizzes.expressions.gradients import Derivative
    from quizzes.expressions.graph import Graph, Passes

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
    wrt: Annotated[
        str, typer.Option(metavar="NAMES", help="Variables to differentiate by, separated by commas. Default: all.")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Compare with SymPy's derivatives and PyTorch's gradients.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the computation graph of an expression, with the value and gradient of each node.

    Gradients are computed by the chain rule; with --check also by SymPy and by PyTorch. No gradient passes through
    sign, floor and ceil. relu and abs have gradient 0 at their kink (0); max and min of equal inputs pass one half to
    each, as in PyTorch. Of where(x > 0, x, a*x), the gradient passes to the case that holds, and none to the condition.

    Exit code 0: done, or all agree. 1: they do not.
    """
    from quizzes.expressions.graph import build_graph, describe_nodes, run_passes
    from quizzes.expressions.parser import FormatError
    from quizzes.question import to_json
    from workbench.errors import UserError, unknown_name

    inputs = _read_values(values or [])
    try:
        graph = build_graph(expression, inputs)
    except FormatError as error:
        raise UserError(f"The expression can't be read: {error.sentence}.") from None
    names = [name.strip() for name in wrt.split(",") if name.strip()] or list(graph.leaves)
    for name in names:
        if name not in graph.leaves:
            raise unknown_name("variable", name, graph.leaves)
    passes = run_passes(graph, inputs)
    nodes = describe_nodes(graph, passes)
    leaves: dict[str, dict[str, Any]] = {
        name: {"value": to_json(passes.values[name]), "gradient": to_json(passes.gradients[name])} for name in names
    }
    sympy, verdict = _compare(graph, passes, nodes) if check else ({}, {})
    if as_json:
        if verdict:
            leaves = {name: leaf | verdict["leaves"][name] for name, leaf in leaves.items()}
        print_json({"expression": graph.text, "nodes": nodes, "root": graph.root, **verdict, "leaves": leaves})
    else:
        _print(nodes, passes, leaves, sympy, verdict)
    raise typer.Exit(0 if verdict.get("agree", True) else 1)


def _compare(
    graph: "Graph", passes: "Passes", nodes: list[dict[str, Any]]
) -> "tuple[dict[str, Derivative], dict[str, Any]]":
    """Return SymPy's derivatives, and the comparison with them and with PyTorch's gradients.

    Raises:
        UserError: If PyTorch fails.
    """
    from workbench.engine.verify import ScriptError, Verifier
    from workbench.errors import UserError

    with Verifier() as worker:
        worker.warm()  # PyTorch starts while SymPy differentiates
        progress_note("Running SymPy and PyTorch ...")
        from quizzes.expressions.gradients import compare_gradients, differentiate

        sympy = differentiate(graph, passes)
        try:
            return sympy, compare_gradients(graph, passes, sympy, worker.gradients(nodes))
        except ScriptError as error:
            raise UserError(f"PyTorch failed: {error} See 'workbench doctor'.") from None


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
    nodes: list[dict[str, Any]],
    passes: "Passes",
    leaves: dict[str, dict[str, Any]],
    sympy: "dict[str, Derivative]",
    verdict: dict[str, Any],
) -> None:
    from workbench.render.formatting import format_value
    from workbench.render.graph import render_comparison, render_graph, render_notes, render_table

    root = nodes[-1]["node"]
    print(f"Forward pass, and the gradient of {root} at each node\n\n{render_table(nodes)}\n")
    print(
        f"Backward pass from {root}: gradient times local derivative, summed over all paths\n\n{render_graph(nodes)}\n"
    )
    if notes := render_notes(nodes, passes.kinks):
        print(f"{notes}\n")
    if verdict:
        pretty = {name: one.pretty for name, one in sympy.items()}
        print(render_comparison(root, pretty, verdict, passes.kinks))
        return
    for name, leaf in leaves.items():
        print(f"d{root}/d{name} = {format_value(leaf['gradient'])}")
    print("\nNext: add --check to compare with SymPy and PyTorch.")
