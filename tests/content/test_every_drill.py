"""Every drill: each of its questions is drawn once for all checks, and every problem is reported."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from itertools import chain

import pytest

from quizzes import content

TOPICS = [folder.name for folder in content.topic_folders().values() if any(content.files("drills.py", folder))]
FEW, MANY = range(1, 6), range(1, 101)
PRINTED = {len(FEW): 2, len(MANY): 25}  # number of seeds -> how many of them are also printed and checked by SymPy
SPREAD = 60  # seeds that must give more than a third as many different questions


def drills_of(topic):
    """Return the drills of a topic."""
    from quizzes import bank

    return [drill for drill in bank.all_drills().values() if drill.topic.replace("-", "_") == topic]


@pytest.mark.parametrize("seeds", [FEW, pytest.param(MANY, marks=pytest.mark.full)], ids=["few", "many"])
@pytest.mark.parametrize("topic", TOPICS)
def test_every_question_of_the_topic_passes_all_checks(topic, seeds):
    from quizzes.selftest import selftest
    from tests.content import checks
    from workbench.engine.worker import check_values
    from workbench.render import visualizations

    prompts = set()

    def always(question):
        prompts.add(
            (question.prompt, visualizations.describe(question.visualization) if question.visualization else "")
        )
        return chain(checks.is_complete(question), checks.gives_what_it_needs_and_no_answer(question))

    def if_printed(question):
        if question.seed <= PRINTED[len(seeds)]:
            yield from checks.earns_what_its_solution_prints(question)
            yield from checks.fits_80_columns(question)
            yield from checks.renders_its_visualization(question)
            yield from checks.agrees_with_sympy(question)

    problems = []
    for drill in drills_of(topic):
        prompts.clear()
        report = selftest(drill, seeds, check_values, [always, if_printed])
        problems += [f"{drill.id}: {problem}" for problem in report.problems]
        if report.variants != len(seeds):
            problems.append(f"{drill.id}: {report.variants} of {len(seeds)} variants were checked")
        if len(prompts) <= min(len(seeds), SPREAD) / 3:
            problems.append(f"{drill.id}: {len(seeds)} seeds give {len(prompts)} different questions")
        names = [rule.name for rule in drill.mistake_rules]
        if len(set(names)) != len(names) or len(names) < 2:
            problems.append(f"{drill.id}: its mistakes are {names}")
    assert not problems, "\n".join(problems)


SCRIPTS = """
import contextlib, io, json, sys
from quizzes import bank
problems = []
for drill in json.load(sys.stdin):
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(bank.draw(drill, 1).verify, {"__name__": "__main__"})
        problems += [] if printed.getvalue().strip() else [f"{drill} prints nothing"]
    except Exception as error:
        problems.append(f"{drill}: {error!r}")
print(json.dumps(problems))
"""


@pytest.mark.parametrize("step", [40, pytest.param(1, marks=pytest.mark.full)], ids=["few", "all"])
def test_the_program_of_a_check_runs_as_it_stands(step):
    """The programs run one after another in a process of their own, because they set PyTorch's dtype."""
    from quizzes import bank

    drills = list(bank.all_drills())[::step]
    program = [sys.executable, "-W", "ignore", "-c", SCRIPTS]
    run = subprocess.run(program, input=json.dumps(drills), capture_output=True, text=True, check=True)
    assert json.loads(run.stdout.splitlines()[-1]) == []


def test_no_drill_is_left_out():
    from quizzes import bank

    assert {drill.id for topic in TOPICS for drill in drills_of(topic)} == set(bank.all_drills())


PROGRAM = """
import json, sys
from dataclasses import asdict
from quizzes import bank
print(json.dumps([asdict(bank.draw(id, seed)) for id in bank.all_drills() for seed in (0, 1, 7, 123456)]))
"""


def test_the_same_seed_is_the_same_question_in_every_process():
    from quizzes import bank

    here = [asdict(bank.draw(id, seed)) for id in bank.all_drills() for seed in (0, 1, 7, 123456)]
    for hash_seed in ("0", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        there = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True)
        assert json.loads(there.stdout) == here
