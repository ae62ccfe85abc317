"""Reading the files of a pack's folder, which may contain anything: links, huge files, binary data."""

import re
from os.path import realpath
from pathlib import Path

from quizzes.toml_file import TomlFile

MAX_BYTES, MAX_CHARACTERS = 1_000_000, 4_000_000  # bytes of a file, and characters of a pack
MAX_LINE = 4000  # characters; tomllib takes minutes for a key with many thousands of dots
MAX_FILES = 100  # of cards, and of drills
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.toml")
FOLDERS = ("cards", "drills")


def read_files(folder: Path) -> list[TomlFile]:
    """Return the files of a pack: `pack.toml`, then those of its cards and drills.

    A file that can't be read is returned with that problem and without content.
    """
    files = [_read_file(folder, "pack.toml")]
    for subfolder in FOLDERS:
        names = sorted(path.name for path in (folder / subfolder).glob("*.toml"))
        if len(names) > MAX_FILES:
            message = f"This folder has {len(names)} files, and the limit is {MAX_FILES}. Combine some of them."
            files.append(_invalid_file(subfolder, message))
            continue
        for name in names:
            files.append(_read_file(folder, f"{subfolder}/{name}"))
            if sum(len(file.text) for file in files) > MAX_CHARACTERS:
                return [_invalid_file("pack.toml", "The pack is larger than 4 MB. Split it into several packs.")]
    if len(files) == 1:
        files[0].report("The pack has no questions. Add cards in cards/TOPIC.toml or drills in drills/NAME.toml.", 1)
    return files


def _read_file(folder: Path, name: str) -> TomlFile:
    path = folder / name
    if not FILE_NAME.fullmatch(path.name):
        printable_name = "".join(c if c.isprintable() else "?" for c in name)
        message = "The file name must consist of letters, digits and hyphens, such as padding.toml. Rename the file."
        return _invalid_file(printable_name, message)
    if not Path(realpath(path)).is_relative_to(realpath(folder)):  # Path.resolve fails on a link to itself
        return _invalid_file(name, "This is a link to outside the pack's folder. Replace it with the file itself.")
    if not path.is_file():
        if name == "pack.toml":
            return _invalid_file(name, "The file is missing. Create it, with the name and the title of the pack.")
        return _invalid_file(name, "This is not a regular file. Replace it with a TOML file.")
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return _invalid_file(name, f"The file can't be read ({error.strerror}). Check its permissions.")
    if len(data) > MAX_BYTES:
        return _invalid_file(name, "The file is larger than 1 MB. Split it into several files.")
    return _decode(name, data)


def _decode(name: str, data: bytes) -> TomlFile:
    try:
        text = data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _invalid_file(name, "The file is not encoded in UTF-8. Save it as UTF-8.", line)
    text = text.replace("\r\n", "\n")
    for number, line_text in enumerate(text.split("\n"), 1):
        if len(line_text) > MAX_LINE:
            message = f"This line has {len(line_text)} characters, and the limit is {MAX_LINE}. Shorten it."
            return _invalid_file(name, message, number)
    return TomlFile(name, text)


def _invalid_file(name: str, message: str, line: int = 1) -> TomlFile:
    file = TomlFile(name, "")
    file.report(message, line)
    return file
