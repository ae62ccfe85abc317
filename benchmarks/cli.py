"""Processor time of `workbench` commands relative to `--help` of a Typer program that does nothing.

    PYTHONPYCACHEPREFIX=/tmp/pycache python benchmarks/cli.py [PAIRS] [--dry]

The two programs run in turn, so that both meet the same load; the ratio is the median over the pairs.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import _options

HELLO = """
import typer

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command()
def hello(name: str = "world"):
    "Say hello."
    print("Hello", name)


app()
"""
COMMANDS = [["--help"], ["topics"], ["drill", "list"], ["drill", "show", "iou", "--seed", "1", "--json"]]


def processor_seconds(command: list[str]) -> float:
    """Run a command and return its processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(pairs: int) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "workbench-pycache"))
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO, encoding="utf-8")
        bare = [sys.executable, "-P", str(hello), "--help"]
        for words in COMMANDS:
            ours = [sys.executable, "-P", "-m", "workbench.cli.main", *words]
            processor_seconds(bare), processor_seconds(ours)  # bytecode and caches are written
            times = [(processor_seconds(ours), processor_seconds(bare)) for _ in range(pairs)]
            ratio = median(a / b for a, b in times)
            print(
                f"workbench {' '.join(words):<32} {median(a for a, _ in times) * 1000:7.0f} ms"
                f"  bare hello {median(b for _, b in times) * 1000:5.0f} ms  ratio {ratio:.2f}"
            )


if __name__ == "__main__":
    main(_options.read(__doc__, "PAIRS", 15, dry=1).count)
