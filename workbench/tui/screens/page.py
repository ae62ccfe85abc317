"""What every screen of the app has: the app itself, known for what it is."""

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

if TYPE_CHECKING:
    from workbench.tui.app import WorkbenchApp


class Page(Screen[None]):
    """A screen of the workbench."""

    @property
    def app(self) -> "WorkbenchApp":  # type: ignore[override]
        """The app, with the study file and the ways to its other screens."""
        return cast("WorkbenchApp", super().app)
