"""What every screen of the app has: the app, known for what screens may ask of it."""

from typing import Protocol, cast

from textual.geometry import Size
from textual.screen import Screen

from workbench.engine.verify import Verifier
from workbench.store import Store


class Workbench(Protocol):
    """The app, as its screens see it."""

    store: Store
    verifier: Verifier

    @property
    def size(self) -> Size: ...

    def practise(self, name: str | None = None) -> None: ...

    def lab(self) -> None: ...

    def runs(self, chosen: str = "") -> None: ...

    def formulas(self, name: str | None = None) -> None: ...

    def problem(self, sentence: str) -> None: ...

    def pop_screen(self) -> object: ...


class Page(Screen[None]):
    """A screen of the workbench."""

    @property
    def workbench(self) -> Workbench:
        """The app: the study file, the process that verifies, and the ways to the other screens."""
        return cast(Workbench, self.app)
