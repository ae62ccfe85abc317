"""Time to grade an answer, and to run the self-test of a variant.

    python benchmarks/marking.py [VARIANTS] [NAME ...] [--dry]

Times are in milliseconds, in one process after all imports. Targets: 95% of ordinary answers within 5 ms, the worst
hostile text within 50 ms, 5 ms on average for the self-test of a variant.
"""

import gc
from statistics import mean, quantiles
from time import perf_counter

import _options

from quizzes import bank
from quizzes.answers import KINDS
from quizzes.marking import mark
from quizzes.selftest import answer_texts, selftest
from workbench.engine.worker import check_values

HOSTILE = [
    "((0.99999999999999^99)^99)^99",
    "z " * 149,
    "zz " * 99,
    "z^z" + "*z^z" * 36,
    "z+(" + "+".join("1" * 70) + ")",
    "max(" * 24 + "z,2" + ",2)" * 24,
    "sigmoid(" * 24 + "z" + ")" * 24,
    "2^" * 24 + "z",
    "exp(sin(z))" * 18,
    "(" * 300,
    "[" * 300,
    "@" * 300,
    "1" * 300,
    "z" * 300,
    "[" + "1/7+1/9," * 18 + "1]",
    ", ".join("abcd" * 24),
]


def milliseconds(question, answers) -> float:
    started = perf_counter()
    mark(question, answers)
    return (perf_counter() - started) * 1000


def warm(drills: list[str]) -> None:
    """Grade one answer of each kind, so that late imports (mostly SymPy) are done."""
    for drill in (bank.all_drills()[id] for id in drills):
        question = drill.draw(0)
        for text in HOSTILE:
            milliseconds(question, dict.fromkeys(answer_texts(question), text))
        selftest(drill, [0], check_values)
    gc.freeze()  # so that measurements don't include garbage collection of the imported modules


def main(variants: int, drills: list[str]) -> None:
    warm(drills)
    ordinary, hostile = [], []
    seeds = range(1, variants + 1)
    for id in drills:
        questions = [bank.draw(id, seed) for seed in seeds]
        for question in questions:
            ordinary.append((milliseconds(question, answer_texts(question)), id))
            for mistake in question.mistakes:
                part = next(p for p in question.parts if p.part == mistake.part)
                text = KINDS[part.kind].format_answer(mistake.answer, part)
                ordinary.append((milliseconds(question, {**answer_texts(question), mistake.part: text}), id))
        for text in HOSTILE:
            hostile.append(
                (milliseconds(questions[0], dict.fromkeys(answer_texts(questions[0]), text)), f"{id}: {text[:30]}")
            )
    percentile = quantiles([time for time, _ in ordinary], n=20)[-1]
    print(f"ordinary answers   95th percentile {percentile:6.2f} ms of {len(ordinary)}")
    for name, (slowest, where) in (("", max(ordinary)), ("hostile answers", max(hostile))):
        print(f"{name:<18} slowest {slowest:6.2f} ms, {where}")
    reports = [selftest(bank.all_drills()[id], seeds, check_values) for id in drills]
    print(f"self-test          mean {mean(r.milliseconds for r in reports):6.2f} ms per variant")
    for report in sorted(reports, key=lambda r: -r.milliseconds)[:3]:
        print(f"                   {report.milliseconds:6.2f} ms {report.drill}")


if __name__ == "__main__":
    names = list(bank.all_drills())
    options = _options.read(__doc__, "VARIANTS", 30, dry=2, names=names, dry_names=names[:3])
    main(options.count, options.names)
