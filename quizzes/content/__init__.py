"""What is asked, by topic: `quizzes/content/<chapter>/<topic>/`, with the ids of the syllabus and underscores.

    formulas.py   formulas
    drills.py     drills about them
    checks.py     a function for each drill that computes its answers by PyTorch; only the worker imports it
    cards.toml    flashcards

What several topics of a chapter share is in the chapter's folder.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent


@cache
def topic_folders() -> dict[str, Path]:
    """Return the folder of each topic by its id."""
    folders = sorted(folder for folder in ROOT.glob("*/*/") if (folder / "__init__.py").is_file())
    return {folder.name.replace("_", "-"): folder for folder in folders}


def files(name: str) -> Iterator[Path]:
    """Yield the files of a name, such as `drills.py`, of all topics."""
    return (folder / name for folder in topic_folders().values() if (folder / name).is_file())


def load(file: Path) -> ModuleType:
    """Import a module of a topic."""
    return import_module(".".join((__name__, *file.relative_to(ROOT).with_suffix("").parts)))
