"""`workbench formulas`: the formula sheet, or one formula with its symbols."""

import pydoc
import sys
from collections.abc import Iterable, Iterator
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench import syllabus
from workbench.cli import completion
from workbench.cli.output import Json, print_json

if TYPE_CHECKING:
    from quizzes.formula import Formula

MAX_MATCHES = 15

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench formulas conv-out-size")
def formulas(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CHAPTER|TOPIC|FORMULA|WORDS]",
            help="Chapter, topic or formula, or words to search for. Default: all formulas.",
            autocompletion=completion.formulas_and_topics,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List all formulas by chapter, show those of a topic or one with its symbols, or find those about something."""
    name = " ".join(words or [])
    chapter = name if name in syllabus.chapters() and name not in syllabus.topics() else ""
    if not as_json and (chapter or not name):
        _show_page(_sheet(name))
        return
    from quizzes import formula_search, procedures
    from quizzes.formulas import all_formulas

    by_id = all_formulas()
    entry = procedures.entries().get(name)
    if entry and not entry.has_formula:
        by_id = {name: procedures.get(name).formula}
    selected = [
        formula
        for formula in by_id.values()
        if name in ("", formula.id, formula.topic) or syllabus.get(formula.topic).chapter == chapter
    ]
    if not selected:
        matches = formula_search.find(name, by_id.values())
        if matches and not as_json:
            _list_matches(name, matches)
            return
        selected = matches
    if not selected:
        names = [*by_id, *{formula.topic for formula in by_id.values()}]
        raise formula_search.unknown_formula("formula or topic", name, by_id.values(), names)
    if as_json:
        print_json([_to_json(formula) for formula in selected])
        return
    for formula in selected:
        _print_formula(formula, with_symbols=formula.id == name)
    if ids := [entry.id for entry in procedures.entries().values() if name in (entry.id, entry.topic)]:
        print("\n".join(["Step by step:", *(f"  workbench calc {id} --steps" for id in ids)]))


def _list_matches(text: str, matches: "list[Formula]") -> None:
    """Print the formulas that a text was found in."""
    print(f"No formula or topic has the name {text!r}. These are about it:\n")
    for formula in matches[:MAX_MATCHES]:
        print(f"  {formula.title}  ({formula.id})")
    if len(matches) > MAX_MATCHES:
        print(f"  ... and {len(matches) - MAX_MATCHES} more")
    print(f"\nNext: workbench formulas {matches[0].id}")


def _sheet(only: str) -> Iterator[str]:
    """Yield the lines of the formula sheet by chapter and topic, with equations as text.

    Args:
        only: The chapter; empty for all.
    """
    from quizzes import procedures
    from workbench import question_index

    chapter = topic = ""
    for formula in question_index.formulas():
        place = syllabus.get(formula.topic)
        if only and place.chapter != only:
            continue
        if place.chapter != chapter:
            chapter = place.chapter
            title = f"{syllabus.chapters()[chapter]}  ({chapter})"
            yield from (title, "=" * len(title), "")
        if formula.topic != topic:
            topic = formula.topic
            yield from (f"{place.title}  ({topic})", "")
        yield f"  {formula.title}  ({formula.id})"
        for equation in formula.equations or ["a procedure: it counts, compares or goes step by step"]:
            yield f"      {equation}"
        yield ""
    yield f"Step by step: workbench calc NAME --steps, for {', '.join(procedures.entries())}."
    yield "Next: workbench formulas CHAPTER|TOPIC|FORMULA, or workbench calc FORMULA name=value ..."


def _show_page(lines: Iterable[str]) -> None:
    """Print lines, a page at a time on a terminal."""
    if sys.stdout.isatty():
        pydoc.pager("\n".join(lines))
    else:
        print("\n".join(lines))


def _to_json(formula: "Formula") -> dict[str, Any]:
    from quizzes.question import to_json

    symbols = [
        {
            "symbol": symbol.name,
            "kind": symbol.kind,
            "meaning": symbol.meaning,
            "unit": symbol.unit,
            "domain": symbol.describe_domain(),
            "default": to_json(symbol.default),
        }
        for symbol in formula.symbols.values()
    ]
    return dict(
        formula=formula.id,
        topic=formula.topic,
        title=formula.title,
        equations=[equation.text for equation in formula.equations],
        symbols=symbols,
        source=formula.source,
        conventions=formula.conventions,
        statement=formula.statement,
    )


def _print_formula(formula: "Formula", with_symbols: bool) -> None:
    """Print a formula's title and equations, and on request its symbols, conventions and source."""
    from workbench.render.formatting import format_value
    from workbench.render.formula import draw_formula
    from workbench.render.question import wrap_text

    print(f"{formula.title}  ({formula.id})\n")
    print(indent(draw_formula(formula), "    "), end="\n\n")
    if not with_symbols:
        return
    for symbol in formula.symbols.values():
        unit = f" [{symbol.unit}]" if symbol.unit else ""
        default = "" if symbol.default is None else f"; default: {format_value(symbol.default)}"
        print(f"  {symbol.name:<12}{symbol.meaning}{unit}; {symbol.describe_domain()}{default}")
    if formula.conventions:
        print(f"\n{wrap_text(formula.conventions)}")
    print(f"\nSource: {formula.source}")
    required = [name for name in formula.inputs if formula.symbols[name].is_required]
    print(f"Next: workbench calc {formula.id} {' '.join(f'{name}=...' for name in required)}")
