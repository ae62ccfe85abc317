"""`workbench doctor`: versions, devices, paths and problems."""

import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import typer

from workbench.cli.output import Json, print_json

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
def doctor(as_json: Json = False) -> None:
    """Show versions, devices and paths, and report problems.

    Exit code 0: no problem. 1: at least one.
    """
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

    paths = {"Study and runs": str(data_dir())}
    try:
        with Store() as store:
            paths["Study file"] = f"{store.path} ({len(store.attempts())} attempts)"
    except UserError as error:
        return paths, [str(error)]
    return paths, []
