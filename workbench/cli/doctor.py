"""`workbench doctor`: versions, devices, paths and problems; with `--repair`, the repair of the study file."""

import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.output import Json, plural, print_json

if TYPE_CHECKING:
    from workbench.store.repair import Contents, Repair

app = typer.Typer(add_completion=False, rich_markup_mode=None)

PACKAGES = [
    "workbench",
    "textual",
    "rich",
    "typer",
    "sympy",
    "torch",
    "torchvision",
    "numpy",
    "scikit-learn",
    "fsrs",
    "sacrebleu",
]
# Runs in a separate process, because importing torch may fail.
DEVICES = """
import json, torch
devices = ["cpu"] + [f"cuda:{k} {torch.cuda.get_device_name(k)}" for k in range(torch.cuda.device_count())]
if torch.backends.mps.is_available(): devices.append("mps")
print(json.dumps(devices))
"""


@app.command(epilog="Example: workbench doctor --json")
def doctor(
    should_repair: Annotated[
        bool,
        typer.Option("--repair", help="Check the study file, and restore the newest sound backup if it is damaged."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show versions, devices and paths, and report problems.

    Exit code 0: no problem. 1: at least one.
    """
    if should_repair:
        repair_study_file(as_json)
        return
    python, devices = platform.python_version(), _devices()
    packages = {name: _version(name) for name in PACKAGES}
    paths, problems = _paths()
    problems += _packs()
    problems += [f"{name} is not installed: run 'uv sync'." for name, installed in packages.items() if not installed]
    if not devices:
        problems.append("PyTorch doesn't start, so networks can't be trained; drills work. Run 'uv sync'.")
    if as_json:
        print_json(dict(python=python, packages=packages, devices=devices, paths=paths, problems=problems))
    else:
        print(f"Python {python}")
        for name, installed in packages.items():
            print(f"  {name:<14}{installed or 'missing'}")
        print("Devices:", ", ".join(devices) or "none")
        for name, path in paths.items():
            print(f"{name}: {path}")
        print("\n".join(problems) or "No problems. Next: workbench quiz")
    raise typer.Exit(1 if problems else 0)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _devices() -> list[str]:
    try:
        process = subprocess.run([sys.executable, "-P", "-c", DEVICES], capture_output=True, text=True, timeout=120)
        devices: list[str] = json.loads(process.stdout)
        return devices
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []


def _packs() -> list[str]:
    from workbench.user_bank import user_packs

    return [pack.summarize_problems() for pack in user_packs() if pack.problems]


def _paths() -> tuple[dict[str, str], list[str]]:
    from workbench.errors import UserError
    from workbench.paths import data_dir
    from workbench.store import Store
    from workbench.store.repair import inspect

    paths = {"Study and runs": str(data_dir())}
    try:
        with Store() as store:
            paths["Study file"] = f"{store.path} ({len(store.attempts())} attempts)"
            contents = inspect(store.path)
    except UserError as error:
        return paths, [str(error)]
    what = f"is damaged ({contents.damage})" if contents.damage else "has rows that can't be read"
    problem = f"{store.path} {what}. Run 'workbench doctor --repair'."
    return paths, [problem] if contents.damage or contents.is_odd else []


def repair_study_file(as_json: bool) -> None:
    """Check the study file, repair it, and print what was found and what is lost.

    Exit code 0: it is sound now. 1: it is damaged, and there is no sound backup.

    Raises:
        UserError: If the file can't be read or written.
    """
    import sqlite3

    from workbench.errors import UserError
    from workbench.paths import data_dir
    from workbench.store.repair import repair

    path = data_dir() / "study.sqlite"
    try:
        result = repair(path)
    except sqlite3.Error as error:
        message = f"{path} can't be checked now ({error}). Close other programs that use it, then try again."
        raise UserError(message) from error
    except OSError as error:
        raise UserError(f"{path} can't be repaired ({error.strerror}). Nothing was changed.") from error
    if as_json:
        print_json(dict(file=str(path), **_to_json(result)))
    else:
        print("\n".join(_sentences(str(path), result)))
    raise typer.Exit(1 if result.status == "not_restored" else 0)


def _to_json(result: "Repair") -> dict[str, Any]:
    copy = None
    if result.copy:
        copy_path, contents = result.copy
        copy = dict(file=str(copy_path), attempts=contents.attempts, last_attempt=contents.last_attempt)
    return dict(
        status=result.status,
        damage=result.before.damage or None,
        attempts=(result.copy[1] if result.copy else result.before).attempts,
        odd_attempts=list(result.before.odd_attempts),
        odd_items=[item for item, _ in result.before.odd_items],
        copy=copy,
        moved_to=str(result.moved_to) if result.moved_to else None,
        lost_attempts=result.lost_attempts,
    )


def _sentences(path: str, result: "Repair") -> list[str]:
    """Return what was found and done, for a person."""
    from workbench.store.backups import folder

    before = result.before
    if result.status == "sound":
        return [f"{path} is sound: {plural(before.attempts, 'attempt')}. Nothing was changed."]
    if result.status == "not_restored":
        return [
            f"{path} is damaged ({before.damage}), and there is no sound backup in {folder(Path(path))}.",
            "Nothing was changed. Move the file away to start from scratch.",
        ]
    if result.status == "cleaned":
        lines = [f"{path} is sound, but has rows that can't be read."]
        if before.odd_attempts:
            lines.append(f"{plural(len(before.odd_attempts), 'attempt')} removed.")
        lines += [
            f"{item}: {value!r} can't be read. It is due now, and its reviews start over."
            for item, value in before.odd_items
        ]
        return [*lines, f"The file from before is {result.moved_to}."]
    assert result.copy
    copy, contents = result.copy
    return [
        f"{path} was damaged ({before.damage}).",
        f"Restored {copy}: {plural(contents.attempts, 'attempt')}{_until(contents)}.",
        f"Lost: {_lost(result)}",
        f"The damaged file is {result.moved_to}. Restart other workbench programs that are open.",
    ]


def _until(contents: "Contents") -> str:
    return f", the last at {contents.last_attempt}" if contents.last_attempt else ""


def _lost(result: "Repair") -> str:
    if result.lost_attempts is None:
        return "all attempts after that. They can't be counted."
    return f"{plural(result.lost_attempts, 'attempt')} after that, as far as the damaged file can be read."
