"""The options that apply to a choice of network, optimizer and so on, and the messages about those that don't."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import models
from workbench import tasks
from workbench.engine.spec.options import OPTIONS
from workbench.engine.spec.sections import INITS, OPTIMIZERS, SCHEDULES
from workbench.errors import UserError, lookup, unknown_name

STATE_DICTS = ("torchvision", "timm")  # references that publish weights as state dicts
# The options that a family's recipe may set, unless the user does.
RECIPE = (
    *("epochs", "batch_size", "accumulate", "schedule", "warmup", "weight_decay", "decay_on"),
    *("clip_norm", "label_smoothing", "ema", "lr"),
)
FRESH = {  # options that don't apply to a network that begins with fresh weights -> message
    "freeze": "Fresh weights can't be frozen: say which weights to begin with, by --from or --weights.",
    "layer_decay": "layer_decay is for weights that were trained before: say which, by --from or --weights.",
    "part": "part is for weights of another run: say which, by --from.",
}
LOSS_NEEDS = {"pixel_loss": "classes of pixels"}
CHOICES: Mapping[str, Mapping[str, type]] = {"optimizer": OPTIMIZERS, "schedule": SCHEDULES, "init": INITS}
COMMON = {"lr", "weight_decay", "decay_on", "warmup"}  # of every optimizer or schedule


def names(section: type) -> list[str]:
    """Return the names of a section's fields."""
    return [field.name for field in fields(section)]


def inapplicable(model: str, optimizer: str, schedule: str, init: str | None) -> dict[str, str]:
    """Return the options that don't apply to these choices, each with the message for a user who sets it."""
    messages = {}
    for choice, name in (("optimizer", optimizer), ("schedule", schedule)):
        sections = CHOICES[choice]
        for option in dict.fromkeys(option for section in sections.values() for option in names(section)):
            if option not in names(sections[name]):
                others = " or ".join(other for other, section in sections.items() if option in names(section))
                messages[option] = f"The {choice} {name} has no {option}: use {others}."
    if optimizer == "gd":
        messages["batch_size"] = "gd uses the whole training set at each step: leave batch_size out, or use sgd."
    if init is None or "init_scale" not in names(INITS[init]):
        others = " or ".join(other for other, section in INITS.items() if "init_scale" in names(section))
        messages["init_scale"] = f"Only the init {others} has an init_scale: leave it out."
    for option, method in {"dropout": "dropout", "batch_norm": "batch normalization"}.items():
        if option not in models.arguments(model):
            messages[option] = f"{model} has no {method} to set: use a network that has, such as mlp."
    if models.info(model).reference not in STATE_DICTS:
        messages["weights"] = (
            f"There are no published weights for {model}: begin with a run or a checkpoint, by --from."
        )
    if "image" not in models.info(model).inputs:
        messages["augment"] = (
            f"Augmentation is for images, and {model} reads none: use a network such as lenet5-modern."
        )
    return messages


def applicable(selection: Mapping[str, Any]) -> list[str]:
    """Return the options that apply to a selection.

    Args:
        selection: The `model`, and `task`, `optimizer`, `schedule`, `init`, `origin` and `weights` unless they have
            their defaults. The user's own data are not read.

    Raises:
        UserError: If a name is unknown.
    """
    is_own = "task" in selection and selection["task"] not in tasks.names()
    choices = ("model", "optimizer", "schedule", "init", *([] if is_own else ["task"]))
    options = fill({name: selection[name] for name in choices if name in selection})
    without = set(inapplicable(options["model"], options["optimizer"], options["schedule"], options.get("init")))
    if not is_own:
        without |= {name for name in tasks.LOSS_OPTIONS if not has_option(options["task"], name)}
        if not _has_labels(options["task"]):
            without.add("label_noise")
    if not (selection.get("origin") or selection.get("weights")):
        without |= set(FRESH)
    elif not selection.get("origin"):
        without.add("part")
    return [name for name in OPTIONS if name not in without]


def fill(values: Mapping[str, Any], use_recipe: bool = True) -> dict[str, Any]:
    """Return the options of a run, checked, with the defaults of the choices and of the network's recipe.

    Args:
        values: Option -> value; None is the same as leaving it out.
        use_recipe: Whether the recipe of the network's family sets the options that are left out.

    Raises:
        UserError: If they can't be run.
    """
    for name in values:
        if name not in OPTIONS:
            raise unknown_name("option of a run", name, list(OPTIONS))
    options = {name: OPTIONS[name].check(name, value) for name, value in values.items() if value is not None}
    architecture = models.info(options["model"])
    for name, option in OPTIONS.items():
        if option.default is not None:
            options.setdefault(name, option.default)
    if options["preset"] not in architecture.presets:
        raise unknown_name(f"preset of {architecture.name}", options["preset"], list(architecture.presets))
    options["task"] = _task(options.get("task", architecture.task))
    _check_initial_weights(options)
    if use_recipe:
        _fill_from_recipe(options)
    options.setdefault("schedule", "constant")
    _check(options)
    options.setdefault("accumulate", 1)
    options.setdefault("label_smoothing", 0.0)
    options.setdefault("batch_size", "full" if options["optimizer"] == "gd" else 32)
    return options


def has_option(task: str, name: str) -> bool:
    """Return whether a task's loss has an option; always true for the user's own data, which are checked later."""
    return task.startswith(tasks.OWN) or name in tasks.info(task).options


def _has_labels(task: str) -> bool:
    """Return whether each sample of a task has one class, which may be replaced by another."""
    of_pixels = not task.startswith(tasks.OWN) and has_option(task, "pixel_loss")
    return has_option(task, "class_weights") and not of_pixels


def _task(name: str) -> str:
    if name.startswith(tasks.OWN):  # the user's own data, by an absolute path; read when training starts
        kind, _, path = name.partition(":")
        if kind in ("coco", "masks"):  # two paths
            return ":".join([kind, *map(_absolute, filter(None, path.rpartition(":")[::2]))])
        return f"{kind}:{_absolute(path)}"
    if name not in tasks.names():
        raise unknown_name("task", name, tasks.names())
    return name


def _check_initial_weights(options: dict[str, Any]) -> None:
    origin, weights, model = options.get("origin"), options.get("weights"), options["model"]
    if origin is not None and weights is not None:
        raise UserError("Begin with the weights of a run (--from) or with published ones (--weights), not both.")
    for name in ("origin", "weights"):  # absolute paths; read when training starts
        value = options.get(name)
        if value is not None and (name == "weights" or Path(value).suffix or "/" in value or "\\" in value):
            options[name] = _absolute(value)
    for name, message in FRESH.items():
        if name in options and origin is None and (weights is None or name == "part"):
            raise UserError(message)
    if "part" in options:
        parts = dict.fromkeys([*models.info(model).parts, "backbone"])
        lookup(f"part of {model}", options["part"], parts)
    if "freeze" in options and "layer_decay" in options:
        raise UserError("With a frozen backbone, only one layer is trained: leave layer_decay or freeze out.")


def _fill_from_recipe(options: dict[str, Any]) -> None:
    """Set the options that are left out to those of the family's recipe, if they apply to the others."""
    recipe, optimizer = models.info(options["model"]).recipe, options["optimizer"]
    for name in RECIPE:
        applies = name in recipe and not (
            (name == "epochs" and "steps" in options)
            or (name == "lr" and optimizer not in ("adam", "adamw"))
            or (name == "batch_size" and optimizer == "gd")
            or (name == "accumulate" and (optimizer == "gd" or options.get("batch_size") == "full"))
            or (name == "clip_norm" and "clip_value" in options)
            or (name == "label_smoothing" and not has_option(options["task"], name))
        )
        if applies:
            options.setdefault(name, recipe[name])


def _check(options: dict[str, Any]) -> None:
    if "epochs" in options and "steps" in options:
        raise UserError("Give epochs or steps, not both.")
    messages = inapplicable(options["model"], options["optimizer"], options["schedule"], options.get("init"))
    for name, message in messages.items():
        if options.get(name) not in (None, {}) and (name, options[name]) != ("batch_size", "full"):
            raise UserError(message)
    if options.get("clip_norm") and "clip_value" in options:
        raise UserError("Give clip_norm or clip_value, not both.")
    task = options["task"]
    for name in tasks.LOSS_OPTIONS:
        if options.get(name) and not has_option(task, name):
            raise UserError(
                f"The task {task} has no {name}: leave it out, or use a task with {LOSS_NEEDS.get(name, 'classes')}."
            )
    if options["label_noise"] and not _has_labels(task):
        raise UserError(f"The task {task} has no labels to change: leave label_noise out, or use one with classes.")
    if "monitor" in options and not task.startswith(tasks.OWN):
        tasks.info(task).mode(options["monitor"])


def _absolute(path: str) -> str:
    """Return an absolute path.

    Raises:
        UserError: If it begins with the home directory of an unknown user.
    """
    try:
        return str(Path(path).expanduser().absolute())
    except RuntimeError:
        raise UserError(
            f"{path[:200]} begins with the home directory of an unknown user: write the full path."
        ) from None
