"""Inside: the filters of a run's network, its feature maps, its surest mistakes, and what a unit sees."""

import shlex
from threading import Lock
from typing import Any

from rich.segment import Segment, Segments
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from workbench.engine import Run, inside
from workbench.errors import UserError
from workbench.render.interpretation import draw
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading

ASKING = "Asking PyTorch ..."


class Inside(Page):
    """One kind of picture at a time, made by the process that has PyTorch; who leaves doesn't wait for it.

    Args:
        run: Whose network is looked into.
    """

    CSS_PATH = "inside.tcss"
    HELP = """
    What a trained network holds, with the weights of its best checkpoint: the filters of its first layer, what its
    layers make of a test sample, where it is wrong and sure of it, and what a unit in the middle of a layer sees.
    `n` and `l` go to the next sample and layer, with Shift to the one before.
    """
    BINDINGS = [
        Binding("f", "turn('filters')", "Filters", id="inside.filters"),
        Binding("m", "turn('maps')", "Maps", id="inside.maps"),
        Binding("e", "turn('errors')", "Errors", id="inside.errors"),
        Binding("r", "turn('field')", "Field", id="inside.field"),
        Binding("n", "sample(1)", "Sample", id="inside.sample"),
        Binding("N", "sample(-1)", "Sample before", show=False, id="inside.sample_before"),
        Binding("l", "layer(1)", "Layer", id="inside.layer"),
        Binding("L", "layer(-1)", "Layer before", show=False, id="inside.layer_before"),
        Binding("escape", "leave", "Runs"),
    ]

    def __init__(self, run: Run):
        super().__init__()
        self.run = run
        self.kind, self.sample = "filters", 0
        self.chosen: dict[str, str] = {}  # kind -> the layer that was chosen for it
        self.found: dict[str, Any] | None = None
        self.waiting = False
        self._turn = Lock()  # one question after the other, and only those that are still asked

    def compose(self) -> ComposeResult:
        yield Heading("Inside")
        yield Static(id="state", classes="quiet", markup=False)
        with VerticalScroll(id="sheet"):
            yield Static(markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#sheet").focus()
        self._look()

    @property
    def wanted(self) -> tuple[str, str | None, int | None]:
        """The kind of picture, the layer and the sample that are to be seen now."""
        if self.kind not in inside.OF_A_LAYER:
            return self.kind, None, None
        return self.kind, self.chosen.get(self.kind), self.sample

    def _look(self) -> None:
        self.waiting = True
        self.query_one(Heading).say(f"Inside · {self.run.id}", self.kind)
        self._say(ASKING)
        self._ask()

    @work(thread=True, group="inside")
    def _ask(self) -> None:
        """Have the pictures made, in a thread: the first time it waits for PyTorch to start."""
        with self._turn:
            wanted = self.wanted
            if not self.waiting or not self.is_attached:  # another thread has just asked for it, or nobody wants it
                return

            def told(share: float) -> None:
                self.from_thread(self._say, f"{ASKING} {share:.0%}")

            try:
                found = inside.pictures(self.workbench.verifier, self.run, *wanted, told=told)
            except UserError as problem:
                self.from_thread(self._take, wanted, None, str(problem))
            else:
                self.from_thread(self._take, wanted, found, "")

    def _take(self, wanted: tuple[str, str | None, int | None], found: dict[str, Any] | None, problem: str) -> None:
        """Show what came; where something else is wanted by now, that is asked for next."""
        if wanted != self.wanted:
            return
        self.waiting, self.found = False, found
        self._say(problem)
        self._draw()
        self.query_one("#sheet").scroll_home(animate=False)
        self.refresh_bindings()

    def _say(self, text: str) -> None:
        state = self.query_one("#state", Static)
        state.update(text)
        state.set_class(not text, "empty")

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        sheet = self.query_one("#sheet")
        width, height = sheet.size.width - 1, sheet.size.height
        rows = draw(self.found, width, height) if self.found and width > 0 else []
        cells = [segment for row in rows for segment in (*row, Segment.line())]
        self.query_one("#sheet Static", Static).update(Segments(cells))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is offered."""
        if action in ("sample", "layer"):
            return self.kind in inside.OF_A_LAYER
        return super().check_action(action, parameters)

    def action_turn(self, kind: str) -> None:
        """Another kind of picture."""
        if kind != self.kind:
            self.kind = kind
            self.refresh_bindings()
            self._look()

    def action_sample(self, way: int) -> None:
        """The next test sample, or the one before."""
        if self.sample + way >= 0:
            self.sample += way
            self._look()

    def action_layer(self, way: int) -> None:
        """The next layer, or the one before; of maps also the few of all layers that are shown first."""
        known = (self.found or {}).get("all_layers", [])
        if self.found and self.found["picture"] == self.kind and known:
            now = self.chosen.get(self.kind) or (self.found["layer"] if self.kind == "field" else None)
            turns = [None, *known] if self.kind == "maps" else known
            chosen = turns[(turns.index(now) + way) % len(turns)]
            self.chosen.pop(self.kind, None)
            if chosen is not None:
                self.chosen[self.kind] = chosen
            self._look()

    def copied(self) -> str:
        """The command that prints the same."""
        kind, layer, sample = self.wanted
        more = [*(["--layer", layer] if layer else []), *(["--sample", str(sample)] if sample else [])]
        return shlex.join(["workbench", "runs", "inspect", self.run.id, kind, *more])

    def action_leave(self) -> None:
        self.workbench.pop_screen()

    def on_unmount(self) -> None:
        if self.waiting:
            self.waiting = False
            self.workbench.verifier.interrupt()
