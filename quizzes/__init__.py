"""What is asked: formulas, drills, cards, and how an answer is read and marked."""

from difflib import get_close_matches


class BadInput(ValueError):
    """Something that was asked for or typed can't be used; the message is one sentence that says what to do."""


def unknown(noun: str, name: str, known: list[str]) -> BadInput:
    """The refusal of a name that isn't there, with the names nearest to it."""
    near = get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(sorted(known)[:8])} ..."
    return BadInput(f"There is no {noun} {name[:60]!r}: {hint}")
