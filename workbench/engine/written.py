"""A spec as somebody writes it into lines: each field's text read as the command line reads it."""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

from workbench.engine.spec import RunSpec


def read(texts: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a spec that were filled in; an empty line says nothing.

    Args:
        texts: Field -> what was written; `yes` for a flag; for `options` pairs such as `hidden_sizes=[64,32]`, with
            spaces between them.

    Raises:
        UserError: A text is no value of its field.
    """
    return {name: read_field(name, text.strip()) for name, text in texts.items() if text.strip()}


def read_field(name: str, written: str) -> Any:
    """The value of one field.

    Raises:
        UserError: It can't be.
    """
    about = RunSpec.__dataclass_fields__[name].metadata
    if name == "options":
        value = about["read"](pairs(written))
    elif about["read"]:
        value = about["read"](written)
    else:
        value = plain(written, kinds()[name])
    return about["check"](name, value)


def pairs(written: str) -> list[str]:
    """`a=1 b=[2, 3]` as `a=1` and `b=[2, 3]`: what has no equals sign goes on with the value before it."""
    found: list[str] = []
    for word in written.split():
        if found and "=" not in word:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def plain(written: str, kinds: tuple[type, ...]) -> Any:
    """A text as the first of the kinds that it can be; left as it is, for the field's check to refuse, where none."""
    if bool in kinds:
        return {"yes": True, "no": False}.get(written, written)
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(written)
            except ValueError:
                pass
    return written


@cache
def kinds() -> dict[str, tuple[type, ...]]:
    """The types that each field of a spec may be of."""
    return {name: get_args(hint) or (hint,) for name, hint in get_type_hints(RunSpec).items()}
