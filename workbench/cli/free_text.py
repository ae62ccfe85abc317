"""Commands whose arguments may begin with a minus, such as the answer `-5` or the expression `-x^2`."""

from typing import Any

from typer.core import TyperCommand

# With -h as an option, `-2h` would be the option -2 and then -h.
SETTINGS: dict[str, Any] = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


class FreeTextCommand(TyperCommand):
    """A command that takes words which begin with a minus as arguments, if they aren't its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; a first argument `-h` asks for the help."""
        return super().parse_args(ctx, ["--help", *args[1:]] if args[:1] == ["-h"] else args)
