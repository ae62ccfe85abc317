"""The library of packs: adding, replacing, removing and loading packs, and rejecting those with problems."""

import pytest

from quizzes.packs.library import add, remove
from quizzes.packs.pack import check_pack
from workbench import coverage, syllabus
from workbench.errors import UserError
from workbench.study.session import items_of
from workbench.user_bank import user_bank, user_packs

IDS = {
    "first-layers/conv-basics",
    "first-layers/momentum-by-hand",
    "first-layers/convolution/one-by-one",
    "first-layers/convolution/receptive-field",
}


def check(folder):
    return check_pack(folder, syllabus.topics())


def test_questions_of_a_pack_are_in_the_bank_until_it_is_removed(folder, library):
    own_ids = set(user_bank().all_drills_and_cards())
    add(check(folder), library)
    ids = set(user_bank().all_drills_and_cards())
    assert ids - own_ids == IDS and own_ids < ids
    assert set(items_of("convolution")) >= IDS - {"first-layers/momentum-by-hand"}
    assert all(user_bank().find(id).draw(3).drill == id for id in IDS)
    covered = {row.topic: row for row in coverage.coverage({})}
    assert "first-layers/conv-basics" in covered["convolution"].drills
    remove("first-layers", library)
    assert set(user_bank().all_drills_and_cards()) == own_ids


def test_add_copies_only_the_files_of_the_pack(folder, library):
    (folder / "notes.txt").write_text("not part of the pack", encoding="utf-8")
    (folder / "cards" / "convolution.toml").write_bytes(
        b"\xef\xbb\xbf" + (folder / "cards" / "convolution.toml").read_bytes().replace(b"\n", b"\r\n")
    )
    copy = add(check(folder), library)
    files = {file.relative_to(copy).as_posix() for file in copy.rglob("*") if file.is_file()}
    assert files == {"pack.toml", "cards/convolution.toml", "drills/sizes.toml", "drills/momentum.toml"}
    assert not check(copy).problems
    assert [entry.name for entry in library.iterdir()] == ["first-layers"]


def test_add_replaces_a_pack_of_the_same_name(folder, library):
    add(check(folder), library)
    (folder / "drills" / "momentum.toml").unlink()
    add(check(folder), library)
    assert {id for id in user_bank().all_drills() if id.startswith("first-layers/")} == {"first-layers/conv-basics"}


def test_a_pack_stays_if_its_replacement_cant_be_written(folder, library, monkeypatch):
    add(check(folder), library)
    rename = type(library).rename

    def fail(self, target):
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(type(library), "rename", fail)
        with pytest.raises(UserError, match="No space left"):
            add(check(folder), library)
    assert set(user_bank().all_drills_and_cards()) >= IDS


def test_a_pack_with_a_problem_is_not_loaded(folder, library):
    copy = add(check(folder), library)
    file = copy / "cards" / "convolution.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("kind =", "knd ="), encoding="utf-8")
    assert not IDS & set(user_bank().all_drills_and_cards())
    [pack] = user_packs()
    assert user_bank().valid_packs == ()
    summary = pack.summarize_problems()
    assert summary.startswith("The pack first-layers was not loaded because of 2 problems. The first is in cards/")
    assert summary.count("\n") == 0 and summary.endswith(f"Run 'workbench packs check {copy}'.")
    with pytest.raises(UserError, match="first-layers was not loaded"):
        user_bank().draw("first-layers/conv-basics", 1)
    with pytest.raises(UserError, match="Unknown drill"):
        user_bank().get_drill("second-layers/conv-basics")


def test_a_folder_must_have_the_name_of_its_pack(folder, library):
    add(check(folder), library).rename(library / "other")
    assert not IDS & set(user_bank().all_drills_and_cards())
    [pack] = user_packs()
    assert "because of a problem in pack.toml, line 1: The folder of a pack must have" in pack.summarize_problems()


def test_a_drill_without_usable_inputs_raises_a_user_error(folder, library):
    copy = add(check(folder), library)
    file = copy / "drills" / "sizes.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("o >= 4", "o >= 400"), encoding="utf-8")
    with pytest.raises(UserError, match="Widen its ranges"):
        user_bank().draw("first-layers/conv-basics", 1)


@pytest.mark.parametrize("name", ["..", ".", "../packs", "nothing", "/etc", ""])
def test_remove_accepts_only_names_of_packs(folder, library, name):
    with pytest.raises(UserError, match="No packs have been added"):
        remove(name, library)
    add(check(folder), library)
    with pytest.raises(UserError, match="Unknown pack"):
        remove(name, library)
    assert (library / "first-layers" / "pack.toml").exists()
