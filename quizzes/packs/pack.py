"""A pack as a whole: its drills, its cards and its problems."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from quizzes.card import Card
from quizzes.card_tables import MAX_CARDS, grading_problems, read_card
from quizzes.packs.drill_checks import drill_problems
from quizzes.packs.drills import PackDrill, read_drill
from quizzes.packs.pack_folder import read_files
from quizzes.toml_file import Problem, Table, TomlFile
from workbench.errors import UserError, unknown_name

MAX_DRILLS = 100  # of a file


@dataclass(eq=False)
class Pack:
    """A pack.

    Attributes:
        folder: The folder that it was read from.
        name: Its name, with which the ids of its drills and cards begin; empty if that has a problem.
        title: A few words.
        drills: Its drills by id.
        cards: Its cards by id.
        files: Its files, with their problems.
        tables: The table of each drill and card, by its id.
    """

    folder: Path
    name: str = ""
    title: str = ""
    drills: dict[str, PackDrill] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    files: list[TomlFile] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """Its problems, file by file and line by line."""
        return [problem for file in self.files for problem in sorted(file.problems)]

    def place(self, id: str) -> tuple[str, int]:
        """Return the file and the line of a drill or a card."""
        table = self.tables[id]
        return str(self.folder / table.file.name), table.line()

    def summarize_problems(self) -> str:
        """Return one line for a pack with problems: how many there are, the first one, and how to list all."""
        count, first = len(self.problems), self.problems[0]
        reason = f"{count} problems. The first is in" if count > 1 else "a problem in"
        return (
            f"The pack {self.folder.name} was not loaded because of {reason} {first.file}, line {first.line}: "
            f"{first.message.splitlines()[0]} Run 'workbench packs check {self.folder}'."
        )


def read_pack(folder: Path, topics: Collection[str]) -> Pack:
    """Read a pack, with every problem that can be found without drawing a question.

    Args:
        folder: The folder of the pack.
        topics: The ids of the topics that it may use.
    """
    pack = Pack(folder, files=read_files(folder))
    head, *others = pack.files
    if not head.problems:
        _read_head(pack, head.root, topics)
    ids: set[str] = set()
    for file in others:
        if file.problems:
            continue
        subfolder, _, name = file.name.partition("/")
        if subfolder == "cards":
            _read_cards(pack, file, name.removesuffix(".toml"), topics, ids)
        else:
            _read_drills(pack, file, topics, ids)
    return pack


def _read_head(pack: Pack, table: Table, topics: Collection[str]) -> None:
    pack.name, pack.title = table.identifier("name"), table.short_text("title")
    table.report_unknown_keys()
    if pack.name in topics:  # the ids of its drills could be those of the topic's cards
        message = f"{pack.name} is the id of a topic. Give the pack another name, such as {pack.name}-extra."
        table.report(message, "name")


def _read_cards(pack: Pack, file: TomlFile, topic: str, topics: Collection[str], ids: set[str]) -> None:
    if topic not in topics:
        file.report(f"A file of cards must have the id of a topic. {unknown_name('topic', topic, topics)}", 1)
    for table in file.root.tables("card", MAX_CARDS):
        _check_id(table, f"{topic}/", ids)
        if card := read_card(table, topic, pack.name):
            for message in grading_problems(card):
                table.report(message)
            pack.cards[card.id], pack.tables[card.id] = card, table
    file.root.report_unknown_keys()


def _read_drills(pack: Pack, file: TomlFile, topics: Collection[str], ids: set[str]) -> None:
    for table in file.root.tables("drill", MAX_DRILLS):
        _check_id(table, "", ids)
        if drill := read_drill(table, pack.name, topics):
            pack.drills[drill.id], pack.tables[drill.id] = drill, table
    file.root.report_unknown_keys()


def _check_id(table: Table, prefix: str, ids: set[str]) -> None:
    """Report an id that another drill or card has, and add the id to those of the pack."""
    id = table.data.get("id")
    if isinstance(id, str):
        if prefix + id in ids:
            table.report("Another drill or card of the pack has the same id. Choose another id.", "id")
        ids.add(prefix + id)


def check_pack(folder: Path, topics: Collection[str]) -> Pack:
    """Read a pack and test each of its drills with many seeds, as `workbench drill test` does.

    Args:
        folder: The folder of the pack.
        topics: The ids of the topics that it may use.

    Raises:
        UserError: If there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}. Name the folder that contains pack.toml.")
    pack = read_pack(folder, topics)
    for id, drill in pack.drills.items():
        for path, message in drill_problems(drill):
            pack.tables[id].report(message, *path)
    return pack
