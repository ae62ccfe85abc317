"""The tasks: what a network is trained for. Each has a dataset, a loss, metrics, a baseline and visualizations.

A task is one file here that ends in `TASK = Kind(data="iris", title="...")`. If the dataset's declaration does not have
a property of the task, that call has it too, as a literal:

    TASK = LanguageModeling(
        data="help-topics",
        title="predict the next character of a text",
        inputs=dict(tokens="int64[length]"),                 # of one sample
        outputs=dict(logits="float32[length, vocabulary]"),
        metrics=dict(perplexity="min", accuracy="max"),      # which way is better; the first decides what is best
        accepts="text",                                      # the kind of the user's own data that it learns, too
    )

What a task on pairs of texts reads, outputs and measures is `TRANSLATION`. The name of a task on the user's own data,
such as a table (`csv:PATH`) or images (`folder:PATH`, `coco:IMAGES:ANNOTATIONS`, `masks:IMAGES:MASKS`), is that of the
data.

`names` and `info` read the declarations as text and import no torch: with them, a network is sized to its data before
either is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.tensor_spec import TensorSpec, parse_all
from workbench import data
from workbench.errors import UserError, lookup
from workbench.literals import literal

if TYPE_CHECKING:
    from workbench.tasks.base import Task

OWN = tuple(data.OWN)  # prefixes of the names of tasks on the user's own data

CLASSIFICATION = {"accuracy": "max", "f1": "max", "top5": "max", "auc": "max"}
REGRESSION = {"r2": "max", "mse": "min", "mae": "min"}
TRANSLATION = dict(
    inputs=dict(source="int64[source_length]", target_in="int64[target_length]"),
    outputs=dict(logits="float32[target_length, target_vocabulary]"),
    metrics=dict(bleu="max", exact_match="max", token_accuracy="max", forced_accuracy="max"),
    options=("label_smoothing",),
)
LABEL_OPTIONS = ("label_smoothing", "class_weights")
LOSS_OPTIONS = (*LABEL_OPTIONS, "pixel_loss")


@dataclass(frozen=True)
class TaskInfo:
    """A description of a task.

    Attributes:
        name: Its name; for the user's own data their whole path, valid in any folder.
        title: What is learned, in a few words.
        data: The name of its dataset.
        inputs: The tensors of one sample, by name. Images are resized to what a network reads.
        outputs: The tensors that a network returns for one sample, by name.
        sizes: The sizes that the data decide, each with the values that fit; the first is the default.
        metrics: Metric -> `max` or `min`, whichever is better. The first one decides which checkpoint is best.
        options: The options of its loss.
    """

    name: str
    title: str
    data: str
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    sizes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    def mode(self, metric: str) -> str:
        """Return `max` or `min`, whichever is better for a metric.

        Raises:
            UserError: If the task has no such metric.
        """
        return lookup(f"metric of {self.name}", metric, {**self.metrics, "loss": "min"})


def names() -> list[str]:
    """Return the names of all tasks but those on the user's own data."""
    return sorted(_declared())


@cache
def _declared() -> dict[str, dict[str, Any]]:
    """Return the keywords of each task's declaration."""
    declarations = {}
    for file in Path(__file__).parent.glob("*.py"):
        if keywords := literal(file, "TASK"):
            declarations[file.stem.replace("_", "-")] = keywords
    return declarations


def info(name: str) -> TaskInfo:
    """Return the description of a task without importing torch.

    Raises:
        UserError: If there is no such task, or its data can't be used.
    """
    if name.startswith(OWN):
        dataset = data.info(name)
        _, keywords = _accepting(dataset) or ("", {})
        return describe(dataset.name, dataset.title, keywords, dataset.name)
    keywords = lookup("task", name, _declared())
    return describe(keywords["data"], keywords["title"], keywords, name)


def describe(data_name: str, title: str, declared: Mapping[str, Any], name: str = "") -> TaskInfo:
    """Return the description of a task on a dataset.

    Args:
        data_name: The dataset.
        title: What is learned.
        declared: `inputs`, `outputs`, `metrics` and `options`, where they don't follow from the dataset.
        name: The task's name; the dataset's by default.
    """
    dataset = data.info(data_name)
    declared = {**TRANSLATION, **declared} if dataset.modality == "pairs" else declared
    classes = len(dataset.classes)
    is_image = len(dataset.shape) == 3
    shape = ", ".join(map(str, dataset.shape))
    # For two classes, a network may return one logit or two.
    sizes: dict[str, tuple[int, ...]] = {size: (value,) for size, value in dataset.sizes.items()}
    sizes["outputs"] = (classes,) if classes > 2 else (1, 2) if classes else (1,)
    if classes:
        sizes["classes"] = (classes,)
    if len(dataset.shape) == 1 and dataset.modality == "table":
        sizes["features"] = dataset.shape
    metrics = dict(CLASSIFICATION if classes else REGRESSION)
    if classes <= 5:
        metrics.pop("top5", None)
    return TaskInfo(
        name=name or dataset.name,
        title=title,
        data=dataset.name,
        inputs=parse_all(declared.get("inputs") or {"image" if is_image else "features": f"float32[{shape}]"}),
        outputs=parse_all(declared.get("outputs") or {"logits" if classes else "value": "float32[outputs]"}),
        sizes=sizes,
        metrics=declared.get("metrics") or metrics,
        options=tuple(declared.get("options", LABEL_OPTIONS if classes and "outputs" not in declared else ())),
    )


def get(name: str) -> "Task":
    """Return a task. Imports torch.

    Raises:
        UserError: If there is no such task, or its data can't be used.
    """
    task_info = info(name)
    if not name.startswith(OWN):
        task: Task = import_module(f"workbench.tasks.{name.replace('-', '_')}").TASK
        return task
    from workbench.tasks.classification import Classification
    from workbench.tasks.image_classification import ImageClassification
    from workbench.tasks.regression import Regression
    from workbench.tasks.translation import Translation

    dataset = data.info(task_info.data)
    if dataset.modality == "pairs":
        return Translation(data=dataset.name, title=dataset.title)
    if accepting := _accepting(dataset):
        declared_task = get(accepting[0])
        return type(declared_task)(**{**declared_task.declared, "data": dataset.name, "title": dataset.title})
    table_kind = Classification if dataset.classes else Regression
    kind = ImageClassification if len(dataset.shape) == 3 else table_kind
    return kind(data=dataset.name, title=dataset.title)


def _accepting(dataset: data.DataSet) -> tuple[str, dict[str, Any]] | None:
    """Return the task, and its declaration, that learns the user's own data of this kind; None for other kinds.

    Raises:
        UserError: If there is none.
    """
    # `get` names the tasks of these kinds.
    if dataset.modality in ("table", "images", "pairs"):
        return None
    for name, keywords in _declared().items():
        if keywords.get("accepts") == dataset.modality:
            return name, keywords
    raise UserError(f"No task learns {dataset.modality} such as {dataset.name}.")
