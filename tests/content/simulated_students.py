"""Students who make mistakes, and compute everything else in full precision: what is said about their later answers."""

from collections.abc import Iterator
from random import Random

from quizzes.answers import KINDS
from quizzes.drill import MAX_TRIES
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import evaluate_equations
from quizzes.marking import mark
from quizzes.question import Outcome
from quizzes.variant import Variant
from workbench.errors import UserError


def variant_of(drill, seed):
    """Return the variant of a drill whose question `drill.draw` gives."""
    for attempt in range(MAX_TRIES):
        rng = Random(f"{drill.id}/{seed}/{attempt}")
        try:
            values = drill.generate(rng)
            parts = (rng.choice(drill.asks),) if drill.one_of else drill.asks
            variant = Variant(drill, seed, values, parts)
            if variant.question():
                return variant
        except UndefinedValue:
            continue
    raise AssertionError


NUMERIC = ("integer", "decimal", "vector", "matrix", "shape", "fraction")


def typed(part, value):
    kind = KINDS[part.kind]
    return kind.format_answer(kind.answer(value, part), part)


def equals(part, value, other):
    kind = KINDS[part.kind]
    return kind.are_indistinguishable(kind.answer(value, part), kind.answer(other, part), part)


def students(drill, seed) -> Iterator[tuple[str, str, str, dict]]:
    """Yield the mistake, the part in which it is first made, `once` or `always`, and the values of all parts."""
    variant = variant_of(drill, seed)
    if variant.unknown or variant.variables or len(variant.parts) < 2:
        return
    formula, names = drill.formula, [part.part for part in variant.parts]
    numeric = [part for part in variant.parts if part.kind in NUMERIC]
    correct = {part.part: variant.values[part.part] for part in variant.parts}
    inputs = {
        name: variant.values[name] for name in [*formula.inputs, *formula.procedure_outputs] if name in variant.values
    }
    for rule in drill.mistake_rules:
        try:
            once = formula.evaluate_with_mistake(rule.replaced, variant.values, names)
            always = formula.evaluate_with_mistake(rule.replaced, variant.values, ())
        except (UndefinedValue, UserError):
            continue
        wrong = [part for part in numeric if not equals(part, once[part.part], correct[part.part])]
        if wrong and wrong[0].kind == "integer" and once[wrong[0].part] != int(once[wrong[0].part]):
            continue  # nobody enters it as an integer
        for part in wrong[:1]:
            before = {name: correct[name] for name in names[: names.index(part.part)]}
            try:
                after = evaluate_equations(formula.equations, inputs, {**before, part.part: once[part.part]})
            except UndefinedValue:
                continue
            yield rule.name, part.part, "once", {**correct, **after, **before, part.part: once[part.part]}
            yield rule.name, part.part, "always", {name: always[name] for name in names}


def unexplained(drill, seed) -> Iterator[tuple[bool, str]]:
    """Yield for each later answer of the students: whether it is unexplained, and a description."""
    question = drill.draw(seed)
    parts = {part.part: part for part in question.parts}
    for mistake, first, how_often, values in students(drill, seed):
        if any(part.kind == "integer" and values[name] != int(values[name]) for name, part in parts.items()):
            continue  # nobody enters it as an integer
        answers = {name: KINDS[part.kind].format_answer(part.answer, part) for name, part in parts.items()}
        answers |= {name: typed(part, values[name]) for name, part in parts.items() if part.kind in NUMERIC}
        result = mark(question, answers)
        later = list(parts)[list(parts).index(first) + 1 :]
        for part_mark in result.parts:
            if part_mark.part in later and parts[part_mark.part].kind in NUMERIC:
                is_right = part_mark.mark == Outcome.RIGHT
                is_explained = (
                    is_right
                    or (how_often == "always" and part_mark.mistake is not None)
                    or "leaves nothing to compute" in part_mark.feedback
                )
                yield (
                    not is_explained,
                    f"{how_often} {drill.id} {seed} {mistake} {part_mark.part}: {answers[part_mark.part]}",
                )
