"""Questions stay as they are: a seed gives the same question in every version, so that a printed exam stays valid.

`questions.json` has digests of the questions of seeds 1 to 5 and 1 to 50 of each drill and card. Where a question
changes on purpose, its digests are replaced by `python -m tests.content.test_same_questions`.
"""

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).with_name("questions.json")
COUNTS = (5, 50)
# Fields that questions and parts gained later; empty ones are left out.
LATER = (
    "joins choice_values item_values form definitions before imports signatures supported_by digits sentence".split()
)


def canonical(value: Any) -> Any:
    """Return JSON data in which 1.0 is 1."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items() if item or key not in LATER}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digests(id: str, counts: tuple[int, ...] = COUNTS) -> list[str]:
    """Return a digest of the first questions of a drill or card, for each number of seeds."""
    from quizzes import bank

    digest, result = sha256(), []
    for seed in range(1, max(counts) + 1):
        question = asdict(bank.draw(id, seed))
        del question["check"], question["verify"]  # how the answers are confirmed may change
        for part in question["parts"]:
            if part["kind"] == "text":  # further words may be accepted, and the sentence is the prompt
                part["other_answers"], part["sentence"] = [], ""
        question["hint"] = next(iter(question.pop("hints")), "")  # further hints may change
        digest.update(json.dumps(canonical(question), sort_keys=True).encode())
        if seed in counts:
            result.append(digest.hexdigest()[:16])
    return result


@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.full)], ids=["few", "many"])
def test_seeds_give_the_same_questions(number):
    saved = json.loads(FILE.read_text(encoding="utf-8"))
    changed = [id for id in saved if digests(id, COUNTS[number : number + 1]) != saved[id][number : number + 1]]
    assert not changed


def test_every_drill_and_card_is_among_them():
    from quizzes import bank

    assert set(bank.all_drills_and_cards()) == set(json.loads(FILE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    from quizzes import bank

    rows = [f"  {json.dumps(id)}: {json.dumps(digests(id))}" for id in sorted(bank.all_drills_and_cards())]
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
