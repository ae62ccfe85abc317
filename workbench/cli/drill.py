"""`workbench drill`: questions with random numbers, for people and for scripts."""

import gc
import os
import sys
from dataclasses import asdict
from itertools import repeat
from random import SystemRandom
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.reply import Json, say_json

if TYPE_CHECKING:
    from quizzes.question import Mark, Question
    from quizzes.selftest import Report

MOST_PROCESSES = 8  # each of them has PyTorch in memory once

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Questions with random numbers."
)


Id = Annotated[
    str, typer.Argument(metavar="DRILL", help="A drill: see 'workbench drill list'.", autocompletion=completion.drills)
]
Seed = Annotated[int, typer.Option(help="The variant: the same seed gives the same numbers.")]


@app.command("list", epilog="Example: workbench drill list --topic convolution")
def list_drills(
    topic: Annotated[str, typer.Option(help="Only this topic's.")] = "",
    as_json: Json = False,
) -> None:
    """Every drill, or a topic's."""
    from quizzes import bank
    from workbench import syllabus

    if topic:
        syllabus.get(topic)
    found = [d for d in bank.all_drills().values() if topic in ("", d.topic)]
    if as_json:
        say_json(
            [dict(drill=d.id, type=d.type, topic=d.topic, title=d.title, tier=d.tier, kinds=d.kinds) for d in found]
        )
        return
    wide = max((len(d.id) for d in found), default=0) + 2
    for d in found:
        print(f"{d.id:<{wide}}tier {d.tier}  {d.title}")
    print(f"\nNext: workbench drill show {found[0].id}" if found else "This topic has no drill yet.")


@app.command(epilog="Example: workbench drill show conv-out-size --seed 7 --solution")
def show(
    drill: Id,
    seed: Annotated[int | None, typer.Option(help="The variant; a new one if left out.")] = None,
    solution: Annotated[bool, typer.Option("--solution", help="With answers, steps, mistakes and check.")] = False,
    as_json: Json = False,
) -> None:
    """One question with its numbers."""
    from quizzes import bank
    from workbench.render import question as lines

    asked = bank.draw(drill, SystemRandom().randrange(1, 100_000) if seed is None else seed)
    if as_json:
        say_json(_asked(asked) | (_solved(asked) if solution else {}))
        return
    print(lines.render_question(asked))
    if solution:
        print(f"\n{lines.render_solution(asked)}")
    else:
        values = " ".join(part.part.upper() for part in asked.parts)
        print(f"\nNext: workbench drill answer {asked.drill} --seed {asked.seed} {values}")


def _asked(q: "Question") -> dict[str, Any]:
    parts = []
    for part in q.parts:
        row: dict[str, Any] = {"part": part.part, "kind": part.kind, "label": part.label}
        for name in ("choices", "items", "variables", "decimals"):
            if getattr(part, name) not in ([], {}, None):
                row[name] = getattr(part, name)
        parts.append(row)
    return dict(
        drill=q.drill,
        seed=q.seed,
        topic=q.topic,
        tier=q.tier,
        prompt=q.prompt,
        params=q.params,
        parts=parts,
        hint=q.hint,
    )


def _solved(q: "Question") -> dict[str, Any]:
    from quizzes.answers import KINDS
    from quizzes.expressions.symbolic import pretty_text

    by_name = {part.part: part for part in q.parts}

    def text(part: str, value: Any) -> str:
        return KINDS[by_name[part].kind].write(value, by_name[part])

    return {
        "answers": {part.part: text(part.part, part.answer) for part in q.parts},
        "steps": [{"text": s.text, "math": "\n\n".join(pretty_text(m) for m in s.math)} for s in q.steps],
        "mistakes": [
            {"mistake": m.mistake, "part": m.part, "answer": text(m.part, m.answer), "feedback": m.feedback}
            for m in q.mistakes
        ],
        "verify": q.verify,
    }


@app.command(
    epilog="Example: workbench drill answer conv-out-size --seed 8 106",
    context_settings={"ignore_unknown_options": True},
)
def answer(
    drill: Id,
    answers: Annotated[list[str], typer.Argument(metavar="ANSWER...", help="One for each part, in order.")],
    seed: Seed,
    as_json: Json = False,
) -> None:
    """Mark an answer, without keeping it: for scripts. `workbench quiz` keeps what you answer.

    Exit code 0: right. 1: wrong or partly right. 2: not understood.
    """
    from quizzes import bank
    from quizzes.marking import mark
    from workbench.errors import UserError
    from workbench.render import question as lines

    asked = bank.draw(drill, seed)
    names = [part.part for part in asked.parts]
    if len(answers) != len(names):
        wanted = f"{len(names)} answer{'s' * (len(names) > 1)}: {' '.join(n.upper() for n in names)}"
        raise UserError(f"{drill} asks for {wanted}; {len(answers)} came. Put quotes around an answer with spaces.")
    given = mark(asked, dict(zip(names, answers, strict=True)))
    if as_json:
        say_json(_marked(given))
    else:
        print(lines.render_mark(given))
    if given.mark == "not_understood":
        print(f"workbench: not understood: {given.feedback.splitlines()[0]}", file=sys.stderr)
    raise typer.Exit({"right": 0, "not_understood": 2}.get(given.mark, 1))


def _marked(given: "Mark") -> dict[str, Any]:
    parts = [
        dict(part=p.part, mark=p.mark, score=p.score, read_as=p.read_as, mistake=p.mistake, feedback=p.feedback)
        for p in given.parts
    ]
    return {**asdict(given), "parts": parts}


@app.command(epilog="Example: workbench drill verify conv-out-size --seed 7")
def verify(drill: Id, seed: Seed = 1, as_json: Json = False) -> None:
    """Confirm a question's values twice: by SymPy, and by PyTorch (or another library) in a process of its own."""
    from quizzes import bank
    from quizzes.verification import compare_values, evaluate_with_sympy, script_names
    from workbench.engine.verify import Verifier

    asked = bank.draw(drill, seed)
    if not asked.tier:
        from workbench.errors import UserError

        raise UserError(f"{drill} is a recall card: there is nothing to compute; its explanation says why.")
    found: dict[str, Any] = {}
    torch: dict[str, str] = {}
    torch_agrees = True
    if asked.verify:
        with Verifier() as worker:
            found = worker.values(asked.verify, script_names(asked))
        torch, torch_agrees = compare_values(asked, found)
    sympy, sympy_agrees = compare_values(asked, found | evaluate_with_sympy(asked))
    agree = sympy_agrees and torch_agrees
    if as_json:
        say_json({"sympy": sympy, "torch": torch, "agree": agree})
    else:
        print(asked.verify or "A pack's drill brings no check by PyTorch: SymPy alone confirms it.")
        for part in asked.parts:
            second = f", PyTorch {torch[part.part]}" if torch else ""
            print(f"\n{part.part}: SymPy {sympy[part.part]}{second}")
        print("\nThey agree." if agree else "\nThey do not agree.")
    raise typer.Exit(0 if agree else 1)


@app.command(epilog="Example: workbench drill test iou --seeds 200")
def test(
    drill: Annotated[
        str, typer.Argument(metavar="[DRILL]", help="Every drill if left out.", autocompletion=completion.drills)
    ] = "",
    seeds: Annotated[int, typer.Option(min=1, max=1_000_000, help="Variants of each drill.")] = 50,
    as_json: Json = False,
) -> None:
    """Test the drills themselves: truth, mistakes, rounding, garbage, spread, and a second computation.

    Several drills are tested side by side, one on each processor.
    """
    from concurrent.futures import ProcessPoolExecutor

    from quizzes import bank

    chosen = [bank.get(drill).id] if drill else list(bank.all_drills())
    wide = max(map(len, chosen)) + 2
    reports = []
    processes = min(len(chosen), os.cpu_count() or 1, MOST_PROCESSES)
    with ProcessPoolExecutor(processes, initializer=_ready) as pool:
        for report in pool.map(_examined, chosen, repeat(seeds)):
            reports.append(report)
            if not as_json:
                verdict = "passed" if not report.problems else f"{len(report.problems)} problems"
                each = f"{report.milliseconds:6.1f} ms each"
                print(f"{report.drill:<{wide}}{report.variants} variants  {each}  {verdict}", flush=True)
                for problem in report.problems[:5]:
                    print(f"    {problem}")
    if as_json:
        say_json([asdict(report) for report in reports])
    raise typer.Exit(1 if any(report.problems for report in reports) else 0)


def _ready() -> None:
    """Make a process of the pool a worker: one thread of torch beside the others'."""
    import torch

    from workbench.cli.main import know_packs

    torch.set_num_threads(1)
    know_packs()


def _examined(drill: str, seeds: int) -> "Report":
    """Examine a drill in a process of the pool: it is a worker itself, and may import torch."""
    from quizzes import bank
    from quizzes.selftest import selftest
    from workbench.engine.worker import script_values

    gc.freeze()  # torch and SymPy stay: looking through them for garbage again and again takes a third of the time
    return selftest(bank.get(drill), range(1, seeds + 1), script_values)
