"""A symbol of a formula: its meaning, its domain, and how a value that a user typed is read."""

from dataclasses import dataclass, replace

from quizzes.answers import KINDS
from quizzes.expressions.graph import build_graph
from quizzes.expressions.parser import Trees, read, read_list
from quizzes.expressions.tree import Value, evaluate, exact
from quizzes.layers import read_layers
from quizzes.question import Part
from workbench.errors import UserError, unknown_name

KINDS_IN_WORDS = {
    "int": "an integer",
    "real": "a number",
    "vector": "a vector of numbers",
    "matrix": "a matrix of numbers",
    "shape": "a shape",
    "texts": "a list of texts",
    "expression": "an expression such as x^2 + 3y^2",
    "layers": "a list of layers such as conv5x5-6, pool2, fc10",
}
DEPTHS = {"vector": 1, "shape": 1, "texts": 1, "matrix": 2}  # levels of lists in the values of a kind
EXAMPLES = {
    "vector": "[1, 2]",
    "shape": "32x32x3",
    "texts": "[first text, second text]",
    "matrix": "[[1, 2], [3, 4]]",
}
TEXT_KINDS = ("text", "texts", "word", "expression", "layers")  # kinds whose values are texts, even a text such as 5
INTEGER_KINDS = ("int", "shape")


@dataclass(frozen=True)
class Symbol:
    """A symbol of a formula.

    Attributes:
        name: Its name in the equations.
        kind: `int`, `real`, `vector`, `matrix`, `shape`, `text`, `texts`, `word` (one of `words`), `expression`,
            `layers` (see `quizzes.layers`), `table` (a dict for each row), or a kind of answer.
        low, high: The interval of its values (of its elements); None for no limit.
        words: The words that a `word` may be.
        default: Its value if the user gives none; None for no default.
        optional: Whether it may be left out although it has no default.
        meaning: What it stands for.
        unit: Its unit; empty for a pure number.
    """

    name: str
    kind: str
    low: float | None
    high: float | None
    words: tuple[str, ...]
    default: Value
    optional: bool
    meaning: str
    unit: str

    @property
    def answer_kind(self) -> str:
        """The kind of answer that asks for it."""
        return {"int": "integer", "real": "decimal"}.get(self.kind, self.kind)

    @property
    def is_required(self) -> bool:
        """Return whether the user must give a value."""
        return self.default is None and not self.optional

    def exact(self, value: Value) -> Value:
        """Make a value exact if its kind is made of numbers."""
        return value if self.kind in TEXT_KINDS else exact(value)

    def check(self, value: Value) -> Value:
        """Return a value if the symbol may have it.

        Raises:
            UserError: If the value is of another kind or outside the interval.
        """
        elements = [value]
        for _ in range(DEPTHS.get(self.kind, 0)):
            if not all(isinstance(v, list) and v for v in elements):
                raise UserError(f"{self.name} ({self.meaning}) is a {self.kind}: write it as {EXAMPLES[self.kind]}.")
            elements = [v for row in elements for v in row]
        if self.kind == "matrix" and len({len(row) for row in value}) > 1:
            raise UserError(
                f"{self.name} ({self.meaning}) has rows of different lengths: give every row the same number of values."
            )
        if not all(map(self._is_element, elements)):
            raise UserError(f"{self.name} ({self.meaning}) must be {self.describe_domain()}.")
        if self.words and value not in self.words:
            raise unknown_name(self.meaning, value, list(self.words))
        return value

    def _is_element(self, value: Value) -> bool:
        if isinstance(value, list) or isinstance(value, str) != (self.kind in TEXT_KINDS):
            return False
        return self.is_in_domain(value) and (self.kind not in INTEGER_KINDS or value == int(value))

    def is_in_domain(self, value: Value) -> bool:
        """Return whether a number is in the interval."""
        return bool((self.low is None or value >= self.low) and (self.high is None or value <= self.high))

    def read(self, text: str) -> Value:
        """Read a value that a user typed; `check` tells whether the symbol may have it.

        Raises:
            FormatError: If it can't be read.
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
                return _evaluate_list(read_list(text))
        return evaluate(read(text), {})

    def describe_domain(self) -> str:
        """Describe the values that it may have, such as "an integer from 1 to 9"."""
        if self.words:
            return f"{', '.join(self.words[:-1])} or {self.words[-1]}"
        interval = "" if self.low is None else f" from {self.low:g}"
        if self.high is not None:
            interval += f"{' up' if self.low is None else ''} to {self.high:g}"
        elif self.low is not None:
            interval += " up"
        return KINDS_IN_WORDS.get(self.kind, f"a {self.kind}") + interval


def _evaluate_list(trees: Trees) -> list[Value]:
    return [_evaluate_list(tree) if isinstance(tree, list) else evaluate(tree, {}) for tree in trees]


def symbol(name: str, text: str) -> Symbol:
    """Parse the declaration of a symbol: `kind low..high = default; meaning [unit]`; kind and meaning are required.

    `int?` is an integer that may be left out, and `word sgd|adam` one of these words.
    """
    head, _, meaning = text.partition(";")
    head, _, default = head.partition("=")
    kind, _, values = head.strip().partition(" ")
    words = tuple(values.strip().split("|")) if kind.startswith("word") else ()
    low, _, high = "..".partition("..") if words else values.strip().partition("..")
    meaning, _, unit = meaning.strip().partition(" [")
    result = Symbol(
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
    return replace(result, default=result.exact(result.default))
