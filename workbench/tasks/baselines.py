"""Baselines, stored in the cache folder by task, data and seed: fitting one takes up to some seconds."""

import hashlib
import json
import math
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from workbench import data, files, untrusted
from workbench.paths import cache_dir, make_private
from workbench.tasks.base import Baseline, Task

VERSION = 1  # to be raised when baselines are computed in another way


def baseline(task: Task, seed: int) -> Baseline:
    """Return a task's baseline from the cache, or compute it and store it there."""
    path = cache_dir() / "baselines" / f"{_key(task, seed)}.json"
    stored = _read(path)
    if stored is not None:
        return stored
    computed = task.compute_baseline(seed)
    with suppress(OSError):  # without a cache, it is computed again the next time
        make_private(path.parent)
        files.write(path, json.dumps(asdict(computed)).encode())
    return computed


def _key(task: Task, seed: int) -> str:
    kind = f"{type(task).__module__}.{type(task).__qualname__}"
    parts = (VERSION, kind, task.data, task.declared, data.fingerprint(task.data), seed)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _read(path: Path) -> Baseline | None:
    """Return a stored baseline; None if there is none, or the file is damaged."""
    try:
        record = untrusted.parse(path.read_bytes())
        method, metric, value = str(record["method"]), str(record["metric"]), float(record["value"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Baseline(method, metric, value) if math.isfinite(value) else None
