"""The families of networks as a tree by year: which family builds on which.

Each family is a child of the first family that it builds on; the others are named next to it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

import models
from workbench.render.milestones import MILESTONES

AVAILABLE, DESCRIBED = "●", "○"
LEGEND = f"{AVAILABLE} can be trained here, {DESCRIBED} is only described. Each is below what it builds on."
MIN_TEXT_WIDTH = 24  # columns of a contribution


@dataclass(frozen=True)
class Member:
    """A family of networks, or an idea that families build on.

    Attributes:
        family: The family's name.
        year: The year of its paper.
        paper: Where it was published.
        contribution: What was new in it, in a sentence.
        builds_on: Names of other members; the first one is its parent in the tree.
        networks: Names of its networks, the smallest first; empty if it is only described.
    """

    family: str
    year: int
    paper: str
    contribution: str
    builds_on: tuple[str, ...] = ()
    networks: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return the member as plain data."""
        return {
            "family": self.family,
            "year": self.year,
            "paper": self.paper,
            "idea": self.contribution,
            "builds_on": [*self.builds_on],
            "networks": [*self.networks],
        }


def members() -> dict[str, Member]:
    """Return all members by name, in the order of their years; each family is described as its oldest network is."""
    infos = [models.info(name) for name in models.names()]
    everything = {name: Member(name, **milestone) for name, milestone in MILESTONES.items()}
    for info in sorted(infos, key=lambda info: (info.year, info.name), reverse=True):
        others = [other for other in infos if other.family == info.family]
        names = tuple(other.name for other in sorted(others, key=lambda other: (other.params or 0, other.name)))
        everything[info.family] = Member(info.family, info.year, info.paper, info.contribution, info.builds_on, names)
    return dict(sorted(everything.items(), key=lambda item: (item[1].year, item[0])))


def render_tree(width: int = 80, networks: Collection[str] | None = None) -> Iterator[tuple[Member, list[str]]]:
    """Yield the members from the roots down, each with its lines of text.

    Args:
        width: Number of columns.
        networks: Show only the families of these networks and what they build on; None for everything.
    """
    tree = members()
    if networks is not None:
        families = [member.family for member in tree.values() if set(member.networks) & set(networks)]
        for family in families:  # the list grows during the loop
            families += [parent for parent in tree[family].builds_on if parent in tree and parent not in families]
        tree = {family: member for family, member in tree.items() if family in families}
    for root in [member for member in tree.values() if not parent_of(member, tree)]:
        yield from _render_branch(root, tree, "", "", width)


def parent_of(member: Member, tree: dict[str, Member]) -> str:
    """Return the name of a member's parent; empty for a root."""
    return next((family for family in member.builds_on if family in tree), "")


def _render_branch(
    member: Member, tree: dict[str, Member], corner: str, rail: str, width: int
) -> Iterator[tuple[Member, list[str]]]:
    children = [child for child in tree.values() if parent_of(child, tree) == member.family]
    below = rail + ("│ " if children else "  ")
    room = max(MIN_TEXT_WIDTH, width - 6 - len(below))
    heads = wrap(_heading(member), max(MIN_TEXT_WIDTH, width - 6 - len(corner)))
    lines = [f"{member.year}  {corner}{heads[0]}", *(f"{'':6}{below}{more}" for more in heads[1:])]
    text = wrap(member.contribution, room, break_on_hyphens=False)
    yield member, [*lines, *(f"{'':6}{below}{line}" for line in text)]
    for child in children:
        is_last = child is children[-1]
        yield from _render_branch(
            child, tree, rail + ("└─" if is_last else "├─"), rail + ("  " if is_last else "│ "), width
        )


def _heading(member: Member) -> str:
    """Return a member's sign and name, its networks if their names differ, and what else it builds on."""
    first, last = (member.networks or ("",))[0], (member.networks or ("",))[-1]
    between = ", " if len(member.networks) == 2 else " to "
    names = (
        "" if {first, last} <= {"", member.family} else f": {first}{between}{last}" if first != last else f": {first}"
    )
    also = f" (also on {', '.join(member.builds_on[1:])})" if len(member.builds_on) > 1 else ""
    return f"{AVAILABLE if member.networks else DESCRIBED} {member.family}{names}{also}"
