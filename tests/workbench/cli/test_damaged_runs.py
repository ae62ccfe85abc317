"""A damaged run next to an intact one: no command crashes, and the intact one is listed."""

import json
import re
import sys

import pytest

from workbench.cli.main import main
from workbench.engine import RunSpec, events, runs

DEEP = "[" * 100_000
AT = dict(run="mlp-0002", seed=0, epoch=1.0, seconds=1.0)
START = dict(AT, event="start", step=0, steps=40, model="mlp", task="digits", preset="mini", params=9, device="cpu")
METRIC = dict(AT, event="metric", step=20, split="train", metrics={"loss": 0.5, "lr": 0.1})
EVAL = METRIC | dict(event="eval", split="test", metrics={"loss": 0.6})
END = dict(AT, event="end", status="done", step=40, steps=40, steps_per_second=40.0, metrics={"loss": 0.4})
INTACT = [START, METRIC, EVAL, END]
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202e"
COMMANDS = "list,list --json,show,show --json,watch,watch --json,export,compare,compare --json".split(",")

WEIGHTS = ("source", "part", "loaded", "missing", "left_over")
ODD_EVENTS = [
    *({"event": kind} for kind in ("start", "metric", "eval", "checkpoint", "end", "else")),
    *(EVAL | {"metrics": value} for value in (3, None, [1], {"loss": "x"}, {"loss": 10**400}, {"loss": [1]})),
    *(EVAL | {"split": value} for value in ({"a": 1}, None, "../../out", "a\0b")),
    *(EVAL | {name: "x"} for name in ("step", "seconds", "epoch")),
    *(METRIC | {name: value} for name in ("step", "seconds") for value in (None, -1, 10**400, True, {})),
    *(
        START | {name: value}
        for name in ("steps", "params", "floor", "baseline", "time", "trainable")
        for value in ("x", [])
    ),
    *(START | {name: value} for name in ("initial_weights", "monitor") for value in (3, [])),
    *(START | {"terms": value} for value in (3, "x", [3], {"a": 1})),
    *(START | {name: {"method": "m"}} for name in ("floor", "baseline")),
    *(
        START | {"initial_weights": {name: value}}
        for name in WEIGHTS
        for value in (5, "x", {"[/b]": ESCAPES}, [ESCAPES])
    ),
    START | {"initial_weights": dict.fromkeys(WEIGHTS)},
    METRIC | {"extra": json.loads("[" * 900 + "]" * 900)},
    *(END | {name: value} for name in ("metrics", "validation") for value in ([1], 3)),
    END | {"status": "stopped", "metrics": {}, "validation": {ESCAPES: None}},
    *(END | {"status": value} for value in ("running", 5)),
    *(END | {"reason": value} for value in (5, "KeyError: [/b]", "[red]hot[/red] :smile:", ESCAPES)),
    {name: value for name, value in END.items() if name != "seconds"} | {"refused": True},
    EVAL | {"metrics": {"[/b]": 1.0, ESCAPES: 2.0, "\ud800": 3.0, "large": 1e300, "low": -1e300}},
]
FILES = {
    "spec.json": [None, DEEP, "[]", '{"model": 5}', '{"model": "mlp", "task": "csv:~nobody-here/x.csv"}'],
    "worker.json": [DEEP, "[]", '{"pid": NaN}'],
    **{
        f"{name}s.json": [
            DEEP,
            "5",
            f'[{{"{key}": "confusion"}}]',
            f'[{{"{key}": "confusion", "classes": 5, "counts": 3}}]',
        ]
        for name, key in (("visualization", "kind"), ("picture", "picture"))
    },
    "last.safetensors": [DEEP, "header"],
    "events.jsonl": [
        "",
        DEEP + "\n",
        *(json.dumps(EVAL).replace("0.6", number) + "\n" for number in ("NaN", "-Infinity", "1e999")),
    ],
}


def damages():
    """Yield every damage: its name, and the content of the files that it changes."""
    for place, event in enumerate(ODD_EVENTS):
        yield f"event-{place}-{event['event']}", {"events.jsonl": [*INTACT, event]}
    for file, contents in FILES.items():
        for place, content in enumerate(contents):
            yield f"{file}-{place}", {file: content}
    yield "task", {"spec.json": json.dumps({"model": "mlp", "task": "csv:/none/[/b]\x1b[2J.csv"})}


def lines(events):
    return "".join(json.dumps(event) + "\n" for event in events)


@pytest.fixture
def intact(home):
    run = runs.create(RunSpec.create("mlp"))
    (run.folder / "worker.json").unlink()
    (run.folder / "events.jsonl").write_text(lines([event | {"run": run.id} for event in INTACT]))
    return run


def damaged(files, name=""):
    run = runs.create(RunSpec.create("mlp", seed=1))
    (run.folder / "worker.json").unlink()
    for file, content in {"events.jsonl": INTACT, **files}.items():
        if content == "header":
            about = json.dumps({"__metadata__": {"about": DEEP}}).encode()
            (run.folder / file).write_bytes(len(about).to_bytes(8, "little") + about)
        elif content is None:
            (run.folder / file).unlink()
        else:
            (run.folder / file).write_text(content if isinstance(content, str) else lines(content))
    return runs.Run(run.folder.rename(run.folder.with_name(name))) if name else run


def strict(number):
    raise AssertionError(f"{number} is not JSON")


def call(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    output = capsys.readouterr()
    return end.value.code or 0, output.out, output.err


@pytest.mark.parametrize("files", [pytest.param(files, id=name) for name, files in damages()])
def test_a_damaged_run_crashes_no_command_and_hides_no_other(files, intact, tmp_path, monkeypatch, capsys):
    run = damaged(files)
    check_commands(run, intact, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("name", ["[red]x", "a\x1b[2J", ":smile:"])
def test_a_folder_with_an_odd_name_crashes_no_command(name, intact, tmp_path, monkeypatch, capsys):
    check_commands(damaged({}, name), intact, tmp_path, monkeypatch, capsys)
    _, out, _ = call(monkeypatch, capsys, "runs", "list")
    assert name.replace("\x1b", "?") in out


def test_no_event_leads_out_of_the_folder_of_tensorboard(intact, tmp_path, monkeypatch, capsys):
    run = damaged({"events.jsonl": [*INTACT, *ODD_EVENTS]})
    check_commands(run, intact, tmp_path, monkeypatch, capsys, [*COMMANDS, "tensorboard"])
    assert {path.name for path in (tmp_path / "board" / run.id).iterdir()} == {"train", "test"}
    assert {path.name for path in tmp_path.iterdir()} == {"home", "board", "run.csv"}


def check_commands(run, intact, tmp_path, monkeypatch, capsys, commands=COMMANDS):
    for command in commands:
        noun, *more = command.split()
        if noun == "export":
            words = ["export", run.id, "--csv", tmp_path / "run.csv"]
        elif noun == "tensorboard":
            words = ["export", run.id, "--tensorboard", tmp_path / "board"]
        else:
            words = [noun, *{"list": [], "compare": [run.id, intact.id]}.get(noun, [run.id]), *more]
        code, out, err = call(monkeypatch, capsys, "runs", *words)
        assert code in ((0,) if noun == "list" else (0, 1, 2)), (command, err)
        assert (code == 2) == bool(err) and err.count("\n") <= 1, (command, err)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out + err), command
        if noun == "list":
            assert intact.id in out
            assert "--json" not in more or len(json.loads(out)) == 2
        if "--json" in more:
            for line in out.splitlines():
                json.loads(line, parse_constant=strict)


def test_a_run_without_its_spec_is_still_exported(intact, tmp_path, monkeypatch, capsys):
    run = damaged({"spec.json": None})
    code, out, _ = call(monkeypatch, capsys, "runs", "export", run.id, "--csv", tmp_path / "run.csv")
    assert (code, out.split()[0]) == (0, "3")
    rows = {row["run"]: row for row in json.loads(call(monkeypatch, capsys, "runs", "list", "--json")[1])}
    assert rows[run.id]["status"] == "damaged" and rows[intact.id]["status"] == "done"


def test_a_line_longer_than_the_read_buffer_hides_nothing(intact):
    path = intact.folder / "events.jsonl"
    long = json.dumps(METRIC | {"extra": "x" * int(2.5 * events.log.READ_AT_ONCE)}) + "\n"
    path.write_text(lines([START]) + long + "no event\n" * 3000 + lines([EVAL, END]))
    tail, kinds = events.Reader(path), []
    while news := tail.read():
        kinds += [event["event"] for event in news]
    assert kinds == ["start", "metric", "eval", "end"] and tail.damaged == 3000


def test_names_in_your_own_table_are_printed_as_text(tmp_path, monkeypatch, capsys):
    path = tmp_path / "[" / "b]\x1b[2J.csv"
    path.parent.mkdir()
    rows = "".join(f"{k},{'[red]x' if k % 2 else '[/b]'}\n" for k in range(40))
    path.write_text(f"[/b]\x1b]0;owned\x07,[bold]kind\n{rows}")
    code, out, err = call(monkeypatch, capsys, "data", "show", f"csv:{path}")
    assert (code, err) == (0, "") and "[/b]?]0;owned?" in out and "[bold]kind" in out and "[red]x" in out
    assert not set("\x1b\x07") & set(out)


def test_an_image_has_the_name_of_its_file(intact, monkeypatch, capsys):
    about = dict(run=intact.id, checkpoint="best", step=1)
    one = {"file": "[red]x\x1b[2J.png", "class": "[/b]", "probability": 1.0, "probabilities": {"[/b]": 1.0}}
    monkeypatch.setattr("workbench.engine.predict.predict", lambda *_: {**about, "predictions": [one]})
    code, out, _ = call(monkeypatch, capsys, "predict", intact.id, "x.png")
    assert code == 0 and "[red]x?[2J.png" in out and "[/b]" in out
