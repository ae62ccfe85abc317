"""`workbench topics`: the syllabus, what covers it, and how each system is run."""

from dataclasses import asdict
from typing import Annotated

import typer

from workbench.cli.reply import Json, say_json

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench topics --missing")
def topics(
    missing: Annotated[bool, typer.Option("--missing", help="Only what is not there yet.")] = False,
    systems: Annotated[bool, typer.Option("--systems", help="How each network, method and algorithm is run.")] = False,
    as_json: Json = False,
) -> None:
    """The syllabus: every topic, and what covers it."""
    from workbench import syllabus
    from workbench.engine.methods import METHODS

    methods = {name: method.command for name, method in METHODS.items()}
    if systems:
        _systems(syllabus.systems(methods), as_json)
        return
    rows = [row for row in syllabus.coverage(methods) if row.missing or not missing]
    if as_json:
        say_json([asdict(row) for row in rows])
        return
    chapter = None
    for row in rows:
        if row.chapter != chapter:
            chapter = row.chapter
            print(f"\n{syllabus.chapters()[chapter]}")
        if missing:
            print(f"  {row.topic:<32}{', '.join(row.missing)}")
        else:
            covered = f"{len(row.drills)} drills, {len(row.cards)} cards, {len(row.systems)} systems"
            print(f"  {row.topic:<32}{covered}{', not complete' if row.missing else ''}")
    print("\nNext: workbench quiz TOPIC, or workbench topics --missing")


def _systems(found: dict[str, tuple[str, str]], as_json: bool) -> None:
    if as_json:
        say_json([{"system": name, "what": what, "command": command} for name, (what, command) in found.items()])
        return
    for name, (what, command) in found.items():
        print(f"{name:<20}{what:<12}{command}")
