"""`workbench drill`: questions with random numbers, for people and for scripts."""

import gc
import os
from dataclasses import asdict
from itertools import repeat
from random import SystemRandom
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.free_text import SETTINGS, FreeTextCommand
from workbench.cli.output import Json, plural, print_error, print_json

if TYPE_CHECKING:
    from quizzes.question import Mark, Question
    from quizzes.selftest import Report

MAX_PROCESSES = 8  # each loads PyTorch
MAX_PROBLEMS = 5  # printed for each drill
PUBLIC_FIELDS = (
    "choices",
    "items",
    "variables",
    "definitions",
    "form",
    "decimals",
    "digits",
    "imports",
    "supported_by",
)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List, show, answer, verify and test drills: generators of questions.",
)

Id = Annotated[
    str, typer.Argument(metavar="DRILL", help="Drill: see 'workbench drill list'.", autocompletion=completion.drills)
]
Seed = Annotated[int, typer.Option(help="Seed of the question: the same seed gives the same numbers.")]


@app.command("list", epilog="Example: workbench drill list --topic convolution")
def list_drills(
    topic: Annotated[str, typer.Option(help="Topic to list. Default: all.")] = "",
    as_json: Json = False,
) -> None:
    """List the drills."""
    from workbench import question_index, syllabus

    if topic:
        syllabus.get(topic)
    drills = [drill for drill in question_index.drills() if topic in ("", drill.topic, *drill.joins)]
    if as_json:
        print_json(
            [
                dict(
                    drill=d.id,
                    type=d.type,
                    topic=d.topic,
                    title=d.title,
                    tier=d.tier,
                    kinds=d.kinds,
                    joins=d.joins,
                    place=f"{d.file}:{d.line}",
                )
                for d in drills
            ]
        )
        return
    width = max((len(d.id) for d in drills), default=0) + 2
    for d in drills:
        print(f"{d.id:<{width}}level {d.tier}  {d.title}")
    print(f"\nNext: workbench drill show {drills[0].id}" if drills else "This topic has no drills yet.")


@app.command(epilog="Example: workbench drill show conv-out-size --seed 7 --solution")
def show(
    drill: Id,
    seed: Annotated[int | None, typer.Option(help="Seed of the question. Default: a new question each time.")] = None,
    solution: Annotated[
        bool, typer.Option("--solution", help="Show the answers, worked steps, known mistakes and PyTorch check too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a question."""
    from workbench.claims import index
    from workbench.user_bank import user_bank

    question = user_bank().draw(drill, SystemRandom().randrange(1, 100_000) if seed is None else seed)
    claims = index.by_topic(question.topic)
    if as_json:
        row = question_to_json(question) | {"claims": claims}
        print_json(row | (solution_to_json(question) if solution else {}))
        return
    from workbench.render import question as lines

    print(lines.render_question(question))
    if solution:
        print(f"\n{lines.render_solution(question)}")
        if claims:
            print(f"\nTested claims about {question.topic}: {', '.join(claims)}")
    else:
        values = " ".join(part.part.upper() for part in question.parts)
        print(f"\nNext: workbench drill answer {question.drill} --seed {question.seed} {values}")


def question_to_json(q: "Question") -> dict[str, Any]:
    """Return a question as plain data, without its answers."""
    from workbench.render.visualizations import drawing_data

    parts = []
    for part in q.parts:
        row: dict[str, Any] = {"part": part.part, "kind": part.kind, "label": part.label}
        for name in PUBLIC_FIELDS:
            if getattr(part, name) not in ([], {}, None) and not (name == "decimals" and part.digits):
                row[name] = getattr(part, name)
        parts.append(row)
    kind, data = drawing_data(q.visualization) if q.visualization else ("", {})
    return dict(
        drill=q.drill,
        seed=q.seed,
        topic=q.topic,
        tier=q.tier,
        prompt=q.prompt,
        params=q.params,
        parts=parts,
        hint=q.hint,
        hints=q.hints,
        joins=q.joins,
        visualization={"kind": kind, "data": data} if kind else None,
    )


def solution_to_json(q: "Question") -> dict[str, Any]:
    """Return a question's answers, worked steps, known mistakes and check as plain data."""
    from quizzes.answers import KINDS
    from quizzes.expressions.symbolic import pretty_text

    by_name = {part.part: part for part in q.parts}

    def text(part: str, value: Any) -> str:
        return KINDS[by_name[part].kind].format_answer(value, by_name[part])

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
    cls=FreeTextCommand,
    epilog="Example: workbench drill answer conv-out-size --seed 8 106",
    context_settings=SETTINGS,
)
def answer(
    drill: Id,
    answers: Annotated[
        list[str],
        typer.Argument(metavar="ANSWER...", help="Answer to each part, in order; in quotes if it has spaces."),
    ],
    seed: Seed,
    as_json: Json = False,
) -> None:
    """Grade an answer without saving the result, for scripts. 'workbench quiz' saves results.

    Exit code 0: correct. 1: incorrect or partially correct. 2: the answer can't be read.
    """
    from quizzes.marking import mark as grade
    from workbench.errors import UserError
    from workbench.render import question as lines
    from workbench.user_bank import user_bank

    question = user_bank().draw(drill, seed)
    names = [part.part for part in question.parts]
    if len(answers) != len(names):
        parts = f"{plural(len(names), 'answer')}: {' '.join(n.upper() for n in names)}"
        raise UserError(f"{drill} needs {parts}; got {len(answers)}. Put quotes around an answer with spaces.")
    mark = grade(question, dict(zip(names, answers, strict=True)))
    if as_json:
        print_json(_mark_to_json(mark))
    else:
        print(lines.render_mark(mark))
    if mark.mark == "not_understood":
        print_error(f"Can't read the answer: {mark.feedback.splitlines()[0]}")
    raise typer.Exit({"right": 0, "not_understood": 2}.get(mark.mark, 1))


def _mark_to_json(mark: "Mark") -> dict[str, Any]:
    parts = [
        dict(part=p.part, mark=p.mark, score=p.score, read_as=p.read_as, mistake=p.mistake, feedback=p.feedback)
        for p in mark.parts
    ]
    return {**asdict(mark), "parts": parts}


@app.command(epilog="Example: workbench drill verify conv-out-size --seed 7")
def verify(drill: Id, seed: Seed = 1, as_json: Json = False) -> None:
    """Compute the answers to a question in two ways.

    Once with SymPy, and once with PyTorch or another library, in a separate process.

    Exit code 0: the values agree. 1: they don't.
    """
    from quizzes.verification import check_names, compare_values, evaluate_with_sympy
    from workbench.engine.verify import Verifier
    from workbench.user_bank import user_bank

    question = user_bank().draw(drill, seed)
    if not question.tier:
        from workbench.errors import UserError

        raise UserError(f"{drill} is a card, so there is nothing to compute. See 'workbench cards show {drill}'.")
    values: dict[str, Any] = {}
    torch: dict[str, str] = {}
    torch_agrees = True
    if question.check:
        with Verifier() as worker:
            values = worker.values(question.check, check_names(question))
        torch, torch_agrees = compare_values(question, values)
    sympy, sympy_agrees = compare_values(question, values | evaluate_with_sympy(question))
    agree = sympy_agrees and torch_agrees
    if as_json:
        print_json({"sympy": sympy, "torch": torch, "agree": agree})
    else:
        print(question.verify or "Drills of packs have no PyTorch check: only SymPy computes the values.")
        for part in question.parts:
            if part.part in sympy:
                second = f", PyTorch {torch[part.part]}" if torch else ""
                print(f"\n{part.part}: SymPy {sympy[part.part]}{second}")
        print("\nThey agree." if agree else "\nThey do not agree.")
    raise typer.Exit(0 if agree else 1)


@app.command(epilog="Example: workbench drill test iou --seeds 200")
def test(
    drill: Annotated[
        str, typer.Argument(metavar="[DRILL]", help="Drill to test. Default: all.", autocompletion=completion.drills)
    ] = "",
    seeds: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of questions of each drill.")] = 50,
    as_json: Json = False,
) -> None:
    """Test drills with many seeds.

    The tests cover answers, mistakes, rounding, unreadable input, variety, and the second computation. Drills are
    tested in parallel, one per processor. Without a name, all declarations of formulas and cards are checked too.

    Exit code 0: all pass. 1: some have problems. 2: a declaration is incorrect.
    """
    from concurrent.futures import ProcessPoolExecutor

    from workbench.user_bank import user_bank

    ids = [user_bank().get_drill(drill).id] if drill else _check_declarations()
    width = max(map(len, ids)) + 2
    reports = []
    processes = min(len(ids), os.cpu_count() or 1, MAX_PROCESSES)
    with ProcessPoolExecutor(processes, initializer=_set_up_process) as pool:
        for report in pool.map(_run_selftest, ids, repeat(seeds)):
            reports.append(report)
            if not as_json:
                verdict = plural(len(report.problems), "problem") if report.problems else "passed"
                time = f"{report.milliseconds:6.1f} ms each"
                print(f"{report.drill:<{width}}{plural(report.variants, 'question')}  {time}  {verdict}", flush=True)
                for problem in report.problems[:MAX_PROBLEMS]:
                    print(f"    {problem}")
    if as_json:
        print_json([asdict(report) for report in reports])
    raise typer.Exit(1 if any(report.problems for report in reports) else 0)


def _check_declarations() -> list[str]:
    """Load all questions and formulas, and return the ids of the drills.

    Raises:
        DeclarationError: If one is declared incorrectly.
    """
    from quizzes.formulas import all_formulas
    from workbench import question_index
    from workbench.user_bank import user_bank

    question_index.load_index()
    all_formulas()
    user_bank().all_cards()
    return list(user_bank().all_drills())


def _set_up_process() -> None:
    """Set up a process of the pool, with one thread of PyTorch since the other processes have theirs."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the process that started the pool, and that ends these
    import torch

    torch.set_num_threads(1)


def _run_selftest(drill: str, seeds: int) -> "Report":
    """Test a drill in a process of the pool, which may import torch as a worker does."""
    from quizzes.selftest import selftest
    from workbench.engine.worker import check_values
    from workbench.user_bank import user_bank

    gc.freeze()  # torch and SymPy stay in memory: scanning them for garbage again and again takes a third of the time
    return selftest(user_bank().get_drill(drill), range(1, seeds + 1), check_values)
