"""Everything that can be asked, found by id: `draw("conv-out-size", seed=7)`."""

from functools import cache
from importlib import import_module
from pathlib import Path

from quizzes import BadInput, cards, drills, unknown
from quizzes.cards import Card
from quizzes.drill import Drill
from quizzes.question import Question

LARGEST_SEED = 2**63 - 1


@cache
def all_drills() -> dict[str, Drill]:
    """Every drill by id, in the order of the chapters' folders and the topics' files."""
    found: dict[str, Drill] = {}
    root = Path(drills.__file__).parent
    for file in sorted(root.glob("*/[a-z]*.py")):
        module = import_module(f"{drills.__name__}.{file.parent.name}.{file.stem}")
        for value in vars(module).values():
            if isinstance(value, Drill) and found.setdefault(value.id, value) is not value:
                raise ValueError(f"two drills are called {value.id}")
    return found


def everything() -> dict[str, Drill | Card]:
    """Every drill and card by id: all that can be scheduled."""
    return {**all_drills(), **cards.all_cards()}


def get(id: str) -> Drill:
    """The drill of that id.

    Raises:
        BadInput: Where there is none, with the nearest ids.
    """
    known = all_drills()
    if id not in known:
        raise unknown("drill", id, list(known))
    return known[id]


def draw(id: str, seed: int) -> Question:
    """The question of a drill (or a card) and a seed: the same two give the same question, everywhere.

    Raises:
        BadInput: Where there is no such drill, or the seed is out of range.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise BadInput(f"The seed must be a whole number from 0 to {LARGEST_SEED}.")
    return find(id).draw(seed)


def find(id: str) -> Drill | Card:
    """The drill or the card of that id: a card's holds a slash.

    Raises:
        BadInput: Where there is neither, with the nearest ids.
    """
    return cards.get(id) if "/" in id else get(id)
