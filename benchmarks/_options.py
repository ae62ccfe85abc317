"""The command line of the benchmarks: number of repetitions, names to choose from, and a dry run."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path


def read(
    docstring: str,
    unit: str,
    count: int,
    dry: int,
    names: Sequence[str] = (),
    dry_names: Sequence[str] = (),
    results: bool = False,
) -> Namespace:
    """Return the options on the command line.

    Args:
        docstring: The script's docstring, whose first paragraph is the help text.
        unit: The name of `count` in the help text.
        count: The default count.
        dry: The count of a dry run, which shows in seconds that the script runs, and measures nothing.
        names: The names to choose from, which are also the default.
        dry_names: The names in a dry run.
        results: Whether there is an option for a file of results.

    Returns:
        `count`, `names`, `dry` and `results`, a path or None.
    """
    parser = ArgumentParser(description=docstring.split("\n\n")[0])
    parser.add_argument("count", nargs="?", type=int, metavar=unit)
    parser.add_argument("--dry", action="store_true", help="run each part once at the smallest size, as a test")
    if names:
        parser.add_argument("names", nargs="*", metavar="NAME")
    if results:
        parser.add_argument("--results", type=Path, metavar="FILE", help="where results are kept between calls")
    options = parser.parse_args(namespace=Namespace(names=[], results=None))
    options.count = options.count or (dry if options.dry else count)
    options.names = options.names or list(dry_names if options.dry else names)
    return options
