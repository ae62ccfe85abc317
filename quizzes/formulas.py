"""All formulas by id."""

from functools import cache
from pathlib import Path

from quizzes import content, formula_search
from quizzes.formula import Formula
from quizzes.static import declares_formula
from quizzes.trace import Trace


@cache
def _declared_in(file: Path) -> dict[str, Formula]:
    formulas: dict[str, Formula] = {}
    for value in vars(content.load(file)).values():
        is_own = isinstance(value, Formula) and not isinstance(value, Trace) and value.topic == _topic(file)
        if is_own and formulas.setdefault(value.id, value) is not value:
            raise value.error("another formula has the same id")
    return formulas


def _topic(file: Path) -> str:
    return content.topic_folder(file).name.replace("_", "-")


@cache
def all_formulas() -> dict[str, Formula]:
    """Return every formula by id, in the order of the topics' folders."""
    formulas: dict[str, Formula] = {}
    for file in content.files("formulas.py"):
        for id, formula in _declared_in(file).items():
            if formulas.setdefault(id, formula) is not formula:
                raise formula.error("another formula has the same id")
    return formulas


def get(id: str) -> Formula:
    """Return the formula with that id.

    Raises:
        UserError: If there is none; the message names the closest ids.
    """
    for file in content.files("formulas.py"):  # import only the topic that declares it
        if declares_formula(file, id) and id in _declared_in(file):
            return _declared_in(file)[id]
    raise formula_search.unknown_formula("formula", id, all_formulas().values(), all_formulas())
