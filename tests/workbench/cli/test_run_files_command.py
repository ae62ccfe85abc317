"""`workbench runs list | delete | rename | note | tag | pack | unpack`."""

import json

import pytest

from workbench.engine import RunSpec, notes, runs

START = dict(event="start", run="x", seed=0, step=0, seconds=0.0, steps=40, model="mlp", task="digits", preset="mini")
START |= dict(params=9, device="cpu", monitor="accuracy", metrics={})


def make_run(number=0, status="done", **options):
    """Create a run that has ended; those with a larger number are newer and better."""
    run = runs.create(RunSpec.create("mlp", **options))
    (run.folder / "worker.json").unlink()
    end = dict(event="end", step=40, steps=40, seconds=100.0 - number, steps_per_second=1.0, status=status)
    events = [START | {"time": 1.7e9 + number}, end | {"metrics": {"accuracy": number / 100}}]
    (run.folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return run


def listed(cli, *words):
    return [row["run"] for row in json.loads(cli("runs", "list", *words, "--json").out)]


def test_the_newest_thirty_are_listed_with_how_many_more_there_are(cli):
    ids = [make_run(number).id for number in range(32)]
    code, out, _ = cli("runs", "list")
    lines = out.splitlines()
    assert code == 0 and [line.split()[0] for line in lines[1:31]] == ids[:1:-1]
    assert lines[31:] == ["", "2 more of 32 runs: --all lists them, --search TEXT finds some."]
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in cli("runs", "list", "--all").out.splitlines()[1:]] == ids[::-1]
    limited = cli("runs", "list", "--limit", "2").out.splitlines()
    assert [line.split()[0] for line in limited[1:3]] == ids[:-3:-1] and limited[4].startswith("30 more of 32 runs")


def test_json_has_all_runs_the_oldest_first(cli):
    ids = [make_run(number).id for number in range(32)]
    assert listed(cli) == ids
    assert listed(cli, "--limit", "2") == ids[-2:]
    assert listed(cli, "--sort", "metric", "--limit", "2") == ids[:-3:-1]
    assert listed(cli, "--sort", "duration") == ids
    assert listed(cli, "--sort", "name") == ids
    [row] = json.loads(cli("runs", "list", "--limit", "1", "--json").out)
    assert row.items() >= dict(status="done", duration=69.0, monitor="accuracy", value=0.31, tags=[], note="").items()
    assert row["created"] == "2023-11-14T22:13:51.000+00:00"


def test_the_list_is_filtered(cli):
    one, two = make_run(1), make_run(2, status="stopped", seed=1)
    three = make_run(3, task="iris")
    notes.set_note(two, "Twice the rate")
    notes.add_tags(three, ["baseline"])
    for words, run in [
        (["--status", "stopped"], two),
        (["--task", "iris"], three),
        (["--tag", "baseline"], three),
        (["--search", "rate TWICE"], two),
        (["--model", "mlp", "--status", "done", "--task", "digits"], one),
    ]:
        assert listed(cli, *words) == [run.id], words
    assert "#baseline" in cli("runs", "list").out and "Twice the rate" in cli("runs", "list").out
    assert cli("runs", "list", "--tag", "nothing").out == "No run fits.\n"
    assert listed(cli, "--tag", "nothing") == []


@pytest.mark.parametrize(
    "words", ["--status runing", "--sort size", "--limit 0", "--limit x", "--limit 3 --all", "--nothing"]
)
def test_a_bad_option_of_the_list_is_one_line(cli, words):
    code, out, err = cli("runs", "list", *words.split())
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_delete_asks_on_a_terminal(cli):
    run = make_run()
    code, out, err = cli("runs", "delete", run.id, input="n\n", terminal=True)
    assert (code, out) == (1, "") and f"Delete {run.id}? This can't be undone." in err and "Nothing was deleted" in err
    assert "done, 2 files of 1." in err
    assert cli("runs", "delete", run.id, input="", terminal=True).code == 1
    code, out, err = cli("runs", "delete", run.id)
    assert (code, out) == (2, "") and "Add --yes" in err and runs.names() == [run.id]
    code, out, _ = cli("runs", "delete", run.id, input="y\n", terminal=True)
    assert code == 0 and out.startswith(f"Deleted {run.id}: 2 files of 1.") and runs.names() == []


def test_delete_without_asking(cli):
    donor, other = make_run(), make_run()
    successor = make_run(origin=donor.id)
    code, out, err = cli("runs", "delete", donor.id, other.id, donor.id, "--yes", "--json")
    rows = json.loads(out)["deleted"]
    assert code == 0 and runs.names() == [successor.id]
    assert [(row["run"], row["files"], row["continued_by"]) for row in rows] == [
        (donor.id, 2, [successor.id]),
        (other.id, 2, []),
    ]
    assert err.count("\n") == 1 and f"the weights of {donor.id} are the initial weights of {successor.id}" in err


def test_nothing_is_deleted_if_one_of_them_is_running_or_unknown(cli):
    run, running = make_run(), runs.create(RunSpec.create("mlp"))
    for other in (running.id, "mlp-0009"):
        code, out, err = cli("runs", "delete", run.id, other, "--yes")
        assert (code, out, err.count("\n")) == (2, "", 1) and other in err
    assert sorted(runs.names()) == [run.id, running.id]


def test_a_damaged_run_is_deleted(cli):
    run = make_run()
    (run.folder / "spec.json").write_text("{")
    assert cli("runs", "delete", run.id, "-y").code == 0 and runs.names() == []


def test_rename(cli):
    donor, other = make_run(), make_run()
    successor = make_run(origin=donor.id)
    code, out, _ = cli("runs", "rename", donor.id, "baseline")
    assert code == 0 and out.splitlines() == [
        f"{donor.id} is baseline now.",
        f"Its weights are the initial weights of {successor.id}, where it still has its old name.",
    ]
    result = json.loads(cli("runs", "rename", other.id, "second", "--json").out)
    assert result == {"schema": 2, "run": "second", "renamed_from": other.id, "continued_by": []}
    assert sorted(listed(cli)) == sorted(["baseline", "second", successor.id])
    for words in (["second", "baseline"], ["second", "../x"], ["nothing", "new"]):
        code, out, err = cli("runs", "rename", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_notes_and_tags(cli):
    run = make_run()
    assert cli("runs", "note", run.id, "twice the rate [/b]").out == f"{run.id}: twice the rate [/b]\n"
    result = json.loads(cli("runs", "tag", run.id, "a", "#b", "--json").out)
    assert result == {"schema": 2, "run": run.id, "note": "twice the rate [/b]", "tags": ["a", "b"]}
    assert cli("runs", "tag", run.id, "a", "--remove").out == f"{run.id}: #b twice the rate [/b]\n"
    assert cli("runs", "note", run.id, "").out == f"{run.id}: #b\n"
    assert cli("runs", "tag", run.id, "b", "--remove").out == f"{run.id}: no note and no tags\n"
    for words in (["tag", run.id, "two words"], ["tag", run.id, "x", "--remove"], ["note", "nothing", "x"]):
        code, out, err = cli("runs", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_pack_and_unpack(cli, tmp_path):
    one, two = make_run(), make_run(device="cuda")
    code, out, _ = cli("runs", "pack", one.id, two.id)
    assert code == 0 and out.startswith("2 runs packed into runs.zip (") and "workbench runs unpack runs.zip" in out
    assert cli("runs", "pack", one.id, "--json", "-o", "x.zip").code == 0 and (tmp_path / "x.zip").exists()
    code, out, err = cli("runs", "pack", one.id, "-o", "x.zip")
    assert (code, out) == (2, "") and "exists" in err
    cli("runs", "delete", one.id, "--yes")
    code, out, _ = cli("runs", "unpack", "runs.zip")
    lines = out.splitlines()
    assert code == 0 and lines[0].startswith(f"Unpacked {one.id} (") and "taken" not in lines[0]
    assert f"{two.id} is taken, so its name here is mlp-0003. Its device was cuda; here it is auto." in lines[1]
    assert lines[2] == f"Next: workbench runs show {one.id}"
    result = json.loads(cli("runs", "unpack", "x.zip", "--json").out)
    assert [(row["name"], row["run"], row["device"]) for row in result["runs"]] == [(one.id, "mlp-0004", None)]
    assert listed(cli).count("mlp-0004") == 1 and cli("runs", "show", "mlp-0004").code == 0
    for words in (["unpack", "nothing.zip"], ["unpack", "."], ["pack", "nothing"]):
        code, out, err = cli("runs", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("noun", ["list", "delete", "rename", "note", "tag", "pack", "unpack"])
def test_every_command_shows_an_example(cli, noun):
    code, out, _ = cli("runs", noun, "--help")
    assert code == 0 and f"Example: workbench runs {noun}" in " ".join(out.split())


def test_names_are_completed(cli):
    run = make_run()

    def complete(line):
        words = line.split(" ")
        variables = {"_WORKBENCH_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        return cli(env=variables).out.split()

    assert complete("workbench runs delete ml") == complete("workbench runs note ml") == [run.id]
    assert complete("workbench runs list --sort m") == ["made", "metric"]
    assert complete("workbench runs list --status d") == ["damaged", "diverged", "done"]
