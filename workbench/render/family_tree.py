"""Who builds on whom: the families of networks as a tree by year.

A family hangs below the one that it names first; what else it builds on is told beside its name.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

import models
from workbench.render.milestones import MILESTONES

HERE, ELSEWHERE = "●", "○"
LEGEND = f"{HERE} can be trained here, {ELSEWHERE} is told of only. Each hangs below what it builds on."
NARROWEST = 24  # columns of an idea


@dataclass(frozen=True)
class Member:
    """A family, or an idea that families build on.

    Attributes:
        networks: Its networks here, the smallest first; none where it is told of only.
    """

    family: str
    year: int
    paper: str
    idea: str
    builds_on: tuple[str, ...] = ()
    networks: tuple[str, ...] = field(default=())

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        listed = {"builds_on": [*self.builds_on], "networks": [*self.networks]}
        return {name: getattr(self, name) for name in ("family", "year", "paper", "idea")} | listed


def members() -> dict[str, Member]:
    """All of them by name, in the order of their years; of a family the oldest network speaks."""
    known = [models.info(name) for name in models.names()]
    found = {name: Member(name, **about) for name, about in MILESTONES.items()}
    for one in sorted(known, key=lambda one: (one.year, one.name), reverse=True):
        others = [other for other in known if other.family == one.family]
        names = tuple(other.name for other in sorted(others, key=lambda other: (other.params or 0, other.name)))
        found[one.family] = Member(one.family, one.year, one.paper, one.contribution, one.builds_on, names)
    return dict(sorted(found.items(), key=lambda item: (item[1].year, item[0])))


def lines(width: int = 80, networks: Collection[str] | None = None) -> Iterator[tuple[Member, list[str]]]:
    """The tree from its roots down, each member with its lines.

    Args:
        width: Columns.
        networks: Show only the families of these, and what they build on; everything if left out.
    """
    known = members()
    if networks is not None:
        wanted = [one.family for one in known.values() if set(one.networks) & set(networks)]
        for family in wanted:  # it grows
            wanted += [above for above in known[family].builds_on if above in known and above not in wanted]
        known = {family: one for family, one in known.items() if family in wanted}
    roots = [one for one in known.values() if not parent(one, known)]
    for root in roots:
        yield from _branch(root, known, "", "", width)


def parent(one: Member, known: dict[str, Member]) -> str:
    """What it hangs below; empty for a root."""
    return next((family for family in one.builds_on if family in known), "")


def _branch(
    one: Member, known: dict[str, Member], corner: str, rail: str, width: int
) -> Iterator[tuple[Member, list[str]]]:
    children = [child for child in known.values() if parent(child, known) == one.family]
    below = rail + ("│ " if children else "  ")
    room = max(NARROWEST, width - 6 - len(below))
    heads = wrap(_head(one), max(NARROWEST, width - 6 - len(corner)))
    drawn = [f"{one.year}  {corner}{heads[0]}", *(f"{'':6}{below}{more}" for more in heads[1:])]
    yield one, [*drawn, *(f"{'':6}{below}{line}" for line in wrap(one.idea, room, break_on_hyphens=False))]
    for child in children:
        last = child is children[-1]
        yield from _branch(child, known, rail + ("└─" if last else "├─"), rail + ("  " if last else "│ "), width)


def _head(one: Member) -> str:
    """Its sign and name, its networks where they are called otherwise, and what else it builds on."""
    first, last = (one.networks or ("",))[0], (one.networks or ("",))[-1]
    between = ", " if len(one.networks) == 2 else " to "
    names = "" if {first, last} <= {"", one.family} else f": {first}{between}{last}" if first != last else f": {first}"
    also = f" (also on {', '.join(one.builds_on[1:])})" if len(one.builds_on) > 1 else ""
    return f"{HERE if one.networks else ELSEWHERE} {one.family}{names}{also}"
