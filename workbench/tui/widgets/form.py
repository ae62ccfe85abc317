"""The options of a run as a form: under their headings, those alone that mean something now."""

from typing import Any

from textual.app import ComposeResult
from textual.containers import Grid, Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static

import models
from workbench import tasks
from workbench.engine import RunSpec
from workbench.engine.checks import OneOf, read_seeds
from workbench.engine.methods import command
from workbench.engine.networks import is_compatible
from workbench.engine.spec.choices import applicable
from workbench.engine.spec.options import OPTIONS, Option
from workbench.engine.spec.texts import read, read_option
from workbench.errors import UserError
from workbench.tui.widgets.field import Choice, Field

REFUSALS = UserError
SEEDS = "Decides the split, the first weights and the order. 0..4 or 0,3,7: a run for each."
OWN = "your own"  # chosen for a task: then its data are written in a line of their own
ABOUT_OWN = (
    "folder:PATH, with a folder of images for each class; coco:IMAGES:ANNOTATIONS, images with boxes; "
    "masks:IMAGES:MASKS, images with the class of every pixel; "
    "csv:PATH, a table whose last column is the target; "
    "text:PATH, text-bpe:PATH or words:PATH; sentences:PATH, a CSV file of texts and labels; conll:PATH; pairs:PATH, a "
    "source and its target in each line; series:PATH, a CSV file whose last column is a time series."
)
USUAL = {"warmup": "0", "dropout": "0", "batch_norm": "no", "init": "the network's own"}  # what None stands for


class Form(VerticalScroll, can_focus=False):
    """What is written is kept as text, field by field, whether it means something now or not.

    Args:
        texts: Field -> what is written there; changed as the form is filled in. Its `model` is a network's name, and
            `own` says where the data are when the task is `OWN`.
    """

    DEFAULT_CSS = """
    Form { height: auto; scrollbar-size-vertical: 1; }
    Form .group { height: auto; }
    Form .group > Static { width: 15; text-style: bold; }
    Form Grid { height: auto; width: 1fr; grid-size: 3; grid-gutter: 0 1; grid-rows: 1; }
    Form #task-field, Form #optimizer-field, Form #schedule-field, Form #init-field { column-span: 2; }
    Form #augment-field, Form #freeze-field { column-span: 2; }
    Form #model-field, Form #options-field, Form #own-field { column-span: 3; }
    Form #origin-field, Form #weights-field { column-span: 3; }
    Form .idle { display: none; }
    """

    class Changed(Message):
        """The form orders something else, or something that can't be."""

    def __init__(self, texts: dict[str, str]):
        super().__init__()
        self.texts = texts
        self.fields = [self._field(name, option) for name, option in OPTIONS.items()]
        self.own = Field("own", ABOUT_OWN)

    def compose(self) -> ComposeResult:
        groups: dict[str, list[Field]] = {}
        for field, option in zip(self.fields, OPTIONS.values(), strict=True):
            groups.setdefault(option.group, []).append(field)
        next(iter(groups.values())).insert(-1, self.own)  # under the task
        for group, members in groups.items():
            with Horizontal(classes="group"):
                yield Static(group)
                yield Grid(*members)

    def _field(self, name: str, option: Option) -> Field:
        if name == "model":
            return Field("model", option.help, models.names(), blank=False)
        if name in ("task", "preset"):
            return Field(name, option.help, self._offered()[name])
        if isinstance(option.check, OneOf):  # the default is shown if nothing is chosen, and isn't listed again
            return Field(name, option.help, [value for value in option.check.names if value != option.default])
        return Field(name, SEEDS if name == "seed" else option.help, ["yes"] if option.kind is bool else None)

    def _offered(self) -> dict[str, list[str]]:
        """What may be chosen beside the network that is chosen, and isn't its own anyway."""
        known, preset = models.info(self.texts["model"]), self.texts.get("preset") or "mini"
        fitting = [task for task in tasks.names() if is_compatible(known.name, preset, task)]
        return {
            "task": [*(task for task in fitting if task != known.task), OWN],
            "preset": [preset for preset in known.presets if preset != "mini"],
        }

    def on_mount(self) -> None:
        with self.prevent(Field.Changed):
            for field in (*self.fields, self.own):
                field.text = self.texts.get(field.field, "")
            self.own.hint("folder:PATH, csv:PATH, text:PATH ...")
        self._settle()

    def on_field_changed(self) -> None:
        self.texts.update({field.field: field.text for field in (*self.fields, self.own)})
        self._settle()

    def _settle(self) -> None:
        """Show what applies to what is chosen, and what is usual there."""
        offered, shown, usual = self._offered(), self._shown(), self._usual().options()
        for field in self.fields:
            if field.field in offered and isinstance(field.editor, Choice):
                field.editor.offer(offered[field.field])
                self.texts[field.field] = field.text
            field.set_class(field.field not in shown, "idle")
            field.hint(format_value(usual.get(field.field)) or USUAL.get(field.field, ""))
            field.mark(not _readable(field))
        self.own.set_class(self.texts.get("task") != OWN, "idle")
        self.own.mark(bool(self.own.text.strip()) and not self.own.text.strip().startswith(tasks.OWN))
        self.post_message(self.Changed())

    def _chosen(self) -> dict[str, str]:
        """What is chosen from names: always something that can be."""
        return {field.field: field.text for field in self.fields if isinstance(field.editor, Choice) and field.text}

    def _shown(self) -> list[str]:
        begun = {name: text for name in ("origin", "weights") if (text := self.texts.get(name, "").strip())}
        return applicable({"model": self.texts["model"], **self._chosen(), **begun})

    def _usual(self) -> RunSpec:
        """The order with what is usual filled in; of the choices alone where what is written can't be."""
        try:
            return self.order()[0]
        except REFUSALS:
            names = ("model", "preset", "optimizer", "schedule", "init")
            chosen: dict[str, Any] = {name: text for name, text in self.texts.items() if name in names and text}
            return RunSpec.create(**chosen)

    def _given(self) -> dict[str, Any]:
        """The values of the fields that mean something and were filled in."""
        shown = set(self._shown()) - {"model", "seed"}
        texts = {name: text for name, text in self.texts.items() if name in shown}
        if texts.get("task") == OWN:
            texts["task"] = self.texts.get("own", "").strip()
            if not texts["task"].startswith(tasks.OWN):
                raise UserError(f"Say where your own data are: {ABOUT_OWN}")
        return read(texts)

    def _seeds(self) -> list[int]:
        return read_seeds(self.texts.get("seed", "").strip() or "0")

    def order(self) -> tuple[RunSpec, list[int]]:
        """What is ordered, and for which seeds.

        Raises:
            UserError: Something that is written can't be.
        """
        seeds = self._seeds()
        return RunSpec.create(self.texts["model"], **self._given(), seed=seeds[0]), seeds

    def command(self) -> str:
        """The command line that orders the same. Raises as `order`."""
        self.order()
        given = self._given()
        if text := self.texts.get("seed", "").strip():
            given["seed" if len(self._seeds()) == 1 else "seeds"] = text
        return command(self.texts["model"], given)

    def wrong(self) -> Field | None:
        """The first field that can't be read."""
        if self.own.display and not self.own.text.strip().startswith(tasks.OWN):
            return self.own
        return next((field for field in self.fields if field.display and not _readable(field)), None)


def _readable(field: Field) -> bool:
    try:
        if field.field == "seed":
            read_seeds(field.text.strip() or "0")
        elif field.text.strip():
            read_option(field.field, field.text.strip())
    except REFUSALS:
        return False
    return True


def format_value(value: Any) -> str:
    """Return the value of an option as it would be typed."""
    if value is None or value == {}:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
