"""Sweeps: configurations that differ in some options, from a grid or at random, ranked on the validation set.

The test set is not used for that, because a configuration chosen by its test metrics looks better than it is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from random import Random
from statistics import mean, stdev
from typing import Any

import models
from workbench import tasks
from workbench.engine.checks import read_named_values
from workbench.engine.content_key import can_extend
from workbench.engine.events import End
from workbench.engine.executor import Executor, OnEvent, Trial
from workbench.engine.methods import WORDS, command
from workbench.engine.spec import RunSpec
from workbench.engine.spec.options import OPTIONS
from workbench.engine.spec.sections import Steps
from workbench.engine.spec.texts import read_option
from workbench.errors import UserError, unknown_name

FIXED = ("model", "task", "seed", "device", "monitor", "options")  # the same in all configurations
LENGTHS = ("epochs", "steps")
MAX_CONFIGURATIONS = 1000
ATTEMPTS = 100  # draws for each configuration, until one is new

Values = dict[str, Any]  # option of a spec, or argument of the network -> its value


@dataclass(frozen=True)
class Range:
    """A range from which numbers are drawn at random.

    Attributes:
        low: The smallest.
        high: The largest.
        is_log: Whether the logarithm of the numbers is uniformly distributed, not the numbers.
        is_integer: Whether they are integers.
    """

    low: float
    high: float
    is_log: bool = False
    is_integer: bool = False

    def draw(self, rng: Random) -> float | int:
        """Return a number with four significant digits, or an integer."""
        if self.is_log:
            value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        elif self.is_integer:
            return rng.randint(int(self.low), int(self.high))
        else:
            value = rng.uniform(self.low, self.high)
        bounded = min(max(float(f"{value:.4g}"), self.low), self.high)
        return round(bounded) if self.is_integer else bounded


def read_lists(model: str, texts: Sequence[str]) -> dict[str, list[Any]]:
    """Return the options of texts such as `lr=0.1,0.01`, with their values.

    Args:
        model: The network. Its arguments can be varied, too.
        texts: An option and its values each, separated by commas outside brackets.

    Raises:
        UserError: If an option is unknown, occurs twice, or has no values or one of them twice.
    """
    lists: dict[str, list[Any]] = {}
    for text in texts:
        name, content = _named(model, text, lists, "--grid lr=0.01,0.1")
        values = [_read(model, name, value) for value in _split(content)]
        if any(value in values[:index] for index, value in enumerate(values)):
            raise UserError(f"{name} has a value twice in {content[:60]!r}. Give each value once.")
        lists[name] = values
    return lists


def read_ranges(model: str, texts: Sequence[str], lists: Mapping[str, Any]) -> dict[str, Range]:
    """Return the options of texts such as `lr=1e-4..0.1:log`, with their ranges.

    Args:
        model: The network. Its arguments can be varied, too.
        texts: An option and its range each.
        lists: The options that are varied over lists of values.

    Raises:
        UserError: If an option is unknown or occurs twice, or a range is not one of numbers, or empty.
    """
    ranges: dict[str, Range] = {}
    for text in texts:
        name, content = _named(model, text, {**lists, **ranges}, "--range lr=1e-4..0.1:log")
        bounds, _, scale = content.partition(":")
        low, high = (_read(model, name, bound) for bound in _bounds(name, bounds))
        for bound in (low, high):
            if isinstance(bound, bool) or not isinstance(bound, (int, float)) or not math.isfinite(bound):
                raise UserError(f"{name} has no range of numbers. Use --grid {name}=...")
        if scale not in ("", "log"):
            raise UserError(f"A range ends in :log, or in its largest number, not in {scale[:60]!r}.")
        if not low < high:
            raise UserError(f"The range of {name} is empty. Give the smaller number first: {high:g}..{low:g}.")
        if scale and low <= 0:
            raise UserError(f"The logarithmic range of {name} must begin above 0, not at {low:g}.")
        ranges[name] = Range(low, high, bool(scale), isinstance(low, int) and isinstance(high, int))
    return ranges


def _named(model: str, text: str, others: Mapping[str, Any], example: str) -> tuple[str, str]:
    """Return the option that a text begins with, and the rest."""
    word, _, content = text.partition("=")
    if not content.strip():
        raise UserError(f"{text[:60]!r} has no values. Write, for example, {example}.")
    name = {word: name for name, word in WORDS.items() if name not in FIXED}.get(word, word.replace("-", "_"))
    options = [option for option in OPTIONS if option not in FIXED]
    if name in FIXED:
        raise UserError(f"{name} must be the same in all configurations. Run a sweep for each of its values.")
    if name not in options and name not in models.arguments(model):
        raise unknown_name("option", word, [*options, *models.arguments(model)])
    if name in others:
        raise UserError(f"{name} is varied twice. Give all its values at once.")
    return name, content.strip()


def _bounds(name: str, text: str) -> list[str]:
    bounds = [bound.strip() for bound in text.split("..")]
    if len(bounds) != 2 or not all(bounds):
        raise UserError(f"A range is written {name}=LOW..HIGH or {name}=LOW..HIGH:log, not {text[:60]!r}.")
    return bounds


def _read(model: str, name: str, text: str) -> Any:
    if name in OPTIONS:
        return read_option(name, {"true": "yes", "false": "no"}.get(text, text))
    return read_named_values([f"{name}={text}"])[name]


def _split(text: str) -> list[str]:
    """Split a text at the commas outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(character, 0)
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    values = [part.strip() for part in parts]
    if not all(values):
        raise UserError(f"A value is missing in {text[:60]!r}.")
    return values


def grid(lists: Mapping[str, Sequence[Any]]) -> list[Values]:
    """Return all combinations of values.

    Raises:
        UserError: If there are too many.
    """
    count = math.prod(map(len, lists.values()))
    if count > MAX_CONFIGURATIONS:
        raise UserError(f"The grid has {count:,} configurations, and {MAX_CONFIGURATIONS} are possible. Use --random.")
    return [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]


def draw(count: int, lists: Mapping[str, Sequence[Any]], ranges: Mapping[str, Range], seed: int) -> list[Values]:
    """Return different configurations, drawn at random. Those of a smaller count are the first of a larger one.

    Raises:
        UserError: If the count is out of range, or there are fewer different configurations.
    """
    if not 1 <= count <= MAX_CONFIGURATIONS:
        raise UserError(f"--random must be an integer from 1 to {MAX_CONFIGURATIONS}, not {count}.")
    rng = Random(seed)
    configurations: list[Values] = []
    for _ in range(count * ATTEMPTS):
        values = {name: rng.choice(values) for name, values in lists.items()}
        values |= {name: numbers.draw(rng) for name, numbers in ranges.items()}
        if values not in configurations:
            configurations.append(values)
        if len(configurations) == count:
            return configurations
    raise UserError(f"There are not {count} different configurations, but about {len(configurations)}. Use --grid.")


def halvings(count: int, eta: int, length: int) -> list[tuple[int, int]]:
    """Return the rounds of successive halving: the number of configurations and their length in each.

    Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization (2016), with
    epochs or steps as the budget: after each round, the best 1/eta continue, up to eta times the length.

    Raises:
        UserError: If eta is below 2, or there are fewer than eta configurations.
    """
    if eta < 2:
        raise UserError(f"--halving must be an integer of at least 2, not {eta}.")
    if count < eta:
        raise UserError(f"--halving {eta} needs {eta} or more configurations, not {count}. Leave it out.")
    rounds = 0
    while eta ** (rounds + 1) <= min(count, length):
        rounds += 1
    return [(count // eta**k, length // eta ** (rounds - k)) for k in range(rounds + 1)]


@dataclass
class Configuration:
    """A configuration with the trials of its seeds.

    Attributes:
        values: The values of the options that are varied.
        spec: The complete configuration, with its full length. Each trial has another seed.
        trials: The trials of its last round that have ended, in the order of their seeds.
        length: The epochs or steps of that round.
        rounds: The number of rounds in which it was trained.
    """

    values: Values
    spec: RunSpec
    trials: list[Trial] = field(default_factory=list)
    length: int = 0
    rounds: int = 0

    @property
    def ends(self) -> list[End]:
        """The last events of the trials that are done."""
        return [trial.end for trial in self.trials if trial.end is not None and trial.end["status"] == "done"]

    def scores(self, metric: str) -> list[float]:
        """Return a validation metric of each seed at the end of its run; none of seeds that failed."""
        scores = [end.get("validation", {}).get(metric) for end in self.ends]
        return [score for score in scores if score is not None]

    def rank(self, metric: str, sign: int) -> tuple[float, ...]:
        """Return a sort key: the best is first. Configurations of which a seed failed come after the others."""
        scores = self.scores(metric)
        failed = len(self.trials) - len(scores)
        return (-self.rounds, failed if self.trials else math.inf, -sign * mean(scores) if scores else math.inf)

    def label(self) -> str:
        """Return the values of the varied options, as text."""
        return " ".join(f"{name}={value}" for name, value in self.values.items())


class Sweep:
    """The configurations of a sweep, and their ranking.

    Args:
        model: The network.
        fixed: The options that are the same in all configurations.
        varied: For each configuration, the values of the other options.
        seeds: The seeds with which each configuration is trained.
        eta: Successive halving continues with the best 1/eta of the configurations after each round; None to train
            all for the full length.

    Raises:
        UserError: If a configuration can't be run.
    """

    def __init__(self, model: str, fixed: Values, varied: Sequence[Values], seeds: Sequence[int], eta: int | None):
        names = varied[0]
        if twice := [name for name in names if name in fixed or name in fixed.get("options", {})]:
            raise UserError(f"{twice[0]} is set and also varied. Do one of the two.")
        if eta is not None and (lengths := [name for name in LENGTHS if name in names]):
            raise UserError(f"With --halving, {lengths[0]} can't be varied, because --halving sets it.")
        self.model, self.fixed, self.seeds = model, fixed, seeds
        self.configurations = [Configuration(values, self._spec(values)) for values in varied]
        self._configurations: dict[Trial, Configuration] = {}
        spec = self.configurations[0].spec
        self.unit = "steps" if isinstance(spec.length, Steps) else "epochs"
        info = tasks.info(spec.data.task)
        self.metric = spec.evaluation.monitor or next(iter(info.metrics))
        self.sign = 1 if info.mode(self.metric) == "max" else -1
        count = len(self.configurations)
        self.rounds = halvings(count, eta, self._length(spec)) if eta is not None else [(count, 0)]

    def _spec(self, values: Values) -> RunSpec:
        options = {name: value for name, value in values.items() if name in OPTIONS}
        arguments = {name: value for name, value in values.items() if name not in options}
        network = {**self.fixed.get("options", {}), **arguments}
        return RunSpec.create(self.model, **{**self.fixed, **options, "options": network})

    def _length(self, spec: RunSpec) -> int:
        length = spec.length
        return length.steps if isinstance(length, Steps) else length.epochs

    def length(self, configuration: Configuration, index: int) -> int:
        """Return the epochs or steps of a configuration in a round."""
        return self.rounds[index][1] or self._length(configuration.spec)

    def train_round(self, index: int, executor: Executor, reuse: bool, on_event: OnEvent) -> None:
        """Train the configurations of a round, and store their trials.

        Args:
            index: The round.
            executor: Trains them.
            reuse: Whether to reuse runs that were trained before.
            on_event: As for `Executor.map`.

        Raises:
            UserError: If one can't be run. Then the others are stopped.
        """
        survivors = self.survivors(index)
        for configuration in survivors:
            before = {trial.spec.seed: trial for trial in configuration.trials}
            length = self.length(configuration, index)
            spec = configuration.spec.with_options(**{self.unit: length})
            trials = [self._trial(replace(spec, seed=seed), before.get(seed), reuse) for seed in self.seeds]
            configuration.rounds, configuration.length, configuration.trials = index + 1, length, trials
            self._configurations.update(dict.fromkeys(trials, configuration))
            for trial in trials:
                executor.submit(trial)
        for _ in executor.completed([trial for one in survivors for trial in one.trials], on_event):
            pass
        for configuration in survivors:
            configuration.trials = [trial for trial in configuration.trials if trial.end]

    def _trial(self, spec: RunSpec, before: Trial | None, reuse: bool) -> Trial:
        """Return the trial of a spec. It continues the run of the round before if the numbers are the same then."""
        # A run from before the sweep must not change.
        is_own = before is not None and not before.is_reused
        if before is not None and is_own and before.end and before.end["status"] == "done" and can_extend(before.spec):
            return Trial(spec, reuse, before.run, is_extending=True)
        return Trial(spec, reuse)

    def label(self, trial: Trial) -> str:
        """Return the values of the varied options of a trial, as text."""
        return self._configurations[trial].label()

    def survivors(self, index: int) -> list[Configuration]:
        """Return the configurations of a round: all of them in the first, then the best of the round before."""
        return self.ranked()[: self.rounds[index][0]]

    def ranked(self) -> list[Configuration]:
        """Return the configurations, the best first."""
        return sorted(self.configurations, key=lambda one: one.rank(self.metric, self.sign))

    @property
    def best(self) -> Configuration | None:
        """The best configuration; None if all failed."""
        best = self.ranked()[0]
        return best if best.scores(self.metric) else None

    def command(self, configuration: Configuration) -> str:
        """Return the command that trains a configuration."""
        spec = configuration.spec
        values = {**self.fixed, **configuration.values}
        arguments = {name: values.pop(name) for name in configuration.values if name not in OPTIONS}
        network = {**values.pop("options", {}), **arguments}
        values.pop("seed", None)
        if network:
            values["options"] = network
        if len(self.seeds) > 1:
            values["seeds"] = _seeds(self.seeds)
        elif any(self.seeds):
            values["seed"] = self.seeds[0]
        return command(spec.network.model, values)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data: `configurations`, the best first, and the `best` with its test metrics."""
        best = self.best
        return {
            "event": "sweep",
            "model": self.model,
            "metric": self.metric,
            "mode": "max" if self.sign > 0 else "min",
            "unit": self.unit,
            "seeds": list(self.seeds),
            "rounds": [{"configurations": count, self.unit: length or None} for count, length in self.rounds],
            "configurations": [self._row(one) for one in self.ranked()],
            "best": self._row(best) | {"test": self.test(best), "command": self.command(best)} if best else None,
        }

    def _row(self, configuration: Configuration) -> dict[str, Any]:
        ended = [(trial, trial.end) for trial in configuration.trials if trial.run is not None and trial.end]
        return {
            "options": configuration.values,
            self.unit: configuration.length,
            "runs": [trial.run.id for trial, _ in ended if trial.run],
            "statuses": [end["status"] for _, end in ended],
            "reused": [trial.is_reused for trial, _ in ended],
            "validation": spread(configuration.scores(self.metric)),
        }

    def test(self, configuration: Configuration) -> dict[str, Any]:
        """Return the mean and standard deviation of each test metric over the seeds."""
        ends = [end["metrics"] for end in configuration.ends]
        names = dict.fromkeys(name for metrics in ends for name in metrics)
        return {name: spread([value for metrics in ends if (value := metrics.get(name)) is not None]) for name in names}


def spread(values: Sequence[float]) -> dict[str, Any] | None:
    """Return the mean and the sample standard deviation of values; None if there are none."""
    if not values:
        return None
    return {"mean": mean(values), "sd": stdev(values) if len(values) > 1 else None, "values": list(values)}


def _seeds(seeds: Sequence[int]) -> str:
    is_row = list(seeds) == list(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]}..{seeds[-1]}" if is_row else ",".join(map(str, seeds))
