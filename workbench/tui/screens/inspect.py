"""Inspect: what a run's network computes, from its filters to its dead units."""

import shlex
from threading import Lock
from typing import Any

from rich.segment import Segment, Segments
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from workbench.engine import Run, interpret
from workbench.engine.profile import profile
from workbench.errors import UserError
from workbench.render.halfblock import Rows
from workbench.render.interpretation import draw
from workbench.render.profile import draw_profile
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading

WAITING = "Running PyTorch …"
PROFILE = "profile"  # of a training step: not of the trained weights, and a command of its own
MORE = Binding.Group("More", compact=True)  # kinds that the footer has no room to name

Selection = tuple[str, str | None, int | None]  # a kind of visualization, a layer and a sample


class Inspect(Page):
    """One visualization at a time, computed by the process that has PyTorch. Leaving the screen does not wait for it.

    Args:
        run: The run whose network is inspected.
    """

    CSS_PATH = "inspect.tcss"
    HELP = """
    What a trained network computes, with the weights of its best checkpoint: the filters of its first layer, the
    feature maps of a test sample, its most confident errors, and the receptive field of the unit in the middle of a
    layer. `n` and `l` show the next sample and layer, with Shift the previous one.
    `w` shows histograms of its weights, `v` of the gradient of the loss, `d` its dead units, and `p` the time and the
    memory of a training step, layer by layer.
    """
    BINDINGS = [
        Binding("f", "show_kind('filters')", "Filters", id="inside.filters"),
        Binding("m", "show_kind('maps')", "Maps", id="inside.maps"),
        Binding("e", "show_kind('errors')", "Errors", id="inside.errors"),
        Binding("r", "show_kind('field')", "Receptive field", id="inside.field"),
        Binding("w", "show_kind('weights')", "Weights", group=MORE, id="inside.weights"),
        Binding("v", "show_kind('gradients')", "Gradients", group=MORE, id="inside.gradients"),
        Binding("d", "show_kind('dead')", "Dead units", group=MORE, id="inside.dead"),
        Binding("p", "show_kind('profile')", "Profile", group=MORE, id="inside.profile"),
        Binding("n", "sample(1)", "Sample", id="inside.sample"),
        Binding("N", "sample(-1)", "Previous sample", show=False, id="inside.sample_before"),
        Binding("l", "layer(1)", "Layer", id="inside.layer"),
        Binding("L", "layer(-1)", "Previous layer", show=False, id="inside.layer_before"),
        Binding("escape", "leave", "Runs"),
    ]

    def __init__(self, run: Run):
        super().__init__()
        self.run = run
        self.kind, self.sample = _first_kind(run), 0
        self.selected_layers: dict[str, str] = {}  # kind -> the layer that is selected for it
        self.visualization: dict[str, Any] | None = None
        self.waiting = False
        self._turn = Lock()  # one request at a time, and only those that are still selected

    def compose(self) -> ComposeResult:
        yield Heading("Inspect")
        yield Static(id="state", classes="quiet", markup=False)
        with VerticalScroll(id="sheet"):
            yield Static(markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#sheet").focus()
        self._request()

    @property
    def selection(self) -> Selection:
        """The kind of visualization, the layer and the sample that are selected now."""
        if self.kind not in interpret.LAYER_KINDS:
            return self.kind, None, None
        return self.kind, self.selected_layers.get(self.kind), self.sample

    def _request(self) -> None:
        self.waiting = True
        self.query_one(Heading).say(f"Inspect · {self.run.id}", self.kind)
        self._show_state(WAITING)
        self._compute()

    @work(thread=True, group="inspect")
    def _compute(self) -> None:
        """Have the visualization computed, in a thread: the first time, PyTorch has to start."""
        with self._turn:
            selection = self.selection
            if not self.waiting or not self.is_attached:  # another thread has computed it, or the screen was left
                return

            def report_progress(progress: float) -> None:
                self.from_thread(self._show_state, f"{WAITING} {progress:.0%}")

            visualization, problem = None, ""
            try:
                if selection[0] == PROFILE:
                    visualization = profile(self.workbench.verifier, self.run)
                else:
                    visualization = interpret.visualize(
                        self.workbench.verifier, self.run, *selection, on_progress=report_progress
                    )
            except UserError as error:
                problem = str(error)
            self.from_thread(self._show, selection, visualization, problem)

    def _show(self, selection: Selection, visualization: dict[str, Any] | None, problem: str) -> None:
        """Show a result, unless something else is selected by now, which is computed next."""
        if selection != self.selection:
            return
        self.waiting, self.visualization = False, visualization
        self._show_state(problem)
        self._draw()
        self.query_one("#sheet").scroll_home(animate=False)
        self.refresh_bindings()

    def _show_state(self, text: str) -> None:
        state = self.query_one("#state", Static)
        state.update(text)
        state.set_class(not text, "empty")

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        sheet = self.query_one("#sheet")
        width, height = sheet.size.width - 1, sheet.size.height
        rows: Rows = []
        if self.visualization and width > 0:
            is_profile = self.visualization["kind"] == PROFILE
            rows = draw_profile(self.visualization, width) if is_profile else draw(self.visualization, width, height)
        cells = [segment for row in rows for segment in (*row, Segment.line())]
        self.query_one("#sheet Static", Static).update(Segments(cells))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action does something now; the footer shows only those."""
        if action in ("sample", "layer"):
            return self.kind in interpret.LAYER_KINDS
        return super().check_action(action, parameters)

    def action_show_kind(self, kind: str) -> None:
        """Show another kind of visualization."""
        if kind != self.kind:
            self.kind = kind
            self.refresh_bindings()
            self._request()

    def action_sample(self, step: int) -> None:
        """Show the next test sample (1), or the previous one (-1)."""
        if self.sample + step >= 0:
            self.sample += step
            self._request()

    def action_layer(self, step: int) -> None:
        """Show the next layer (1), or the previous one (-1). Maps also have the overview that they begin with."""
        visualization = self.visualization or {}
        names = visualization.get("all_layers", [])
        if visualization.get("kind") == self.kind and names:
            current = self.selected_layers.get(self.kind) or (visualization["layer"] if self.kind == "field" else None)
            choices = [None, *names] if self.kind == "maps" else names
            layer = choices[(choices.index(current) + step) % len(choices)]
            self.selected_layers.pop(self.kind, None)
            if layer is not None:
                self.selected_layers[self.kind] = layer
            self._request()

    def copied(self) -> str:
        """Return the command that prints the same."""
        kind, layer, sample = self.selection
        if kind == PROFILE:
            return shlex.join(["workbench", "runs", "profile", self.run.id])
        options = [*(["--layer", layer] if layer else []), *(["--sample", str(sample)] if sample else [])]
        return shlex.join(["workbench", "runs", "inspect", self.run.id, kind, *options])

    def action_leave(self) -> None:
        """Go back to the runs."""
        self.workbench.pop_screen()

    def on_unmount(self) -> None:
        if self.waiting:
            self.waiting = False
            self.workbench.verifier.interrupt()


def _first_kind(run: Run) -> str:
    """Return the kind of visualization that the screen begins with: filters if the run reads images."""
    try:
        interpret.check(run, "filters", None, None)
    except UserError:
        return "weights"
    return "filters"
