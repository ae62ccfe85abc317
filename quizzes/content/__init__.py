"""The questions, by topic: `quizzes/content/<chapter>/<topic>/`, with the ids of the syllabus and underscores.

    formulas.py   formulas; a folder `formulas/` of several files if they are many
    drills.py     drills about them; a folder `drills/` of several files if they are many
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


def files(name: str, topic: Path | None = None) -> Iterator[Path]:
    """Yield the files of a name, such as `drills.py`, and those in a folder of the name, `drills/`.

    Args:
        name: The name of the file.
        topic: The folder of the topic; None for all topics.
    """
    for folder in topic_folders().values() if topic is None else [topic]:
        if (file := folder / name).is_file():
            yield file
        yield from (file for file in sorted(file.with_suffix("").glob("*.py")) if file.name != "__init__.py")


def topic_folder(file: Path) -> Path:
    """Return the folder of the topic that a file belongs to."""
    return next(folder for folder in topic_folders().values() if file.is_relative_to(folder))


def load(file: Path) -> ModuleType:
    """Import a module of a topic."""
    folder = topic_folder(file)
    return import_module(".".join((__name__, *file.with_suffix("").parts[len(folder.parts) - 2 :])))


def source(module: str) -> Path | None:
    """Return the file of a module of a topic or a chapter, without importing it; None if there is none."""
    names = module.split(".")[2:]
    for root in map(Path, __path__):
        for file in (root.joinpath(*names).with_suffix(".py"), root.joinpath(*names, "__init__.py")):
            if names and file.is_file():
                return file
    return None
