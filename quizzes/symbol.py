"""A symbol of a formula: what it stands for, which values it may have, and how one that somebody typed is read."""

from dataclasses import dataclass, replace
from typing import Any

from quizzes.answers import KINDS
from quizzes.expressions.graph import build_graph
from quizzes.expressions.parser import read, read_list
from quizzes.expressions.tree import evaluate, exact
from quizzes.layers import read_layers
from quizzes.question import Part
from workbench.errors import UserError, unknown_name

KINDS_IN_WORDS = {
    "int": "a whole number",
    "real": "a number",
    "vector": "a vector of numbers",
    "matrix": "a matrix of numbers",
    "shape": "a shape",
    "texts": "a list of texts",
    "expression": "an expression such as x^2 + 3y^2",
    "layers": "a list of layers such as conv5x5-6, pool2, fc10",
}
DEPTHS = {"vector": 1, "shape": 1, "texts": 1, "matrix": 2}  # how deeply the lists of a kind are nested
EXAMPLES = {
    "vector": "[1, 2]",
    "shape": "32x32x3",
    "texts": "[first text, second text]",
    "matrix": "[[1, 2], [3, 4]]",
}
WORDED = ("text", "texts", "word", "expression", "layers")  # kinds whose values are texts, also where they look like 5
WHOLE = ("int", "shape")


@dataclass(frozen=True)
class Symbol:
    """A symbol of a formula.

    Attributes:
        name: As the equations write it.
        kind: `int`, `real`, `vector`, `matrix`, `shape`, `text`, `texts`, `word` (one of `words`), `expression`,
            `layers` (see `quizzes.layers`), `table` (a dict for each row), or a kind of answer.
        low, high: The interval of its values (of its elements); None where it has no end.
        words: The words that a `word` may be.
        default: Its value where none is given; None where there is none.
        optional: Whether it may be left out although it has no default.
        meaning: What it stands for.
        unit: In what it is measured; empty for a pure number.
    """

    name: str
    kind: str
    low: float | None
    high: float | None
    words: tuple[str, ...]
    default: Any
    optional: bool
    meaning: str
    unit: str

    @property
    def answer_kind(self) -> str:
        """The kind of answer that asks for it."""
        return {"int": "integer", "real": "decimal"}.get(self.kind, self.kind)

    @property
    def is_required(self) -> bool:
        """Whether a value must be given."""
        return self.default is None and not self.optional

    def exact(self, value: Any) -> Any:
        """A value made exact where it is made of numbers."""
        return value if self.kind in WORDED else exact(value)

    def check(self, value: Any) -> Any:
        """Take a value that somebody gave, or refuse it.

        Raises:
            UserError: Where the value is of another kind or outside the interval.
        """
        inside = [value]
        for _ in range(DEPTHS.get(self.kind, 0)):
            if not all(isinstance(v, list) and v for v in inside):
                raise UserError(f"{self.name} ({self.meaning}) is a {self.kind}: write it as {EXAMPLES[self.kind]}.")
            inside = [v for row in inside for v in row]
        if self.kind == "matrix" and len({len(row) for row in value}) > 1:
            raise UserError(
                f"{self.name} ({self.meaning}) has rows of different lengths: give every row as many values."
            )
        if not all(map(self._fits, inside)):
            raise UserError(f"{self.name} ({self.meaning}) must be {self.describe_domain()}.")
        if self.words and value not in self.words:
            raise unknown_name(self.meaning, value, list(self.words))
        return value

    def _fits(self, value: Any) -> bool:
        if isinstance(value, list) or isinstance(value, str) != (self.kind in WORDED):
            return False
        return self.is_in_domain(value) and (self.kind not in WHOLE or value == int(value))

    def is_in_domain(self, value: Any) -> bool:
        """Whether a number is within the interval."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def read(self, text: str) -> Any:
        """Read a value that somebody typed.

        Raises:
            FormatError: Where it can't be read; `check` says whether it will do.
        """
        match self.kind:
            case "text" | "word":
                return text.strip()
            case "texts":
                return [piece.strip() for piece in text.strip().strip("[]").split(",")]
            case "expression":
                build_graph(text)
                return text.strip()
            case "layers":
                read_layers(text)
                return text.strip()
            case "shape":
                return KINDS["shape"].read(text, Part(self.name, "shape", self.meaning, None)).value
            case "vector" | "matrix":
                return _worked_out(read_list(text))
        return evaluate(read(text), {})

    def describe_domain(self) -> str:
        """The values it may have, in words."""
        if self.words:
            return f"{', '.join(self.words[:-1])} or {self.words[-1]}"
        ends = "" if self.low is None else f" from {self.low:g}"
        if self.high is not None:
            ends += f"{' up' if self.low is None else ''} to {self.high:g}"
        elif self.low is not None:
            ends += " up"
        return KINDS_IN_WORDS.get(self.kind, f"a {self.kind}") + ends


def _worked_out(trees: Any) -> Any:
    return [_worked_out(tree) for tree in trees] if isinstance(trees, list) else evaluate(trees, {})


def symbol(name: str, text: str) -> Symbol:
    """Read the description of a symbol: `kind low..high = default; meaning [unit]`; kind and meaning must be there.

    `int?` is a whole number that may be left out, and `word sgd|adam` one of these words.
    """
    head, _, meaning = text.partition(";")
    head, _, default = head.partition("=")
    kind, _, values = head.strip().partition(" ")
    words = tuple(values.strip().split("|")) if kind.startswith("word") else ()
    low, _, high = "..".partition("..") if words else values.strip().partition("..")
    meaning, _, unit = meaning.strip().partition(" [")
    made = Symbol(
        name=name,
        kind=kind.removesuffix("?"),
        low=float(low) if low else None,
        high=float(high) if high else None,
        words=words,
        default=default.strip() or None,
        optional=kind.endswith("?"),
        meaning=meaning,
        unit=unit.rstrip("]"),
    )
    return replace(made, default=made.exact(made.default))
