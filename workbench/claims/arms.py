"""The arms of a claim: what is compared. An arm is a training run, or a function that measures something else."""

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, ModuleType
from typing import Any

Measures = Mapping[str, float | None]
TrialFunction = Callable[..., float | Measures]


@dataclass(frozen=True)
class RunArm:
    """A training run. No recipe and no later default changes it: what matters is spelled out.

    Attributes:
        model: The network.
        options: Options of the run.
    """

    model: str
    options: Mapping[str, Any]

    def changed(self, options: Mapping[str, Any]) -> "RunArm":
        """Return the arm with other values of some options, or of some arguments of the network (`options`)."""
        merged = {**self.options, **options}
        if "options" in options:
            merged["options"] = {**self.options.get("options", {}), **options["options"]}
        return RunArm(self.model, merged)

    def record(self) -> dict[str, Any]:
        """Return what the arm is, as plain data."""
        return {"model": self.model, **self.options}


@dataclass(frozen=True)
class TrialArm:
    """A function that measures something with a seed; it runs in a worker, and may import torch.

    Attributes:
        function: Takes `seed` and the options by name; returns one value, or several by name.
        options: Its options.
    """

    function: TrialFunction
    options: Mapping[str, Any]

    def changed(self, options: Mapping[str, Any]) -> "TrialArm":
        """Return the arm with other values of some options."""
        return TrialArm(self.function, {**self.options, **options})

    def record(self) -> dict[str, Any]:
        """Return what the arm is, as plain data."""
        return {"function": self.function.__name__, "code": code_hash(self.function), **self.options}


Arm = RunArm | TrialArm


def run(model: str, task: str, *, optimizer: str, lr: float, batch_size: int | str, **options: Any) -> RunArm:
    """Return an arm that is a training run.

    Args:
        model: The network.
        task: The task.
        optimizer: The optimizer.
        lr: The learning rate.
        batch_size: The number of samples per update.
        **options: Further options of a run.
    """
    return RunArm(model, dict(task=task, optimizer=optimizer, lr=lr, batch_size=batch_size, **options))


def trial(function: TrialFunction, **options: Any) -> TrialArm:
    """Return an arm that calls a function with a seed and these options."""
    return TrialArm(function, options)


def code_hash(function: Callable[..., Any]) -> str:
    """Return a hash of a function's source and of what it uses from the claims: functions, classes and constants.

    It stays the same when a function moves to another file.
    """
    sources: dict[str, str] = {}
    _collect(function, sources)
    contents = sorted((name.rpartition(":")[2], source) for name, source in sources.items())
    return hashlib.sha256(json.dumps(contents).encode()).hexdigest()[:16]


def _collect(value: Any, sources: dict[str, str]) -> None:
    module = sys.modules[value.__module__]
    sources[_place(value)] = inspect.getsource(value)
    codes = (
        [value.__code__]
        if inspect.isfunction(value)
        else [member.__code__ for member in vars(value).values() if inspect.isfunction(member)]
    )
    for name in sorted(set().union(*map(_names, codes))):
        used = inspect.unwrap(getattr(module, name, None))  # type: ignore[arg-type]  # of a cached function, itself
        if used is None or isinstance(used, ModuleType) or name.startswith("__"):
            continue
        if inspect.isfunction(used) or inspect.isclass(used):
            is_ours = used.__module__.startswith("workbench.claims.") or used.__module__ == value.__module__
            if is_ours and _place(used) not in sources:
                _collect(used, sources)
        elif " at 0x" not in repr(used):  # a constant; an address is another one in each process
            sources[f"{value.__module__}:{name}"] = repr(used)


def _place(value: Any) -> str:
    return f"{value.__module__}:{value.__qualname__}"


def _names(code: CodeType) -> set[str]:
    """Return the global names that a function uses, those of functions inside it included."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*map(_names, inner))
