"""The `workbench` command: it runs the command that was called and turns errors into one line and an exit code.

Exit codes: 0 if all is done; 1 if the answer is no; 2 for bad usage, bad input, and output that can't be written, with
one line on stderr; 130 after Ctrl-C; 141 if the reader closed the pipe.
"""

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import typer
from typer.core import TyperGroup

from workbench.cli.output import OutputError, discard_output, output_errors, print_error, print_json
from workbench.errors import UserError, unknown_name
from workbench.untrusted import printable

# command -> (module, help); a module is imported only when its command is called.
COMMANDS = {
    "topics": ("workbench.cli.topics", "List the topics of the syllabus and what covers each."),
    "formulas": ("workbench.cli.formulas", "List all formulas, or show one with its symbols."),
    "calc": ("workbench.cli.calc", "Evaluate a formula, or solve it for any of its symbols."),
    "drill": ("workbench.cli.drill", "List, show, answer, verify and test drills."),
    "quiz": ("workbench.cli.quiz", "Answer questions at the prompt; results are saved."),
    "review": ("workbench.cli.review", "Answer the questions that are due today; results are saved."),
    "cards": ("workbench.cli.cards", "List, show and answer flashcards."),
    "packs": ("workbench.cli.packs", "List, check, add and remove packs: your own drills and cards."),
    "new": ("workbench.cli.new", "Write the skeleton of a drill, for authors."),
    "autograd": ("workbench.cli.autograd", "Show the computation graph of an expression with gradients."),
    "models": ("workbench.cli.models", "List, show and draw the networks that can be trained."),
    "train": ("workbench.cli.train", "Train a network and show its progress."),
    "find-lr": ("workbench.cli.find_lr", "Find a learning rate: show the loss while it rises."),
    "sweep": ("workbench.cli.sweep", "Train configurations that differ in some options, and rank them."),
    "runs": ("workbench.cli.runs", "List, show, watch, stop, resume, compare, export and manage runs."),
    "claims": ("workbench.cli.claims", "List, show and run claims: statements of the notes, tested."),
    "evaluate": ("workbench.cli.evaluate", "Evaluate a trained network on its data or another task."),
    "predict": ("workbench.cli.predict", "Run a trained network on images or rows of a table."),
    "explain": ("workbench.cli.explain", "Show how average precision or NMS is computed, step by step."),
    "ask": ("workbench.cli.ask", "Ask a trained network for its answer to one input."),
    "sample": ("workbench.cli.sample", "Generate texts, images or translations with a trained network."),
    "encode": ("workbench.cli.encode", "Write the latent codes of a trained network into a file."),
    "data": ("workbench.cli.data", "List and show datasets, built-in and your own."),
    "doctor": ("workbench.cli.doctor", "Show versions, devices and paths, and report problems."),
}
HELP = "help"
INTERRUPTED, CLOSED_PIPE = 130, 141  # exit codes: 128 plus the number of SIGINT and SIGPIPE


class LazyGroup(TyperGroup):
    """The commands by name, with their help, imported when they are called.

    Contexts are of a private class of Typer, so their type is Any.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, name: str) -> Any:
        """Import a command; None if there is none of that name."""
        if name not in COMMANDS:
            return None
        command = typer.main.get_command(import_module(COMMANDS[name][0]).app)
        command.name = name
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the arguments; `--help` and `--version` print here."""
        with output_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        with output_errors():
            return super().invoke(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read `help COMMAND` as `COMMAND --help`."""
        return super().parse_args(ctx, [*args[1:], "--help"] if args[:1] == [HELP] else args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command; a group of commands without a subcommand lists: `runs` is `runs list`."""
        if args and args[0] not in COMMANDS:
            raise unknown_name("command", args[0], [*COMMANDS, HELP])
        name, command, rest = super().resolve_command(ctx, args)
        has_subcommand = rest and (not rest[0].startswith("-") or rest[0] in ctx.help_option_names)
        has_list = isinstance(command, TyperGroup) and "list" in command.commands
        if has_list and not has_subcommand and not ctx.resilient_parsing:
            rest = ["list", *rest]
        return name, command, rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands' section of the help without importing them."""
        with formatter.section("Commands"):
            rows = [(name, text) for name, (_, text) in COMMANDS.items()]
            formatter.write_dl([*rows, (HELP, "Show the help of a command.")])


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with 'workbench' (the app) or 'workbench quiz convolution'.",
)


def print_version(is_requested: bool) -> None:
    """Print the installed version and exit."""
    if is_requested:
        from importlib.metadata import version

        print("workbench", version("workbench"))
        raise typer.Exit


@app.callback(invoke_without_command=True)
def workbench(
    ctx: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Learn deep learning by doing: drill the formulas, train the networks, and watch them learn.

    Without a command, open the terminal app.
    """
    if ctx.invoked_subcommand is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UserError("The app needs a terminal. Use a command in scripts and pipes: see 'workbench --help'.")
        from workbench.store import Store

        store = Store()  # first, so that an unusable study file is one line on stderr, not an error in the app
        from workbench.tui.app import WorkbenchApp

        WorkbenchApp(store).run()


def main() -> None:
    """Run the command line and exit with its exit code."""
    if sys.stdout is None:
        print_error("The output can't be written: standard output is closed.")
        sys.exit(2)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # print ? for what the terminal can't show
    try:
        code = run()
        with output_errors():
            sys.stdout.flush()  # here, not at exit, where Python would report the error itself
    except OutputError as error:
        discard_output()
        code = CLOSED_PIPE
        if error.reason:
            code = 2
            print_error(f"The output can't be written: {error.reason}.")
    sys.exit(code)


def run() -> int:
    """Run the command line and return its exit code; errors for the user are printed.

    Raises:
        OutputError: If standard output can't be written.
    """
    try:
        return app(prog_name="workbench", standalone_mode=False) or 0
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except UserError as error:
        return report_error(error.code, str(error))
    except typer.TyperException as error:  # wrong usage
        context = getattr(error, "ctx", None)
        message = error.format_message().rstrip(".")
        end = "" if message.endswith("?") else "."
        command = context.command_path if context else "workbench"
        return report_error("usage", f"{message}{end} Try '{command} --help'.")


def report_error(code: str, message: str) -> int:
    """Print an error on stderr, and with `--json` also on stdout; return the exit code of bad input.

    Args:
        code: The error's name for scripts.
        message: One sentence that says what to do.
    """
    print_error(message)
    if "--json" in sys.argv:
        with output_errors():
            print_json({"error": {"code": code, "message": printable(" ".join(message.split()))}})
    return 2


if __name__ == "__main__":
    main()
