"""The types of events, which are JSON objects, and the check of events from a file."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired, TypedDict, get_args, get_origin, get_type_hints, is_typeddict

from workbench import untrusted

Metrics = dict[str, float | None]
Split = Literal["train", "validation", "test"]
Status = Literal["done", "stopped", "diverged", "crashed"]
Duration = Annotated[float, "0 or more"]

LARGEST_NUMBER = 1e300  # a chart can subtract two of them
LARGEST_INTEGER = 2**63 - 1  # the largest that TensorBoard and PyTorch accept


class Baseline(TypedDict):
    """The score of a simple method on the test set."""

    method: str
    metric: str
    value: float


class LoadedWeights(TypedDict):
    """The source of the initial weights, the number of tensors that were loaded, and the names that differ."""

    source: str
    part: NotRequired[str]
    loaded: int
    missing: list[str]
    left_over: list[str]
    reason: NotRequired[str]


class EarlyStopping(TypedDict):
    """The step whose weights early stopping restored."""

    restored_step: NotRequired[int]


class _Common(TypedDict):
    schema: NotRequired[int]
    run: NotRequired[str]
    seed: NotRequired[int]
    step: int
    epoch: NotRequired[Duration]
    reason: NotRequired[str]


class Start(_Common):
    """A run starts, or continues from the checkpoint of `step`."""

    event: Literal["start"]
    seconds: Duration
    steps: int
    model: str
    task: str
    preset: str
    params: int
    device: str
    time: NotRequired[Duration]
    key: NotRequired[str]
    epochs: NotRequired[Duration]
    steps_per_epoch: NotRequired[int]
    trainable: NotRequired[int]
    monitor: NotRequired[str]
    terms: NotRequired[list[str]]
    baseline: NotRequired[Baseline]
    initial_weights: NotRequired[LoadedWeights]
    resumed: NotRequired[bool]
    checkpoint: NotRequired[str]
    metrics: NotRequired[Metrics]


class Report(_Common):
    """Means over the updates since the last report."""

    event: Literal["metric"]
    seconds: Duration
    split: Split
    metrics: Metrics


class Evaluation(_Common):
    """The metrics on a split."""

    event: Literal["eval"]
    seconds: Duration
    split: Split
    metrics: Metrics


class Checkpoint(_Common):
    """The checkpoint `last` or `best` was written."""

    event: Literal["checkpoint"]
    checkpoint: str
    seconds: NotRequired[Duration]
    metrics: NotRequired[Metrics]


class End(_Common):
    """The run has ended; `refused` says that its spec can't be run, and `reason` why."""

    event: Literal["end"]
    status: Status
    steps: int
    seconds: Duration
    steps_per_second: Duration
    metrics: Metrics
    validation: NotRequired[Metrics]
    refused: NotRequired[bool]
    early_stopping: NotRequired[EarlyStopping]


Event = Start | Report | Evaluation | Checkpoint | End
KINDS = {get_args(get_type_hints(kind)["event"])[0]: kind for kind in (Start, Report, Evaluation, Checkpoint, End)}
Fits = Callable[[Any], bool]


def parse(line: bytes) -> Event | None:
    """Return the event in a line of a file; None if the line is not a valid event. The file is not trusted."""
    try:
        event = untrusted.parse(line)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    if "floor" in event:  # its name in older runs
        event["baseline"] = event.pop("floor")
    kind = event.get("event")
    if not isinstance(kind, str) or kind not in _CHECKS or not _CHECKS[kind](event):
        return None
    if event.get("refused") and "reason" not in event:
        return None
    cleaned: Event = untrusted.clean(event)
    return cleaned


def _check(hint: Any) -> Fits:
    """Return a function that returns whether a value from JSON is of a type."""
    origin, args = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return _check_fields(hint)
    if hint is Duration:
        return lambda value: _is_number(value) and value >= 0
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in args
    if origin is list:
        fits = _check(args[0])
        return lambda value: isinstance(value, list) and all(map(fits, value))
    if origin is dict:
        return lambda value: (
            isinstance(value, dict) and all(number is None or _is_number(number) for number in value.values())
        )
    return {int: _is_count, float: _is_number, str: _is_text, bool: _is_flag}[hint]


def _check_fields(kind: Any) -> Fits:
    hints = get_type_hints(kind, include_extras=True)
    fields = {
        name: _check(get_args(hint)[0] if get_origin(hint) is NotRequired else hint) for name, hint in hints.items()
    }

    def check(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and all(name in value for name in kind.__required_keys__)
            and all(fits(value[name]) for name, fits in fields.items() if name in value)
        )

    return check


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_INTEGER


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST_NUMBER


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


_CHECKS = {name: _check_fields(kind) for name, kind in KINDS.items()}
