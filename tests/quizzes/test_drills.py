"""Every drill: it examines itself, it gives the same question everywhere, and it shows what is needed and no more."""

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict

import pytest

from quizzes import BadInput, bank
from quizzes.answers import KINDS
from quizzes.question import value_text
from quizzes.selftest import examine, selftest
from quizzes.verifying import by_sympy, compare
from workbench import syllabus

DRILLS = list(bank.all_drills())
SEEDS = 50


def compute(script, names):
    """The second computation, by PyTorch in this process."""
    from workbench.engine.worker import script_values

    return script_values(script, names)


@pytest.mark.parametrize("id", DRILLS)
def test_the_drill_passes_its_own_examination(id):
    report = selftest(bank.get(id), range(1, SEEDS + 1), compute)
    assert report.faults == []
    assert report.variants == SEEDS


@pytest.mark.parametrize("id", DRILLS)
def test_a_question_is_complete(id):
    drill = bank.get(id)
    assert drill.title and drill.hint and drill.tier in (1, 2, 3)
    assert drill.topic in syllabus.topics()
    assert drill.kinds == sorted(set(drill.kinds)) and set(drill.kinds) <= set(KINDS)
    assert len({way.name for way in drill.ways}) == len(drill.ways) >= 2
    for seed in range(1, 31):
        question = drill.draw(seed)
        assert (question.drill, question.seed, question.topic, question.tier) == (id, seed, drill.topic, drill.tier)
        assert question.source and question.verify and question.steps
        assert all(part.label and part.kind in drill.kinds for part in question.parts)
        assert all(m.feedback[-1] == "." for m in question.mistakes)
        assert "{" not in question.prompt and "_plain" not in question.prompt


@pytest.mark.parametrize("id", DRILLS)
def test_every_given_value_is_in_the_prompt_and_no_answer_among_the_given_values(id):
    for seed in range(1, 31):
        question = bank.draw(id, seed)
        formula = bank.get(id).formula
        asked = {part.part for part in question.parts}
        assert not asked & set(question.params)
        numbers = set(re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", question.prompt))
        for name, value in question.params.items():
            if name in formula.inputs and not formula.symbols[name].kind.startswith("text"):
                shown = set(re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", value_text(value)))
                assert {float(v) for v in shown} <= {float(v) for v in numbers}, name
            elif name in formula.inputs:
                texts = value if isinstance(value, list) else [value]
                assert all(text in question.prompt for text in texts)


@pytest.mark.parametrize("id", DRILLS)
def test_sympy_agrees(id):
    for seed in (1, 2, 3):
        question = bank.draw(id, seed)
        if any(part.kind == "expression" for part in question.parts):
            continue  # compared at the points that PyTorch was asked for
        texts, agree = compare(question, by_sympy(question))
        assert agree, texts


PROGRAM = """
import json, sys
from dataclasses import asdict
from quizzes import bank
print(json.dumps([asdict(bank.draw(id, seed)) for id in bank.all_drills() for seed in (0, 1, 7, 123456)]))
"""


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_the_same_seed_is_the_same_question_in_every_process(hash_seed, tmp_path):
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    there = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True)
    here = [asdict(bank.draw(id, seed)) for id in DRILLS for seed in (0, 1, 7, 123456)]
    assert json.loads(there.stdout) == here


@pytest.mark.parametrize("id", DRILLS)
def test_seeds_give_different_questions(id):
    assert len({bank.draw(id, seed).prompt for seed in range(60)}) > 20


def test_the_examination_finds_what_is_wrong():
    from dataclasses import replace

    question = bank.draw("iou", 3)
    assert examine(question, compute) == []
    wrong = replace(question, checks={**question.checks, "I": question.checks["I"] + 1})
    assert any("second computation gives" in fault for fault in examine(wrong, compute))
    broken = replace(question, verify="import nothing_of_that_name")
    assert any("second computation fails" in fault for fault in examine(broken, compute))
    true = replace(question.mistakes[0], answer=question.parts[0].answer, part="I")
    faults = examine(replace(question, mistakes=[*question.mistakes, true]), compute)
    assert any("was marked right" in fault for fault in faults)
    assert any("fewer than two" in fault for fault in examine(replace(question, mistakes=[]), compute))


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises(BadInput, match="from 0 to"):
        bank.draw("iou", seed)


def test_unknown_drills_offer_the_nearest():
    with pytest.raises(BadInput, match="did you mean iou"):
        bank.draw("iuo", 1)
