"""What a benchmark is called with: how often, of what, and whether it only shows that it still runs."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence


def read(
    about: str, unit: str, count: int, dry: int, names: Sequence[str] = (), dry_names: Sequence[str] = ()
) -> Namespace:
    """The options on the command line.

    Args:
        about: The script's docstring, whose first paragraph its help begins with.
        unit: What there are `count` of, as the help calls it.
        count: How many where nothing is said.
        dry: How many in a dry run, which shows in seconds that the script runs, and measures nothing.
        names: What can be chosen from; all where nothing is said.
        dry_names: The few of them that a dry run takes.

    Returns:
        `count`, `names` and `dry`.
    """
    parser = ArgumentParser(description=about.split("\n\n")[0])
    parser.add_argument("count", nargs="?", type=int, metavar=unit)
    parser.add_argument("--dry", action="store_true", help="each part once at the smallest size, to see that it runs")
    if names:
        parser.add_argument("names", nargs="*", metavar="NAME")
    chosen = parser.parse_args(namespace=Namespace(names=[]))
    chosen.count = chosen.count or (dry if chosen.dry else count)
    chosen.names = chosen.names or list(dry_names if chosen.dry else names)
    return chosen
