"""The built-in questions: the drills and cards of `quizzes/content`, imported topic by topic."""

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

from quizzes import cards, content
from quizzes.card import Card
from quizzes.declaration import check_pairs
from quizzes.drill import Drill
from quizzes.static import declares_drill
from workbench import syllabus
from workbench.errors import DeclarationError, unknown_name


@cache
def _drills_of(folder: Path) -> dict[str, Drill]:
    """Import the drills of a topic's folder and return them by id.

    Raises:
        DeclarationError: If one is declared incorrectly.
    """
    result: dict[str, Drill] = {}
    for file in content.files("drills.py", folder):
        for value in vars(content.load(file)).values():
            if isinstance(value, Drill) and result.setdefault(value.id, value) is not value:
                raise value.error("another drill has the same id")
    check_pairs(folder / "checks.py", result.values())
    return result


class Content:
    """The built-in drills and cards."""

    @cached_property
    def drills(self) -> Mapping[str, Drill]:
        """All drills by id, sorted by chapter and topic.

        Raises:
            DeclarationError: If one is declared incorrectly.
        """
        result: dict[str, Drill] = {}
        for topic, folder in content.topic_folders().items():
            if topic not in syllabus.topics():
                raise DeclarationError(f"{folder}: {unknown_name('topic', topic, syllabus.topics())}")
            for id, drill in _drills_of(folder).items():
                if result.setdefault(id, drill) is not drill:
                    raise drill.error("another drill has the same id")
        return result

    @property
    def cards(self) -> Mapping[str, Card]:
        """All cards by id, sorted by chapter and topic."""
        return cards.all_cards()

    def find_drill(self, id: str) -> Drill | None:
        """Return the drill with an id, importing only the topic that declares it; None if there is none."""
        if "drills" in vars(self):  # all of them have been imported already
            return self.drills.get(id)
        for file in content.files("drills.py"):
            if declares_drill(file, id):
                return _drills_of(content.topic_folder(file)).get(id)
        return None

    def find_card(self, id: str) -> Card | None:
        """Return the card with an id, reading only the file of its topic; None if there is none."""
        return next((card for card in cards.of_topic(id.partition("/")[0]) if card.id == id), None)


CONTENT = Content()
