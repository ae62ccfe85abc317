"""Formulas of the calculator that no drill asks for, against PyTorch, NumPy, SciPy and scikit-learn."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import cohen_kappa_score, log_loss
from torch import nn

from quizzes import formulas
from workbench.errors import UserError


def compute(id, /, **inputs):
    """Return the outputs of a formula as numbers and lists of them."""

    def plain(value):
        if isinstance(value, list):
            return [plain(item) for item in value]
        return float(value)

    return {name: plain(value) for name, value in formulas.get(id).solve(**inputs).items()}


def numbers(rng, *shape):
    return np.round(rng.normal(size=shape), 3)


def listed(array):
    return [listed(item) for item in array] if np.ndim(array) else Fraction(str(array.item()))


@pytest.mark.parametrize("z", [-7.5, -3.0, -1.25, -0.2, 0.0, 0.4, 2.0, 3.0, 6.5])
def test_activations_are_pytorchs(z):
    result, x = compute("activation-variants", z=Fraction(z)), torch.tensor(z, dtype=torch.double)
    theirs = dict(
        y_sigmoid=torch.sigmoid(x), y_logsigmoid=F.logsigmoid(x), y_softsign=F.softsign(x), y_relu6=F.relu6(x),
        y_hardtanh=F.hardtanh(x), y_hardsigmoid=F.hardsigmoid(x), y_hardswish=F.hardswish(x), y_selu=F.selu(x),
        y_mish=F.mish(x),
    )  # fmt: skip
    assert result == pytest.approx({name: float(value) for name, value in theirs.items()}, abs=1e-9)


@pytest.mark.parametrize("scale", [1, 300])
def test_log_softmax_is_pytorchs_for_large_logits_too(scale):
    z = scale * numbers(np.random.default_rng(0), 5)
    result, x = compute("log-softmax", z=listed(z)), torch.tensor(z)
    assert result["y"] == pytest.approx(F.log_softmax(x, dim=0).tolist(), abs=1e-9)
    assert result["p"] == pytest.approx(F.softmax(x, dim=0).tolist(), abs=1e-9)


def test_cross_entropy_of_probabilities_is_scikit_learns():
    P, y = [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25]], [0, 2, 0]
    result = compute("probability-cross-entropy", P=listed(np.array(P)), y=y)
    assert result["L"] == pytest.approx(log_loss(y, P, labels=[0, 1, 2]))
    assert result["l"] == pytest.approx([-np.log(P[k][c]) for k, c in enumerate(y)])


def test_kappa_is_scikit_learns():
    rng = np.random.default_rng(1)
    truth, predicted = rng.integers(0, 3, 40), rng.integers(0, 3, 40)
    C = np.zeros((3, 3), int)
    np.add.at(C, (truth, predicted), 1)
    assert compute("cohen-kappa", C=C.tolist())["kappa"] == pytest.approx(cohen_kappa_score(truth, predicted))


def test_calibration_error_by_bins_of_numpy():
    rng = np.random.default_rng(2)
    confidence, correct = np.round(rng.random(60), 3), rng.integers(0, 2, 60)
    result = compute("calibration-error", confidence=listed(confidence), correct=correct.tolist(), M=7)
    bins = np.digitize(confidence, np.linspace(0, 1, 8)[1:-1], right=True)
    gaps = {m: abs(correct[bins == m].mean() - confidence[bins == m].mean()) for m in set(bins)}
    assert result["ECE"] == pytest.approx(sum((bins == m).mean() * gap for m, gap in gaps.items()))
    assert result["MCE"] == pytest.approx(max(gaps.values()))
    assert sum(result["count"]) == 60


def test_binary_hinge_is_pytorchs_for_the_multi_class_form_of_two_scores():
    s, y = numbers(np.random.default_rng(3), 6), [1, -1, 1, 1, -1, -1]
    scores = torch.stack([torch.zeros(6).double(), torch.tensor(s)], dim=1)  # the margin is the score itself
    theirs = 2 * F.multi_margin_loss(scores, (torch.tensor(y) > 0).long(), reduction="none")
    result = compute("binary-hinge", s=listed(s), y=y)
    assert result["l"] == pytest.approx(theirs.tolist()) and result["L"] == pytest.approx(float(theirs.mean()))


@pytest.mark.parametrize("step", ["adamax-step", "adadelta-step"])
def test_steps_are_pytorchs(step):
    name = step.removesuffix("-step")
    rng = np.random.default_rng(4)
    weight = torch.tensor(0.7, dtype=torch.double, requires_grad=True)
    optimizer = {"adamax": torch.optim.Adamax, "adadelta": torch.optim.Adadelta}[name]([weight])
    carried = {"adamax": dict(m="m_prior", u="u_prior"), "adadelta": dict(s="s_prior", d="d_prior")}[name]
    state, theta = dict.fromkeys(carried.values(), 0), Fraction("0.7")
    for t in range(1, 6):
        gradient = Fraction(str(round(rng.normal(), 3)))
        weight.grad = torch.tensor(float(gradient), dtype=torch.double)
        optimizer.step()
        counter = dict(t=t) if name == "adamax" else {}
        result = formulas.get(step).solve(theta_prior=theta, g=gradient, **counter, **state)
        theta, state = result["theta"], {prior: result[after] for after, prior in carried.items()}
        assert float(theta) == pytest.approx(weight.item(), abs=1e-9)


@pytest.mark.parametrize(("n", "f", "p", "s"), [(7, 3, 0, 2), (8, 3, 0, 2), (12, 4, 0, 3), (20, 5, 2, 4)])
def test_what_a_convolution_leaves_out(n, f, p, s):
    result = compute("conv-fit", n=n, f=f, p=p, s=s)
    padded = torch.zeros(1, 1, n + 2 * p, requires_grad=True)
    out = F.conv1d(padded, torch.ones(1, 1, f), stride=s)
    out.sum().backward()
    is_read = padded.grad[0, 0] != 0
    assert (result["o"], result["left"]) == (out.shape[-1], n + 2 * p - 1 - int(is_read.nonzero().max()))


def test_windows_as_columns_are_those_of_unfold():
    result = compute("im2col", N=2, C_in=3, n_h=9, n_w=7, f=3, p=1, s=2)
    unfolded = F.unfold(torch.zeros(2, 3, 9, 7), 3, padding=1, stride=2)
    assert (result["rows"], result["columns"]) == (unfolded.shape[1], 2 * unfolded.shape[2])
    assert result["numbers"] == unfolded.numel() and result["times"] == unfolded.numel() / (2 * 3 * 9 * 7)


def test_parameters_without_shared_weights():
    result = compute("locally-connected", n=6, C_in=2, C_out=4, f=3)
    conv, dense = nn.Conv2d(2, 4, 3), nn.Linear(2 * 6 * 6, 4 * 4 * 4)
    count = [sum(p.numel() for p in layer.parameters()) for layer in (conv, dense)]
    assert [result["P_conv"], result["P_dense"]] == count
    windows = F.unfold(torch.zeros(1, 2, 6, 6), 3)  # a dense layer for each window
    assert result["P"] == windows.shape[2] * sum(p.numel() for p in nn.Linear(windows.shape[1], 4).parameters())


def test_batch_norm_backward_is_autograds():
    rng = np.random.default_rng(5)
    x, g = numbers(rng, 6), numbers(rng, 6)
    result = compute("bn-backward", x=listed(x), g=listed(g), gamma=Fraction(3, 2))
    inputs = torch.tensor(x)[:, None].requires_grad_()
    layer = nn.BatchNorm1d(1, dtype=torch.double)
    nn.init.constant_(layer.weight, 1.5)
    layer(inputs).backward(torch.tensor(g)[:, None])
    assert result["g_x"] == pytest.approx(inputs.grad[:, 0].tolist())
    assert result["g_gamma"] == pytest.approx(layer.weight.grad.item())
    assert result["g_beta"] == pytest.approx(layer.bias.grad.item())


SHAPES = [[3, 1], [1, 4], [3, 4], [2, 3, 4], [4], [1], [5, 1, 4], [3], [2, 1, 1]]


@pytest.mark.parametrize(("a", "b"), [*product(SHAPES, SHAPES)])
def test_broadcast_and_product_shapes_are_numpys_and_pytorchs(a, b):
    try:
        theirs = list(np.broadcast_shapes(a, b))
    except ValueError:
        with pytest.raises(UserError, match="don't fit"):
            compute("broadcast-shape", a=a, b=b)
    else:
        assert compute("broadcast-shape", a=a, b=b)["shape"] == theirs
    try:
        product_shape = list(torch.matmul(torch.zeros(a), torch.zeros(b)).shape)
    except RuntimeError:
        with pytest.raises(UserError, match="don't fit"):
            compute("matmul-shape", a=a, b=b)
    else:
        assert compute("matmul-shape", a=a, b=b)["shape"] == product_shape


def test_a_product_takes_as_many_multiplications_as_a_loop():
    assert compute("matmul-shape", a=[2, 1, 3, 4], b=[5, 4, 6]) == {"shape": [2, 5, 3, 6], "macs": 2 * 5 * 3 * 6 * 4}


@pytest.mark.parametrize(("dim", "keepdim"), [([0], 0), ([-1], 1), ([0, 2], 0), ([1, 2], 1), ([0, 1, 2], 0)])
def test_shapes_of_sums_are_numpys(dim, keepdim):
    theirs = np.zeros((2, 3, 4)).sum(axis=tuple(dim), keepdims=bool(keepdim)).shape
    assert compute("reduction-shape", shape=[2, 3, 4], dim=dim, keepdim=keepdim)["result"] == list(theirs)


@pytest.mark.parametrize("dim", [[3], [-4], [0, -3], [Fraction(1, 2)]])
def test_a_dimension_that_is_not_there_is_rejected(dim):
    with pytest.raises(UserError, match="dim"):
        compute("reduction-shape", shape=[2, 3, 4], dim=dim, keepdim=0)


@pytest.mark.parametrize(("n", "D"), [(1, 4), (2, 5), (3, 3)])
def test_regions_of_one_hidden_layer_are_counted_by_patterns(n, D):
    """Each region of an arrangement of hyperplanes has its own pattern of signs."""
    rng = np.random.default_rng(6)
    W, b = rng.normal(size=(D, n)), rng.normal(size=D)
    points = rng.normal(scale=6, size=(400_000, n))
    patterns = len(np.unique(points @ W.T + b > 0, axis=0))
    result = compute("relu-regions", n=n, D=D)
    assert 0.75 * result["R"] <= patterns <= result["R"]
    network = nn.Sequential(nn.Linear(n, D), nn.ReLU(), nn.Linear(D, 1))
    assert result["P"] == sum(p.numel() for p in network.parameters())


def test_a_deep_network_of_one_input_reaches_its_number_of_regions():
    """Three layers of two units that fold the line: 2^2 times 3 regions (Montufar et al.)."""

    def fold(x):
        return np.maximum(0, 2 * x) - np.maximum(0, 4 * x - 2)  # a tent on 0 to 1, of two units

    x = np.linspace(0.003, 0.997, 300_001)
    y = fold(fold(x))
    y = np.maximum(0, 1 - 3 * y) + np.maximum(0, 3 * y - 2)
    slopes = np.round(np.diff(y) / np.diff(x), 3)
    pieces = 1 + np.count_nonzero(np.abs(np.diff(slopes[np.r_[True, np.abs(np.diff(slopes)) < 1e-6]])) > 1e-3)
    result = compute("relu-regions", n=1, D=2, K=3)
    assert result["R"] == 12 and result["P"] == 4 + 6 + 6 + 3
    assert pieces == 12


def test_the_perceptron_over_passes_is_the_loop_of_the_book():
    rng = np.random.default_rng(7)
    X = numbers(rng, 12, 2)
    y = np.where(X @ [1.0, -2.0] + 0.3 > 0, 1, -1)
    result = compute("perceptron-passes", X=listed(X), y=y.tolist(), passes=200)
    w, b, mistakes = np.zeros(2), 0.0, 0
    epoch, before = 0, -1
    while mistakes > before:
        epoch, before = epoch + 1, mistakes
        for inputs, label in zip(X, y, strict=True):
            if label * (inputs @ w + b) <= 0:
                w, b, mistakes = w + label * inputs, b + label, mistakes + 1
    assert result["w_new"] == pytest.approx(w.tolist()) and result["b_new"] == pytest.approx(b)
    assert (result["mistakes"], result["epochs"]) == (mistakes, epoch)


def test_a_score_of_zero_may_be_positive():
    inputs = dict(X=[[1], [-1]], y=[1, -1], passes=5)
    assert compute("perceptron-passes", **inputs)["mistakes"] == 2
    assert compute("perceptron-passes", **inputs, at_zero="positive") == dict(w_new=[1], b_new=-1, mistakes=1, epochs=2)


def test_the_mistakes_stay_within_the_bound():
    rng = np.random.default_rng(8)
    X = numbers(rng, 30, 2)
    direction = np.array([0.6, 0.8])
    X, y = X[np.abs(X @ direction) > 0.2], np.sign(X @ direction)[np.abs(X @ direction) > 0.2].astype(int)
    w, mistakes = np.zeros(2), 0
    for _ in range(1000):
        for inputs, label in zip(X, y, strict=True):
            if label * (inputs @ w) <= 0:
                w, mistakes = w + label * inputs, mistakes + 1
    R, gamma = np.linalg.norm(X, axis=1).max(), (y * (X @ direction)).min()
    assert mistakes <= compute("perceptron-bound", R=Fraction(R), gamma=Fraction(gamma))["k"]
