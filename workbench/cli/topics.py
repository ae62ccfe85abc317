"""`workbench topics`: the syllabus, what covers it, and how each system is run."""

from dataclasses import asdict
from typing import Annotated

import typer

from workbench.cli.output import Json, plural, print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench topics --missing")
def topics(
    missing: Annotated[bool, typer.Option("--missing", help="Only topics that are not fully covered.")] = False,
    systems: Annotated[
        bool, typer.Option("--systems", help="Networks, methods and algorithms with the command that runs each.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the topics of the syllabus and what covers each."""
    from workbench import coverage, syllabus
    from workbench.claims import index
    from workbench.engine.methods import METHODS

    methods = {name: method.command for name, method in METHODS.items()}
    if systems:
        _print_systems(coverage.systems(methods), as_json)
        return
    rows = [row for row in coverage.coverage(methods, index.entries()) if row.missing or not missing]
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    if not rows:
        print("Every topic of the syllabus is covered.")
        return
    chapter = None
    for row in rows:
        if row.chapter != chapter:
            chapter = row.chapter
            print(f"\n{syllabus.chapters()[chapter]}")
        if missing:
            print(f"  {row.topic:<32}{', '.join(row.missing)}")
        else:
            counts = (plural(len(row.drills), "drill"), plural(len(row.cards), "card"))
            covered = ", ".join([*counts, plural(len(row.systems), "system"), plural(len(row.claims), "claim")])
            print(f"  {row.topic:<32}{covered}{', incomplete' if row.missing else ''}")
    print("\nNext: workbench quiz TOPIC, or workbench topics --missing")


def _print_systems(systems: dict[str, tuple[str, str]], as_json: bool) -> None:
    if as_json:
        print_json([{"system": name, "kind": kind, "command": command} for name, (kind, command) in systems.items()])
        return
    widest = max(map(len, systems))
    for name, (kind, command) in systems.items():
        print(f"{name:<{widest}}  {kind:<12}{command}")
