"""What every screen of the app has: the app, known for what screens may ask of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual import on
from textual.binding import Binding
from textual.events import Mount
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import HelpPanel, Input

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

    def steps(self, id: str, inputs: str = "") -> None: ...

    def boxes(self, view: str = "iou") -> None: ...

    def problem(self, sentence: str) -> None: ...

    def pop_screen(self) -> object: ...


class Page(Screen[None]):
    """A screen of the workbench. Its sheet, where it has one, is scrolled by all keys that nothing else takes."""

    BINDINGS = [
        # Of priority, as a line of text would take them although it never has more than one row.
        Binding("pagedown", "page('down')", "Scroll", id="page.next", priority=True),
        Binding("pageup", "page('up')", "Scroll back", show=False, id="page.previous", priority=True),
        Binding("space", "scroll_sheet('page_down')", "Page down", show=False),
        Binding("b", "scroll_sheet('page_up')", "Page up", show=False),
        Binding("down,j", "scroll_sheet('down')", "Line down", show=False),
        Binding("up,k", "scroll_sheet('up')", "Line up", show=False),
        Binding("end,G", "scroll_sheet('end')", "To the end", show=False),
        Binding("home,g", "scroll_sheet('home')", "To the top", show=False),
    ]

    scrollable: Widget | None = (
        None  # what may be longer than the screen; None where everything there has keys of its own
    )

    @on(Mount)
    def _offer_scrolling(self) -> None:
        """Offer the keys that scroll where there is something to scroll."""
        self.scrollable = next(iter(self.query("#sheet")), None)  # looked up once: every key asks for it
        if self.scrollable:
            self.watch(self.scrollable, "show_vertical_scrollbar", self.refresh_bindings, init=False)

    @property
    def help_panel(self) -> Widget | None:
        """The panel of F1; None where it is closed."""
        return next((child for child in self.children if isinstance(child, HelpPanel)), None)

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
        if action == "page" and self.help_panel:
            return True
        if action in ("page", "scroll_sheet"):
            longer = self.scrollable is not None and self.scrollable.show_vertical_scrollbar
            return longer and (action != "page" or self.focused is None or isinstance(self.focused, Input))
        return not (action == "search" and isinstance(self.focused, Input))

    def action_page(self, way: str) -> None:
        """Scroll the help where it is open, else the sheet."""
        _scroll(self.help_panel or self.scrollable, f"page_{way}")

    def action_scroll_sheet(self, way: str) -> None:
        """Scroll what is longer than the screen."""
        _scroll(self.scrollable, way)

    def copied(self) -> str:
        """What a copy of this screen is: text that is of use elsewhere; empty where there is none."""
        return ""


def _scroll(widget: Widget | None, way: str) -> None:
    """Scroll at once: who holds a key down sees each line go by."""
    if widget:
        getattr(widget, f"scroll_{way}")(animate=False)
