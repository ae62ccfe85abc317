"""The ledger as a document: one self-contained page of HTML, or a table in Markdown."""

from collections.abc import Mapping
from html import escape
from itertools import groupby
from typing import Any

from workbench import syllabus
from workbench.claims.ledger import Ledger, differing
from workbench.claims.untested import UNTESTED

WORDS = {
    "holds": "holds",
    "does_not_hold": "does not hold",
    "inconclusive": "inconclusive",
    "identical": "identical",
    None: "not run yet",
}
SIGNS = {"holds": "✓", "does_not_hold": "✗", "inconclusive": "?", "identical": "=", None: "·"}
WIDTH, HEIGHT, MARGIN = 220, 26, 8  # of the chart of an effect, in pixels
STYLE = """
:root { color-scheme: light dark; --line: #8885; --good: #1a7f37; --bad: #b35900; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.small { font-size: .85em; opacity: .8; }
.other { color: var(--bad); font-weight: 600; }
svg { display: block; } svg .dot { fill: currentColor; opacity: .55; }
svg .interval { stroke: currentColor; stroke-width: 3; } svg .bound { stroke: var(--bad); stroke-dasharray: 3 2; }
svg .zero { stroke: var(--line); }
"""


def to_markdown(ledger: Ledger) -> str:
    """Return the ledger as a table for each chapter."""
    lines = ["# Claims", "", _summary(ledger), ""]
    for chapter, rows in _chapters(ledger):
        lines += [
            f"## {chapter}",
            "",
            "| claim | expected | measured | effect | CPU s | source |",
            "|---|---|---|---|---:|---|",
        ]
        for row in rows:
            cells = [
                f"`{row['claim']}`: {row['statement']}",
                WORDS[row["expected"]],
                f"{SIGNS[row.get('verdict')]} {WORDS[row.get('verdict')]}",
                _effect_text(row),
                _seconds(row),
                row["source"],
            ]
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
        lines.append("")
    lines += ["## Not tested", "", *(f"- {statement} *{reason}*" for statement, reason in UNTESTED.items()), ""]
    return "\n".join(lines)


def to_html(ledger: Ledger) -> str:
    """Return the ledger as a page that needs no other file."""
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Claims</title>",
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head><body><h1>Claims</h1>",
        f"<p>{escape(_summary(ledger))}</p>",
    ]
    for chapter, rows in _chapters(ledger):
        parts.append(f"<h2>{escape(chapter)}</h2><table><tr><th>Claim<th>Expected<th>Measured<th>Effect<th>CPU s</tr>")
        parts += [_html_row(row) for row in rows]
        parts.append("</table>")
    parts.append("<h2>Not tested</h2><ul>")
    parts += [f"<li>{escape(statement)} <i>{escape(reason)}</i></li>" for statement, reason in UNTESTED.items()]
    parts.append("</ul>")
    return "\n".join([*parts, "</body></html>\n"])


def _html_row(row: Mapping[str, Any]) -> str:
    verdict = row.get("verdict")
    kind = "" if verdict in (None, row["expected"]) else " class='other'"
    more = " ".join(filter(None, [row.get("rule", ""), row.get("note", ""), row.get("reason", ""), row["source"]]))
    return (
        f"<tr id='{escape(row['claim'])}'><td>{escape(row['statement'])}"
        f"<div class='small'><code>{escape(row['claim'])}</code> ({row['kind']}). {escape(more)}</div>"
        f"<td>{WORDS[row['expected']]}<td{kind}>{SIGNS[verdict]} {WORDS[verdict]}"
        f"<td>{_effect_chart(row)}<span class='small'>{escape(_effect_text(row))}</span>"
        f"<td class='number'>{_seconds(row)}</tr>"
    )


def _effect_chart(row: Mapping[str, Any]) -> str:
    """Return a strip with a dot for each seed, the interval, zero, and the smallest effect that counts."""
    interval, points = row.get("interval"), list(row.get("per_seed") or [])
    if not interval or None in interval:
        return ""
    bound = row.get("min_effect") or 0.0
    values = [*points, *interval, bound, 0.0]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def x(value: float) -> str:
        return f"{MARGIN + (value - low) / span * (WIDTH - 2 * MARGIN):.1f}"

    middle = HEIGHT / 2
    dots = "".join(f"<circle class='dot' cx='{x(point)}' cy='{middle + 6}' r='3'/>" for point in points)
    title = f"effect {row['effect']:.4g}, 95% interval {interval[0]:.4g} to {interval[1]:.4g}, bound {bound:g}"
    return (
        f"<svg width='{WIDTH}' height='{HEIGHT}' role='img'><title>{escape(title)}</title>"
        f"<line class='zero' x1='{x(0.0)}' x2='{x(0.0)}' y1='0' y2='{HEIGHT}'/>"
        f"<line class='bound' x1='{x(bound)}' x2='{x(bound)}' y1='0' y2='{HEIGHT}'/>"
        f"<line class='interval' x1='{x(interval[0])}' x2='{x(interval[1])}' y1='{middle - 4}' y2='{middle - 4}'/>"
        f"{dots}</svg>"
    )


def _effect_text(row: Mapping[str, Any]) -> str:
    if row.get("interval") and None not in row["interval"]:
        low, high = row["interval"]
        text = f"{row['effect']:.4g} [{low:.4g}, {high:.4g}], bound {row['min_effect']:g}"
        control = row.get("control") or {}
        if control.get("effect") is not None:
            text += f"; under the control {control['effect']:.4g}"
        return text
    if row.get("evidence"):
        count = len(row["evidence"])
        agreeing = sum(1 for comparison in row["evidence"] if comparison["agrees"])
        return f"{agreeing} of {count} comparisons agree"
    return str(row.get("reason") or "")


def _seconds(row: Mapping[str, Any]) -> str:
    return f"{row['seconds']:.1f}" if row.get("seconds") is not None else ""


def _summary(ledger: Ledger) -> str:
    counts = {word: sum(1 for row in ledger.rows if row.get("verdict") == key) for key, word in WORDS.items()}
    summary = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    seconds = sum(row.get("seconds") or 0.0 for row in ledger.rows)
    machine = ", ".join(f"{name} {value}" for name, value in ledger.machine.items() if name != "date")
    return (
        f"{len(ledger.rows)} claims: {summary}; {len(differing(ledger.rows))} other than expected. "
        f"{seconds / 60:.0f} minutes of CPU time. Measured on {machine}; {ledger.machine.get('date', '')}."
    )


def _chapters(ledger: Ledger) -> list[tuple[str, list[dict[str, Any]]]]:
    titles = syllabus.chapters()
    return [
        (titles[chapter], list(rows)) for chapter, rows in groupby(ledger.rows, key=lambda row: str(row["chapter"]))
    ]
