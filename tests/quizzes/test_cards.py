"""Cards: reading, shuffling and lookup; `tests/content` checks each of them."""

import pytest

from quizzes import cards
from quizzes.answers import KINDS
from quizzes.cards import read_cards
from quizzes.marking import mark
from workbench.errors import UserError


def test_a_point_before_a_number_counts():
    card = cards.get("activations/sigmoid-slope")
    assert mark(card.draw(1), {"answer": ".25"}).mark == "right"
    assert mark(card.draw(1), {"answer": "25"}).mark == "wrong"


NUMBERS = [
    (
        "activations/sigmoid-slope",
        "1/4",
        ["0.250", ".25", "25%", "one quarter", "0.5^2"],
        ["25", "0.2", "2.5", "-0.25"],
    ),
    (
        "adam/beta1",
        "0.9",
        ["0.90", "9/10", "90 %", "nine tenths", "beta1 = .9"],
        ["90", "0.09", "0.99", "0.9%", "nine"],
    ),
    (
        "binary-classification/auc-of-chance",
        "0.5",
        ["0.50", "50 %", "half", "AUC = 1/2"],
        ["5", "50", "0.05", "0", "1"],
    ),
    ("gradient-descent/one-step", "1", ["one", "1.0", "1/1", "eta = 1", "One."], ["two", "0.1", "-1", "1/2", "100%"]),
    ("deeplab/aspp-rates-number", "36", ["36.0", "2*18", "thirty-six"], ["18", "9", "24"]),
    ("detr/year", "2020", ["2,020", "2020.0"], ["2012", "2017", "21"]),
    ("iou/voc-threshold", "0.5", ["1/2", "50 %", "half"], ["5", "0.75", "50"]),
    ("map/max-detections", "100", ["100.0", "10^2", "100 detections"], ["10", "1000"]),
    ("model-complexity/macs-flops", "2", ["two", "2.0"], ["1", "1/2", "4"]),
    ("one-stage/ssd300-boxes", "8732", ["8,732", "8 732", "8732 boxes"], ["873", "8000"]),
    ("two-stage/anchors-number", "9", ["nine", "3*3", "9 anchors"], ["6", "3"]),
    ("encoder-decoder-segmentation/unet-output", "388", ["388.0", "388 px", "572 - 184"], ["572", "392", "284"]),
    ("gru/parameter-ratio", "75", ["75.0", "seventy-five", "3/4*100"], ["3/4", "0.75", "25", "133"]),
    ("imagenet/classes", "1000", ["1,000", "1000.0", "one thousand", "10^3"], ["100", "10000", "1.000", "1"]),
    ("lstm/matrices", "4", ["four", "4.0", "8/2"], ["3", "eight", "1/4"]),
    ("mae/year", "2021", ["2,021", "2021.0"], ["2012", "2017", "21"]),
    ("instance-and-promptable/mask-size", "28", ["twenty-eight", "28.0", "28 pixels"], ["14", "56", "2"]),
    ("large-models/balance-minimum", "1", ["one", "1.0", "8/8"], ["8", "two", "1/8"]),
    ("metric-learning/infonce-random", "64", ["sixty-four", "64.0", "63 + 1"], ["63", "6", "1/64"]),
    ("milestones/vgg16-count", "13", ["thirteen", "13.0", "16 - 3"], ["16", "three", "12", "thirty"]),
    ("modern-cnn/dense-connections", "15", ["fifteen", "5*6/2"], ["5", "fifty", "10", "16"]),
    ("momentum/terminal-velocity", "10", ["ten", "10.0", "1/(1 - 0.9)"], ["9", "0.1", "1000%", "one"]),
    ("normalization/constant-feature", "0", ["zero", "0.0", "x = 0"], ["1", "one", "infinity"]),
    ("pooling/three-by-three", "4", ["four", "4.0", "16/4"], ["3", "10", "four and a half", "40"]),
    ("resnet/slope-of-a-block", "1", ["one", "1.0"], ["0", "two", "-1", "x"]),
    ("small-filters/field-of-two", "5", ["five", "5.0", "5x5"], ["3", "6", "five and a half", "25"]),
    ("swin/year", "2021", ["2,021", "2021.0"], ["2012", "2017", "21"]),
    ("t2t-vit/year", "2021", ["2,021", "2021.0"], ["2012", "2017", "21"]),
    ("vit/year", "2020", ["2,020", "2020.0"], ["2012", "2017", "21"]),
    ("upsampling/bilinear-kernel-size", "16", ["sixteen", "16.0", "2*8"], ["8", "15", "64"]),
    ("word-representations/one-hot-cosine", "0", ["zero", "0.0"], ["1", "one", "-1"]),
]


@pytest.mark.parametrize(("id", "answer", "right", "wrong"), NUMBERS)
def test_a_number_in_the_gap_is_read_as_a_number(id, answer, right, wrong):
    question = cards.get(id).draw(1)
    assert KINDS["text"].format_hint(question.parts[0]) == "a number"
    marks = {text: mark(question, {"answer": text}).mark for text in [answer, *right, *wrong]}
    assert marks == dict.fromkeys([answer, *right], "right") | dict.fromkeys(wrong, "wrong")


def test_every_card_of_a_number_is_among_these():
    accepted = {id: card.content["accept"] for id, card in cards.all_cards().items() if card.kind == "cloze"}
    with_numbers = {id for id, words in accepted.items() if any(word.replace(".", "").isdigit() for word in words)}
    assert with_numbers == {id for id, *_ in NUMBERS}


# What people write for the same words: articles, plurals, brackets, words of the sentence, units, other notations.
WORDS = {
    "adam/beta1": (["beta1 = 0.9", "0.90"], ["0.9%"]),
    "activations/saturation": (["saturated", "have saturated", "be saturated", "saturate."], ["vanish", "explode"]),
    "activations/sigmoid-slope": (["one fourth", "quarter", "1 / 4", "(0.25)"], ["fourteen", "4"]),
    "autograd/dag": (["non-cyclic", "a-cyclic", "acyclic graph", "Acyclic"], ["cyclic", "graph"]),
    "autograd/where-gradients-are": ([".grad", "w.grad", "grad attribute"], ["gradient_w", "data"]),
    "backprop/rule": (["the chain rule", "chain rule of calculus", "(chain)"], ["product rule", "rule"]),
    "batch-normalization/name-of-beta": (["bias", "the shift", "shift parameter", "learned shift"], ["scale"]),
    "batch-size/epoch": (["an epoch", "epochs"], ["iteration", "an"]),
    "binary-classification/auc-of-chance": (["50 percent", "a half"], ["50"]),
    "fc-vs-cnn/flatten": (["vectorization", "vectorisation", "unrolling"], ["pooling"]),
    "gradient-descent/name-of-eta": (
        ["the learning rate", "lr", "learning-rate", "called the learning rate"],
        ["rate"],
    ),
    "gradient-issues/name-of-growth": (["exploding gradients", "exploding gradient"], ["vanishing", "gradients"]),
    "hyperparameters/name": (["a hyperparameter", "hyperparameters", "hyper-parameter"], ["parameter"]),
    "imagenet/classes": (["1k", "1 000", "1000 classes"], ["1000 images", "10k"]),
    "initialization/xavier-variance": (["n_out", "fan out", "number of outputs"], ["fan_in"]),
    "linear-regression/parameters": (["(d + 1)", "d +1", "d plus 1", "d+1 parameters"], ["d", "d - 1", "2d"]),
    "linear-regression/through-the-means": (["mean", "sample means", "the means of x and y"], ["medians"]),
    "milestones/vgg16-count": (["13 layers", "13.0"], ["16 layers", "13 layers more"]),
    "modern-cnn/dense-connections": (["15 connections", "15 direct connections"], ["15%"]),
    "momentum/no-momentum": (["vanilla SGD", "steepest descent", "plain gradient descent"], ["Adam"]),
    "momentum/terminal-velocity": (["10x", "10 times"], ["10%", "9 times"]),
    "multiclass-classification/distribution": (["probability distribution", "distributions"], ["probability"]),
    "neuron/without-bias": (["threshold", "the intercept", "biases", "bias weight"], ["weight"]),
    "normal-equation/where-from": (["derivatives", "partial derivatives", "first derivative"], ["integral"]),
    "over-and-underfitting/patience": (["the patience", "patience parameter"], ["tolerance"]),
    "pooling/three-by-three": (["[[4]]", "(4)"], ["[[4, 4]]"]),
    "regression-losses/kink": (["derivatives", "well-defined derivative"], ["value"]),
    "regularization/name-of-l1-regression": (["LASSO regression", "the Lasso", "the lasso."], ["ridge"]),
    "resnet/slope-of-a-block": (["I", "identity", "the identity matrix"], ["identity times two"]),
    "small-filters/field-of-two": (["5 pixels", "5px", "5 x 5"], ["5 layers of it", "3 pixels"]),
    "standardization/units": (["z", "z-value", "z score", "standardised score"], ["mean"]),
    "transfer-learning/freezing": (["freeze", "freezing the layer"], ["training"]),
}


@pytest.mark.parametrize("id", WORDS)
def test_words_are_the_same_without_what_nobody_calls_a_mistake(id):
    question, (right, wrong) = cards.get(id).draw(1), WORDS[id]
    marks = {text: mark(question, {"answer": text}).mark for text in [*right, *wrong]}
    assert marks == dict.fromkeys(right, "right") | dict.fromkeys(wrong, "wrong")


def test_a_decimal_comma_is_not_counted():
    result = mark(cards.get("adam/beta1").draw(1), {"answer": "0,9"})
    assert result.mark == "not_understood" and "mean 0.9?" in result.feedback


def test_the_seed_alone_shuffles():
    draws = [cards.get("convolution/shared-weights").draw(seed).parts[0].choices for seed in range(12)]
    assert len({tuple(d) for d in draws}) > 3
    assert draws == [cards.get("convolution/shared-weights").draw(seed).parts[0].choices for seed in range(12)]


def test_a_card_with_the_wrong_fields_is_rejected(tmp_path):
    file = tmp_path / "iou.toml"
    file.write_text(
        '[[card]]\nid="a"\nkind="choice"\nprompt="?"\nexplanation="."\nsource="."\nanswer="x"\n', encoding="utf-8"
    )
    with pytest.raises(ValueError, match="wrong is missing"):
        read_cards(file, "iou")


def test_unknown_cards_offer_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'convolution/equivariance"):
        cards.get("convolution/equivarience")
