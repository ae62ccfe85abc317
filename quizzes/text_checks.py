"""Checks of what a declaration says, whether in Python or in the TOML of a pack: each problem is the same sentence."""

import re
from collections.abc import Collection, Iterator, Mapping
from string import Formatter

from quizzes.answer_symbols import AnswerSymbol
from quizzes.formula import Formula
from workbench.errors import unknown_name

MAX_TEXT, MAX_IDENTIFIER = 2000, 60  # characters
MAX_TIER, MAX_DECIMALS, MAX_DIGITS = 3, 10, 10
LEAST_MISTAKES = 2
WIDTH = re.compile(r"(?:[<>^]?\d{1,2})?", re.ASCII)  # of a field
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # characters; but for line breaks and tabs
IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def text_problem(value: object) -> str:
    """Return what is wrong with a value that must be a text, to follow its name in a sentence; empty if nothing is."""
    if not isinstance(value, str):
        return "must be a text in double quotes"
    if not value.strip():
        return "must not be empty"
    if len(value) > MAX_TEXT:
        return f"must have at most {MAX_TEXT} characters, not {len(value)}"
    if CONTROL.search(value):  # a terminal would obey them
        return "must not contain control characters"
    return ""


def identifier_problem(text: str) -> str:
    """Return what is wrong with a text that must be a name with hyphens, to follow its key; empty if nothing is."""
    if IDENTIFIER.fullmatch(text) and len(text) <= MAX_IDENTIFIER:
        return ""
    return (
        f"must be at most {MAX_IDENTIFIER} lowercase letters, digits and hyphens, such as same-padding, "
        f"not {text[:MAX_IDENTIFIER]!r}"
    )


def integer_problem(value: object, low: int, high: int) -> str:
    """Return what is wrong with a value that must be an integer, to follow its name; empty if nothing is."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        return f"must be an integer from {low} to {high}"
    return ""


def asks_problems(names: Collection[str], is_one_of: bool, formula: Formula) -> Iterator[str]:
    """Yield the problems of the symbols that a drill asks for.

    Args:
        names: The symbols.
        is_one_of: Whether a question asks for one of them, or for all of them.
        formula: The drill's formula.
    """
    if not names or len(set(names)) < len(names):
        yield "asks must name one symbol or several different ones."
    for name in names:
        if name not in formula.symbols:
            yield f"asks: {unknown_symbol(name, formula)}"
        elif name in formula.inputs and len(names) > 1 and not is_one_of and not draws_answer(name, formula):
            yield f"asks: {name} is an input. Ask for it alone, or for one of several symbols."


def draws_answer(name: str, formula: Formula) -> bool:
    """Return whether a symbol is an input whose value a drill draws and asks for, such as the wrong line."""
    return name in formula.inputs and isinstance(formula.symbols[name], AnswerSymbol)


def prompt_problems(prompt: str, options: Collection[str] | None = None, key: str = "prompt") -> Iterator[str]:
    """Yield the problems of the fields of a prompt, such as `{n}`.

    Args:
        prompt: The prompt, or another text with fields.
        options: The names that fields may have; None if they aren't known yet.
        key: What the text is called.
    """
    try:
        fields = [field for field in Formatter().parse(prompt) if field[1] is not None]
    except ValueError:
        yield f"{key} has a brace without a partner. Write {{n}} for a symbol, and {{{{ or }}}} for a brace."
        return
    for _, name, spec, conversion in fields:
        symbol = re.split(r"\W", name or "", maxsplit=1)[0]
        if conversion or not symbol or symbol != name or not WIDTH.fullmatch(spec or ""):
            example = f"{{{symbol[:30] or 'n'}}}"
            yield f"A field of {key} must be only a symbol, or one with a width: {{n:<7}}. Write it as {example}."
        elif options is not None and name not in options:
            yield f"{key}: {unknown_name('field', name, options)}"


def mistakes_problems(names: Collection[str]) -> Iterator[str]:
    """Yield the problems of the names of all mistakes of a drill."""
    if len(names) < LEAST_MISTAKES:
        yield f"A drill needs at least {LEAST_MISTAKES} mistakes. Add another."
    if len(set(names)) < len(names):
        yield "Two mistakes have the same name. Rename one of them."


def unknown_symbol(name: str, formula: Formula) -> str:
    """Return the sentence on a name that is not a symbol of a formula."""
    return str(unknown_name(f"symbol of {formula.id}", name, formula.symbols))


# Nouns that follow a number in prompts.
COUNTED = (
    "bits blocks boxes channels classes deletions dimensions epochs examples filters heads images insertions layers "
    "matches neurons parameters patches pixels positions samples sentences steps substitutions times tokens units "
    "values windows words"
).split()
COUNT = re.compile(rf"\{{(\w+)\}} ((?:[a-z]+ )?)({'|'.join(COUNTED)})\b")


def with_singulars(prompt: str, texts: Mapping[str, str]) -> str:
    """Return a prompt in which the nouns behind a `{name}` that is 1 are singular: `shifted by 1 token`."""

    def agree(match: re.Match[str]) -> str:
        name, adjective, noun = match.groups()
        if texts.get(name) != "1":
            return match[0]
        singular = noun[:-2] if noun.endswith(("xes", "ches", "sses")) else noun[:-1]
        return f"{{{name}}} {adjective}{singular}"

    return COUNT.sub(agree, prompt)
