"""Drawings of translations: next to their references, with the texts of a beam search, and scores by length."""

from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.attention import draw_matrix
from workbench.render.canvas import PLAIN, QUIET
from workbench.render.halfblock import Rows
from workbench.untrusted import printable

CORRECT, INCORRECT = Style(color="green"), Style(color="red", bold=True)
GAP = 2  # cells between columns
LENGTHS = ("source length", "samples", "BLEU", "exact match", "token accuracy")


def draw_translations(selected: list[dict[str, Any]], width: int, height: int) -> Rows:
    """Render one translation in full, or several as a table."""
    if len(selected) == 1 and "hypotheses" in selected[0]:
        return draw_answer(selected[0], width, height)
    names = ["source", "predicted", *(["target"] if "target" in selected[0] else [])]
    texts = [[printable(translation[name]) for name in names] for translation in selected]
    room = max(4, (width - 2 - GAP * len(names)) // len(names))
    sizes = [min(room, max(len(name), *(len(row[k]) for row in texts))) for k, name in enumerate(names)]
    rows: Rows = [[Segment(("  " + _columns(names, sizes))[:width], QUIET)]]
    for translation, row in zip(selected, texts, strict=True):
        sign, style = "  ", PLAIN
        if "target" in translation:
            is_correct = translation["predicted"] == translation["target"]
            sign, style = ("✓ ", CORRECT) if is_correct else ("✗ ", INCORRECT)
        rows.append([Segment((sign + _columns(row, sizes))[:width], style)])
    rows += [[Segment(note[:width], QUIET)] for note in dict.fromkeys(_notes(selected))]
    return rows[:height]


def draw_answer(answer: dict[str, Any], width: int, height: int) -> Rows:
    """Render a translation with the texts of the beams, the best first, and its attention."""
    rows: Rows = [
        [Segment(f"source       {printable(answer['source'])}"[:width], QUIET)],
        [Segment(f"translation  {printable(answer['predicted'])}"[:width], Style(bold=True))],
    ]
    rows += [[Segment(note[:width], QUIET)] for note in _notes([answer])]
    hypotheses = answer["hypotheses"]
    if len(hypotheses) > 1:
        rows += [[], [Segment("    ln p     score  text"[:width], QUIET)]]
        for hypothesis in hypotheses:
            cut = "" if hypothesis["is_complete"] else " ..."
            numbers = f"{hypothesis['log_probability']:8.4f}  {hypothesis['score']:8.4f}"
            rows.append([Segment(f"{numbers}  {printable(hypothesis['text'])}{cut}"[:width], PLAIN)])
        alpha = answer["alpha"]
        rule = f"score: ln p / length^{alpha:g}" if alpha else "score: ln p, without length normalization"
        rows.append([Segment(rule[:width], QUIET)])
    if "attention" in answer:
        rows += [[], *draw_matrix(answer["attention"], width, max(3, height - len(rows) - 1))]
    return rows[:height]


def draw_lengths(table: dict[str, Any], width: int, height: int) -> Rows:
    """Render the scores of translations, a row for each group of lengths of the source."""
    rows: Rows = [[Segment("  ".join(LENGTHS)[:width], QUIET)]]
    for row in table["rows"]:
        low, high = row["length"]
        texts = [
            str(low) if low == high else f"{low} to {high}",
            f"{row['samples']:,}",
            f"{row['bleu']:.1f}",
            f"{row['exact_match']:.1%}",
            f"{row['token_accuracy']:.1%}",
        ]
        cells = "  ".join(text.rjust(len(name)) for text, name in zip(texts, LENGTHS, strict=True))
        rows.append([Segment(cells[:width], PLAIN)])
    return rows[:height]


def _columns(texts: list[str], sizes: list[int]) -> str:
    cut = (text if len(text) <= size else text[: size - 1] + "…" for text, size in zip(texts, sizes, strict=True))
    return (" " * GAP).join(text.ljust(size) for text, size in zip(cut, sizes, strict=True))


def _notes(selected: list[dict[str, Any]]) -> list[str]:
    return [printable(translation["note"]) for translation in selected if "note" in translation]
