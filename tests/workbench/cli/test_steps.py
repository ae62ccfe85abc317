"""`workbench calc --steps`: the states of a procedure in order, as text and as JSON."""

import json

import pytest

from quizzes import procedures

CONV = ("calc", "conv-values", "X=[[1,2],[3,4]]", "K=[[1,1],[0,1]]", "b=1")


def test_states_are_a_list_in_json(cli):
    result = cli(*CONV, "--steps", "--json")
    assert result.code == 0 and result.err == ""
    states = json.loads(result.out)
    assert [state["state"] for state in states] == [1, 2]
    assert states[1]["values"] == dict(row=1, column=1, window=[1, 2, 3, 4], sum=7, o=8, O=[[8]])
    assert states[1]["caption"].endswith("then add the bias: 1*1 + 1*2 + 0*3 + 1*4 + 1 = 8.")
    drawing = states[1]["visualization"]
    assert drawing["kind"] == "sliding-window" and drawing["data"]["outputs"] == {"O": [[8]]}
    assert json.loads(cli(*CONV, "--json").out)["result"] == {"O": [[8]]}


def test_states_are_printed_in_order_within_80_columns(cli):
    result = cli("calc", "nms", "--steps")
    assert result.code == 0 and result.err == ""
    states = procedures.get("nms").states()
    places = [result.out.index(f"--- State {number} of {len(states)}\n") for number in range(1, len(states) + 1)]
    assert places == sorted(places)
    words = " ".join(result.out.split())
    assert all(state.caption in words for state in states)
    assert max(map(len, result.out.splitlines())) <= 80
    assert "Source: Girshick" in result.out


def test_a_procedure_without_a_formula_needs_no_option(cli):
    short = cli("calc", "k-fold-standardization", "x=[1, 2, 3, 5]", "k=2", "--json")
    assert short == cli("calc", "k-fold-standardization", "x=[1, 2, 3, 5]", "k=2", "--steps", "--json")
    assert [state["values"]["n"] for state in json.loads(short.out)] == [4, 4, 4]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("iou", "A=[5,5,1,1]", "--steps"), "must be x1, y1, x2, y2 with x1 < x2 and y1 < y2."),
        (("conv-values", "K=[[1,2,3,4,5,6]]", "--steps"), "larger than the padded map X, 5x5"),
        (("gd-steps", "steps=1001"), "steps (number of steps) must be an integer from 1 to 1000."),
        (("conv-values", "X=[[1]]", "K=[[1]]", "p=100", "--steps"), "more states than can be stepped through (10,000"),
        (("softmax", "--steps"), "softmax has no steps. These have: "),
        (("nsm", "--steps"), "Unknown formula 'nsm'. Did you mean 'nms'"),
        (("gd-steps", "lrr=1"), "Unknown symbol of gd-steps 'lrr'. Did you mean 'lr'"),
        (("gd-steps", "f=x^"), "f: something is missing at the end"),
        (("nms", "--steps", "--solve", "tau"), "Leave out --solve or --steps."),
        (("nms",), "nms needs boxes"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_printed(cli, words, sentence):
    result = cli("calc", *words)
    assert result.code == 2 and result.out == ""
    assert result.err.startswith("Error: ") and sentence in result.err and result.err.count("\n") == 1


def test_formulas_name_what_can_be_stepped_through(cli):
    assert "\nStep by step:\n  workbench calc nms --steps\n" in cli("formulas", "nms").out
    topic = cli("formulas", "gradient-descent").out
    assert "One step of gradient descent" in topic
    assert (
        "\nStep by step:\n  workbench calc gd-steps --steps\n  workbench calc learning-rate-schedule --steps\n" in topic
    )
    assert "Step by step" not in cli("formulas", "softmax").out
    sheet = cli("formulas", "learning-rate-schedule").out
    assert "warmup" in sheet and "default: 0.1" in sheet and "Step by step" in sheet


def test_completion_offers_procedures_and_their_inputs():
    from types import SimpleNamespace

    from workbench.cli import completion

    assert completion.formulas_and_procedures("gd-steps") == ["gd-steps"]
    assert completion.formulas_and_procedures("iou")[0] == "iou"
    context = SimpleNamespace(params={"formula": "gd-steps"})
    assert completion.symbols(context, "l") == ["lr="]
