"""What a network is trained for: data, loss, metrics, the floor it must beat, and pictures of what it says.

A task is one file here that ends in `TASK = Kind(data="iris", title="...")`; the kinds stand beside them. Where the
data are the user's own, a table (`csv:PATH`) or pictures (`folder:PATH`), their name is the task's as well.

`names` and `info` read declarations as text and import no torch: with them a network is sized to its data before any
is built.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import data
from workbench.errors import lookup
from workbench.literals import literal

if TYPE_CHECKING:
    from workbench.tasks.task import Task

OWN = tuple(data.OWN)  # how the names of tasks on the user's own data begin


@dataclass(frozen=True)
class TaskInfo:
    """What is known of a task without torch.

    Attributes:
        name: What it is called by; of the user's own data with their whole path, good in any folder.
        title: What is learnt, in a few words.
        data: The name of its data set.
        inputs: The shape of one sample as it comes, without the batch: `(4,)`, `(1, 8, 8)`. A picture fits networks of
            other sizes too, since it is resized to what they read; a row of a table fits those alone that read as many.
        outputs: What a network made for it says of one sample: a score a class; one number where it tells a number, or
            between two classes, where two scores do as well.
    """

    name: str
    title: str
    data: str
    inputs: tuple[int, ...]
    outputs: int


def names() -> list[str]:
    """Every task's name: the files here that declare one. The user's own come besides."""
    return sorted(_declared())


@cache
def _declared() -> dict[str, dict[str, str]]:
    """Task -> the words of its declaration."""
    found = {}
    for file in Path(__file__).parent.glob("*.py"):
        if words := literal(file, "TASK"):
            found[file.stem.replace("_", "-")] = words
    return found


def info(name: str) -> TaskInfo:
    """What is known of a task without importing torch.

    Raises:
        UserError: There is no task of that name, or its data can't be learnt from.
    """
    if name.startswith(OWN):
        known = data.info(name)
        name, title = known.name, known.title
    else:
        words = lookup("task", name, _declared())
        known, title = data.info(words["data"]), words["title"]
    return TaskInfo(name, title, known.name, known.shape, len(known.classes) if len(known.classes) > 2 else 1)


def get(name: str) -> "Task":
    """The task of that name. Imports torch.

    Raises:
        UserError: As `info`.
    """
    known = info(name)
    if name.startswith(OWN):
        from workbench.tasks.classification import Classification
        from workbench.tasks.picture_classification import PictureClassification
        from workbench.tasks.regression import Regression

        told = Classification if data.info(known.data).classes else Regression
        kind = PictureClassification if len(known.inputs) == 3 else told
        return kind(data=known.data, title=known.title)
    task: Task = import_module(f"workbench.tasks.{name.replace('-', '_')}").TASK
    return task
