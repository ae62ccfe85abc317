"""What a pack's drill asks for and says, held against its formula: a question must give all that its answer needs."""

from collections.abc import Iterator
from string import Formatter

from quizzes.formula import Formula
from workbench.errors import unknown_name

KINDS = ("int", "real", "fraction", "shape", "vector", "matrix")  # the others need more than a value, such as labels


def asked(asks: str) -> tuple[str, ...]:
    """The symbols that `"a b"` or `"a | b"` names."""
    return tuple(asks.replace("|", " ").split())


def flaws_of_asks(asks: str, formula: Formula) -> Iterator[str]:
    """What is wrong with the symbols that are asked for."""
    symbols = asked(asks)
    if not symbols or len(set(symbols)) < len(symbols):
        yield 'asks names symbols, each once: "o", "a b" for both, "o | n" for one of them.'
    for name in symbols:
        if name not in formula.symbols:
            yield _unknown(name, formula)
        elif formula.symbols[name].kind not in KINDS:
            yield f"{name} is of kind {formula.symbols[name].kind}, which a pack can't ask for."
        elif name in formula.inputs:
            if not _found_by_trying(name, formula):
                yield f"A pack asks for inputs that are found by trying whole numbers, and {name} isn't."
            if len(symbols) > 1 and "|" not in asks:
                yield f'{name} is an input: ask for it alone, or for one of several, as in "o | {name}".'


def _found_by_trying(name: str, formula: Formula) -> bool:
    """Whether an input is sought among whole numbers: an equation that somebody wrote may take SymPy forever."""
    symbol = formula.symbols[name]
    return symbol.kind == "int" and symbol.low is not None and symbol.high is not None and not formula.procedure


def flaws_of_prompt(prompt: str, formula: Formula, needed: list[str]) -> Iterator[str]:
    """What is wrong with a prompt.

    Args:
        prompt: The prompt; its fields are symbols and nothing else.
        formula: What is drilled.
        needed: The symbols whose values the answer depends on.
    """
    try:
        fields = [(name, spec, turn) for _, name, spec, turn in Formatter().parse(prompt) if name is not None]
    except ValueError:
        yield "A curly bracket in the prompt has no partner: write {n} for a symbol, {{ for a bracket."
        return
    for name, spec, turn in fields:
        if spec or turn:
            yield f"The prompt has a field with more than a symbol: write it as {{{name[:30]}}}."
        elif name not in formula.symbols:
            yield _unknown(name, formula)
    if missing := [f"{{{name}}}" for name in needed if name not in {field[0] for field in fields}]:
        yield f"The prompt must say all that the answer depends on: put {', '.join(missing)} into it."


def _unknown(name: str, formula: Formula) -> str:
    return str(unknown_name(f"symbol of {formula.id}", name, list(formula.symbols)))
