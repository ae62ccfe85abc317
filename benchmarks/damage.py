"""Damaged run folders: every one must be a row of the list and one sentence of `runs show`, and hide no other run.

    PYTHONPATH=. python benchmarks/damage.py [FOLDERS] [--dry]

Each folder has JSON that is almost right, or not at all, in its spec, events, notes and heartbeat. For each, the
commands run in this process; the script ends with exit code 1 at a traceback, output that is not JSON with --json, a
control character, or a run without a row.
"""

import copy
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import _options

WORDS = (
    "",
    "x",
    "mlp",
    "digits",
    "[/b]",
    "[red]",
    ":smile:",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202e",
    "\ud800",
    "a\0b",
    "é",
)
NUMBERS = (0, 1, -1, 2**31, 2**63, 10**400, 0.5, -0.5, 1e300, -1e300, float("nan"), float("inf"), True)
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
AT = dict(run="mlp-0002", seed=0, epoch=1.0, seconds=1.0)
START = dict(AT, event="start", step=0, steps=40, model="mlp", task="digits", preset="mini", params=9, device="cpu")
START |= dict(time=1.7e9, monitor="accuracy", key="ab12", trainable=9, terms=["loss"], metrics={}, schema=1)
START |= dict(baseline=dict(method="m", metric="accuracy", value=0.9))
START |= dict(initial_weights=dict(source="mlp-0001", part="backbone", loaded=2, missing=[], left_over=["a"]))
METRIC = dict(AT, event="metric", step=20, split="train", metrics={"loss": 0.5, "accuracy": 0.1})
EVAL = METRIC | dict(event="eval", split="validation", metrics={"loss": 0.6, "accuracy": 0.2})
CHECKPOINT = dict(AT, event="checkpoint", step=20, checkpoint="last", metrics={"accuracy": 0.2})
END = dict(AT, event="end", status="done", step=40, steps=40, steps_per_second=40.0, metrics={"accuracy": 0.4})
END |= dict(validation={"accuracy": 0.3}, reason="It ended.")
EVENTS = (START, METRIC, EVAL, CHECKPOINT, END)
NOTES = dict(note="twice the rate", tags=["baseline", "two"])
WORKER = dict(pid=999_999_999, host="elsewhere", uptime=1.0, time=1.0, since=0)


def any_value(rng: Random, depth: int = 3) -> Any:
    """Return any JSON value, with numbers that JSON doesn't have too."""
    kind = rng.randrange(7 if depth else 4)
    if kind < 4:
        return (None, rng.choice(NUMBERS), rng.choice(WORDS), rng.uniform(-10, 10))[kind]
    if kind == 4:
        return [any_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {
        rng.choice((*WORDS, "event", "metrics", "step")): any_value(rng, depth - 1) for _ in range(rng.randrange(4))
    }


def changed(rng: Random, value: Any) -> Any:
    """Return plain data with one place changed: another value, a missing one or one too many."""
    value = copy.deepcopy(value)
    place = value
    while isinstance(place, (dict, list)) and place:
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if isinstance(place[key], (dict, list)) and place[key] and rng.random() < 0.6:
            place = place[key]
            continue
        action = rng.randrange(4)
        if action == 0:
            del place[key]
        elif action == 1 and isinstance(place, dict):
            place[rng.choice(WORDS)] = any_value(rng)
        else:
            place[key] = any_value(rng)
        break
    return value


def text(rng: Random, value: Any) -> str:
    """Return JSON, which is now and then cut off, nested too deeply, or none at all."""
    line = json.dumps(value)
    damage = rng.randrange(12)
    if damage == 0:
        return line[: rng.randrange(len(line) + 1)]
    if damage == 1:
        return rng.choice(("[" * 100_000, '{"a":' * 100_000, "", "\0\0\0", "null", "\ufeff" + line, line + line))
    return line


def write_folder(rng: Random, folder: Path, spec: dict[str, Any]) -> None:
    """Write a run folder with damages in one file, or in some."""
    folder.mkdir(parents=True)
    contents = {
        "spec.json": lambda: text(rng, changed(rng, spec) if rng.random() < 0.8 else any_value(rng)),
        "notes.json": lambda: text(rng, changed(rng, NOTES) if rng.random() < 0.8 else any_value(rng)),
        "worker.json": lambda: text(rng, changed(rng, WORKER) if rng.random() < 0.8 else any_value(rng)),
        "events.jsonl": lambda: (
            "\n".join(
                text(rng, changed(rng, event) if rng.random() < 0.7 else event)
                for event in (*EVENTS[: rng.randrange(6)], *rng.sample(EVENTS, rng.randrange(3)))
            )
            + rng.choice(("\n", ""))
        ),
    }
    intact: dict[str, str] = {
        "spec.json": json.dumps(spec),
        "notes.json": json.dumps(NOTES),
        "worker.json": json.dumps(WORKER),
        "events.jsonl": "".join(json.dumps(event) + "\n" for event in EVENTS),
    }
    damaged = rng.sample(sorted(intact), rng.choice((1, 1, 1, 2, 4)))
    for name, content in intact.items():
        new_content = contents[name]() if name in damaged else content
        if rng.random() > 0.02:
            (folder / name).write_bytes(new_content.encode(errors="surrogatepass"))


def call(*words: str) -> tuple[int, str, str]:
    """Run a command in this process and return its exit code and output."""
    from workbench.cli.main import main as run

    sys.argv, out, err = ["workbench", *words], StringIO(), StringIO()
    code: Any = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            run()
        except SystemExit as end:
            code = end.code
    return code or 0, out.getvalue(), err.getvalue()


def check(condition: object, message: str) -> None:
    """Raise if something is not as it must be."""
    if not condition:
        raise AssertionError(message)


def reject_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def check_folder(run: str, others: int) -> str:
    """Run the commands and return what `runs show` said: `shown` or `one sentence`."""
    parse: Callable[[str], Any] = lambda line: json.loads(line, parse_constant=reject_constant)  # noqa: E731
    outcome = ""
    for words in (("list", "--all"), ("list", "--json"), ("show", run), ("show", run, "--json")):
        code, out, err = call("runs", *words)
        check(code in ((0,) if words[0] == "list" else (0, 2)), f"{words}: exit code {code}: {err}")
        check((code == 2) == bool(err) and err.count("\n") <= 1, f"{words}: {err!r}")
        check(not CONTROLS.search(out + err), f"{words}: a control character in {out + err!r}")
        if "--json" in words:
            value = parse(out)
        if words == ("list", "--json"):
            check(len(value) == others + 1 and any(row["run"] == run for row in value), f"{run} is not in the list")
        if words == ("show", run):
            outcome = "one sentence" if code == 2 else "shown"
    return outcome


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["WORKBENCH_HOME"] = home
        from workbench.engine import RunSpec, runs

        intact = runs.create(RunSpec.create("mlp"))
        (intact.folder / "worker.json").unlink()
        (intact.folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
        spec = json.loads((intact.folder / "spec.json").read_text())
        outcomes: Counter[str] = Counter()
        for seed in range(count):
            folder = runs.folder() / "mlp-0002"
            write_folder(Random(seed), folder, spec)
            try:
                outcomes[check_folder("mlp-0002", others=1)] += 1
            except Exception:
                print(f"folder {seed} failed", file=sys.stderr)
                raise
            runs.delete(runs.get("mlp-0002"))
    print(
        f"{count} folders: {count} rows, {outcomes['shown']} shown, {outcomes['one sentence']} one sentence, 0 failed"
    )


if __name__ == "__main__":
    main(_options.read(__doc__, "FOLDERS", 500, dry=10).count)
