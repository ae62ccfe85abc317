"""The spec: the complete configuration of a run, checked before training starts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from workbench import untrusted
from workbench.engine.spec.choices import CHOICES, fill, names
from workbench.engine.spec.options import OPTIONS
from workbench.engine.spec.sections import (
    ClipNorm,
    Clipping,
    ClipValue,
    Data,
    Epochs,
    Evaluation,
    FromRun,
    FromStateDict,
    Initialization,
    InitialWeights,
    Length,
    Network,
    Optimizer,
    Regularization,
    Runtime,
    Schedule,
    Steps,
)
from workbench.errors import UserError, unknown_name

SCHEMA = 2
ARGUMENTS = ("dropout", "batch_norm")  # arguments of some networks that have options of their own
S = TypeVar("S")


@dataclass(frozen=True)
class RunSpec:
    """The configuration of a run, in sections. It is complete, so None means that a section or a value is absent."""

    network: Network
    data: Data
    length: Length
    evaluation: Evaluation
    optimizer: Optimizer
    schedule: Schedule
    clipping: Clipping | None
    regularization: Regularization
    initialization: Initialization | None
    initial_weights: InitialWeights | None
    seed: int
    runtime: Runtime

    @classmethod
    def create(cls, model: str, *, use_recipe: bool = True, **options: Any) -> "RunSpec":
        """Return the spec of a run.

        Args:
            model: The network.
            use_recipe: Whether the recipe of the network's family sets the options that are left out.
            **options: Values of `OPTIONS`; None is the same as leaving one out.

        Raises:
            UserError: If they can't be run.
        """
        values = fill({"model": model, **options}, use_recipe)
        values["options"] = {
            **{name: values[name] for name in ARGUMENTS if name in values},
            **values["options"],
        }
        kinds = {name: sections.get(values.get(name, "")) for name, sections in CHOICES.items()}
        clipping = ClipValue if "clip_value" in values else ClipNorm if values.get("clip_norm") else None
        initial_weights = FromRun if "origin" in values else FromStateDict if "weights" in values else None
        return cls(
            network=_section(Network, values),
            data=_section(Data, {"train_samples": None, **values}),
            length=_section(Steps if "steps" in values else Epochs, values),
            evaluation=_section(Evaluation, {"monitor": None, "patience": None, **values}),
            optimizer=_section(kinds["optimizer"], values),
            schedule=_section(kinds["schedule"], values),
            clipping=_section(clipping, values) if clipping else None,
            regularization=_section(Regularization, {"pixel_loss": None, **values, "ema": values.get("ema") or None}),
            initialization=_section(kinds["init"], values) if kinds["init"] else None,
            initial_weights=_section(initial_weights, values) if initial_weights else None,
            seed=values["seed"],
            runtime=_section(Runtime, values),
        )

    @property
    def origin(self) -> str | None:
        """The run or the checkpoint file whose weights are the initial weights; None if there is none."""
        return self.initial_weights.origin if isinstance(self.initial_weights, FromRun) else None

    def options(self) -> dict[str, Any]:
        """Return the options that have a value, by name, in the order of `OPTIONS`.

        `RunSpec.create(**spec.options(), use_recipe=False)` is the same spec.
        """
        values: dict[str, Any] = {"seed": self.seed}
        for section, content in self._sections().items():
            if content is not None:
                values |= vars(content)
                if section in _TAGS:
                    values[_TAGS[section]] = _kind(section, content)
        arguments = self.network.options
        values |= {name: arguments[name] for name in ARGUMENTS if name in arguments}
        values["options"] = {name: value for name, value in arguments.items() if name not in ARGUMENTS}
        return {name: values[name] for name in OPTIONS if values.get(name) is not None}

    def with_options(self, **options: Any) -> "RunSpec":
        """Return the spec with other values of some options.

        Another optimizer, schedule, initialization or length has the defaults of its own.

        Raises:
            UserError: If they can't be run.
        """
        values = self.options()
        for section, tag in _TAGS.items():
            if tag in options and getattr(self, section) is not None:
                for name in names(type(getattr(self, section))):
                    values.pop(name, None)
        if {"epochs", "steps"} & options.keys():
            values = {name: value for name, value in values.items() if name not in ("epochs", "steps")}
        return RunSpec.create(**{**values, **options}, use_recipe=False)

    def _sections(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "seed"}

    def to_record(self) -> dict[str, Any]:
        """Return the spec as plain data: sections, each choice with its `kind`."""
        record: dict[str, Any] = {"schema": SCHEMA}
        for section, content in vars(self).items():
            if content is None or section == "seed":
                record[section] = content
            elif section in _TAGS:
                record[section] = {"kind": _kind(section, content), **asdict(content)}
            else:
                record[section] = asdict(content)
        return record

    def to_json(self) -> str:
        """Return the spec as a JSON object."""
        return json.dumps(self.to_record(), indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "RunSpec":
        """Return the spec that `to_json` wrote, in this version or an older one.

        Raises:
            UserError: If the text is not a spec, or one of a newer version.
        """
        try:
            record = untrusted.parse(text)
        except ValueError as error:
            raise UserError(f"This is not JSON: {error}.") from error
        if not isinstance(record, dict):
            raise UserError('A spec is a JSON object, such as {"model": "mlp"}.')
        options = _flat(record) if "schema" in record else record
        if not isinstance(options.get("model"), str):
            raise UserError('A spec is a JSON object with a model, such as {"model": "mlp"}.')
        # A record is complete: a recipe that has changed since must not change the configuration.
        return cls.create(**options, use_recipe=False)


_TAGS = {"optimizer": "optimizer", "schedule": "schedule", "initialization": "init"}  # section -> option of its kind


def _kind(section: str, content: Any) -> str:
    return next(name for name, kind in CHOICES[_TAGS[section]].items() if kind is type(content))


def _section(section: Any, values: Mapping[str, Any]) -> Any:
    return section(**{name: values[name] for name in names(section) if name in values})


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a record in sections.

    Raises:
        UserError: If it is of a newer version, or has an unknown section.
    """
    if record["schema"] != SCHEMA:
        raise UserError(
            f"This spec has the version {record['schema']!r}, and this workbench reads versions up to {SCHEMA}: "
            "update the workbench."
        )
    options: dict[str, Any] = {}
    for section, content in record.items():
        if section not in ("schema", *RunSpec.__dataclass_fields__):
            raise unknown_name("section of a spec", section, list(RunSpec.__dataclass_fields__))
        if section == "seed":
            options["seed"] = content
        elif isinstance(content, dict):
            tag = {_TAGS[section]: content["kind"]} if section in _TAGS and "kind" in content else {}
            options |= {name: value for name, value in content.items() if name != "kind"} | tag
        elif content is not None and section != "schema":
            raise UserError(f"The section {section} of a spec must be an object, not {content!r:.60}.")
    return options
