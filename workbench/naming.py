"""What is said when a name isn't known: the names nearest to it."""

from difflib import get_close_matches

from workbench import BadInput


def unknown(noun: str, name: object, known: list[str]) -> BadInput:
    """The refusal of a name that isn't there, with the names nearest to it."""
    near = get_close_matches(str(name), known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(sorted(known)[:8])}."
    return BadInput(f"There is no {noun} {str(name)[:60]!r}" + (f": {hint}" if known else "."))
