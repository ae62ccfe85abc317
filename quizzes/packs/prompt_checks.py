"""Further rules for drills of packs: which symbols they may ask for, and which values they must show."""

from collections.abc import Collection, Iterator
from string import Formatter

from quizzes.formula import Formula

# Other kinds need more than a value, as labels do.
ASKABLE_KINDS = ("int", "real", "fraction", "shape", "vector", "matrix", "choice")


def split_asks(asks: str) -> tuple[str, ...]:
    """Return the symbols in a text such as `"a b"` or `"a | b"`."""
    return tuple(asks.replace("|", " ").split())


def answer_problems(names: Collection[str], formula: Formula) -> Iterator[str]:
    """Yield the problems of symbols whose answers a pack can't ask for.

    Args:
        names: Symbols of the formula.
        formula: The drill's formula.
    """
    for name in names:
        if (kind := formula.symbols[name].kind) not in ASKABLE_KINDS:
            yield f"A pack can't ask for {name}, which is of kind {kind}. Ask for another symbol."
        elif name in formula.inputs and not _has_few_values(name, formula):
            yield (
                f"A pack can't ask for the input {name}. Ask for an integer with a lower and an upper limit, "
                "of a formula without a procedure."
            )


def _has_few_values(name: str, formula: Formula) -> bool:
    """Return whether an input can be found by trying all its values, because SymPy may never solve an equation."""
    symbol = formula.symbols[name]
    return symbol.kind == "int" and symbol.low is not None and symbol.high is not None and not formula.procedure


def missing_values(prompt: str, needed: Collection[str]) -> Iterator[str]:
    """Yield a problem if a prompt lacks values.

    Args:
        prompt: The prompt, whose fields are valid.
        needed: The symbols whose values the answer depends on.
    """
    fields = {name for _, name, _, _ in Formatter().parse(prompt)}
    if missing := [f"{{{name}}}" for name in needed if name not in fields]:
        yield f"prompt must show every value that the answer depends on. Add {', '.join(missing)}."
