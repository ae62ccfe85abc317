"""`UserError`, whose message is shown to the user, and look-ups by name that raise it."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")

MAX_OPTIONS = 8  # options that a message lists if no name is similar


class UserError(ValueError):
    """Error that the user can fix: an argument or a file of theirs can't be used.

    The message is one sentence that says what to do.

    Attributes:
        code: Error code for scripts, such as `bad_input` or `unknown_drill`.
    """

    def __init__(self, message: str, code: str = "bad_input"):
        super().__init__(message)
        self.code = code


class DeclarationError(UserError):
    """A formula, a drill or a card is declared incorrectly; the message names the file and the line."""


def unknown_name(noun: str, name: object, options: Iterable[str]) -> UserError:
    """Return the error for a name that does not exist; the message suggests similar names that do.

    Args:
        noun: What the name is of, such as `drill` or `preset of resnet18`. The code is made from it, without the part
            after "of": `unknown_drill`, `unknown_preset`.
        name: The unknown name.
        options: All names that exist.
    """
    options = sorted(options)
    message = f"Unknown {noun} {str(name)[:60]!r}."
    if close := get_close_matches(str(name), options, n=3, cutoff=0.4):
        message += f" Did you mean {' or '.join(map(repr, close))}?"
    elif options:
        message += f" Choose from {', '.join(options[:MAX_OPTIONS])}{', ...' if len(options) > MAX_OPTIONS else '.'}"
    kind = noun.split(" of ")[0].replace(" ", "_").replace("-", "_")
    return UserError(message, code=f"unknown_{kind}")


def lookup(noun: str, name: str, options: Mapping[str, T]) -> T:
    """Return the option with a name.

    Args:
        noun: What the name is of, as for `unknown_name`.
        name: The name.
        options: All options by name.

    Raises:
        UserError: If there is none; the message suggests similar names.
    """
    try:
        return options[name]
    except KeyError:
        raise unknown_name(noun, name, options) from None
