"""The self-test, on drills that are wrong on purpose."""

from dataclasses import fields, replace

from quizzes import bank
from quizzes.drill import Drill
from quizzes.selftest import examine, selftest


def compute(check, names):
    """Run the second computation by PyTorch in this process."""
    from workbench.engine.worker import check_values

    return check_values(check, names)


def test_examine_finds_problems():
    question = bank.draw("iou", 3)
    assert examine(question, compute) == []
    wrong = replace(question, expected={**question.expected, "I": question.expected["I"] + 1})
    assert any("second computation gives" in problem for problem in examine(wrong, compute))
    broken = replace(question, check=replace(question.check, name="nothing_of_that_name"))
    assert any("second computation fails" in problem for problem in examine(broken, compute))
    correct = replace(question.mistakes[0], answer=question.parts[0].answer, part="I")
    problems = examine(replace(question, mistakes=[*question.mistakes, correct]), compute)
    assert any("was graded right" in problem for problem in problems)
    assert any("fewer than 2" in problem for problem in examine(replace(question, mistakes=[]), compute))


def test_further_checks_see_each_question_once():
    seeds = []

    def check(question):
        seeds.append(question.seed)
        if question.seed == 2:
            yield "it is even"

    assert selftest(bank.get_drill("iou"), [1, 2, 3], checks=[check]).problems == ["seed 2: it is even"]
    assert seeds == [1, 2, 3]


def test_a_symbol_that_is_never_asked_for_is_reported():
    drill = bank.get_drill("conv-out-size")
    assert not any("never asked" in problem for problem in selftest(drill, range(1, 51)).problems)

    class Stubborn(Drill):
        """Drill that claims to ask for several symbols, but asks for the first of them only."""

        def draw(self, seed):
            return replace(drill, asks=self.asks[:1]).draw(seed)

    stubborn = Stubborn(**{field.name: getattr(drill, field.name) for field in fields(drill)})
    problems = [problem for problem in selftest(stubborn, range(1, 51)).problems if "never asked" in problem]
    assert problems == [f"{name} is never asked for" for name in drill.asks[1:]]


def test_few_seeds_report_nothing_that_never_occurs():
    assert selftest(bank.get_drill("conv-out-size"), [1]).problems == []
