"""Workers that are killed at random moments, and pairs of processes that resume one run at the same time.

    python benchmarks/kills.py [COUNT] [--dry]

COUNT kills: a worker trains mlp, with a checkpoint as often as possible, and is killed by SIGKILL at a random moment,
again and again until its run is done. After each kill, every checkpoint that was announced must load. In the end, each
number must be there once, and equal to that of a run that was never killed. What was reported after the checkpoint that
a run was resumed from is reported again, and replaces it.

COUNT pairs: two processes resume a run at once, and exactly one must be accepted.

Results are appended to kills.jsonl in the current folder, one line per run or pair, and a later call continues there.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import _options
import torch

from workbench.engine import Run, RunSpec, checkpoints, process, resume, runs, start
from workbench.engine.training.trainer import train
from workbench.errors import UserError

LEDGER = Path("kills.jsonl")
STEPS = 1500
SPEC = dict(model="mlp", steps=STEPS, dropout=0.1, device="cpu")
KILLS_PER_RUN = 3
STARTING = 5.0  # seconds in which a worker is starting: every fourth kill is in them
LATER = 0.2  # seconds after a random step in which the other kills are
TIMEOUT = 300.0  # seconds until a worker that is not killed must be done
STARTING_TIMEOUT = 60.0

WORKER = """
import sys
from workbench.engine import worker
from workbench.engine.training import trainer
trainer.SAVE_EVERY, trainer.SAVE_SHARE = 0.0, 1.0
sys.exit(worker.main(sys.argv[1:]))
"""
RESUMER = """
import sys
from pathlib import Path
from workbench.engine import resume
from workbench.engine.run import Run, children
from workbench.errors import UserError
print("ready", flush=True)
for line in sys.stdin:
    run = Run(Path(line.strip()))
    try:
        resume(run)
        print("accepted", flush=True)
    except UserError as error:
        print(f"rejected: {error}", flush=True)
    sys.stdin.readline()  # when both have answered
    if run.folder in children:
        run.kill()
        run.join(60)
    print("ended", flush=True)
"""


def spawn(*words, **streams):
    """Start a worker that saves a checkpoint as often as possible."""
    return subprocess.Popen([sys.executable, "-P", "-c", WORKER, *words], start_new_session=True, **streams)


def rows_of(events):
    """Return the numbers of a run by step, in order, and its end."""
    rows, end = [], {}
    for event in events:
        if event["event"] == "start":
            rows = [row for row in rows if row[0] <= event["step"]]
        elif event["event"] in ("metric", "eval"):
            rows.append((event["step"], event["event"], event["split"], json.dumps(event["metrics"], sort_keys=True)))
        elif event["event"] == "end":
            end = {"metrics": event["metrics"], "validation": event["validation"], "status": event["status"]}
    return rows, end


def read_all(run):
    tail, events = run.reader(), []
    while news := tail.read():
        events += news
    return events


def unloadable(run):
    """Return the checkpoints that were announced and can't be loaded, or are older than announced."""
    announced = {event["checkpoint"]: event["step"] for event in read_all(run) if event["event"] == "checkpoint"}
    problems = []
    for name, step in announced.items():
        try:
            _, _, about = checkpoints.load_all(run.folder / f"{name}.safetensors")
            is_older = name == "last" and about["step"] < step
        except UserError:
            is_older = True
        if is_older:
            problems.append(f"{name} of step {step}")
    previous = run.folder / "previous.safetensors"
    if previous.exists():
        try:
            checkpoints.load_all(previous)
        except UserError:
            problems.append("previous")
    return problems


def step_of(run):
    """Return the step of a run's newest event; 0 before the first."""
    last = run.last_event()
    return last["step"] if last else 0


def wait_for_a_random_moment(run, rng):
    step = step_of(run)
    if rng.random() < 0.25:
        time.sleep(rng.uniform(0.0, STARTING))
        return
    target = rng.uniform(step, STEPS)
    while run.is_alive() and step_of(run) < target:
        time.sleep(0.01)
    time.sleep(rng.uniform(0.0, LATER))


def kill_until_done(seed, kills, rng, expected):
    """Train a run whose worker is killed, and return what was found."""
    run = start(RunSpec.create(**SPEC, seed=seed))
    record = dict(trial="run", seed=seed, kills=0, early=0, problems=[])
    for _ in range(kills):
        wait_for_a_random_moment(run, rng)
        if not run.is_alive():
            break  # it was done before
        run.kill()
        run.join(STARTING_TIMEOUT)
        record["kills"] += 1
        record["problems"] += [f"{name} doesn't load" for name in unloadable(run)]
        try:
            resume(run)
        except UserError as error:
            if (run.folder / "last.safetensors").exists():
                record["problems"].append(str(error))
                return record
            record["early"] += 1  # there was no checkpoint yet
            run.remove()
            run = start(RunSpec.create(**SPEC, seed=seed))
    if run.wait(TIMEOUT) != "done":
        record["problems"].append(f"{run.status()}: {run.summary().get('reason')}")
    else:
        rows, end = rows_of(read_all(run))
        missing, extra = Counter(expected[0]) - Counter(rows), Counter(rows) - Counter(expected[0])
        record |= dict(rows=len(rows), missing=missing.total(), extra=extra.total(), is_equal=end == expected[1])
        record["problems"] += [f"missing: {row[:3]}" for row in missing] + [f"extra: {row[:3]}" for row in extra]
        if not record["is_equal"]:
            record["problems"].append("other final metrics")
    run.remove()
    return record


def resume_in_pairs(count, rng, first):
    """Yield for each pair of processes how many were accepted."""
    template = start(RunSpec.create(**SPEC))
    while not (template.folder / "last.safetensors").exists():
        time.sleep(0.05)
    template.stop()
    template.join(STARTING_TIMEOUT)
    pair = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", RESUMER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]

    def tell(resumer, line):
        resumer.stdin.write(f"{line}\n")
        resumer.stdin.flush()

    for resumer in pair:
        resumer.stdout.readline()
    for number in range(first, first + count):
        copy = Run(runs.folder() / f"pair-{number:04}")
        shutil.copytree(template.folder, copy.folder)
        rng.shuffle(pair)
        tell(pair[0], copy.folder)
        time.sleep(rng.choice((0.0, 0.0, 0.001, 0.01)))
        tell(pair[1], copy.folder)
        answers = [resumer.stdout.readline().strip() for resumer in pair]
        for resumer in pair:
            tell(resumer, "end")
            resumer.stdout.readline()
        copy.remove()
        yield dict(trial="pair", number=number, accepted=answers.count("accepted"), answers=answers)
    for resumer in pair:
        resumer.stdin.close()
        resumer.wait()
    template.remove()


def ledger():
    return [json.loads(line) for line in LEDGER.read_text().splitlines()] if LEDGER.exists() else []


def append(record):
    with LEDGER.open("a") as file:
        file.write(json.dumps(record) + "\n")
    for problem in record.get("problems", []):
        print(f"  seed {record['seed']}: {problem}", flush=True)


def main(count: int) -> None:
    torch.set_num_threads(1)
    process.spawn = spawn
    records = ledger()
    kills = sum(record["kills"] for record in records if record["trial"] == "run")
    seed = sum(record["trial"] == "run" for record in records)
    pairs = sum(record["trial"] == "pair" for record in records)
    while kills < count:
        # The seed decides the moments, too; they differ all the same, as the machine is never equally fast.
        expected = rows_of(train([RunSpec.create(**SPEC, seed=seed)]))
        record = kill_until_done(seed, min(KILLS_PER_RUN, count - kills), random.Random(seed), expected)
        append(record)
        kills, seed = kills + record["kills"], seed + 1
    if pairs < count:
        for record in resume_in_pairs(count - pairs, random.Random(pairs), pairs):
            append(record)
    records = ledger()
    trained = [record for record in records if record["trial"] == "run"]
    accepted = Counter(record["accepted"] for record in records if record["trial"] == "pair")
    print(f"{'runs':>6}{'kills':>7}{'before a checkpoint':>21}{'rows':>8}{'missing':>9}{'extra':>7}{'problems':>10}")
    sums = [sum(record.get(key, 0) for record in trained) for key in ("kills", "early", "rows", "missing", "extra")]
    problems = sum(bool(record["problems"]) for record in trained)
    print(f"{len(trained):6}{sums[0]:7}{sums[1]:21}{sums[2]:8}{sums[3]:9}{sums[4]:7}{problems:10}")
    print(f"{accepted.total():6} pairs: {accepted[1]} accepted once, {accepted[2]} twice, {accepted[0]} not at all")


if __name__ == "__main__":
    options = _options.read(__doc__, "COUNT", 200, dry=1)
    with tempfile.TemporaryDirectory() as home:
        os.environ["WORKBENCH_HOME"] = home
        main(options.count)
