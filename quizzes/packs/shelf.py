"""The folder in which packs are kept, a folder each: added after a clean check, replaced whole, and removed."""

import shutil
from collections.abc import Collection
from pathlib import Path
from tempfile import mkdtemp

from quizzes.packs.pack import Pack, read_pack
from workbench.errors import UserError, unknown_name


def shelved(place: Path, topics: Collection[str]) -> list[Pack]:
    """Every pack that lies there, by name."""
    packs = []
    for folder in _folders(place):
        pack = read_pack(folder, topics)
        if pack.name and pack.name != folder.name:
            pack.pages[0].table.report(f"The folder of the pack {pack.name} must bear its name.", "name")
        packs.append(pack)
    return packs


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(f for f in place.iterdir() if f.is_dir() and not f.name.startswith("."))
    except OSError as error:
        raise UserError(f"The folder {place} can't be read ({error.strerror}): allow reading it.") from error


def add(pack: Pack, place: Path) -> Path:
    """Keep a copy of the files that were read; one of that name that was there is replaced.

    Args:
        pack: A pack without problems.
        place: The folder in which packs are kept.

    Returns:
        Where it lies now.

    Raises:
        UserError: Where it can't be written; then what was there is there still.
    """
    target = place / pack.name
    try:
        place.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix=".adding-", dir=place))
        try:
            for page in pack.pages:
                file = fresh / "new" / page.file
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(page.text, encoding="utf-8", newline="\n")
            _swap(fresh / "new", target, fresh / "old")
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise UserError(f"{target} can't be written ({error.strerror}): make room, or allow writing there.") from error
    return target


def _swap(new: Path, target: Path, old: Path) -> None:
    """Put a folder in the place of another; where that fails, the other stays."""
    if target.exists() or target.is_symlink():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise


def remove(name: str, place: Path) -> None:
    """Remove a pack. What was answered of it stays in the study file.

    Raises:
        UserError: Where there is none of that name.
    """
    known = {folder.name: folder for folder in _folders(place)} if place.is_dir() else {}
    if name not in known:
        if not known:
            raise UserError(f"There is no pack {name[:60]!r}: none is installed.")
        raise unknown_name("pack", name, list(known))
    folder = known[name]
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except OSError as error:
        raise UserError(f"{folder} can't be removed ({error.strerror}): allow writing there.") from error
