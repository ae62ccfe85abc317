"""`workbench doctor`: versions, devices, paths, and what is missing."""

import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import typer

from workbench.cli.reply import Json, say_json

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
# Asked in a process of its own: importing torch here would cost every caller seconds, and may fail.
DEVICES = """
import json, torch
found = ["cpu"] + [f"cuda:{k} {torch.cuda.get_device_name(k)}" for k in range(torch.cuda.device_count())]
if torch.backends.mps.is_available(): found.append("mps")
print(json.dumps(found))
"""


@app.command(epilog="Example: workbench doctor --json")
def doctor(as_json: Json = False) -> None:
    """Versions, devices, paths, and what is missing. Exit code 1 where something is."""
    python, packages, devices = platform.python_version(), {name: _version(name) for name in PACKAGES}, _devices()
    paths, problems = _paths()
    problems += _packs()
    problems += [f"{name} is not installed: run 'uv sync'." for name, installed in packages.items() if not installed]
    if not devices:
        problems.append("PyTorch doesn't start: networks can't be trained; drills can.")
    if as_json:
        say_json(dict(python=python, packages=packages, devices=devices, paths=paths, problems=problems))
    else:
        print(f"Python {python}")
        for name, installed in packages.items():
            print(f"  {name:<14}{installed or 'missing'}")
        print("Devices:", ", ".join(devices) or "none")
        for name, path in paths.items():
            print(f"{name}: {path}")
        print("\n".join(problems) or "Nothing is missing. Next: workbench quiz")
    raise typer.Exit(1 if problems else 0)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _devices() -> list[str]:
    try:
        asked = subprocess.run([sys.executable, "-P", "-c", DEVICES], capture_output=True, text=True, timeout=120)
        return json.loads(asked.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []


def _packs() -> list[str]:
    from quizzes import packs

    return [pack.summarize_problems() for pack in packs.all_packs() if pack.problems]


def _paths() -> tuple[dict[str, str], list[str]]:
    from workbench.errors import UserError
    from workbench.paths import data_dir
    from workbench.store import Store

    paths = {"Study and runs": str(data_dir())}
    try:
        with Store() as store:
            paths["Study file"] = f"{store.path} ({len(store.attempts())} attempts)"
    except UserError as problem:
        return paths, [str(problem)]
    return paths, []
