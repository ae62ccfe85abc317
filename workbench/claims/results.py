"""The results of trials, in a file per claim: a line of JSON each, appended and synced as soon as they are computed.

The name of a file contains the conditions: the hash of the declaration, the versions and the kind of device. Under
other conditions, another file is written, so that no results are lost.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench import untrusted
from workbench.claims.claim import Claim
from workbench.engine.content_key import RESULTS_VERSION
from workbench.errors import UserError
from workbench.paths import data_dir, make_private


def conditions(claim: Claim, device: str) -> dict[str, Any]:
    """Return what the results of a claim depend on besides the seeds."""
    from importlib.metadata import version

    return dict(claim=claim.hash, results=RESULTS_VERSION, torch=version("torch"), device=device)


class Results:
    """The results of one claim.

    Args:
        claim: The claim.
        device: The kind of device.
        folder: The folder of the files; by default in the data directory.
    """

    def __init__(self, claim: Claim, device: str = "cpu", folder: Path | None = None):
        self.conditions = conditions(claim, device)
        name = "-".join(str(value) for value in self.conditions.values())
        self.path = (folder or data_dir() / "claims") / claim.id / f"{name}.jsonl"
        self._rows: dict[tuple[str, str, int, str], dict[str, Any]] = {}
        self.tuned: dict[str, dict[str, Any]] = {}
        self._is_cut = False  # whether the last line of the file is incomplete
        self._read()

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a result.

        Raises:
            UserError: If it can't be written.
        """
        self._take(row)
        try:
            make_private(self.path.parent)
            with self.path.open("ab") as file:
                # A line that a kill cut off must not damage the next one.
                line = b"\n" if self._is_cut else b""
                file.write(line + json.dumps(untrusted.finite(row)).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self._is_cut = False
        except OSError as error:
            message = f"{self.path} can't be written ({error.strerror}): make room. Finished results are saved."
            raise UserError(message) from error

    def clear(self) -> None:
        """Rename the file, so that everything is computed again."""
        self._rows, self.tuned = {}, {}
        if self.path.exists():
            self.path.replace(self.path.with_suffix(".before.jsonl"))

    def get(self, arm: str, phase: str, seed: int, options: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Return the result of a trial; None if there is none."""
        return self._rows.get(_key(arm, phase, seed, options or {}))

    def values(self, arm: str, phase: str, seed: int) -> Mapping[str, float | None]:
        """Return the values of a trial that has a result."""
        row = self.get(arm, phase, seed)
        assert row is not None, f"{arm} has no result for seed {seed}"
        values: Mapping[str, float | None] = row["values"]
        return values

    def evidence(self, draw: int) -> Sequence[Mapping[str, Any]]:
        """Return the comparisons of a draw that has a result."""
        row = self.get("evidence", "main", draw)
        assert row is not None, f"draw {draw} has no result"
        rows: Sequence[Mapping[str, Any]] = row["evidence"]
        return rows

    @property
    def steps(self) -> int:
        """Updates of all runs."""
        return sum(int(row.get("steps", 0)) for row in self._rows.values())

    @property
    def seconds(self) -> float:
        """Seconds of CPU time of all trials."""
        return sum(float(row.get("seconds", 0.0)) for row in self._rows.values())

    @property
    def backends(self) -> list[str]:
        """The backends that trained several seeds at once."""
        return sorted({str(row["backend"]) for row in self._rows.values() if row.get("backend")})

    def _take(self, row: Mapping[str, Any]) -> None:
        if "chosen" in row:
            self.tuned[str(row["arm"])] = dict(row["chosen"])
        else:
            self._rows[_key(row["arm"], row["phase"], row["seed"], row.get("options", {}))] = dict(row)

    def _read(self) -> None:
        try:
            lines = self.path.read_bytes().split(b"\n")
        except OSError:
            return
        self._is_cut = bool(lines[-1])
        for line in lines:
            try:
                self._take(untrusted.parse(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a line that was cut off by a kill is computed again


def _key(arm: str, phase: str, seed: int, options: Mapping[str, Any]) -> tuple[str, str, int, str]:
    return arm, phase, seed, json.dumps(options, sort_keys=True) if phase == "tune" else ""
