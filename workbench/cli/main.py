"""The `workbench` command: finds the noun that was asked for, and turns every refusal into one line and an exit code.

Exit 0: done. 1: the answer is no. 2: bad usage or bad input, with one line on stderr that says what to do.
"""

import os
import sys
from collections.abc import Collection
from importlib import import_module
from io import TextIOWrapper

import typer
from typer.core import TyperGroup

from quizzes import packs
from workbench.errors import UserError, unknown_name
from workbench.paths import packs_dir
from workbench.untrusted import printable

# noun -> (module, what it is for); the modules are imported only when their noun is called.
COMMANDS = {
    "topics": ("workbench.cli.topics", "The syllabus: every topic, and what covers it."),
    "formulas": ("workbench.cli.formulas", "The formula sheet, or one formula with its symbols."),
    "calc": ("workbench.cli.calc", "Compute a formula, or solve it for any of its symbols."),
    "drill": ("workbench.cli.drill", "Questions with random numbers: list, show, answer, verify, test."),
    "quiz": ("workbench.cli.quiz", "Ten questions in line mode, marked as you go."),
    "review": ("workbench.cli.review", "What is due today, in line mode."),
    "cards": ("workbench.cli.cards", "Recall cards: list, show, answer."),
    "packs": ("workbench.cli.packs", "Drills and cards of your own, as TOML: check, add, list."),
    "autograd": ("workbench.cli.autograd", "The graph of an expression, with values and gradients."),
    "models": ("workbench.cli.models", "The networks that can be trained."),
    "train": ("workbench.cli.train", "Train a network and watch it learn."),
    "runs": ("workbench.cli.runs", "The runs that were made: list, watch, stop."),
    "predict": ("workbench.cli.predict", "What a run's network says of picture files."),
    "data": ("workbench.cli.data", "The data sets that come along, and your own."),
    "doctor": ("workbench.cli.doctor", "Versions, devices, paths, and what is missing."),
}

UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # the base of all that is wrong with a command's arguments


class LazyGroup(TyperGroup):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        if name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(COMMANDS[name][0]).app)
        command.name = name
        return command

    def resolve_command(self, ctx, args):
        if args and args[0] not in COMMANDS:
            raise unknown_name("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Start with: workbench (the app), or: workbench quiz convolution",
)


def print_version(wanted: bool):
    if wanted:
        from importlib.metadata import version as installed_version

        print("workbench", installed_version("workbench"))
        raise typer.Exit


@app.callback(invoke_without_command=True)
def workbench(
    ctx: typer.Context,
    version: bool = typer.Option(False, "--version", callback=print_version, is_eager=True, help="Print the version."),
):
    """Learn deep learning by doing: drill every formula, run every network, test every claim.

    Without a command the terminal app opens.
    """
    if ctx.invoked_subcommand is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UserError("The app needs a terminal; for scripts and pipes use a command: see 'workbench --help'.")
        from workbench.store import Store

        store = Store()  # first, so that a study file that can't be used is met by a sentence and not by a screen
        from workbench.tui.app import WorkbenchApp

        WorkbenchApp(store).run()


def know_packs() -> None:
    """Say where the user's packs lie; they are read when questions are looked up."""

    def topics() -> Collection[str]:
        from workbench import syllabus

        return syllabus.topics()

    packs.configure(packs_dir, topics)


def main() -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign that can't be read or shown here is no reason to fall
    know_packs()
    try:
        code = app(prog_name="workbench", standalone_mode=False) or 0
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        # Whoever read the output has left; nothing more can be said to them, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if isinstance(error, UsageError):
            context = getattr(error, "ctx", None)
            where = context.command_path if context else "workbench"
            said = getattr(error, "format_message", error.__str__)().rstrip(".")
            if "NoArgsIsHelp" in type(error).__name__:  # it would say the whole help, in one line
                said = "Missing command"
            code = complain(f"{said}{'' if said.endswith('?') else '.'} Try '{where} --help'.")
        elif isinstance(error, UserError):
            code = complain(str(error))
        else:
            raise
    sys.exit(code)


def complain(sentence: str) -> int:
    """Say on stderr, in one line, what to do; the exit code of bad input."""
    print("workbench:", printable(" ".join(sentence.split())), file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
