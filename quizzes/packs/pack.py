"""A pack as a whole: read, with all that is wrong in it, and examined as the program's own drills are."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from quizzes.cards import Card
from quizzes.packs.cards import read_card
from quizzes.packs.drills import PackDrill, read_drill
from quizzes.packs.examining import flaws
from quizzes.packs.files import pages
from quizzes.packs.page import Page, Problem, Table
from workbench.errors import UserError, unknown_name

CARDS, DRILLS = 1000, 100  # of a file, and of the whole pack


@dataclass(eq=False)
class Pack:
    """A pack.

    Attributes:
        folder: Where it lies.
        name: Its name, which begins the ids of all it brings.
        title: A few words.
        drills, cards: What it brings, by id.
        pages: Its files, with their problems.
        tables: Where each drill stands.
    """

    folder: Path
    name: str = ""
    title: str = ""
    drills: dict[str, PackDrill] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong with it, file by file and line by line."""
        return [problem for page in self.pages for problem in sorted(page.problems)]

    def trouble(self) -> str:
        """Why it is left out, in one sentence."""
        more = f", and {len(self.problems) - 1} more" if len(self.problems) > 1 else ""
        first = self.problems[0]
        said = first.problem.splitlines()[0].rstrip(".")
        return (
            f"The pack {self.folder.name} is left out: {first.file}, line {first.line}: {said}{more}. "
            f"See 'workbench packs check {self.folder}'."
        )


def read_pack(folder: Path, topics: Collection[str]) -> Pack:
    """Read a pack and note every problem that can be seen without drawing a question.

    Args:
        folder: Where it lies.
        topics: The ids of the topics that it may name.
    """
    pack = Pack(folder, pages=pages(folder))
    first, *others = pack.pages
    if not first.problems:
        _head(pack, first.table, topics)
    taken: set[str] = set()
    for page in others:
        if page.problems:
            continue
        kind, _, name = page.file.partition("/")
        if kind == "cards":
            _cards(pack, page, name.removesuffix(".toml"), topics, taken)
        else:
            _drills(pack, page, topics, taken)
    return pack


def _head(pack: Pack, table: Table, topics: Collection[str]) -> None:
    pack.name, pack.title = table.word("name"), table.line("title")
    table.close()
    if pack.name in topics:  # its drills could not be told from the topic's cards
        table.report(f"{pack.name} is a topic: give the pack another name, such as {pack.name}-extra.", "name")


def _cards(pack: Pack, page: Page, topic: str, topics: Collection[str], taken: set[str]) -> None:
    if topic not in topics:
        page.report(f"A file of cards bears its topic's name. {unknown_name('topic', topic, list(topics))}", 1)
    for table in page.table.tables("card", CARDS):
        _refuse_taken(table, f"{topic}/", taken)
        if card := read_card(table, pack.name, topic):
            pack.cards[card.id] = card
    page.table.close()


def _drills(pack: Pack, page: Page, topics: Collection[str], taken: set[str]) -> None:
    for table in page.table.tables("drill", DRILLS):
        _refuse_taken(table, "", taken)
        if drill := read_drill(table, pack.name, topics):
            pack.drills[drill.id], pack.tables[drill.id] = drill, table
    page.table.close()


def _refuse_taken(table: Table, place: str, taken: set[str]) -> None:
    """Note where an id stands that another has already."""
    id = f"{place}{table.data.get('id')}"
    if id in taken:
        table.report("Another one here has this id: give this one another.", "id")
    taken.add(id)


def check_pack(folder: Path, topics: Collection[str]) -> Pack:
    """Read a pack, and examine each of its drills over many seeds, as `workbench drill test` does.

    Args:
        folder: Where it lies.
        topics: The ids of the topics that it may name.

    Raises:
        UserError: Where there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: name the folder in which pack.toml lies.")
    pack = read_pack(folder, topics)
    for id, drill in pack.drills.items():
        for place, sentence in flaws(drill):
            pack.tables[id].report(sentence, *place)
    return pack
