"""`workbench claims`: statements of the notes, tested."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, console, plural, print_json
from workbench.errors import UserError

if TYPE_CHECKING:
    from workbench.claims.claim import Claim
    from workbench.claims.runner import Progress, Runner
    from workbench.claims.verdict import Verdict

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="List, show and run claims, and report verdicts.")

ClaimId = Annotated[
    str, typer.Argument(metavar="CLAIM", help="Claim: see 'workbench claims list'.", autocompletion=completion.claims)
]
Chapter = Annotated[str | None, typer.Option(metavar="C", help="Only claims of this chapter.")]


@app.command("list", epilog="Example: workbench claims list --chapter optimization")
def list_claims(chapter: Chapter = None, as_json: Json = False) -> None:
    """List all claims, with the verdicts that there are."""
    from workbench.claims import report, runner

    rows = []
    for claim in _claims([], chapter, every=True):
        verdict = runner.stored_verdict(claim)
        row: dict[str, Any] = dict(claim=claim.id, topic=claim.topic, kind=claim.kind, statement=claim.statement)
        rows.append(row | dict(expected=claim.expected, verdict=verdict.verdict if verdict else None))
    if as_json:
        print_json(rows)
        return
    from rich.table import Column, Table

    table = Table(Column("claim", no_wrap=True), "kind", "expected", "measured", box=None, header_style="bold")
    for row in rows:
        measured = report.WORDS[row["verdict"]] if row["verdict"] else ""
        table.add_row(row["claim"], row["kind"], report.WORDS[row["expected"]], measured)
    console().print(table)


@app.command(epilog="Example: workbench claims show dropout-wrong-labels")
def show(id: ClaimId, as_json: Json = False) -> None:
    """Show a claim: its statement, how it is tested, and its verdict if there is one."""
    from workbench.claims import catalog, runner

    claim = catalog.get(id)
    verdict = runner.stored_verdict(claim)
    if as_json:
        print_json(_details(claim) | {"result": verdict.to_record() if verdict else None})
        return
    print(f"{claim.id} ({claim.kind}, {claim.topic})")
    for text in (claim.statement, claim.note, f"Source: {claim.source}" if claim.source else ""):
        if text:
            _print_wrapped(text)
    for name, value in _details(claim).items():
        if name in ("rule", "arms", "measure", "control", "tune", "seeds") and value:
            _print_wrapped(f"{name}: {_format(value)}")
    if verdict:
        print_verdict(verdict)
    else:
        print(f"Not run yet. Next: workbench claims run {claim.id}")


@app.command(epilog="Example: workbench claims run dropout-wrong-labels --seeds 8")
def run(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[CLAIM...]", help="Claims.")] = None,
    chapter: Chapter = None,
    every: Annotated[bool, typer.Option("--all", help="All claims.")] = False,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Number of seeds. Default: the claim's.")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes. Default: the number of cores.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Compute everything again.")] = False,
    as_json: Json = False,
) -> None:
    """Run claims, and print their verdicts.

    What has a result already isn't computed again. Ctrl-C keeps all that is finished.

    Exit code 0: the claim holds; of several claims, each has the verdict that was expected. 1: otherwise.
    """
    from workbench.claims.runner import Runner

    claims = _claims(ids or [], chapter, every)
    if workers is not None and workers < 1:
        raise UserError("--workers must be 1 or more.")
    verdicts: list[Verdict] = []
    with _Progress() as progress, Runner(workers, progress.update) as runner, _StopOnSignal(runner) as signals:
        for verdict in runner.run(claims, seeds, again):
            verdicts.append(verdict)
            with progress.paused():
                if as_json:
                    print_json(verdict.to_record(), first=len(verdicts) == 1)
                    sys.stdout.flush()
                else:
                    print_verdict(verdict)
    if signals.is_stopped:
        raise typer.Exit(130)
    if len(claims) == 1:
        raise typer.Exit(0 if verdicts and verdicts[0].verdict == "holds" else 1)
    differing = [verdict for verdict in verdicts if verdict.verdict != verdict.expected]
    if not as_json:
        print(f"{plural(len(verdicts), 'claim')}, {len(differing)} with another verdict than expected.")
    raise typer.Exit(1 if differing else 0)


@app.command(epilog="Example: workbench claims report --out ledger")
def report(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for ledger.json, report.md and report.html.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a table of all claims and their verdicts, or write it with the ledger into a folder."""
    from workbench import files
    from workbench.claims import catalog, ledger, runner
    from workbench.claims import report as document

    verdicts = {}
    for claim in catalog.claims().values():
        if (verdict := runner.stored_verdict(claim)) is not None:
            verdicts[claim.id] = verdict
    result = ledger.build(verdicts)
    if out is not None:
        contents = {
            "ledger.json": result.to_json(),
            "report.md": document.to_markdown(result),
            "report.html": document.to_html(result),
        }
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name, content in contents.items():
                files.write(out / name, content.encode())
        except OSError as error:
            raise UserError(f"{out} can't be written ({error.strerror}): name a folder that can.") from error
    if as_json:
        print_json(dict(machine=result.machine, rows=result.rows))
    elif out is not None:
        print(f"{plural(len(verdicts), 'verdict')} of {plural(len(result.rows), 'claim')} written to {out}.")
    else:
        print(document.to_markdown(result))


def print_verdict(verdict: "Verdict") -> None:
    """Print a verdict: the effect with its interval, every seed, and the control."""
    from workbench.claims import report as document

    print(f"{document.SIGNS[verdict.verdict]} {verdict.claim}: {document.WORDS[verdict.verdict]}", end="")
    print("" if verdict.verdict == verdict.expected else f" (expected: {document.WORDS[verdict.expected]})")
    if verdict.effect is not None and verdict.interval is not None:
        low, high = verdict.interval
        print(f"  effect {verdict.effect:.4g}, 95% interval {low:.4g} to {high:.4g}, bound {verdict.min_effect:g}")
    for arm, values in verdict.arms.items():
        options = " ".join(f"{name}={value}" for name, value in verdict.tuned.get(arm, {}).items())
        numbers = " ".join("diverged" if value is None else f"{value:.4g}" for value in values)
        _print_wrapped(f"{arm}{f' ({options})' if options else ''}: {numbers}")
    if verdict.control and verdict.control.get("effect") is not None:
        print(f"  under the control: effect {verdict.control['effect']:.4g}")
    for comparison in verdict.evidence:
        sign = "✓" if comparison["agrees"] else "✗"
        _print_wrapped(f"{sign} {comparison['what']}: {comparison['detail']}")
    if verdict.reason:
        _print_wrapped(verdict.reason)
    sys.stdout.flush()


def _print_wrapped(text: str) -> None:
    from textwrap import fill

    from workbench.untrusted import printable

    print(fill(printable(text), width=78, initial_indent="  ", subsequent_indent="  "))


def _claims(ids: Sequence[str], chapter: str | None, every: bool) -> "list[Claim]":
    from workbench.claims import catalog

    if sum((bool(ids), chapter is not None, every and chapter is None)) != 1:
        raise UserError("Name claims, or give one of --chapter C and --all.")
    if chapter is not None:
        return catalog.chapter(chapter)
    return [catalog.get(id) for id in dict.fromkeys(ids)] if ids else list(catalog.claims().values())


def _details(claim: "Claim") -> dict[str, Any]:
    from workbench.claims.claim import Empirical, Scaling

    details: dict[str, Any] = dict(claim=claim.id, topic=claim.topic, kind=claim.kind, statement=claim.statement)
    details |= dict(expected=claim.expected, source=claim.source, note=claim.note, seeds=claim.seeds, hash=claim.hash)
    if isinstance(claim, Empirical | Scaling):
        details["rule"] = claim.decider.rule
    if isinstance(claim, Empirical):
        details["arms"] = {name: arm.record() for name, arm in claim.arms.items()}
        details["measure"] = claim.measure if isinstance(claim.measure, str) else claim.measure.title
        details |= dict(control=claim.control, tune=claim.tune)
    return details


def _format(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    pairs = (f"{key} ({_format(item)})" if isinstance(item, dict) else f"{key}={item}" for key, item in value.items())
    return ", ".join(pairs)


class _Progress:
    """A line with the number of jobs that are done and the time left, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.status import Status

        self._status = Status("Starting PyTorch ...", console=Console(stderr=True))
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> "_Progress":
        if self._is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def update(self, progress: "Progress") -> None:
        """Show how far it is."""
        minutes, seconds = divmod(round(progress.seconds_left or 0), 60)
        left = f"{minutes}:{seconds:02} left"
        self._status.update(f"{progress.done} of {progress.total} jobs, {left}, last: {progress.claim}")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Remove the line while other text is printed."""
        self._status.stop()
        yield
        if self._is_terminal:
            self._status.start()


class _StopOnSignal:
    """Context in which Ctrl-C and a request to end stop the jobs; what is finished is kept."""

    def __init__(self, runner: "Runner") -> None:
        self._runner = runner
        self.is_stopped = False

    def __enter__(self) -> "_StopOnSignal":
        self._handlers = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        self.is_stopped = True
        self._runner.stop()
