"""What stands there while the terminal is too small for anything else."""

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

WIDTH, HEIGHT = 60, 16


class Small(ModalScreen[None]):
    """A plain sentence; it goes when the terminal has grown."""

    DEFAULT_CSS = "Small { background: $background; padding: 0; }"

    def compose(self) -> ComposeResult:
        yield Static(f"The workbench needs {WIDTH} x {HEIGHT} cells: make the terminal larger.", markup=False)


def too_small(width: int, height: int) -> bool:
    """Whether a terminal of this size can't hold a screen."""
    return width < WIDTH or height < HEIGHT
