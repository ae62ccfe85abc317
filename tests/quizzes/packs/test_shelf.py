"""Packs that were added: found by the bank, replaced whole, and left out whole when something is wrong."""

import pytest

from quizzes import bank, packs
from quizzes.packs.pack import check_pack
from quizzes.packs.shelf import add, remove
from workbench import syllabus
from workbench.errors import UserError
from workbench.study.session import items_of

IDS = {
    "first-layers/conv-basics",
    "first-layers/momentum-by-hand",
    "first-layers/convolution/one-by-one",
    "first-layers/convolution/receptive-field",
}


def checked(folder):
    return check_pack(folder, syllabus.topics())


def test_what_a_pack_brings_is_among_everything(folder, shelf, again):
    ours = set(bank.everything())
    add(checked(folder), shelf)
    again()
    assert set(bank.everything()) - ours == IDS and ours < set(bank.everything())
    assert set(items_of("convolution")) >= IDS - {"first-layers/momentum-by-hand"}
    assert all(bank.find(id).draw(3).drill == id for id in IDS)
    covered = {row.topic: row for row in syllabus.coverage({})}
    assert "first-layers/conv-basics" in covered["convolution"].drills
    remove("first-layers", shelf)
    again()
    assert set(bank.everything()) == ours


def test_only_what_was_checked_is_copied(folder, shelf):
    (folder / "notes.txt").write_text("not of the pack", encoding="utf-8")
    (folder / "cards" / "convolution.toml").write_bytes(
        b"\xef\xbb\xbf" + (folder / "cards" / "convolution.toml").read_bytes().replace(b"\n", b"\r\n")
    )
    place = add(checked(folder), shelf)
    kept = {file.relative_to(place).as_posix() for file in place.rglob("*") if file.is_file()}
    assert kept == {"pack.toml", "cards/convolution.toml", "drills/sizes.toml", "drills/momentum.toml"}
    assert not checked(place).problems
    assert [entry.name for entry in shelf.iterdir()] == ["first-layers"]


def test_adding_again_replaces(folder, shelf, again):
    add(checked(folder), shelf)
    (folder / "drills" / "momentum.toml").unlink()
    add(checked(folder), shelf)
    again()
    assert {id for id in bank.all_drills() if id.startswith("first-layers/")} == {"first-layers/conv-basics"}


def test_a_pack_stays_where_its_successor_cant_be_written(folder, shelf, again, monkeypatch):
    add(checked(folder), shelf)
    rename = type(shelf).rename

    def fail(self, target):
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(type(shelf), "rename", fail)
    with pytest.raises(UserError, match="No space left"):
        add(checked(folder), shelf)
    monkeypatch.undo()
    again()
    assert set(bank.everything()) >= IDS


def test_a_pack_with_a_fault_is_left_out_whole_and_says_so(folder, shelf, again):
    place = add(checked(folder), shelf)
    file = place / "cards" / "convolution.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("kind =", "knd =", 1), encoding="utf-8")
    again()
    assert not IDS & set(bank.everything())
    [pack] = packs.every()
    assert "first-layers is left out: cards/convolution.toml, line" in pack.trouble()
    with pytest.raises(UserError, match="first-layers is left out"):
        bank.draw("first-layers/conv-basics", 1)
    with pytest.raises(UserError, match="Unknown drill"):
        bank.get("second-layers/conv-basics")


def test_a_folder_bears_its_packs_name(folder, shelf, again):
    add(checked(folder), shelf).rename(shelf / "other")
    again()
    assert not IDS & set(bank.everything())
    assert "must bear its name" in packs.every()[0].trouble()


def test_numbers_that_run_out_are_a_refusal(folder, shelf, again):
    place = add(checked(folder), shelf)
    file = place / "drills" / "sizes.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("o >= 4", "o >= 400"), encoding="utf-8")
    again()
    with pytest.raises(UserError, match="make its ranges wider"):
        bank.draw("first-layers/conv-basics", 1)


@pytest.mark.parametrize("name", ["..", ".", "../packs", "nothing", "/etc", ""])
def test_only_a_pack_can_be_removed(folder, shelf, name):
    add(checked(folder), shelf)
    with pytest.raises(UserError, match="Unknown pack"):
        remove(name, shelf)
    assert (shelf / "first-layers" / "pack.toml").exists()
