"""All claims, chapter by chapter. Importing them imports no torch."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from workbench import syllabus
from workbench.claims import chapters
from workbench.claims.claim import Claim
from workbench.errors import DeclarationError, lookup


@cache
def claims() -> dict[str, Claim]:
    """Return every claim by id, in the order of the course.

    Raises:
        DeclarationError: If an id is declared twice, or a topic doesn't exist.
    """
    by_id: dict[str, Claim] = {}
    for module in iter_modules(chapters.__path__, f"{chapters.__name__}."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, Claim):
                if by_id.get(value.id, value) is not value:
                    raise DeclarationError(f"{module.name}: the claim {value.id} is declared twice.")
                if value.topic not in syllabus.topics():
                    raise DeclarationError(f"{module.name}: the claim {value.id} has an unknown topic {value.topic!r}.")
                by_id[value.id] = value
    order = list(syllabus.topics())
    return dict(sorted(by_id.items(), key=lambda item: order.index(item[1].topic)))


def get(id: str) -> Claim:
    """Return the claim with an id.

    Raises:
        UserError: If there is none. The message has the closest ids.
    """
    return lookup("claim", id, claims())


def chapter(id: str) -> list[Claim]:
    """Return the claims of a chapter.

    Raises:
        UserError: If there is no such chapter.
    """
    lookup("chapter", id, syllabus.chapters())
    return [claim for claim in claims().values() if syllabus.topics()[claim.topic].chapter == id]
