"""The folder of the user's packs, one folder each: loading all of them, adding or replacing one, and removing one."""

import shutil
from collections.abc import Collection
from pathlib import Path
from tempfile import mkdtemp

from quizzes.packs.pack import Pack, read_pack
from workbench.errors import UserError, unknown_name


def load_all(library: Path, topics: Collection[str]) -> list[Pack]:
    """Return every pack in the folder, sorted by name, including those with problems.

    Args:
        library: The folder of the packs.
        topics: The ids of the topics that packs may use.

    Raises:
        UserError: If the folder can't be read.
    """
    packs = []
    for folder in _pack_folders(library):
        pack = read_pack(folder, topics)
        if pack.name and pack.name != folder.name:
            message = f"The folder of a pack must have the pack's name. Rename the folder to {pack.name}."
            pack.files[0].root.report(message, "name")
        packs.append(pack)
    return packs


def _pack_folders(library: Path) -> list[Path]:
    try:
        return sorted(path for path in library.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"The folder {library} can't be read ({error.strerror}). Check its permissions.") from error


def add(pack: Pack, library: Path) -> Path:
    """Copy the files of a pack that were read into the library, replacing a pack of the same name.

    Args:
        pack: A pack without problems.
        library: The folder of the packs, which is created if it does not exist.

    Returns:
        The folder of the copy.

    Raises:
        UserError: If the files can't be written; an older version of the pack is then still there.
    """
    target = library / pack.name
    try:
        library.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(prefix=".adding-", dir=library))
        try:
            for file in pack.files:
                path = temporary / "new" / file.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(file.text, encoding="utf-8", newline="\n")
            _replace(target, temporary / "new", temporary / "old")
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        message = f"{target} can't be written ({error.strerror}). Free some disk space, or check the permissions."
        raise UserError(message) from error
    return target


def _replace(target: Path, new: Path, old: Path) -> None:
    """Move `target`, if it exists, to `old`, and `new` to `target`; move `old` back if that fails."""
    if target.exists() or target.is_symlink():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise


def remove(name: str, library: Path) -> None:
    """Delete a pack. The user's answers to its questions stay in the study file.

    Raises:
        UserError: If there is no pack of that name, or it can't be deleted.
    """
    folders = {folder.name: folder for folder in _pack_folders(library)} if library.is_dir() else {}
    if not folders:
        raise UserError(f"Unknown pack {name[:60]!r}. No packs have been added.", code="unknown_pack")
    if name not in folders:
        raise unknown_name("pack", name, folders)
    folder = folders[name]
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except OSError as error:
        raise UserError(f"{folder} can't be removed ({error.strerror}). Check its permissions.") from error
