"""`workbench models`: what it says of a network's layers, and that it says it again without torch."""

import json
import subprocess
import sys

import pytest

import models
from tests.networks import by_tier
from workbench.paths import cache_dir
from workbench.render import diagram, layers

# Answers in a process where nothing may be started, and says whether torch came in.
WITHOUT_TORCH = """
import subprocess, sys
def refuse(*_, **__):
    raise AssertionError("a process was started")
subprocess.run = subprocess.Popen = refuse
sys.argv = ["workbench", *{words!r}]
from workbench.cli.main import main
try:
    main()
finally:
    print([name for name in ("torch", "numpy", "sympy") if name in sys.modules], file=sys.stderr)
"""


@pytest.fixture
def made(monkeypatch):
    """Outlines made in this process; the list says which were."""
    from models import cost

    asked = []

    def make(name, preset):
        asked.append((name, preset))
        return cost.outline(name, preset).plain()

    monkeypatch.setattr(layers, "made", make)
    return asked


def test_show_as_json_and_again_without_torch(cli, home):
    said = cli("models", "show", "lenet5-modern", "--json")
    assert (said.code, said.err) == (0, "")
    table = json.loads(said.out)
    assert list(table) == [
        "schema",
        "name",
        "preset",
        "params",
        "macs",
        "flops",
        "input_shape",
        "output_shape",
        "layers",
    ]
    assert (table["name"], table["preset"]) == ("lenet5-modern", "paper")
    assert (table["params"], table["macs"], table["flops"]) == (61_706, 416_520, 833_040)
    assert (table["input_shape"], table["output_shape"]) == ([1, 32, 32], [10])
    assert table["layers"][0] == {
        "name": "c1",
        "type": "Conv2d",
        "output_shape": [6, 28, 28],
        "params": 156,
        "macs": 6 * 28 * 28 * 25,
    }
    assert sum(layer["params"] for layer in table["layers"]) == 61_706
    for words in (["show", "lenet5-modern", "--json"], ["show", "lenet5-modern"], ["diagram", "lenet5-modern"]):
        program = WITHOUT_TORCH.format(words=["models", *words])
        again = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert (again.returncode, again.stderr.strip()) == (0, "[]")
        if "--json" in words:
            assert json.loads(again.stdout) == table


def test_a_models_module_in_the_users_folder_changes_nothing(process, tmp_path):
    (tmp_path / "models.py").write_text("raise SystemExit(9)")
    assert json.loads(process("models", "show", "mlp", "--preset", "mini", "--json").out)["params"] == 2_410


DAMAGE = {
    "empty": lambda text: "",
    "cut short": lambda text: text[: len(text) // 2],
    "no JSON": lambda text: "\x00\x01",
    "no object": lambda text: "[1, 2]",
    "no outline": lambda text: "{}",
    "another number": lambda text: text.replace("2080", "2081"),
    "another shape": lambda text: text.replace('"parts": []', '"parts": null'),
    "no UTF-8": lambda text: "\udcff",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_made_again(made, damage):
    whole = layers.outline("mlp", "mini")
    file = (cache_dir() / "layers") / "mlp-mini.json"
    text = file.read_text(encoding="utf-8")
    assert damage(text) != text
    file.write_bytes(damage(text).encode("utf-8", "surrogateescape"))
    assert layers.outline("mlp", "mini") == whole
    assert file.read_text(encoding="utf-8") == text
    assert len(made) == 2
    layers.outline("mlp", "mini")
    assert len(made) == 2


def test_presets_are_kept_apart_and_nothing_else_is_left(made):
    paper, mini = layers.outline("mlp", "paper"), layers.outline("mlp", "mini")
    assert (paper.network.total_params, mini.network.total_params) == (203_530, 2_410)
    assert sorted(file.name for file in (cache_dir() / "layers").iterdir()) == ["mlp-mini.json", "mlp-paper.json"]


def test_after_a_change_of_the_sources_it_is_made_again(made, monkeypatch):
    layers.outline("mlp", "mini")
    monkeypatch.setattr(layers, "sources", lambda: "others")
    layers.outline("mlp", "mini")
    assert made == [("mlp", "mini")] * 2


def test_the_fingerprint_changes_with_any_file(tmp_path, monkeypatch):
    (tmp_path / "vision").mkdir()
    (tmp_path / "vision" / "net.py").write_text("a = 1")
    monkeypatch.setattr(models, "__file__", str(tmp_path / "__init__.py"))
    seen = set()
    for text in ("a = 1", "a = 2", "a = 1 "):
        (tmp_path / "vision" / "net.py").write_text(text)
        layers.sources.cache_clear()
        seen.add(layers.sources())
    layers.sources.cache_clear()
    assert len(seen) == 3


def test_where_nothing_can_be_kept_it_still_answers(made, home):
    home.mkdir()
    (home / "cache").write_text("a file stands here")
    assert layers.outline("mlp", "mini").network.total_params == 2_410
    assert layers.outline("mlp", "mini").network.total_params == 2_410
    assert len(made) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "resnet19"], "Did you mean 'resnet18"),
        (["diagram", "lenet"], "lenet5"),
        (["show", "mlp", "--preset", "papr"], "Did you mean 'paper"),
        (["show"], "NAME"),
    ],
)
def test_what_is_not_there_is_met_with_what_is(cli, words, said):
    refused = cli("models", *words)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err and refused.err.count("\n") == 1


@pytest.mark.parametrize("name", by_tier(models.names()))
def test_a_diagram_fits_eighty_columns_and_tells_every_layer(made, name):
    whole = layers.outline(name)
    shown = diagram.plain(whole)
    json.dumps(shown)

    def told(block, inside=""):
        """The full names of the modules that a block stands for: as many as it has names."""
        for own in block["names"]:
            if not block["type"].islower():
                yield inside + own
            for part in block["blocks"]:
                yield from told(part, f"{inside}{own}.")

    names = [name for block in shown["blocks"] for name in told(block)]
    assert names == [layer.name for layer in whole.network.walk() if layer.name and not layer.type.islower()]
    assert sum(block["params"] * len(block["names"]) for block in shown["blocks"]) == shown["params"]
    lines = diagram.draw(whole)
    assert max(map(len, lines)) <= 80
    assert f"{shown['params']:,} parameters" in lines[0]


def test_a_diagram_shows_what_goes_round_a_block(made):
    lines = [line.split("  ") for line in diagram.draw(layers.outline("resnet18"))]
    text = [" ".join(filter(None, (part.strip() for part in line))) for line in lines]
    assert (
        sum(line.startswith("┌─") for line in text) == 1 + 3 * 2
    )  # blocks that are alike, as in layer1, are told once
    start = text.index("0 to 1: 2 times BasicBlock; each 64x56x56 73,984")
    assert text[start + 1] == "┌─ conv1: Conv2d 3x3 64x56x56 36,864"
    assert text[start + 2] == "│ bn1: BatchNorm2d, then relu 64x56x56 128"
    assert text[start + 5] == "└─ add bn2 and the input, then relu 64x56x56"
    assert any(line.startswith("│ downsample: Sequential, from the input") for line in text)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_diagram_keeps_to_its_width(made, width):
    assert max(map(len, diagram.draw(layers.outline("resnet152"), width))) <= width


def test_in_a_pipe_both_fit_eighty_columns(cli, made):
    for words in (["show", "resnet18"], ["diagram", "resnet18"]):
        said = cli("models", *words)
        assert said.code == 0 and "\x1b" not in said.out
        assert max(map(len, said.out.splitlines())) <= 80
        assert "11,689,512" in said.out and "1,814,073,344" in said.out


def test_the_list_is_sorted_by_what_is_asked_for(cli):
    for column in ("year", "params", "name"):
        rows = json.loads(cli("models", "list", "--sort", column, "--json").out)
        values = [row[column] for row in rows]
        assert values == sorted(values) and {row["name"] for row in rows} == set(models.names())
    said = cli("models", "list", "--sort", "parms")
    assert said.code == 2 and "Did you mean 'params" in said.err
    out = cli("models", "list", "--sort", "params").out
    assert out.index("lenet5-modern") < out.index("61,706") < out.index("resnet18") < out.index("11,689,512")


def test_the_list_sorted_by_macs_counts_every_network(made, monkeypatch, capsys):
    from workbench.cli.models import list_models

    monkeypatch.setattr(models, "names", lambda: ["resnet18", "lenet5-modern", "mlp"])
    list_models(sort="macs", as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["macs"]) for row in rows] == [
        ("mlp", 203_264),
        ("lenet5-modern", 416_520),
        ("resnet18", 1_814_073_344),
    ]


def test_the_family_tree_by_command(cli):
    said = cli("models", "tree")
    assert said.code == 0 and max(map(len, said.out.splitlines())) <= 80
    assert said.out.index("● neocognitron") < said.out.index("● lenet5") < said.out.index("● resnet")
    rows = json.loads(cli("models", "tree", "--json").out)
    assert next(row for row in rows if row["family"] == "densenet")["builds_on"] == ["resnet"]
    assert [row["year"] for row in rows] == sorted(row["year"] for row in rows)
