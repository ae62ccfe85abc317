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

    Values may be vectors and matrices, x=[1,2] W=[[1,0],[0,1]]: + - * / and functions act element by element, W @ x is
    the product, and softmax(z), sum(z), mean(z), max(z), min(z), transpose(W) take whole arrays; p[2] is an element,
    counted from 1. The last line is a number.

    Exit code 0: done, or all agree. 1: they do not.
    """
    from quizzes.expressions.arrays import elements, uses_arrays
    from quizzes.expressions.graph import build_array_graph, build_graph, describe_nodes, run_passes
    from quizzes.expressions.parser import FormatError
    from quizzes.question import to_json
    from workbench.errors import UserError, unknown_name

    inputs = _read_values(values or [])
    if not inputs and _print_constant(expression, as_json):
        return
    has_arrays = uses_arrays(expression, inputs)
    try:
        graph = build_array_graph(expression, inputs) if has_arrays else build_graph(expression, inputs)
    except FormatError as error:
        raise UserError(f"The expression can't be read: {error.sentence}.") from None
    variables = list(inputs) if has_arrays else graph.leaves
    names = [name.strip() for name in wrt.split(",") if name.strip()] or list(variables)
    for name in names:
        if name not in variables:
            raise unknown_name("variable", name, variables)
    numbers = dict(pair for name, value in inputs.items() for pair in elements(name, value))
    used = {name: value for name, value in numbers.items() if name in graph.leaves} if has_arrays else numbers
    passes = run_passes(graph, used)
    nodes = describe_nodes(graph, passes)
    leaves: dict[str, dict[str, Any]] = {
        name: {"value": to_json(inputs[name]), "gradient": _gradient(name, inputs[name], passes)} for name in names
    }
    sympy, verdict = _compare(graph, passes, nodes) if check else ({}, {})
    if as_json:
        if verdict and has_arrays:
            leaves |= verdict["leaves"]
        elif verdict:
            leaves = {name: leaf | verdict["leaves"][name] for name, leaf in leaves.items()}
        print_json({"expression": graph.text, "nodes": nodes, "root": graph.root, **verdict, "leaves": leaves})
    else:
        _print(nodes, passes, leaves, sympy, verdict)
    raise typer.Exit(0 if verdict.get("agree", True) else 1)


def _print_constant(expression: str, as_json: bool) -> bool:
    """Print the value of an expression without variables; return whether it is one."""
    from quizzes.expressions.parser import FormatError, read
    from quizzes.expressions.tree import UndefinedValue, evaluate
    from quizzes.question import to_json
    from workbench.render.formatting import format_value

    try:
        value = to_json(evaluate(read(expression), {}))
    except (FormatError, UndefinedValue):
        return False
    if as_json:
        print_json({"expression": expression, "value": value, "leaves": {}})
    else:
        print(f"{expression} = {format_value(value)}\n\nIt has no variable, so there is no gradient.")
    return True


def _gradient(name: str, value: Any, passes: "Passes") -> Any:
    """Return the gradient of a variable as JSON data, in the shape of its value; 0 for elements that are not used."""
    from quizzes.question import to_json

    if isinstance(value, list):
        return [_gradient(f"{name}_{k}", item, passes) for k, item in enumerate(value, 1)]
    return to_json(passes.gradients.get(name, 0))


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
            values[name] = _read_array(text) if text.strip().startswith("[") else read_value(text)
        except FormatError as error:
            raise UserError(f"{left[:30]}: {error.sentence}.") from None
    return values


def _read_array(text: str) -> list[Any]:
    """Return the numbers of a vector or matrix."""
    from quizzes.symbols import Matrix, Vector

    symbol = (Matrix if text.strip().startswith("[[") or ";" in text else Vector)(meaning="values", name="it")
    return symbol.check(symbol.read(text))  # type: ignore[no-any-return]


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
