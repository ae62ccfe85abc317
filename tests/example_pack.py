"""The example pack of `docs/packs.md`, as somebody writes it from there."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "packs.md"


def files() -> dict[str, str]:
    """Its files by their names."""
    blocks = re.findall(r"^`([\w./-]+)`\n\n```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.M)
    return dict(blocks)


def write(place: Path) -> Path:
    """Write them into a folder."""
    for name, text in files().items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place
