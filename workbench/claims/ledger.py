"""The ledger: every claim with its verdict, its measurements, their cost, and their conditions."""

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench import syllabus, untrusted
from workbench.claims import catalog, statistics
from workbench.claims.claim import Claim, Empirical, Scaling
from workbench.claims.verdict import Verdict
from workbench.errors import UserError

SCHEMA = 1
PACKAGES = ("workbench", "torch", "torchvision", "numpy", "scikit-learn", "scipy", "sympy")


@dataclass(frozen=True)
class Ledger:
    """Verdicts with their conditions.

    Attributes:
        machine: The machine, the versions of Python and the packages, and the date.
        rows: A row for each claim, as plain data; one without a verdict has not been run.
    """

    machine: Mapping[str, Any]
    rows: list[dict[str, Any]]

    def to_json(self) -> str:
        """Return the ledger as JSON, with a row per line, so that versions of it can be compared."""
        lines = ",\n".join(json.dumps(untrusted.finite(row), ensure_ascii=False) for row in self.rows)
        return f'{{"schema": {SCHEMA}, "machine": {json.dumps(self.machine)}, "rows": [\n{lines}\n]}}\n'


def build(verdicts: Mapping[str, Verdict]) -> Ledger:
    """Return the ledger of all claims, with the verdicts that there are."""
    rows = [_row(claim, verdicts.get(claim.id)) for claim in catalog.claims().values()]
    tested = [row for row in rows if row.get("p") is not None and row["kind"] == "empirical"]
    for row, p in zip(tested, statistics.holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = p
    return Ledger(_machine(), rows)


def load(path: Path) -> Ledger:
    """Return a ledger from a file.

    Raises:
        UserError: If there is none, or one of another version.
    """
    try:
        record = untrusted.parse(path.read_bytes())
        if record["schema"] != SCHEMA:
            raise UserError(f"{path} is a ledger of version {record['schema']}; this workbench reads {SCHEMA}.")
        return Ledger(dict(record["machine"]), [dict(row) for row in record["rows"]])
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{path} is not a ledger of claims: run 'workbench claims report --out DIR' to write one."
        ) from error


def differing(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows whose verdict is not the expected one."""
    return [row for row in rows if row.get("verdict") and row["verdict"] != row["expected"]]


def _row(claim: Claim, verdict: Verdict | None) -> dict[str, Any]:
    topic = syllabus.topics()[claim.topic]
    row: dict[str, Any] = dict(
        claim=claim.id,
        chapter=topic.chapter,
        topic=claim.topic,
        kind=claim.kind,
        statement=claim.statement,
        expected=claim.expected,
        source=claim.source,
        note=claim.note,
        hash=claim.hash,
    )
    if isinstance(claim, Empirical | Scaling):
        row["rule"] = claim.decider.rule
    return row if verdict is None else row | {"verdict": None} | verdict.to_record()


def _machine() -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return dict(
        system=platform.system(),
        processor=_processor(),
        python=platform.python_version(),
        **versions,
        date=datetime.now(UTC).date().isoformat(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
