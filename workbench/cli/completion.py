"""What the shell may complete: names of drills, cards, topics, formulas and symbols, found without heavy imports."""

from collections.abc import Iterable

from typer import Context


def drills(incomplete: str) -> list[str]:
    """Ids of drills."""
    from quizzes import bank

    return _starting(bank.all_drills(), incomplete)


def cards(incomplete: str) -> list[str]:
    """Ids of cards."""
    from quizzes import cards as recall

    return _starting(recall.all_cards(), incomplete)


def questions(incomplete: str) -> list[str]:
    """Whatever a quiz can be about: drills, cards and their topics."""
    from quizzes import bank

    items = bank.everything()
    return _starting({*items, *(item.topic for item in items.values())}, incomplete)


def formulas(incomplete: str) -> list[str]:
    """Ids of formulas."""
    from quizzes.formulas import all_formulas

    return _starting(all_formulas(), incomplete)


def sheets(incomplete: str) -> list[str]:
    """Formulas, and topics with formulas."""
    from quizzes.formulas import all_formulas

    return _starting({*all_formulas(), *(f.topic for f in all_formulas().values())}, incomplete)


def symbols(context: Context, incomplete: str) -> list[str]:
    """The symbols of the formula that stands on the line, each up to its equals sign."""
    from quizzes.formulas import all_formulas

    formula = all_formulas().get(context.params.get("formula") or "")
    return _starting((f"{name}=" for name in formula.symbols), incomplete) if formula else []


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
