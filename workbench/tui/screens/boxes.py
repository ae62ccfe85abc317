"""Boxes: two that are moved with their IoU and GIoU, or several with NMS and its threshold, by keys or mouse."""

import shlex
from dataclasses import dataclass, field
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import MouseDown, MouseMove, MouseUp, Resize
from textual.message import Message
from textual.widgets import Footer, Static

from quizzes import formulas, procedures
from quizzes.procedure import State, number_text
from quizzes.question import Visualization
from workbench.render import visualizations
from workbench.render.question import wrap_text
from workbench.render.visualizations.areas import frame_scale
from workbench.tui.screens.page import Page
from workbench.tui.widgets.heading import Heading

WIDTH, HEIGHT = 72, 26  # of the plane in which the boxes are, in pixels
FRAME = [0, 0, WIDTH, HEIGHT]
LEAST = 2  # height and width of a box
STEP = 0.05  # of the threshold


@dataclass
class View:
    """What the screen shows.

    Attributes:
        title: The heading.
        drills: The drills behind it, the first one first.
        boxes: The corners of each box, by label.
        scores: The score of each box; empty if they have none.
        threshold: The threshold of NMS; None if there is none.
    """

    title: str
    drills: tuple[str, ...]
    boxes: dict[str, list[int]]
    scores: dict[str, float] = field(default_factory=dict)
    threshold: float | None = None


def _two_boxes() -> View:
    boxes = {"A": [8, 4, 36, 18], "B": [24, 8, 54, 24]}
    return View("IoU and GIoU of two boxes", ("iou", "giou-diou"), boxes)


def _crowd() -> View:
    boxes = {
        "A": [4, 4, 24, 22],
        "B": [6, 5, 26, 23],
        "C": [12, 4, 32, 22],
        "D": [46, 6, 62, 20],
        "E": [49, 8, 65, 22],
    }
    scores = dict(zip(boxes, [0.9, 0.75, 0.8, 0.6, 0.7], strict=True))
    return View("Non-maximum suppression", ("nms-trace", "soft-nms"), boxes, scores, 0.5)


VIEWS = {"iou": _two_boxes, "nms": _crowd}  # by the procedure that each shows


class Draggable(Static):
    """A drawing on which the mouse is pressed and moved."""

    is_pressed = False

    def follow(self, x: int, y: int, is_start: bool) -> None:
        """Do something about the mouse at a cell; `is_start` if the button was just pressed."""
        raise NotImplementedError

    def on_mouse_down(self, event: MouseDown) -> None:
        self.capture_mouse()
        self.is_pressed = True
        self.follow(event.x, event.y, is_start=True)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self.is_pressed:
            self.follow(event.x, event.y, is_start=False)

    def on_mouse_up(self, event: MouseUp) -> None:
        self.release_mouse()
        self.is_pressed = False


class Canvas(Draggable, can_focus=True):
    """The plane with the boxes."""

    @dataclass
    class Dragged(Message):
        """The mouse was pressed or moved at a point of the plane.

        Attributes:
            x: Column of the plane, in pixels.
            y: Row.
            is_start: Whether the button was just pressed.
        """

        x: float
        y: float
        is_start: bool

    first_row = 0  # of the plane, below a legend
    visualization: Visualization | None = None

    def show(self, visualization: Visualization, first_row: int) -> None:
        """Show boxes, in a plane that begins at a row."""
        data = visualization.data | {"frame": FRAME}
        self.visualization, self.first_row = Visualization(visualization.kind, data), first_row
        self.on_resize()

    def on_resize(self) -> None:
        """Draw again, at the size that there is."""
        if self.visualization and self.size.width > 1 and self.size.height > 3:
            self.update(visualizations.draw(self.visualization, *self.size), layout=False)

    def follow(self, x: int, y: int, is_start: bool) -> None:
        scale = frame_scale(FRAME, self.size.width, self.size.height - self.first_row)
        self.post_message(self.Dragged(x / scale, 2 * (y - self.first_row) / scale, is_start))


class Slider(Draggable):
    """The threshold, which a click or a drag sets."""

    @dataclass
    class Moved(Message):
        """The mouse was pressed or moved at a share of the line."""

        share: float

    LABEL = "threshold 0.00  "

    value = 0.0

    def show(self, value: float) -> None:
        """Show a value from 0 to 1."""
        self.value = value
        self.on_resize()

    def on_resize(self) -> None:
        """Draw again, at the width that there is."""
        cells = max(10, self.size.width - len(self.LABEL))
        knob = round(self.value * (cells - 1))
        self.update(f"threshold {self.value:.2f}  {'─' * knob}●{'─' * (cells - 1 - knob)}")

    def follow(self, x: int, y: int, is_start: bool) -> None:
        cells = max(10, self.size.width - len(self.LABEL))
        self.post_message(self.Moved(min(1.0, max(0.0, (x - len(self.LABEL)) / (cells - 1)))))


class Boxes(Page):
    """Boxes that keys and the mouse move, and what follows from where they are.

    Args:
        view: A key of `VIEWS`.
    """

    CSS_PATH = "boxes.tcss"
    HELP = """
    The arrow keys move the selected box, and with Shift they change its size; Tab selects the next box. Drag a box
    with the mouse, or its lower right corner to change its size. `+` and `-` slide the threshold of NMS, as a click on
    its line does. `o` switches between IoU and NMS, `p` practices the drill behind it, `s` shows the steps.
    """
    BINDINGS = [
        *(
            Binding(f"{shift}{key}", f"{action}({right}, {down})", "Move" if not shift else "Resize", show=False)
            for shift, action in (("", "move"), ("shift+", "resize"))
            for key, right, down in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1))
        ),
        Binding("tab", "select", "Next box", id="boxes.next"),
        Binding("plus", "slide(1)", "Threshold", key_display="+-", id="boxes.more"),
        Binding("minus", "slide(-1)", "Lower the threshold", show=False, id="boxes.less"),
        Binding("o", "other", "Other", id="boxes.other"),
        Binding("p", "practise", "Practice", id="boxes.practise"),
        Binding("s", "steps", "Steps", id="boxes.steps"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, view: str = "iou"):
        super().__init__()
        self.views = {name: build() for name, build in VIEWS.items()}
        self.name_of_view = view
        self.selection = "A"
        self.is_dragging = False
        self.grip: tuple[float, float] | None = None  # of a dragged box: from its corner; None to change its size

    @property
    def view(self) -> View:
        """What is shown."""
        return self.views[self.name_of_view]

    def compose(self) -> ComposeResult:
        yield Heading(self.view.title)
        yield Canvas(id="canvas", markup=False)
        yield Slider(id="slider", markup=False)
        yield Static(id="values", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Canvas).focus()

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self._show)

    def inputs(self) -> dict[str, Any]:
        """Return the inputs of the procedure that the view shows."""
        view = self.view
        if view.threshold is None:
            return dict(view.boxes)
        scores = list(view.scores.values())
        return dict(boxes=list(view.boxes.values()), scores=scores, tau=view.threshold)

    def _show(self) -> None:
        view, canvas, slider = self.view, self.query_one(Canvas), self.query_one(Slider)
        self.query_one(Heading).say(view.title, f"box {self.selection} is selected")
        slider.display = view.threshold is not None
        if view.threshold is None:
            lines = self._measures()
            canvas.show(Visualization("boxes", dict(view.boxes)), first_row=0)
        else:
            slider.show(view.threshold)
            states = procedures.get("nms").states(self.inputs())
            lines, last = self._decisions(states), states[-1].visualization
            assert last
            canvas.show(Visualization(last.kind, last.data | {"current": self.selection}), first_row=1)
        width = self.workbench.size.width - 4
        self.query_one("#values", Static).update("\n".join(wrap_text(line, width) for line in lines))

    def _measures(self) -> list[str]:
        """Return IoU, GIoU and DIoU of the two boxes, in lines."""
        view = self.view
        values = formulas.get("giou-diou").solve(**view.boxes)
        area = ", ".join(f"{name} {number_text(values[key])}" for name, key in (("intersection", "I"), ("union", "U")))
        names = (("IoU", "iou"), ("GIoU", "giou"), ("DIoU", "diou"))
        measures = "   ".join(f"{name} {float(values[key]):.4f}" for name, key in names)
        apart = "IoU is 0 at any distance, so it has no gradient here. GIoU falls as the boxes move apart."
        corners = "   ".join(f"{name} = {box}" for name, box in view.boxes.items())
        return [f"{corners}   {area} px", measures, apart if values["I"] == 0 else ""]

    def _decisions(self, states: list[State]) -> list[str]:
        """Return the boxes that NMS keeps and suppresses, in lines."""
        texts = {}
        for state in states[1:]:
            label, iou = state.values["box"], state.values["iou"]
            overlap = f", IoU {number_text(iou)}" if iou else ""
            texts[label] = f"{label} ({self.view.scores[label]:.2f}{overlap})"
        groups = {"Kept": states[-1].values["keep"], "Suppressed": states[-1].values["suppressed"]}
        lines = [f"{name}: {', '.join(texts[label] for label in labels) or 'none'}" for name, labels in groups.items()]
        return [*lines, "In parentheses: the score, and the IoU with the kept box that decides."]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the threshold only for NMS."""
        if action == "slide":
            return self.view.threshold is not None
        return super().check_action(action, parameters)

    def _change(self, box: list[int]) -> None:
        """Put the selected box to other corners, as far as they are in the plane."""
        width, height = box[2] - box[0], box[3] - box[1]
        x, y = min(max(box[0], 0), WIDTH - width), min(max(box[1], 0), HEIGHT - height)
        self.view.boxes[self.selection] = [x, y, x + width, y + height]
        self._show()

    def _enlarge(self, right: int, bottom: int) -> None:
        """Put the lower right corner of the selected box to another place, as far as that is in the plane."""
        x, y, *_ = self.view.boxes[self.selection]
        right, bottom = min(max(right, x + LEAST), WIDTH), min(max(bottom, y + LEAST), HEIGHT)
        self.view.boxes[self.selection] = [x, y, right, bottom]
        self._show()

    def action_move(self, right: int, down: int) -> None:
        x1, y1, x2, y2 = self.view.boxes[self.selection]
        self._change([x1 + right, y1 + down, x2 + right, y2 + down])

    def action_resize(self, right: int, down: int) -> None:
        _, _, x2, y2 = self.view.boxes[self.selection]
        self._enlarge(x2 + right, y2 + down)

    def action_select(self) -> None:
        labels = list(self.view.boxes)
        self.selection = labels[(labels.index(self.selection) + 1) % len(labels)]
        self._show()

    def on_canvas_dragged(self, event: Canvas.Dragged) -> None:
        """Select the box under the mouse, and move it or its lower right corner."""
        if event.is_start:
            self.is_dragging = self._grab(event.x, event.y)
        if not self.is_dragging:
            return
        if self.grip:
            x1, y1, x2, y2 = self.view.boxes[self.selection]
            right, down = round(event.x - self.grip[0] - x1), round(event.y - self.grip[1] - y1)
            self._change([x1 + right, y1 + down, x2 + right, y2 + down])
        else:
            self._enlarge(round(event.x), round(event.y))

    def _grab(self, x: float, y: float) -> bool:
        """Select the smallest box at a point; return whether there is one."""
        areas = {
            (x2 - x1) * (y2 - y1): name
            for name, (x1, y1, x2, y2) in self.view.boxes.items()
            if x1 - 1 <= x <= x2 + 1 and y1 - 1 <= y <= y2 + 2
        }
        if not areas:
            return False
        self.selection = areas[min(areas)]
        x1, y1, x2, y2 = self.view.boxes[self.selection]
        is_corner = abs(x - x2) <= 1 and abs(y - y2) <= 2
        self.grip = None if is_corner else (x - x1, y - y1)
        return True

    def on_slider_moved(self, event: Slider.Moved) -> None:
        self._set_threshold(event.share)

    def action_slide(self, direction: int) -> None:
        self._set_threshold((self.view.threshold or 0) + direction * STEP)

    def _set_threshold(self, value: float) -> None:
        self.view.threshold = round(min(max(value, 0), 1), 2)
        self._show()

    def action_other(self) -> None:
        """Show the next view."""
        names = list(self.views)
        self.name_of_view = names[(names.index(self.name_of_view) + 1) % len(names)]
        self.selection = "A"
        self.refresh_bindings()
        self._show()

    def action_practise(self) -> None:
        self.workbench.practise(self.view.drills[0])

    def action_steps(self) -> None:
        """Step through the procedure with these boxes."""
        self.workbench.steps(self.name_of_view, " ".join(_words(self.inputs())))

    def copied(self) -> str:
        """The command that prints the same values."""
        return shlex.join(["workbench", "calc", self.name_of_view, *_words(self.inputs())])

    def action_leave(self) -> None:
        self.workbench.pop_screen()


def _words(inputs: dict[str, Any]) -> list[str]:
    """Return inputs as words `name=value`."""
    return [f"{name}={value}" for name, value in inputs.items()]
