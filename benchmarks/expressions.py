"""Answers that are expressions and are graded wrongly: changed ones that count as correct, equal ones that do not.

    python benchmarks/expressions.py [COUNT] [NAME ...] [--dry]

COUNT changed expressions and COUNT rewritten ones, spread over all drills that ask for an expression. An oracle with
50 digits decides which of the changed ones are equal after all: these are left out, and counted. Both should be 0.
"""

from itertools import cycle
from random import Random
from time import perf_counter

import _options
import _rewrites

from quizzes import bank
from quizzes.answers import KINDS
from quizzes.answers.expressions import in_variables
from quizzes.expressions.parser import LENGTH, FormatError, parse, read, write
from workbench import question_index

EXPRESSION = KINDS["expression"]


def drills() -> list[str]:
    """Return the drills that ask for an expression."""
    return [row.id for row in question_index.drills() if "expression" in row.kinds]


def examine(count: int, names: list[str]) -> dict[str, int]:
    """Grade changed and rewritten expressions; print those that are graded wrongly.

    Returns:
        How many there were of each kind: `changed`, `equal` (changed ones that are equal after all), `wrong_right`,
        `rewritten`, `right_wrong`.
    """
    counts = dict(changed=0, equal=0, wrong_right=0, rewritten=0, right_wrong=0)
    for number, id in enumerate(cycle(names)):
        if counts["changed"] >= count and counts["rewritten"] >= count:
            return counts
        seed = number // len(names) + 1
        rng = Random(f"{id}/{seed}")
        parts = [part for part in bank.draw(id, seed).parts if part.kind == "expression"]
        for part in parts[: 1 + (seed % 2)]:
            symbols = (*part.variables, *part.definitions)
            truth = parse(part.answer, symbols)
            for is_mutant in (True, False):
                changed = _rewrites.mutant(truth, part.variables, rng) if is_mutant else _rewrites.rewrite(truth, rng)
                try:
                    text = write(changed)
                    tree = read(text, symbols) if len(text) <= LENGTH else None
                except FormatError:
                    tree = None
                if tree is None:
                    continue
                is_right = EXPRESSION.score(tree, part.answer, part) == 1
                if is_mutant:
                    is_equal = _rewrites.are_equal(
                        in_variables(tree, part), in_variables(truth, part), part.variables, rng
                    )
                    counts["changed"] += not is_equal
                    counts["equal"] += is_equal
                    problem = is_right and not is_equal
                    counts["wrong_right"] += problem
                else:
                    counts["rewritten"] += 1
                    problem = not is_right
                    counts["right_wrong"] += problem
                if problem:
                    print(f"{id} {seed} {part.part}: {part.answer} and {text}: {'right' if is_right else 'wrong'}")
    return counts


def main(count: int, names: list[str]) -> None:
    started = perf_counter()
    counts = examine(count, names)
    print(f"changed expressions    {counts['changed']:>7,}, counted as right: {counts['wrong_right']}")
    print(f"  equal after all      {counts['equal']:>7,}, left out")
    print(f"rewritten expressions  {counts['rewritten']:>7,}, counted as wrong: {counts['right_wrong']}")
    print(f"{perf_counter() - started:.0f} s")


if __name__ == "__main__":
    names = drills()
    options = _options.read(__doc__, "COUNT", 100_000, dry=60, names=names, dry_names=names[:6])
    main(options.count, options.names)
