"""Running claims: warm workers compute the trials, and the results are stored in files, so that none is computed twice.

There are three stages: options are tuned, on the validation set with their own seeds; then all arms and controls are
computed; and finally the claims that measure time, one job at a time.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import product
from queue import SimpleQueue
from statistics import mean
from typing import Any, Self

from workbench.claims import verdict
from workbench.claims.claim import TUNING_SEEDS, Claim, Empirical, Exact, Scaling
from workbench.claims.results import Results
from workbench.claims.verdict import Verdict
from workbench.engine.client import Client, ScriptError
from workbench.engine.executor import processors
from workbench.errors import UserError

TIMEOUT = 3600.0  # seconds of one job
SEEDS_AT_ONCE = 4  # of one job, so that two workers share the seeds of a single claim
MAX_SEEDS = 1000
ENOUGH = 2  # seeds for an interval


@dataclass(frozen=True)
class Job:
    """The trials of one arm that a worker computes together."""

    claim: Claim
    arm: str
    phase: str
    seeds: Sequence[int]
    options: Mapping[str, Any] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """Return the request that is sent to a worker."""
        place = dict(arm=self.arm, phase=self.phase, seeds=list(self.seeds), options=dict(self.options))
        return {"job": "trials", "claim": self.claim.id, **place}


@dataclass(frozen=True)
class Progress:
    """The progress of a batch of claims.

    Attributes:
        done: The number of jobs that are done.
        total: The number of all jobs, as far as they are known now.
        claim: The claim of the last job.
        seconds_left: An estimate from the jobs so far; None before the first.
    """

    done: int
    total: int
    claim: str
    seconds_left: float | None


class Runner:
    """Computes claims in warm workers. As a context manager, it ends them.

    Args:
        workers: The number of workers; by default the number of processors.
        on_progress: Called after every job.
    """

    def __init__(self, workers: int | None = None, on_progress: Callable[[Progress], None] = lambda progress: None):
        self._size = workers or processors()
        self._clients: SimpleQueue[Client] = SimpleQueue()
        self._all = [Client(module="workbench.claims.worker") for _ in range(self._size)]
        for client in self._all:
            self._clients.put(client)
        self._pool = ThreadPoolExecutor(self._size)
        self._on_progress = on_progress
        self._is_stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for client in self._all:
            client.close()

    def stop(self) -> None:
        """Start no further job, and end the running ones. May be called by the handler of a signal."""
        self._is_stopped.set()
        for client in self._all:
            client.kill()

    def run(self, claims: Sequence[Claim], seeds: int | None = None, again: bool = False) -> Iterator[Verdict]:
        """Yield the verdicts of claims, in the order in which they are complete.

        Args:
            claims: The claims.
            seeds: The number of seeds of each claim; by default that of its declaration.
            again: Whether to compute everything again.

        Raises:
            UserError: If a result can't be written.
        """
        if seeds is not None and not 1 <= seeds <= MAX_SEEDS:
            raise UserError(f"A claim needs 2 seeds or more for an interval, and at most {MAX_SEEDS}: not {seeds}.")
        entries = {claim.id: _Entry(claim, Results(claim), seeds, again) for claim in claims}
        progress = _Counter(self._on_progress, sum(len(entry.jobs()) for entry in entries.values()))
        self._compute([job for entry in entries.values() for job in entry.tuning_jobs()], entries, progress)
        for entry in entries.values():
            entry.choose()
        together = [entry for entry in entries.values() if not entry.claim.is_timed]
        alone = [entry for entry in entries.values() if entry.claim.is_timed]
        yield from self._finish(together, entries, progress)
        for entry in alone:
            yield from self._finish([entry], entries, progress, one_by_one=True)

    def _finish(
        self, ready: Sequence["_Entry"], entries: "Mapping[str, _Entry]", progress: "_Counter", one_by_one: bool = False
    ) -> Iterator[Verdict]:
        left = {entry.claim.id: len(entry.main_jobs()) for entry in ready}
        for entry in ready:
            if not left[entry.claim.id]:
                yield entry.verdict()
        jobs = [job for entry in ready for job in entry.main_jobs()]
        for job in self._run_jobs(jobs, entries, progress, one_by_one):
            left[job.claim.id] -= 1
            if not left[job.claim.id]:
                yield entries[job.claim.id].verdict()

    def _compute(self, jobs: Sequence[Job], entries: "Mapping[str, _Entry]", progress: "_Counter") -> None:
        for _ in self._run_jobs(jobs, entries, progress):
            pass

    def _run_jobs(
        self, jobs: Sequence[Job], entries: "Mapping[str, _Entry]", progress: "_Counter", one_by_one: bool = False
    ) -> Iterator[Job]:
        """Compute jobs, store their results, and yield each when it is done."""
        batches: Iterable[Sequence[Job]] = ([job] for job in jobs) if one_by_one else [jobs]
        for batch in batches:
            futures: dict[Future[list[dict[str, Any]]], Job] = {self._pool.submit(self._ask, job): job for job in batch}
            for future in as_completed(futures):
                job, entry = futures[future], entries[futures[future].claim.id]
                try:
                    for row in future.result():
                        entry.results.add(row)
                except ScriptError as error:
                    if self._is_stopped.is_set():
                        return
                    entry.problem = str(error)
                progress.add(job.claim.id)
                yield job

    def _ask(self, job: Job) -> list[dict[str, Any]]:
        if self._is_stopped.is_set():
            raise ScriptError("It was stopped.")
        client = self._clients.get()
        try:
            rows: list[dict[str, Any]] = client.ask(job.request(), TIMEOUT)["rows"]
            return rows
        except UserError as error:  # a declaration that can't be run
            raise ScriptError(str(error)) from error
        finally:
            self._clients.put(client)


class _Counter:
    """Counts jobs, and estimates the remaining time."""

    def __init__(self, on_progress: Callable[[Progress], None], total: int):
        self._on_progress, self._total, self._done, self._start = on_progress, total, 0, time.monotonic()

    def add(self, claim: str) -> None:
        self._done += 1
        self._total = max(self._total, self._done)
        rate = (time.monotonic() - self._start) / self._done
        self._on_progress(Progress(self._done, self._total, claim, rate * (self._total - self._done)))


class _Entry:
    """A claim while it is computed."""

    def __init__(self, claim: Claim, results: Results, seeds: int | None, again: bool):
        self.claim, self.results, self.problem = claim, results, ""
        if again:
            results.clear()
        self.seeds = list(range(claim.seeds if seeds is None else seeds))

    def jobs(self) -> list[Job]:
        return self.tuning_jobs() + self.main_jobs()

    def tuning_jobs(self) -> list[Job]:
        """Return the jobs of tuning that have no result yet."""
        if not isinstance(self.claim, Empirical) or self.claim.tune is None:
            return []
        return [
            Job(self.claim, arm, "tune", seeds, options)
            for arm in self.claim.arms
            for options in _grid(self.claim.tune)
            if (seeds := [s for s in TUNING_SEEDS if self.results.get(arm, "tune", s, options) is None])
        ]

    def choose(self) -> None:
        """Choose the options of each arm by its values on the validation set."""
        if not isinstance(self.claim, Empirical) or self.claim.tune is None:
            return
        for arm in self.claim.arms:
            if arm in self.results.tuned:
                continue
            scores = {}
            for index, options in enumerate(_grid(self.claim.tune)):
                rows = [self.results.get(arm, "tune", seed, options) for seed in TUNING_SEEDS]
                values = [row["values"]["value"] for row in rows if row is not None]
                if len(values) == len(TUNING_SEEDS) and None not in values:
                    scores[index] = mean(values)
            if scores:
                best = list(_grid(self.claim.tune))[max(scores, key=lambda index: scores[index])]
                self.results.add({"arm": arm, "chosen": best})
            else:
                self.problem = self.problem or f"Every option of {arm} diverged when it was tuned."

    def main_jobs(self) -> list[Job]:
        """Return the jobs of all arms and controls that have no result yet."""
        match self.claim:
            case Exact():
                return self._missing("evidence", "main")
            case Scaling():
                return self._missing("slope", "main")
            case Empirical():
                phases = ["main", *(["control"] if self.claim.control is not None else [])]
                jobs = [self._missing(arm, phase) for phase in phases for arm in self.claim.arms]
                if self.claim.is_timed:  # arm by arm, so that other load on the machine affects all of them
                    return [job for row in zip(*jobs, strict=False) for job in row]
                return [job for row in jobs for job in row]
        return []

    def _missing(self, arm: str, phase: str) -> list[Job]:
        seeds = [seed for seed in self.seeds if self.results.get(arm, phase, seed) is None]
        size = 1 if self.claim.is_timed else SEEDS_AT_ONCE
        options = self.results.tuned.get(arm, {})
        return [Job(self.claim, arm, phase, seeds[k : k + size], options) for k in range(0, len(seeds), size)]

    def verdict(self) -> Verdict:
        """Return the verdict. If the claim could not be computed, it is inconclusive, with the reason."""
        if self.problem:
            reason = f"It could not be measured: {self.problem}"
            return Verdict(self.claim.id, "inconclusive", self.claim.expected, reason, seeds=self.seeds)
        return verdict.decide(self.claim, self.results, self.seeds)


def _grid(tune: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for values in product(*tune.values()):
        yield dict(zip(tune, values, strict=True))


def is_complete(claim: Claim, results: Results, seeds: int | None = None) -> bool:
    """Return whether all trials of a claim have a result."""
    return not _Entry(claim, results, seeds, again=False).jobs()


def stored_verdict(claim: Claim, seeds: int | None = None) -> Verdict | None:
    """Return the verdict of a claim from stored results; None if they are not complete."""
    entry = _Entry(claim, Results(claim), seeds, again=False)
    return None if entry.jobs() else entry.verdict()
