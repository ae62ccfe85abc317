"""The text and the braille dots of rendered rows."""

from rich.segment import Segment


def text_of(rows: list[list[Segment]]) -> list[str]:
    """Return the text of each row, without blanks at its end."""
    return ["".join(segment.text for segment in row).rstrip() for row in rows]


def dots_of(lines: list[str]) -> set[tuple[int, int]]:
    """Return the dots that are set in lines of braille, as (column, row)."""
    bits = [(0, 0, 1), (0, 1, 2), (0, 2, 4), (1, 0, 8), (1, 1, 16), (1, 2, 32), (0, 3, 64), (1, 3, 128)]
    return {
        (2 * x + dx, 4 * y + dy)
        for y, line in enumerate(lines)
        for x, character in enumerate(line)
        if 0x2800 <= ord(character) <= 0x28FF
        for dx, dy, bit in bits
        if (ord(character) - 0x2800) & bit
    }
