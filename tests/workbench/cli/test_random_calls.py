"""Random calls of `calc`: what fits agrees with the second computation of a drill, what does not fit is rejected."""

import json
from fractions import Fraction
from itertools import count, islice
from random import Random

import pytest

from quizzes import bank
from quizzes.expressions.arithmetic import is_close
from quizzes.formulas import all_formulas
from workbench.engine.worker import check_values

NUMERIC = {"integer", "fraction", "decimal", "shape", "vector", "matrix"}


def calls():
    """Yield a formula, inputs as words, and a question whose inputs they are, over all drills, seed after seed."""
    formulas = all_formulas()
    drills = [(drill.id, formulas.get(drill.formula.id)) for drill in bank.all_drills().values()]
    Random(0).shuffle(drills)  # so that a few calls are of many chapters
    for seed in count(1):
        for id, formula in drills:
            question = bank.draw(id, seed)
            numbers = [part.part for part in question.parts if part.kind in NUMERIC and not part.choice_values]
            if formula and {part.part for part in question.parts} & {*formula.inputs}:
                continue  # asks for an input, such as the incorrect line of a program
            if not formula or not question.check or not set(numbers) & {*question.expected} & {*formula.outputs}:
                continue
            if all(name in question.params or not formula.symbols[name].is_required for name in formula.inputs):
                values = {name: question.params[name] for name in formula.inputs if name in question.params}
                yield formula, {name: word(value) for name, value in values.items() if value is not None}, question


def word(value):
    if isinstance(value, list):
        return f"[{', '.join(map(word, value))}]"
    return str(value)


def number(value):
    if isinstance(value, list):
        return [number(each) for each in value]
    return Fraction(value) if isinstance(value, str) and "/" in value else value


@pytest.mark.parametrize("calls_to_make", [40, pytest.param(2000, marks=pytest.mark.full)])
def test_what_fits_agrees_with_the_second_computation(cli, calls_to_make):
    compared = 0
    for formula, words, question in islice(calls(), calls_to_make):
        result = cli("calc", formula.id, *(f"{name}={text}" for name, text in words.items()), "--json")
        assert result.code == 0, (formula.id, words, result.err)
        results = json.loads(result.out)["result"]
        computed = check_values(question.check, [*question.expected])
        for part in question.parts:
            if part.part in computed and part.part in results and part.kind in NUMERIC:
                same = is_close(number(results[part.part]), number(computed[part.part]), 1e-6)
                assert same, (formula.id, words, part.part, results[part.part], computed[part.part])
                compared += 1
    assert compared >= calls_to_make


def misfits(seed=0):
    """Yield a formula and words of which one does not fit: a list without its last value, or a number out of range."""
    rng = Random(seed)
    for formula, words, question in calls():
        values = {name: question.params[name] for name in words}
        linked = [
            [name for name, dimension in group if dimension == 0 and len(values.get(name) or ()) > 1]
            for group in formula.equal_lengths
        ]
        groups = [names for names in linked if len({*names}) > 1]
        if groups:
            name = rng.choice(rng.choice(groups))
            yield formula, words | {name: word(values[name][:-1])}
        bounded = [
            (name, formula.symbols[name])
            for name, value in values.items()
            if isinstance(value, int | float | Fraction) and formula.symbols[name].low is not None
        ]
        if bounded:
            name, symbol = rng.choice(bounded)
            yield formula, words | {name: str(symbol.low - rng.randint(1, 9))}


@pytest.mark.parametrize("calls_to_make", [40, pytest.param(300, marks=pytest.mark.full)])
def test_what_does_not_fit_is_rejected_in_one_sentence(cli, calls_to_make):
    for formula, words in islice(misfits(), calls_to_make):
        result = cli("calc", formula.id, *(f"{name}={text}" for name, text in words.items()))
        assert result.code == 2 and not result.out, (formula.id, words, result.out)
        assert len(result.err.splitlines()) == 1, result.err
