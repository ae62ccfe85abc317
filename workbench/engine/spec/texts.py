"""Options as texts that a user types into a form. They are read as on the command line."""

from collections.abc import Mapping
from typing import Any

from workbench.engine.spec.options import OPTIONS


def read(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of options; those with an empty text are left out.

    Args:
        texts: Option -> its text; `yes` for a flag; for `options` pairs such as `hidden_sizes=[64,32]`, with spaces
            between them.

    Raises:
        UserError: If a text is not a value of its option.
    """
    return {name: read_option(name, text.strip()) for name, text in texts.items() if text.strip()}


def read_option(name: str, text: str) -> Any:
    """Return the value of one option.

    Raises:
        UserError: If the text is not one of its values.
    """
    option = OPTIONS[name]
    if name == "options":
        value: Any = pairs(text)
    else:
        value = text if option.read else _convert(text, option.kind)
    return option.check(name, option.read(value) if option.read else value)


def pairs(text: str) -> list[str]:
    """Split `a=1 b=[2, 3]` into `a=1` and `b=[2, 3]`: a word without an equals sign belongs to the one before it."""
    parts: list[str] = []
    for word in text.split():
        if parts and "=" not in word:
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts


def _convert(text: str, kind: type) -> Any:
    """Return a text as a value of a type; the text itself if that fails, which the option's check rejects."""
    if kind is bool:
        return {"yes": True, "no": False}.get(text, text)
    try:
        return kind(text)
    except ValueError:
        return text
