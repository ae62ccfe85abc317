"""What every screen of the app has: the app, known for what screens may ask of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Input

from workbench.store import Store
from workbench.tui.orders import Orders

if TYPE_CHECKING:
    from workbench.engine.verify import Verifier


class Workbench(Protocol):
    """The app, as its screens see it."""

    store: Store
    orders: Orders

    @property
    def size(self) -> Size: ...

    @property
    def verifier(self) -> "Verifier": ...

    def practise(self, name: str | None = None) -> None: ...

    def models(self, chosen: str = "") -> None: ...

    def lab(self, model: str = "", begun: dict[str, str] | None = None) -> None: ...

    def runs(self, chosen: str = "") -> None: ...

    def formulas(self, name: str | None = None) -> None: ...

    def autograd(self, expression: str = "") -> None: ...

    def problem(self, sentence: str) -> None: ...

    def pop_screen(self) -> object: ...


class Page(Screen[None]):
    """A screen of the workbench."""

    @property
    def workbench(self) -> Workbench:
        """The app: the study file, the process that verifies, and the ways to the other screens."""
        return cast(Workbench, self.app)

    def from_thread(self, act: Callable[..., Any], *args: Any) -> None:
        """Do something on this screen from a thread; nothing, if it was left or the app was closed meanwhile."""

        def if_still_here() -> None:
            if self in self.app.screen_stack:
                act(*args)

        if self.app.is_running:
            self.app.call_from_thread(if_still_here)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A search begins before the next key is looked at, for who types fast; in a line its key is a character."""
        return not (action == "search" and isinstance(self.focused, Input))

    def copied(self) -> str:
        """What a copy of this screen is: text that is of use elsewhere; empty where there is none."""
        return ""
