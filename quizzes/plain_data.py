"""Dataclasses from JSON data that a file may have brought: every field is checked against its type."""

from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from workbench.errors import UserError

T = TypeVar("T")

NAMES = {str: "a text", int: "an integer", float: "a number", list: "a list", dict: "an object", NoneType: "null"}


def build(cls: type[T], data: object, path: str = "") -> T:
    """Return an instance of a dataclass.

    Args:
        cls: The dataclass. Its fields are texts, numbers, lists, dicts with texts as keys, other dataclasses, unions of
            these, or `Any`.
        data: JSON data.
        path: The place of the data, for messages.

    Raises:
        UserError: If a field is missing, unknown or of another type.
    """
    if not isinstance(data, dict):
        raise UserError(f"{path or 'The data'} must be an object.")
    prefix = f"{path}." if path else ""
    declared = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    if surplus := sorted(set(data) - set(declared)):
        raise UserError(f"{prefix}{str(surplus[0])[:40]} is not a field of a {cls.__name__.lower()}.")
    for name, field in declared.items():
        if name not in data and field.default is MISSING and field.default_factory is MISSING:
            raise UserError(f"{prefix}{name} is missing.")
    hints = get_type_hints(cls)
    return cls(**{name: _value(hints[name], value, f"{prefix}{name}") for name, value in data.items()})


def _value(hint: Any, value: Any, path: str) -> Any:
    """Return a value if it is of a type."""
    kind = get_origin(hint) or hint
    if hint is Any:
        return value
    if kind in (Union, UnionType):
        if value is None and NoneType in get_args(hint):
            return None
        options = [option for option in get_args(hint) if option is not NoneType]
        return _value(next((o for o in options if _is(value, o)), options[0]), value, path)
    if is_dataclass(kind) and isinstance(kind, type):
        return build(kind, value, path)
    if not _is(value, kind):
        raise UserError(f"{path} must be {NAMES[kind]}.")
    if kind is list:
        return [_value(get_args(hint)[0], item, f"{path}[{k}]") for k, item in enumerate(value)]
    if kind is dict:
        return {key: _value(get_args(hint)[1], item, f"{path}.{key}") for key, item in value.items()}
    return value


def _is(value: object, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(kind, type) and isinstance(value, kind)
