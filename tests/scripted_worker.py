"""A worker that trains nothing: it writes the events of a script."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.engine import Run, RunSpec, client, events

Script = Callable[[RunSpec], list[dict[str, Any]]]


def install(monkeypatch: pytest.MonkeyPatch, script: Script) -> list[dict[str, Any]]:
    """Have the executor use such workers.

    Args:
        monkeypatch: Undoes it after the test.
        script: Returns the events of a run; the last one is its end.

    Returns:
        The jobs that the workers are given.
    """
    jobs: list[dict[str, Any]] = []

    class ScriptedWorker(client.Client):
        def warm(self) -> int:
            return os.getpid()

        def ask(self, job: dict[str, Any], *arguments: Any) -> dict[str, Any]:
            assert job["job"] == "device"
            return {"kind": "cpu"}

        def send(self, job: dict[str, Any]) -> None:
            jobs.append(job)
            run = Run(Path(job["folder"]))
            if job["resume"]:
                run.replace_spec(RunSpec.from_json(job["resume"]))
            writer = events.Writer(run.folder / "events.jsonl", run=run.id, seed=run.spec.seed)
            for event in script(run.spec):
                writer.write(event)
            writer.close()
            (run.folder / "worker.json").unlink()

        def receive(self, *arguments: Any) -> dict[str, Any]:
            return {"values": {"code": 0}}

    monkeypatch.setattr(client, "Client", ScriptedWorker)
    return jobs
