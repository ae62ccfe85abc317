"""`workbench calc` with procedures: tables, words, expressions and layers, as lines and as JSON."""

import json
import math

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
        "biases": 6,
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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["iou", "A=[2,2,0,0]", "B=[1,1,3,3]"], "x1 < x2 and y1 < y2"),
        (["iou", "A=[0,0,10,10,5]", "B=[0,0,10,10]"], "A has 5 values, and a box has 4"),
        (["entropies", "p=[0.5,0.9]", "q=[0.5,0.5]"], "must sum to 1, and it sums to 1.4"),
        (["categorical-cross-entropy", "Z=[[1,2,3],[1,2,3]]", "Y=[[1,0,0],[1,1,1]]"], "row 2 of Y"),
        (["conv-params", "k=7", "C_in=3", "C_out=64", "P=1"], "P is 9472 for these inputs, not 1"),
        (["conv-out-size", "n=12", "f=4", "s=3", "o=9"], "o is 3 for these inputs, not 9"),
        (["conv-out-size", "n=[28,32]", "f=[3,5,7]"], "n has 2 values and f has 3 values"),
        (["conv-out-size", "n=28", "f=3", "--table", "q=1..3"], "NAME=VALUES"),
        (["conv-out-size", "n=28", "f=3", "--table", "s=1..30000"], "more than 10,000 values"),
        (["conv-out-size", "n=28", "--only", "n"], "n is an input of conv-out-size"),
    ],
)
def test_inputs_that_do_not_fit_are_rejected(cli, words, sentence):
    result = cli("calc", *words)
    assert result.code == 2
    assert sentence in result.err


def test_a_value_that_is_given_for_an_output_may_be_rounded(cli):
    assert cli("calc", "conv-params", "k=7", "C_in=3", "C_out=64", "P=9472").code == 0
    assert "RMSE = 0.353553" in cli("calc", "mse-mae-rmse", "y=[1,2]", "yhat=[1,2.5]", "RMSE=0.354").out


def test_one_undefined_output_does_not_hide_the_others(cli):
    result = cli("calc", "confusion-metrics", "TP=0", "FP=0", "FN=0", "TN=5", "--json")
    data = json.loads(result.out)
    assert data["result"] == {"Acc": 1, "Spec": 1}
    assert set(data["undefined"]) == {"P", "R", "F1"} and "divides by zero" in data["undefined"]["P"]


def test_only_what_an_output_uses_is_asked_for(cli):
    result = cli("calc", "confusion-metrics", "TP=3", "FP=1", "--only", "P", "--json")
    assert json.loads(result.out)["result"] == {"P": 0.75}
    assert cli("calc", "confusion-metrics", "TP=3", "--only", "P").code == 2


def test_scalars_map_over_lists_and_tables(cli):
    data = json.loads(cli("calc", "min-max", "x=[1 2 3]", "x_min=0", "x_max=4", "--json").out)
    assert data["inputs"] == {"x": [1, 2, 3]} and data["result"] == {"u": [0.25, 0.5, 0.75]}
    data = json.loads(
        cli("calc", "conv-out-size", "n=28", "f=3", "--table", "s=1..3", "--table", "p=[0,1]", "--json").out
    )
    expected = [(28 + 2 * p - 3) // s + 1 for s in (1, 2, 3) for p in (0, 1)]
    assert data["result"] == {"o": expected}
    lines = cli("calc", "conv-out-size", "n=28", "f=3", "s=1..3").out.split()
    assert lines[:2] == ["s", "o"] and lines[3:] == ["1", "26", "2", "13", "3", "9"]


def test_values_are_read_as_other_programs_print_them(cli):
    result = cli("calc", "mse-mae-rmse", "y=tensor([1., 2.])", "yhat=[1 2.5]", "--json")
    assert json.loads(result.out)["result"]["MSE"] == 0.125
    assert (
        json.loads(cli("calc", "conv-params", "k=3", "C_in=64", "C_out=1,024", "--json").out)["result"]["P"] == 590_848
    )


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (["entropies", "p=[0.5,0.5]", "q=[1,0]"], {"D": "infinity", "C": "infinity"}),
        (["entropies", "p=[0.5,0.5,0]", "q=[0.25,0.75,0]"], {"D": 0.5 * math.log(2) + 0.5 * math.log(2 / 3)}),
        (["entropies", "p=[0,1]", "q=[0,1]"], {"H": 0, "D": 0, "C": 0}),
        (["binary-cross-entropy", "y=[1,0]", "p=[1,0]"], {"L": 0}),
        (["binary-cross-entropy", "y=[1,0]", "p=[0,0]"], {"L": "infinity"}),
        (["focal-loss", "p=1", "y=1", "gamma=2", "alpha=0.25"], {"L": 0}),
        (["kl-sparsity", "q=[0,0.1]", "rho=0.1"], {"d": ["infinity", 0], "K": "infinity"}),
    ],
)
def test_values_at_the_edge_are_limits(cli, words, result):
    answer = js(cli("calc", *words, "--json"))["result"]
    for name, value in result.items():
        assert answer[name] == (value if "infinity" in str(value) else pytest.approx(value)), name


def test_what_depends_on_the_direction_has_no_limit(cli):
    answer = js(cli("calc", "confusion-metrics", "TP=0", "FP=0", "FN=1", "TN=5", "--json"))
    assert "P" in answer["undefined"] and answer["result"]["R"] == 0


@pytest.mark.parametrize(
    ("words", "result"),
    [
        (["conv-params", "C_in=C1", "C_out=C2", "k=3"], {"P": "C2*(9*C1 + 1)"}),
        (["conv-params", "C_in=C", "C_out=2C", "k=k"], {"P": "2*C*(C*k^2 + 1)"}),
        (["embedding-params", "V=V", "d=64"], {"P": "64*V"}),
        (["embedding-params", "P=64*V", "V=V", "--solve", "d"], {"d": ["64"]}),
        (["conv-params", "C_in=1e3", "C_out=2", "k=3"], {"P": 18_002}),
    ],
)
def test_letters_as_values(cli, words, result):
    assert js(cli("calc", *words, "--json"))["result"] == result


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["conv-out-size", "o=m", "f=f", "--solve", "n"], "can't be solved for n with letters"),
        (["conv-params", "C_in=C"], "needs k"),
        (["conv-params", "C_in=C +", "k=3", "C_out=2"], "something is missing at the end"),
    ],
)
def test_letters_that_can_not_be_used(cli, words, sentence):
    result = cli("calc", *words)
    assert result.code == 2 and sentence in result.err


def test_the_last_step_alone(cli):
    words = ["calc", "optimizer-steps", "f=x^2 + y", "start=[1, 0]", "lr=0.25", "steps=200", "--last"]
    result = json.loads(cli(*words, "--json").out)["result"]
    assert [(row["step"], row["weight"]) for row in result["table"]] == [(200, "x"), (200, "y")]
    assert result["theta"] == [pytest.approx(0.5**200), -50] and result["L"] == [-50]
    assert len(cli(*words).out.splitlines()) < 12


@pytest.mark.parametrize(
    ("words", "result"),
    [
        # Commas within sentences.
        (["bleu", "candidate=yes, the cat sat", "references=yes, the cat sat", "--only", "p1"], {"p1": "1"}),
        (["bleu", "candidate=a, b c d e", 'references=["a, b c d e", "a"]', "--only", "p1,r"], {"p1": "1", "r": 5}),
        (["bleu", "candidate=a b c d", "references=[x, a b c d]", "--only", "p1,r"], {"p1": "1", "r": 4}),
        # Labels without commas.
        (["confusion-matrix", "truth=1 0 1", "predicted=1 0 0", "--only", "C"], {"C": [[1, 0], [1, 1]]}),
        (["confusion-matrix", "truth=[1, 0, 1]", "predicted=1, 0, 0", "--only", "C"], {"C": [[1, 0], [1, 1]]}),
        # Class numbers in place of one-hot rows, and a number of samples that is read off.
        (["categorical-cross-entropy", "Z=[[0, 0], [0, 0]]", "Y=[0, 1]", "--only", "q"], {"q": [[0.5, 0.5]] * 2}),
        (["softmax-ce-gradient", "Z=[[0, 0]]", "Y=[1]", "--only", "G"], {"G": [[0.5, -0.5]]}),
        (["label-smoothing", "z=[1, 2]", "y=[1, 0]", "epsilon=0.2", "--only", "t"], {"t": [0.9, 0.1]}),
    ],
)
def test_inputs_as_people_have_them(cli, words, result):
    answer = cli("calc", *words, "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["result"] == result


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["categorical-cross-entropy", "Z=[[1, 2, 3]]", "Y=[3]"], "the classes of Z are 0 to 2"),
        (["softmax-ce-gradient", "Z=[[1, 2]]", "Y=[[1, 0]]", "N=7"], "is 7, but Z has 1 row"),
        (["label-smoothing", "z=[1, 2]", "y=[1, 0]", "K=5"], "is 5, but z has 2 values"),
    ],
)
def test_inputs_that_contradict_each_other_are_rejected(cli, words, message):
    result = cli("calc", *words)
    assert (result.code, result.out) == (2, "") and message in result.err


def test_what_is_rounded_down_is_said(cli):
    assert "= 2.66667 is rounded to 2." in cli("calc", "conv-out-size", "n=12", "f=4", "s=3").out
    assert "is rounded" not in cli("calc", "conv-out-size", "n=12", "f=4", "s=2").out
