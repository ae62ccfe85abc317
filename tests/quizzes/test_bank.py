"""A bank: the built-in questions and those of packs, in one object that other banks don't disturb."""

import subprocess
import sys
from pathlib import Path

import pytest

import quizzes
from quizzes import bank
from quizzes.bank import Bank
from tests import example_pack
from tests.patience import PATIENCE
from workbench.errors import UserError

DRILL = "first-layers/conv-basics"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return example_pack.write(tmp_path / "a" / "first-layers")


def other_version(tmp_path: Path) -> Path:
    """A pack of the same name whose drill has another prompt."""
    folder = example_pack.write(tmp_path / "b" / "first-layers")
    file = folder / "drills" / "sizes.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("The input is", "The image is"), encoding="utf-8")
    return folder


def test_a_built_in_question_is_the_same_with_and_without_packs(folder):
    for id in ("conv-out-size", "sgd-momentum:classical", "convolution/equivariance"):
        assert Bank.load(packs=[folder]).draw(id, seed=7) == Bank.load().draw(id, 7) == bank.draw(id, 7)


def test_a_pack_is_part_of_the_bank_that_was_loaded_with_it(folder):
    with_pack = quizzes.Bank.load(packs=[str(folder)])
    question = with_pack.draw(DRILL, seed=7)
    assert question.drill == DRILL and with_pack.find(DRILL).draw(7) == question
    assert set(with_pack.all_drills_and_cards()) - set(bank.all_drills_and_cards()) == {
        DRILL,
        "first-layers/momentum-by-hand",
        "first-layers/convolution/one-by-one",
        "first-layers/convolution/receptive-field",
    }
    for without in (Bank.load(), bank.BUILTIN):
        with pytest.raises(UserError, match="Unknown drill or card 'first-layers/conv-basics'"):
            without.draw(DRILL, 7)


def test_two_banks_with_different_packs_do_not_disturb_each_other(folder, tmp_path):
    one, other = Bank.load(packs=[folder]), Bank.load(packs=[other_version(tmp_path)])
    prompts = [b.draw(DRILL, 7).prompt[:12] for b in (one, other, one, other)]
    assert prompts == ["The input is", "The image is"] * 2
    assert one.get_drill("iou") is other.get_drill("iou")


def test_a_pack_is_read_when_it_is_needed(folder, monkeypatch):
    lazy = Bank.load(packs=[folder])
    (folder / "pack.toml").write_text("broken", encoding="utf-8")
    assert lazy.draw("iou", 1).drill == "iou"
    with pytest.raises(UserError, match="The pack first-layers was not loaded"):
        lazy.draw(DRILL, 1)


def test_packs_that_cannot_be_loaded(folder, tmp_path):
    with pytest.raises(UserError, match=r"There is no folder .*none\. Name the folder"):
        Bank.load(packs=[tmp_path / "none"])
    twice = Bank.load(packs=[folder, other_version(tmp_path)])
    for _ in range(2):
        with pytest.raises(UserError, match="have the same name"):
            twice.draw(DRILL, 1)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range(seed):
    with pytest.raises(UserError, match="The seed must be an integer from 0 to 9223372036854775807"):
        Bank.load().draw("iou", seed)


def test_a_drill_is_found_by_what_its_file_declares(monkeypatch):
    """The text `"momentum"` is in many files; none of them declares a drill of that name."""
    fresh = Bank(bank.Content())
    assert fresh.get_drill("sgd-momentum:classical").generate.__name__ == "sgd_momentum_classical"
    assert fresh.content.find_drill("momentum") is None
    assert "drills" not in vars(fresh.content)


def test_the_package_is_light_until_the_bank_is_used():
    program = """
import sys, quizzes
assert not [m for m in sys.modules if m.startswith("quizzes.")], sys.modules
assert quizzes.Bank.load().draw("iou", 1).drill == "iou"
topics = [m for m in sys.modules if m.startswith("quizzes.content.") and m.endswith("drills")]
assert topics == ["quizzes.content.object_detection.iou.drills"], topics
try:
    quizzes.nothing
except AttributeError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stdout) == (0, "module 'quizzes' has no attribute 'nothing'\n"), result.stderr
