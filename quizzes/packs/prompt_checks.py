"""Checks of a drill's `asks` and `prompt`: symbols must exist, and the prompt must show all that the answer needs."""

from collections.abc import Collection, Iterator
from string import Formatter

from quizzes.formula import Formula
from workbench.errors import unknown_name

# Other kinds need more than a value, as labels do.
ASKABLE_KINDS = ("int", "real", "fraction", "shape", "vector", "matrix", "choice")


def split_asks(asks: str) -> tuple[str, ...]:
    """Return the symbols in a text such as `"a b"` or `"a | b"`."""
    return tuple(asks.replace("|", " ").split())


def asks_problems(asks: str, formula: Formula) -> Iterator[str]:
    """Yield the problems of the symbols that a drill asks for."""
    symbols = split_asks(asks)
    if not symbols or len(set(symbols)) < len(symbols):
        yield 'asks must name different symbols, such as "o", "a b" for both, or "o | n" for one of them.'
    for name in symbols:
        if name not in formula.symbols:
            yield _unknown_symbol(name, formula)
        elif (kind := formula.symbols[name].kind) not in ASKABLE_KINDS:
            yield f"A pack can't ask for {name}, which is of kind {kind}. Ask for another symbol."
        elif name in formula.inputs:
            if not _has_few_values(name, formula):
                yield (
                    f"A pack can't ask for the input {name}. Ask for an integer with a lower and an upper limit, "
                    "of a formula without a procedure."
                )
            if len(symbols) > 1 and "|" not in asks:
                yield f'{name} is an input. Ask for it alone, or for one of several symbols: "o | {name}".'


def _has_few_values(name: str, formula: Formula) -> bool:
    """Return whether an input can be found by trying all its values, because SymPy may never solve an equation."""
    symbol = formula.symbols[name]
    return symbol.kind == "int" and symbol.low is not None and symbol.high is not None and not formula.procedure


def prompt_problems(prompt: str, formula: Formula, needed: Collection[str]) -> Iterator[str]:
    """Yield the problems of a prompt.

    Args:
        prompt: The prompt. Each of its fields must be a symbol, such as `{n}`.
        formula: The drill's formula.
        needed: The symbols whose values the answer depends on.
    """
    try:
        fields = [
            (name, spec, conversion) for _, name, spec, conversion in Formatter().parse(prompt) if name is not None
        ]
    except ValueError:
        yield "prompt has a brace without a partner. Write {n} for a symbol, and {{ or }} for a brace."
        return
    for name, spec, conversion in fields:
        if spec or conversion:
            yield f"A field of prompt must be only a symbol. Write it as {{{name[:30]}}}."
        elif name not in formula.symbols:
            yield _unknown_symbol(name, formula)
    if missing := [f"{{{name}}}" for name in needed if name not in {name for name, _, _ in fields}]:
        yield f"prompt must show every value that the answer depends on. Add {', '.join(missing)}."


def _unknown_symbol(name: str, formula: Formula) -> str:
    return str(unknown_name(f"symbol of {formula.id}", name, formula.symbols))
