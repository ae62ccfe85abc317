"""The one error that is meant for the user, and the lookup that raises it."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")

LISTED = 8  # options that a message names if none of them is close


class UserError(ValueError):
    """Something that the user or one of their files provided can't be used.

    Attributes:
        code: A name for scripts, such as `bad_input` or `unknown_drill`. The message is for people: one sentence that
            says what to do.
    """

    def __init__(self, message: str, code: str = "bad_input"):
        super().__init__(message)
        self.code = code


def unknown_name(noun: str, name: object, options: Iterable[str]) -> UserError:
    """Return the error for a name that does not exist, with the closest names that do.

    Args:
        noun: The kind of thing that has such names, such as `drill`, or `preset of resnet18`.
        name: The unknown name.
        options: All names that exist.
    """
    options = sorted(options)
    message = f"Unknown {noun} {str(name)[:60]!r}."
    if close := get_close_matches(str(name), options, n=3, cutoff=0.4):
        message += f" Did you mean {' or '.join(map(repr, close))}?"
    elif options:
        message += f" Choose from {', '.join(options[:LISTED])}{', ...' if len(options) > LISTED else '.'}"
    return UserError(message, code="unknown_" + noun.split(" of ")[0].replace(" ", "_").replace("-", "_"))


def lookup(noun: str, name: str, options: Mapping[str, T]) -> T:
    """Return the option of that name.

    Raises:
        UserError: If there is none; the message gives the closest names.
    """
    try:
        return options[name]
    except KeyError:
        raise unknown_name(noun, name, options) from None
