"""`workbench models` shows the layers of networks, the second time without torch."""

import json
import subprocess
import sys

import pytest

import models
from tests.networks import by_tier
from workbench.paths import cache_dir
from workbench.render import diagram, layers

# Runs a command in a process that may not start another, and prints which heavy packages it imported.
WITHOUT_TORCH = """
import subprocess, sys
def fail(*_, **__):
    raise AssertionError("a process was started")
subprocess.run = subprocess.Popen = fail
sys.argv = ["workbench", *{words!r}]
from workbench.cli.main import main
try:
    main()
finally:
    print([name for name in ("torch", "numpy", "sympy") if name in sys.modules], file=sys.stderr)
"""


@pytest.fixture
def computed(monkeypatch):
    """Let summaries be computed in this process; the list has the networks and presets."""
    from models import cost

    calls = []

    def compute(name, preset):
        calls.append((name, preset))
        return cost.summarize(name, preset).to_dict()

    monkeypatch.setattr(layers, "compute", compute)
    return calls


def test_show_as_json_and_again_without_torch(cli, home):
    result = cli("models", "show", "lenet5-modern", "--json")
    assert (result.code, result.err) == (0, "")
    table = json.loads(result.out)
    assert list(table) == [
        *("schema", "name", "preset", "params", "macs"),
        *("flops", "input_shape", "output_shape", "layers"),
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
        process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert (process.returncode, process.stderr.strip()) == (0, "[]")
        if "--json" in words:
            assert json.loads(process.stdout) == table


def test_a_models_module_in_the_users_folder_changes_nothing(process, tmp_path):
    (tmp_path / "models.py").write_text("raise SystemExit(9)")
    assert json.loads(process("models", "show", "mlp", "--preset", "mini", "--json").out)["params"] == 2_410


DAMAGE = {
    "empty": lambda text: "",
    "cut short": lambda text: text[: len(text) // 2],
    "no JSON": lambda text: "\x00\x01",
    "no object": lambda text: "[1, 2]",
    "no summary": lambda text: "{}",
    "another number": lambda text: text.replace("2080", "2081"),
    "another shape": lambda text: text.replace('"children": []', '"children": null'),
    "no UTF-8": lambda text: "\udcff",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_computed_again(computed, damage):
    summary = layers.summarize("mlp", "mini")
    file = (cache_dir() / "layers") / "mlp-mini.json"
    text = file.read_text(encoding="utf-8")
    assert damage(text) != text
    file.write_bytes(damage(text).encode("utf-8", "surrogateescape"))
    assert layers.summarize("mlp", "mini") == summary
    assert file.read_text(encoding="utf-8") == text
    assert len(computed) == 2
    layers.summarize("mlp", "mini")
    assert len(computed) == 2


def test_each_preset_has_a_file_and_nothing_else_is_left(computed):
    paper, mini = layers.summarize("mlp", "paper"), layers.summarize("mlp", "mini")
    assert (paper.network.total_params, mini.network.total_params) == (203_530, 2_410)
    assert sorted(file.name for file in (cache_dir() / "layers").iterdir()) == ["mlp-mini.json", "mlp-paper.json"]


def test_after_a_change_of_the_sources_the_summary_is_computed_again(computed, monkeypatch):
    layers.summarize("mlp", "mini")
    monkeypatch.setattr(layers, "sources_digest", lambda: "others")
    layers.summarize("mlp", "mini")
    assert computed == [("mlp", "mini")] * 2


def test_the_digest_changes_with_any_file(tmp_path, monkeypatch):
    (tmp_path / "vision").mkdir()
    (tmp_path / "vision" / "net.py").write_text("a = 1")
    monkeypatch.setattr(models, "__file__", str(tmp_path / "__init__.py"))
    digests = set()
    for text in ("a = 1", "a = 2", "a = 1 "):
        (tmp_path / "vision" / "net.py").write_text(text)
        layers.sources_digest.cache_clear()
        digests.add(layers.sources_digest())
    layers.sources_digest.cache_clear()
    assert len(digests) == 3


def test_without_a_cache_every_summary_is_computed(computed, home):
    home.mkdir()
    (home / "cache").write_text("a file in place of the folder")
    assert layers.summarize("mlp", "mini").network.total_params == 2_410
    assert layers.summarize("mlp", "mini").network.total_params == 2_410
    assert len(computed) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "resnet19"], "Did you mean 'resnet18"),
        (["diagram", "lenet"], "lenet5"),
        (["show", "mlp", "--preset", "papr"], "Did you mean 'paper"),
        (["show"], "NAME"),
    ],
)
def test_errors_name_valid_choices(cli, words, message):
    result = cli("models", *words)
    assert (result.code, result.out) == (2, "")
    assert message in result.err and result.err.count("\n") == 1


@pytest.mark.parametrize("name", by_tier(models.names()))
def test_a_diagram_fits_eighty_columns_and_has_every_layer(computed, name):
    summary = layers.summarize(name)
    plain = diagram.to_dict(summary)
    json.dumps(plain)

    def full_names(block, inside=""):
        """Yield the full names of all modules in a block, which has one or more names itself."""
        for own_name in block["names"]:
            if not block["type"].islower():
                yield inside + own_name
            for child in block["blocks"]:
                yield from full_names(child, f"{inside}{own_name}.")

    names = [name for block in plain["blocks"] for name in full_names(block)]
    modules = [layer for layer in summary.network.walk() if layer.name and not layer.type.islower()]
    assert names == [layer.name for layer in modules if not layer.is_activation]
    assert sum(block["params"] * len(block["names"]) for block in plain["blocks"]) == plain["params"]
    lines = diagram.render_diagram(summary)
    assert max(map(len, lines)) <= 80
    assert f"{plain['params']:,} parameters" in lines[0]
    assert sum(line.count(", then ") for line in lines) > 0 or not any(layer.is_activation for layer in modules)


def test_a_diagram_shows_the_branches_of_a_block(computed):
    lines = [line.split("  ") for line in diagram.render_diagram(layers.summarize("resnet18"))]
    text = [" ".join(filter(None, (cell.strip() for cell in line))) for line in lines]
    # Equal blocks, as those of layer1, are drawn once.
    assert sum(line.startswith("┌─") for line in text) == 1 + 3 * 2
    start = text.index("0 to 1: 2 times BasicBlock; each 64x56x56 73,984")
    assert text[start + 1] == "┌─ conv1: Conv2d 3x3 64x56x56 36,864"
    assert text[start + 2] == "│ bn1: BatchNorm2d, then ReLU 64x56x56 128"
    assert text[start + 5] == "└─ add bn2 and the input, then ReLU 64x56x56"
    assert any(line.startswith("│ downsample: Sequential, from the input") for line in text)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_diagram_keeps_to_its_width(computed, width):
    assert max(map(len, diagram.render_diagram(layers.summarize("resnet152"), width))) <= width


def test_in_a_pipe_both_fit_eighty_columns(cli, computed):
    for words in (["show", "resnet18"], ["diagram", "resnet18"]):
        result = cli("models", *words)
        assert result.code == 0 and "\x1b" not in result.out
        assert max(map(len, result.out.splitlines())) <= 80
        assert "11,689,512" in result.out and "1,814,073,344" in result.out


def test_the_list_is_sorted_by_any_column(cli):
    for column in ("year", "params", "name", "contribution"):
        rows = json.loads(cli("models", "list", "--sort", column, "--json").out)
        values = [row[column] for row in rows]
        numbers = [value for value in values if value is not None]  # some networks have no published parameters
        assert values == sorted(numbers) + [None] * (len(values) - len(numbers))
        assert {row["name"] for row in rows} == set(models.names())
    result = cli("models", "list", "--sort", "parms")
    assert result.code == 2 and "Did you mean 'params" in result.err
    out = cli("models", "list", "--sort", "params").out
    assert out.index("lenet5-modern") < out.index("61,706") < out.index("resnet18") < out.index("11,689,512")


def test_the_list_sorted_by_macs_counts_every_network(computed, monkeypatch, capsys):
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
    result = cli("models", "tree")
    assert result.code == 0 and max(map(len, result.out.splitlines())) <= 80
    assert result.out.index("● neocognitron") < result.out.index("● lenet5") < result.out.index("● resnet")
    rows = json.loads(cli("models", "tree", "--json").out)
    assert next(row for row in rows if row["family"] == "densenet")["builds_on"] == ["resnet"]
    assert [row["year"] for row in rows] == sorted(row["year"] for row in rows)


def test_activations_are_rows_of_the_table_and_not_of_the_diagram(cli, computed):
    table = json.loads(cli("models", "show", "vgg11", "--json").out)
    features = [layer["type"] for layer in table["layers"] if layer["name"].startswith("features")]
    assert features[:5] == ["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU"]
    features, _ = json.loads(cli("models", "diagram", "vgg11", "--json").out)["blocks"]
    assert [block["type"] for block in features["blocks"][:3]] == ["Conv2d", "MaxPool2d", "Conv2d"]
    assert features["blocks"][0]["activations"] == ["ReLU"]
    assert [block["inputs"] for block in features["blocks"][:3]] == [["input"], ["0"], ["2"]]
