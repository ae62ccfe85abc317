"""The note and the tags of a run, in a small file of its folder."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from workbench import files, untrusted
from workbench.engine.run import Run
from workbench.errors import UserError
from workbench.untrusted import printable

FILE = "notes.json"
MAX_BYTES = 100_000  # of the file
MAX_NOTE = 1000  # characters
MAX_TAG = 40  # characters
MAX_TAGS = 20


@dataclass(frozen=True)
class Notes:
    """The note and the tags of a run.

    Attributes:
        note: One line of text; empty if there is none.
        tags: Words without spaces, in the order in which they were added.
    """

    note: str = ""
    tags: tuple[str, ...] = ()


def read(run: Run) -> Notes:
    """Return the note and the tags of a run; none if the file is missing or can't be read."""
    try:
        return _read(run)
    except (OSError, ValueError):
        return Notes()


def set_note(run: Run, note: str) -> Notes:
    """Replace the note of a run; an empty one removes it. Return what the run has now.

    Raises:
        UserError: If the note is too long, or the file can't be read or written.
    """
    note = printable(" ".join(note.split()))
    if len(note) > MAX_NOTE:
        raise UserError(f"A note has at most {MAX_NOTE:,} characters, not {len(note):,}. Shorten it.")
    return _write(run, replace(_to_change(run), note=note))


def set_tags(run: Run, tags: list[str]) -> Notes:
    """Replace the tags of a run. Return what the run has now.

    Raises:
        UserError: If a tag isn't a word, there are too many, or the file can't be read or written.
    """
    words = tuple(dict.fromkeys(map(check_tag, tags)))
    if len(words) > MAX_TAGS:
        raise UserError(f"A run has at most {MAX_TAGS} tags, not {len(words)}. Remove some.")
    return _write(run, replace(_to_change(run), tags=words))


def add_tags(run: Run, tags: list[str]) -> Notes:
    """Add tags to a run. Return what the run has now.

    Raises:
        UserError: As `set_tags`.
    """
    return set_tags(run, [*_to_change(run).tags, *tags])


def remove_tags(run: Run, tags: list[str]) -> Notes:
    """Remove tags from a run. Return what the run has now.

    Raises:
        UserError: If the run does not have a tag, or as `set_tags`.
    """
    present, removed = _to_change(run).tags, [check_tag(tag) for tag in tags]
    for tag in removed:
        if tag not in present:
            has = f"Its tags are {', '.join(present)}" if present else "It has none"
            raise UserError(f"The run {printable(run.id)} has no tag {tag!r}. {has}.")
    return set_tags(run, [tag for tag in present if tag not in removed])


def check_tag(text: str) -> str:
    """Return a tag as it is stored: `#baseline` is the same as `baseline`.

    Raises:
        UserError: If it isn't a word.
    """
    tag = text.strip().removeprefix("#")
    if not _is_tag(tag):
        raise UserError(
            f"A tag is a word of at most {MAX_TAG} characters without spaces or commas, not {printable(text)[:60]!r}."
        )
    return tag


def _is_tag(tag: str) -> bool:
    is_word = tag.isprintable() and not any(character.isspace() or character in ",#" for character in tag)
    return is_word and 0 < len(tag) <= MAX_TAG and not tag.startswith("-")


def _read(run: Run) -> Notes:
    """Return the content of the file. Whatever in it is not a note or a tag is left out.

    Raises:
        OSError: If it can't be read.
        ValueError: If it is not a JSON object of a reasonable size.
    """
    with (run.folder / FILE).open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    record: Any = untrusted.parse(content) if len(content) <= MAX_BYTES else None
    if not isinstance(record, dict):
        raise ValueError("it is not a JSON object of at most 100 KB")
    note, tags = record.get("note"), record.get("tags")
    words = [tag for tag in tags if isinstance(tag, str) and _is_tag(tag)] if isinstance(tags, list) else []
    text = printable(" ".join(note.split()))[:MAX_NOTE] if isinstance(note, str) else ""
    return Notes(text, tuple(dict.fromkeys(words))[:MAX_TAGS])


def _to_change(run: Run) -> Notes:
    """Return the note and the tags of a run that are about to be changed.

    Raises:
        UserError: If the file is there but can't be read: writing would lose what it says.
    """
    try:
        return _read(run)
    except FileNotFoundError:
        return Notes()
    except (OSError, ValueError) as error:
        raise UserError(f"{run.folder / FILE} can't be read ({error}). Mend the file, or delete it.") from error


def _write(run: Run, notes: Notes) -> Notes:
    try:
        files.write(run.folder / FILE, json.dumps(asdict(notes), indent=1).encode(), sync=True)
    except OSError as error:
        raise UserError(f"{run.folder / FILE} can't be written ({error.strerror}). Make room there.") from error
    return notes
