"""Runs packed into a file, unpacked on another machine, and files that are damaged or hostile."""

import json
import random
import re
import stat
import subprocess
import sys
import zipfile
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.patience import PATIENCE
from tests.trained_runs import train_run
from workbench.engine import RunSpec, notes, pack, resume, runs, unpack
from workbench.engine.index import RunIndex
from workbench.engine.watcher import follow
from workbench.errors import UserError

PACKED = {"spec.json", "events.jsonl", "visualizations.json", "notes.json"}
PACKED |= {f"{name}.safetensors" for name in ("last", "previous", "best")}


@pytest.fixture
def another_home(tmp_path, monkeypatch):
    """A function that moves on to another machine, whose data directory is empty."""

    def move():
        monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "another"))

    return move


@pytest.fixture
def packed(tmp_path):
    """A pack of a run that has no checkpoint."""
    run = ended_run()
    pack.pack([run], tmp_path / "run.zip")
    return tmp_path / "run.zip"


def ended_run(**options):
    run = runs.create(RunSpec.create("mlp", **options))
    (run.folder / "worker.json").unlink()
    end = dict(event="end", step=40, steps=40, seconds=1.0, steps_per_second=40.0, status="done", metrics={})
    (run.folder / "events.jsonl").write_text(json.dumps(end) + "\n")
    return run


def contents(run):
    """Return the content of the files of a run that are packed, or should not have been."""
    return {path.name: path.read_bytes() for path in run.folder.iterdir() if path.name != "worker.lock"}


def rewrite(path, change):
    """Write a zip file again; `change` gets the entries as a list of (info, content)."""
    with zipfile.ZipFile(path) as archive:
        entries = [(info, archive.read(info)) for info in archive.infolist()]
    change(entries)
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in entries:
            archive.writestr(info, content)


def test_a_trained_run_is_shown_and_resumed_on_another_machine(tmp_path, another_home):
    run = train_run(steps=30, stopped_at=20, evaluate_every=10)
    notes.set_note(run, "the first")
    (run.folder / "worker.json").write_text("{}")
    (run.folder / "stderr.txt").write_text("secret")
    before = contents(run)
    manifest = pack.pack([run], tmp_path / "run.zip")
    assert manifest[run.id].keys() == PACKED
    assert all(entry["sha256"] == sha256(before[name]).hexdigest() for name, entry in manifest[run.id].items())
    another_home()
    assert runs.every() == []
    [result] = unpack.unpack(tmp_path / "run.zip")
    copy = runs.get(run.id)
    assert (result.run, result.name, result.device) == (copy, run.id, None)
    assert contents(copy) == {name: before[name] for name in PACKED}
    assert copy.status() == "stopped" and notes.read(copy).note == "the first"
    since = resume(copy)
    *_, end = follow(copy, since)
    assert (end["status"], end["step"]) == ("done", 30)


def test_a_name_that_is_taken_gets_the_next_number(packed):
    first = contents(runs.get("mlp-0001"))
    assert [one.run.id for one in unpack.unpack(packed)] == ["mlp-0002"]
    ended_run()
    assert [one.run.id for one in unpack.unpack(packed)] == ["mlp-0004"]
    runs.rename(runs.get("mlp-0001"), "best")
    assert [one.run.id for one in unpack.unpack(packed)] == ["mlp-0001"]
    pack.pack([runs.get("best")], packed.with_name("best.zip"))
    assert [one.run.id for one in unpack.unpack(packed.with_name("best.zip"))] == ["best-0001"]
    assert all(contents(run) == first for run in runs.every() if run.id != "mlp-0003")


def test_links_between_packed_runs_lead_to_their_new_names(tmp_path):
    donor = ended_run()
    middle = ended_run(origin=donor.id)
    last = ended_run(origin=middle.id, device="cuda:1")
    pack.pack([last, middle, donor], tmp_path / "runs.zip")
    results = {one.name: one for one in unpack.unpack(tmp_path / "runs.zip")}
    assert len({one.run.id for one in results.values()} | {donor.id, middle.id, last.id}) == 6
    assert results[donor.id].run.spec.origin is None
    assert results[middle.id].run.spec.origin == results[donor.id].run.id
    assert results[last.id].run.spec.origin == results[middle.id].run.id
    assert (results[last.id].device, results[last.id].run.spec.runtime.device) == ("cuda:1", "auto")
    assert last.spec.origin == middle.id  # those that were packed are as they were


def test_a_run_here_is_not_taken_for_one_of_another_machine(tmp_path):
    donor = ended_run()
    pack.pack([ended_run(origin=donor.id), ended_run(origin="/elsewhere/best.safetensors")], tmp_path / "runs.zip")
    one, two = unpack.unpack(tmp_path / "runs.zip")
    assert (one.run.spec.origin, two.run.spec.origin) == ("mlp-0001 (not in the pack)", "/elsewhere/best.safetensors")
    assert RunIndex().continued_by([donor.id]) == {donor.id: [one.name]}
    pack.pack([one.run], tmp_path / "again.zip")
    assert unpack.unpack(tmp_path / "again.zip")[0].run.spec.origin == "mlp-0001 (not in the pack)"


def test_runs_that_can_not_be_packed(tmp_path):
    running, damaged, odd = runs.create(RunSpec.create("mlp")), ended_run(), ended_run()
    (damaged.folder / "spec.json").write_text("{")
    odd.folder.rename(runs.folder() / "a.b [x]")
    path = tmp_path / "x.zip"
    for run, message in [
        (running, "is running"),
        (damaged, "is damaged"),
        (runs.get("a.b [x]"), "Rename it"),
    ]:
        with pytest.raises(UserError, match=message):
            pack.pack([run], path)
    with pytest.raises(UserError, match="can't be packed into"):
        pack.pack([ended_run()], tmp_path / "missing" / "x.zip")
    assert not path.exists()
    path.write_text("something else")
    with pytest.raises(UserError, match="exists"):
        pack.pack([ended_run()], path)
    assert path.read_text() == "something else"


def test_a_run_that_changes_while_it_is_packed_is_not_packed(tmp_path, monkeypatch):
    run, add = ended_run(), pack._add

    def change(archive, run):
        entry = add(archive, run)
        run.beat(run.event_bytes())
        return entry

    monkeypatch.setattr(pack, "_add", change)
    with pytest.raises(UserError, match="changed while it was packed"):
        pack.pack([run], tmp_path / "x.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def replace_manifest(change):
    """Return a change of a zip file that changes its manifest."""

    def replace(entries):
        info, content = entries[-1]
        record = json.loads(content)
        entries[-1] = info, json.dumps(change(record)).encode()

    return replace


def add_entry(name, content=b"x", mode=0, in_manifest=None):
    """Return a change of a zip file that adds an entry, perhaps also to the manifest of a run."""

    def add(entries):
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        entries.insert(0, (info, content))
        if in_manifest:
            place, content_of_manifest = entries[-1]
            record = json.loads(content_of_manifest)
            record["runs"].setdefault(in_manifest, {})[name.rpartition("/")[2]] = {
                "size": len(content),
                "sha256": sha256(content).hexdigest(),
            }
            entries[-1] = place, json.dumps(record).encode()

    return add


def replace_entry(name, content=None, mode=None, in_manifest=True):
    """Return a change of a zip file that changes an entry, and its size and checksum in the manifest."""

    def replace(entries):
        for place, (info, before) in enumerate(entries):
            if info.filename == f"mlp-0001/{name}":
                if mode is not None:
                    info.external_attr = mode << 16
                entries[place] = info, before if content is None else content
        if content is not None and in_manifest:
            info, text = entries[-1]
            record = json.loads(text)
            record["runs"]["mlp-0001"][name] = {"size": len(content), "sha256": sha256(content).hexdigest()}
            entries[-1] = info, json.dumps(record).encode()

    return replace


def same(record):
    return record


HOSTILE = {
    "twice": (lambda entries: entries.append(entries[0]), "it has an entry twice"),
    "manifest twice": (lambda entries: entries.insert(0, entries[-1]), "it has an entry twice"),
    "parent": (add_entry("../evil.json"), "'../evil.json' is in the file or in its manifest alone"),
    "parent in manifest": (add_entry("../evil/spec.json", in_manifest="../evil"), "manifest.json is not that of"),
    "absolute": (add_entry("/tmp/evil/spec.json", in_manifest="/tmp/evil"), "manifest.json is not that of"),
    "hidden": (add_entry(".x/spec.json", in_manifest=".x"), "manifest.json is not that of"),
    "unknown file": (add_entry("mlp-0001/models.py", in_manifest="mlp-0001"), "manifest.json is not that of"),
    "worker": (add_entry("mlp-0001/worker.json", in_manifest="mlp-0001"), "manifest.json is not that of"),
    "control characters": (add_entry("a\x1b[2J\x07"), r"'a\?\[2J\?' is in the file or in its manifest alone"),
    "folder": (add_entry("mlp-0001/"), "alone"),
    "link": (replace_entry("spec.json", b"/etc/passwd", stat.S_IFLNK | 0o777), "spec.json is not a file"),
    "device": (replace_entry("spec.json", mode=stat.S_IFCHR), "spec.json is not a file"),
    "checksum": (replace_entry("events.jsonl", b"x" * 115, in_manifest=False), "checksum|size"),
    "size": (
        replace_manifest(lambda r: r["runs"]["mlp-0001"]["spec.json"].update(size=5) or r),
        "does not have the size that the manifest says",
    ),
    "negative size": (replace_manifest(lambda r: r["runs"]["mlp-0001"]["spec.json"].update(size=-1) or r), "size"),
    "boolean size": (
        replace_manifest(lambda r: r["runs"]["mlp-0001"]["spec.json"].update(size=True) or r),
        "manifest.json is not that of",
    ),
    "missing": (lambda entries: entries.pop(0), "'mlp-0001/events.jsonl'|'mlp-0001/spec.json'"),
    "no spec": (replace_manifest(lambda r: r["runs"]["mlp-0001"].pop("spec.json") and r), "manifest.json is not that"),
    "no runs": (replace_manifest(lambda r: r | {"runs": {}}), "manifest.json is not that of"),
    "too many runs": (
        replace_manifest(lambda r: r | {"runs": {str(number): {} for number in range(1001)}}),
        "not that of",
    ),
    "newer": (replace_manifest(lambda r: r | {"schema": 2}), "Update the workbench"),
    "odd schema": (replace_manifest(lambda r: r | {"schema": [1]}), "manifest.json is not that of"),
    "list": (replace_manifest(lambda r: [r]), "manifest.json is not that of"),
    "no manifest": (lambda entries: entries.pop(), "it has no manifest.json"),
    "nested": (lambda entries: entries.append((entries.pop()[0], b"[" * 100_000)), "nested too deeply"),
    "long manifest": (
        lambda entries: entries.append((entries.pop()[0], b" " * 4_000_001)),
        "manifest.json is too long",
    ),
    "nested spec": (replace_entry("spec.json", b"[" * 100_000), "nested too deeply"),
    "odd spec": (replace_entry("spec.json", b'{"model": ["mlp"]}'), "mlp-0001 is damaged"),
    "long spec": (replace_entry("spec.json", b" " * 1_000_001), "spec.json is too large"),
    "long notes": (replace_entry("notes.json", b" " * 100_001), "alone"),
}


@pytest.mark.parametrize(("change", "message"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_pack_is_rejected_and_leaves_nothing(change, message, packed, home):
    rewrite(packed, change)
    check_rejected(packed, message, home)


def check_rejected(path, message, home):
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    around = sorted(path.parent.iterdir())
    with pytest.raises(UserError) as error:
        unpack.unpack(path)
    assert re.search(message, str(error.value)), str(error.value)
    assert str(error.value).isprintable()
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before
    assert sorted(path.parent.iterdir()) == around and not [*runs.folder().glob(".*")]


def test_the_helpers_of_this_file_keep_a_pack_intact(packed):
    rewrite(packed, replace_manifest(same))
    assert len(unpack.unpack(packed)) == 1


def bomb(path, size):
    """Write a pack whose weights are zeros, deflated, without writing them all."""
    spec = RunSpec.create("mlp").to_json().encode()
    entries = {"spec.json": spec, "last.safetensors": b""}
    manifest = {
        name: {"size": len(content), "sha256": sha256(content).hexdigest()} for name, content in entries.items()
    }
    manifest["last.safetensors"]["size"] = size
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mlp-0001/spec.json", spec)
        with archive.open("mlp-0001/last.safetensors", "w", force_zip64=True) as file:
            for _ in range(3):
                file.write(bytes(60_000_000))
        archive.writestr("manifest.json", json.dumps({"schema": 1, "runs": {"mlp-0001": manifest}}))


def test_a_bomb_is_not_unpacked(tmp_path, home, monkeypatch):
    runs.folder().mkdir(parents=True)
    bomb(tmp_path / "bomb.zip", 180_000_000)
    monkeypatch.setattr(unpack, "_extract", None)  # nothing is unpacked before all is measured
    check_rejected(tmp_path / "bomb.zip", "expands to 180,000,000 bytes", home)


def test_an_entry_that_is_longer_than_it_says_is_cut_off(tmp_path, home):
    """The size in the list of entries and in the manifest is 100, and 180 MB are there."""
    runs.folder().mkdir(parents=True)
    path = tmp_path / "bomb.zip"
    bomb(path, 100)
    content = path.read_bytes()
    path.write_bytes(content.replace((180_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    check_rejected(path, "is damaged", home)


def test_the_free_space_is_measured_first(packed, home, monkeypatch):
    monkeypatch.setattr(unpack, "_free_space", lambda: 100_000_000)
    monkeypatch.setattr(unpack, "_extract", None)
    check_rejected(packed, "The disk has too little space", home)


def test_a_list_of_a_million_entries_is_not_read(tmp_path, home, monkeypatch):
    runs.folder().mkdir(parents=True)
    monkeypatch.setattr(unpack, "ZipFile", None)
    end = b"PK\x05\x06" + bytes(4) + (65_535).to_bytes(2, "little") * 2 + (2**31).to_bytes(4, "little") + bytes(6)
    large = bytearray(b"PK\x06\x06" + bytes(52) + b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + bytes(18))
    large[32:40] = (10**7).to_bytes(8, "little")
    lost = b"x" * 200 + b"PK\x06\x07" + bytes(16) + b"PK\x05\x06" + bytes(18)
    for content, message in [(end, "too many entries"), (bytes(large), "too many entries"), (lost, "can't be found")]:
        (tmp_path / "many.zip").write_bytes(content)
        check_rejected(tmp_path / "many.zip", message, home)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06", b"PK\x05\x06" + bytes(18), b"x" * 100_000])
def test_a_file_that_is_no_zip_is_rejected(content, tmp_path, home):
    runs.folder().mkdir(parents=True)
    (tmp_path / "x.zip").write_bytes(content)
    check_rejected(tmp_path / "x.zip", "is not a zip file|has no manifest", home)


def test_what_is_no_file_is_rejected(tmp_path, home):
    runs.folder().mkdir(parents=True)
    for path in (tmp_path, tmp_path / "missing.zip"):
        check_rejected(path, "is not a file", home)


def test_a_truncated_or_damaged_pack_is_rejected_or_right(packed, home):
    """Whatever bytes are damaged: either all files are as they were packed, or nothing is unpacked."""
    before, content, rng = contents(runs.get("mlp-0001")), packed.read_bytes(), random.Random(0)
    rejected = 0
    for trial in range(300):
        damaged = bytearray(content)
        if trial % 3 == 0:
            damaged = damaged[: rng.randrange(len(content))]
        else:
            for _ in range(rng.choice((1, 1, 2, 20))):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        packed.write_bytes(damaged)
        try:
            results = unpack.unpack(packed)
        except UserError:
            rejected += 1
            assert runs.names() == ["mlp-0001"]
            continue
        assert [contents(one.run) for one in results] == [before]
        for one in results:
            runs.delete(one.run)
    assert rejected > 150


@given(
    record=st.recursive(st.none() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v))
)
def test_any_json_as_a_manifest_is_one_sentence(record, tmp_path_factory):
    path = tmp_path_factory.mktemp("pack") / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(record))
    with pytest.raises(UserError) as error:
        unpack.unpack(path)
    assert str(error.value).isprintable()


def test_a_killed_process_leaves_no_half_run(packed, home):
    """The process is killed while it writes the second file; what it left is hidden, and nothing is lost."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom workbench.engine import unpack\n"
        "extract, calls = unpack._extract, []\n"
        "def kill(*a):\n calls.append(a)\n extract(*a)\n if len(calls) == 2: os.kill(os.getpid(), 9)\n"
        "unpack._extract = kill\nunpack.unpack(Path(sys.argv[1]))"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(packed)], timeout=PATIENCE)
    assert killed.returncode == -9
    assert runs.names() == ["mlp-0001"] and len(list(runs.folder().glob(".new-*"))) == 1
    assert [one.run.id for one in unpack.unpack(packed)] == ["mlp-0002"]


def test_two_processes_unpack_at_once(packed):
    code = "import sys\nfrom pathlib import Path\nfrom workbench.engine import unpack\nunpack.unpack(Path(sys.argv[1]))"
    processes = [subprocess.Popen([sys.executable, "-c", code, str(packed)]) for _ in range(3)]
    assert [process.wait(PATIENCE) for process in processes] == [0, 0, 0]
    assert sorted(runs.names()) == ["mlp-0001", "mlp-0002", "mlp-0003", "mlp-0004"]
    assert len({json.dumps(sorted(contents(run)), default=str) for run in runs.every()}) == 1
