"""The questions, by topic: `quizzes/content/<chapter>/<topic>/`, with the ids of the syllabus and underscores.

    formulas.py   formulas
    drills.py     drills about them
    procedures.py procedures that can be stepped through
    checks.py     a function for each drill that computes its answers by PyTorch; only the worker imports it
    cards.toml    flashcards

What several topics of a chapter share is in the chapter's folder.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType


@cache
def topic_folders() -> dict[str, Path]:
    """Return the folder of each topic by its id."""
    folders = [folder for root in map(Path, __path__) for folder in sorted(root.glob("*/*/"))]
    return {folder.name.replace("_", "-"): folder for folder in folders if (folder / "__init__.py").is_file()}


def files(name: str) -> Iterator[Path]:
    """Yield the files of a name, such as `drills.py`, of all topics."""
    return (folder / name for folder in topic_folders().values() if (folder / name).is_file())


def load(file: Path) -> ModuleType:
    """Import a module of a topic."""
    return import_module(".".join((__name__, *file.with_suffix("").parts[-3:])))
