"""Later answers of students who make a mistake: those that are consistent with it are accepted, or explained."""

import pytest

from tests.content.simulated_students import unexplained


@pytest.mark.parametrize(
    "seeds", [range(1, 3), pytest.param(range(3, 13), marks=pytest.mark.full)], ids=["few", "many"]
)
def test_what_follows_from_a_mistake_is_accepted_or_explained(seeds):
    from quizzes import bank

    answers = [result for drill in bank.all_drills().values() for seed in seeds for result in unexplained(drill, seed)]
    lost = [text for is_unexplained, text in answers if is_unexplained]
    once = [text for text in lost if text.startswith("once")]
    assert len(answers) > 1500
    assert not once, "\n".join(once)
    assert len(lost) <= 0.02 * len(answers) / 2, "\n".join(lost)
