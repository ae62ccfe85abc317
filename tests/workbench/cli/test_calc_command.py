"""`workbench calc` with procedures: tables, words, expressions and layers, as lines and as JSON."""

import json

import pytest

STEPS = ("calc", "optimizer-steps", "f=x^2 + 3y^2", "start=[1, 2]", "lr=0.1")
LENET = ("calc", "network-size", "layers=conv5x5-6,pool2,conv5x5-16,pool2,fc120,fc84,fc10", "input=32x32x1")


def js(result):
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_a_table_is_a_list_of_rows_in_json(cli):
    answer = js(cli(*STEPS, "steps=1", "--json"))
    assert answer["inputs"] == {"f": "x^2 + 3y^2", "start": [1, 2], "lr": 0.1, "steps": 1}
    assert answer["result"]["table"] == [
        {"step": 1, "weight": "x", "theta_prior": 1, "g": 2, "theta": 0.8},
        {"step": 1, "weight": "y", "theta_prior": 2, "g": 12, "theta": 0.8},
    ]
    network = js(cli(*LENET, "--json"))["result"]
    assert (network["P"], network["FLOPs"], network["output"]) == (61_706, 2 * network["MACs"], [10])
    assert network["table"][0] == {
        "layer": "conv5x5-6",
        "output_shape": [28, 28, 6],
        "params": 156,
        "macs": 117_600,
        "flops": 235_200,
        "bytes": 18_816,
        "receptive_field": 5,
        "jump": 1,
    }


@pytest.mark.parametrize("words", [(*STEPS, "method=adam"), (*STEPS, "method=adamw", "steps=30"), LENET])
def test_a_table_keeps_within_80_columns(cli, words):
    result = cli(*words)
    rows = result.out[: result.out.index("\n\n")].splitlines()
    assert result.code == 0 and len(rows) > 5 and all(len(row) <= 80 for row in rows)


def test_labels_that_look_like_numbers_are_labels(cli):
    answer = js(cli("calc", "confusion-matrix", "truth=[0, 1, 1]", "predicted=[0, 1, 0]", "--json"))["result"]
    assert answer["C"] == [[1, 0], [1, 1]]
    assert [row["class"] for row in answer["table"]] == ["0", "1"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*STEPS, "method=amda"), "Did you mean 'adam"),
        ((*STEPS, "lam=1"), "gd has no lam"),
        ((*STEPS[:2], "f=x^", *STEPS[3:]), "f: something is missing at the end"),
        (("calc", "network-size", "layers=pol2", "input=8x8x1"), "layers: unknown layer 'pol'"),
        (("calc", "network-size", "layers=pool9", "input=8x8x1"), "pool9 doesn't fit"),
        (("calc", "network-size", "layers=pool2", "input=8xx"), "input: "),
        ((*STEPS, "--solve", "lr"), "give an output"),
    ],
)
def test_errors_are_one_line(cli, words, sentence):
    result = cli(*words)
    assert result.code == 2 and sentence in result.err and result.out == ""
    assert len(result.err.splitlines()) == 1


def test_a_sheet_says_how_layers_are_written_and_what_is_counted(cli):
    result = " ".join(cli("formulas", "network-size").out.split())
    assert "conv3-64" in result and "A MAC is two FLOPs" in result
    assert "calc network-size layers=... input=..." in result
