"""What a network is trained for: data, loss, metrics, the floor it must beat, and pictures of what it says."""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.naming import unknown

if TYPE_CHECKING:
    from workbench.tasks.task import Task


@cache
def names() -> list[str]:
    """Every task's name: the files here that declare one. No torch is needed to know them."""
    here = Path(__file__).parent
    return sorted(
        file.stem.replace("_", "-") for file in here.glob("*.py") if "\nTASK = " in file.read_text(encoding="utf-8")
    )


def get(name: str) -> "Task":
    """The task of that name. Imports torch.

    Raises:
        BadInput: There is no task of that name.
    """
    if name not in names():
        raise unknown("task", name, names())
    return import_module(f"workbench.tasks.{name.replace('-', '_')}").TASK
