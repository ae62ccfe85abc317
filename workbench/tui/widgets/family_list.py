"""The family tree by year, to be walked through: each family with its idea, below the one that it builds on."""

from collections.abc import Collection

from rich.style import Style
from rich.text import Text
from textual.binding import Binding
from textual.widgets.option_list import Option

from workbench.render.family_tree import Member, render_tree
from workbench.tui.widgets.listing import Listing


class FamilyList(Listing):
    """A family is an option; those that can't be trained here are quiet."""

    DEFAULT_CSS = """
    FamilyList { height: 1fr; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1; }
    FamilyList:focus { border: none; }
    """
    BINDINGS = [Binding("enter", "screen.train", "Train")]

    def __init__(self) -> None:
        super().__init__(id="tree")
        self.members: list[Member] = []
        self.shown: Collection[str] | None = None

    @property
    def network(self) -> str:
        """The smallest network of the family that the mark is on; empty where none of it is here."""
        if self.highlighted is None or self.highlighted >= len(self.members):
            return ""
        return next(iter(self.members[self.highlighted].networks), "")

    def show(self, networks: Collection[str] | None, chosen: str) -> None:
        """Show the families of these networks with what they build on, or all, and mark that of the chosen one."""
        self.shown = networks
        width = max(40, self.app.size.width - 4)
        drawn = list(render_tree(width, networks))
        self.members = [member for member, _ in drawn]
        self.clear_options()
        for member, text in drawn:
            quiet = Style(dim=not member.networks)
            self.add_option(Option(Text("\n".join(text), quiet, no_wrap=True), id=member.family))
        places = [k for k, member in enumerate(self.members) if chosen in member.networks]
        self.highlighted = places[0] if places else 0 if self.members else None

    def on_resize(self) -> None:
        if self.members:
            self.show(self.shown, self.network)
