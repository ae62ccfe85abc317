"""The example pack of `docs/packs.md`."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "packs.md"


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    blocks = re.findall(r"^`([\w./-]+)`\n\n```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.M)
    return dict(blocks)


def write(folder: Path) -> Path:
    """Write the files into a folder, and return the folder."""
    for name, text in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
