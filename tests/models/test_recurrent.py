"""Recurrent layers against torch's with the same weights: outputs, states and gradients; padding changes no result."""

import numpy as np
import pytest
import torch
from torch import nn

import models
from models.cost import summarize
from models.layers.recurrent import CELLS, RecurrentLayers, read, recurrent_layers
from workbench.errors import UserError

FAST = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
TORCH_CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def numpy_step(cell, x, state, weights):
    """A step in NumPy, block by block, as the papers have it."""
    w, u, b_w, b_u = weights
    n = state[0].shape[1]
    w_blocks, u_blocks = np.split(w, len(w) // n), np.split(u, len(u) // n)
    wx = [x @ block.T + b for block, b in zip(w_blocks, np.split(b_w, len(w) // n), strict=True)]
    uh = [state[0] @ block.T + b for block, b in zip(u_blocks, np.split(b_u, len(w) // n), strict=True)]
    if cell == "rnn":
        return (np.tanh(wx[0] + uh[0]),)
    if cell == "gru":
        r, z = sigmoid(wx[0] + uh[0]), sigmoid(wx[1] + uh[1])
        candidate = np.tanh(wx[2] + r * uh[2])
        return (z * state[0] + (1 - z) * candidate,)
    i, f, o = (sigmoid(wx[k] + uh[k]) for k in (0, 1, 3))
    c = f * state[1] + i * np.tanh(wx[2] + uh[2])
    return o * np.tanh(c), c


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_torchs_cell_and_the_equations(cell):
    torch.manual_seed(0)
    theirs = TORCH_CELLS[cell](5, 3).double()
    w, u, b_w, b_u = (weight.detach() for weight in theirs.parameters())
    x = torch.randn(4, 5, dtype=torch.float64)
    state = tuple(torch.randn(4, 3, dtype=torch.float64) for _ in range(CELLS[cell].states))
    ours = CELLS[cell].step(x @ w.T + b_w, state, u, b_u)
    expected = theirs(x, state if cell == "lstm" else state[0])
    by_hand = numpy_step(cell, x.numpy(), [part.numpy() for part in state], [each.numpy() for each in (w, u, b_w, b_u)])
    for mine, other, array in zip(ours, expected if cell == "lstm" else (expected,), by_hand, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)
        np.testing.assert_allclose(mine.numpy(), array, atol=1e-12)


def pair(cell, num_layers, bidirectional):
    """The same layers, torch's own and ours, in double precision."""
    layers = []
    for fast in (True, False):
        torch.manual_seed(0)
        layers.append(recurrent_layers(cell, 5, 7, num_layers, 0.0, bidirectional, fast=fast).double())
    return layers


def flat(state):
    return [state] if isinstance(state, torch.Tensor) else list(state)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_layers_are_torchs_in_weights_outputs_states_and_gradients(cell, num_layers, bidirectional):
    theirs, ours = pair(cell, num_layers, bidirectional)
    assert isinstance(theirs, FAST[cell]) and isinstance(ours, RecurrentLayers)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(weight, theirs.state_dict()[key]) for key, weight in ours.state_dict().items())
    directions = 2 if bidirectional else 1
    parts = [torch.randn(num_layers * directions, 4, 7, dtype=torch.float64) for _ in range(CELLS[cell].states)]
    for state in (None, tuple(parts) if cell == "lstm" else parts[0]):
        gradients = []
        for layers in (theirs, ours):
            x = torch.randn(4, 9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
            outputs, last = layers(x, state)
            layers.zero_grad()
            (outputs.sin().sum() + sum(part.cos().sum() for part in flat(last))).backward()
            gradients.append([outputs, *flat(last), x.grad, *(weight.grad for weight in layers.parameters())])
        assert gradients[0][0].shape == (4, 9, 7 * directions)
        for one, other in zip(*gradients, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_padding_changes_no_result(cell, bidirectional):
    theirs, ours = pair(cell, 2, bidirectional)
    lengths = [3, 9, 1, 6]
    mask = torch.arange(9) < torch.tensor(lengths)[:, None]
    results = []
    for layers in (theirs, ours):
        for padding in (0.0, 1000.0):
            x = torch.randn(4, 9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
            x = x.masked_fill(~mask[:, :, None], padding).requires_grad_()
            outputs, last = read(layers, x, mask=mask)
            layers.zero_grad()
            outputs.sin().sum().backward()
            assert not x.grad[~mask].any() and not outputs[~mask].any()
            results.append([outputs, *flat(last), x.grad, *(weight.grad for weight in layers.parameters())])
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-11)
    for row, length in enumerate(lengths):  # each sequence by itself, without padding
        x = torch.randn(4, 9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))[row : row + 1]
        outputs, last = ours(x[:, :length])
        torch.testing.assert_close(results[0][0][row, :length], outputs[0], rtol=0, atol=1e-11)
        for part, alone in zip(results[0][1:], flat(last), strict=False):
            torch.testing.assert_close(part[:, row], alone[:, 0], rtol=0, atol=1e-11)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_finite_differences(cell):
    torch.manual_seed(0)
    layers = RecurrentLayers(cell, 2, 3, bidirectional=True).double()
    mask = torch.arange(4) < torch.tensor([[2], [4]])
    x = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: layers(values, mask=mask)[0], x)


def test_arguments_that_fit_no_layers_are_rejected():
    with pytest.raises(ValueError, match="cell must be rnn, lstm, gru"):
        recurrent_layers("lstn", 2, 3)
    with pytest.raises(ValueError, match="must be 1 or more"):
        recurrent_layers("gru", 2, 3, num_layers=0)


def tokens(batch_size=3, length=20):
    return torch.randint(96, (batch_size, length), generator=torch.Generator().manual_seed(1))


def networks(name, **options):
    """The same network, computed by torch's layers and as the equations are written."""
    built = []
    for fast in (True, False):
        torch.manual_seed(0)
        built.append(models.build(name, "mini", fast=fast, **options))
    return built


@pytest.mark.parametrize("options", [{}, dict(num_layers=2), dict(in_features=2, out_features=3)])
@pytest.mark.parametrize("name", FAST)
def test_both_ways_to_compute_a_network_agree(name, options):
    fast, plain = networks(name, **options)
    assert isinstance(fast.get_submodule(name), FAST[name]) and isinstance(plain.get_submodule(name), RecurrentLayers)
    assert list(fast.state_dict()) == list(plain.state_dict())
    assert all(torch.equal(weight, plain.state_dict()[key]) for key, weight in fast.state_dict().items())
    inputs = torch.randn(3, 20, 2) if "in_features" in options else tokens()
    mask = torch.arange(20) < torch.tensor([[20], [5], [11]])
    for arguments in ((inputs,), (inputs, mask)):
        torch.testing.assert_close(fast(*arguments), plain(*arguments), rtol=0, atol=1e-5)
    assert fast(inputs).shape == (3, 20, 3 if "in_features" in options else 96)
    torch.testing.assert_close(fast(inputs, mask)[1, :5], fast(inputs[1:2, :5])[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", FAST)
def test_the_recurrent_layer_has_the_published_size_and_cost_however_it_is_computed(name):
    for fast in (True, False):
        rows = {row["name"]: row for row in summarize(name, fast=fast).table()["layers"]}
        assert rows[name]["params"] == sum(weight.numel() for weight in FAST[name](128, 256).parameters())
        assert rows[name]["macs"] == 64 * BLOCKS[name] * (128 * 256 + 256 * 256)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", [*FAST, "cnn-1d"])
def test_step_by_step_the_outputs_are_those_of_the_whole_text(name, fast):
    torch.manual_seed(0)
    options = {} if name == "cnn-1d" else dict(num_layers=2, fast=fast)
    network = models.build(name, "mini", dropout=0.3, **options).eval()
    text, cache, logits = tokens(length=40), None, []
    with torch.no_grad():
        for token in text.unbind(dim=1):
            one, cache = network.step(token, cache)
            logits.append(one)
        torch.testing.assert_close(torch.stack(logits, dim=1), network(text), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", FAST)
def test_weights_of_torchs_layers_are_loaded(name):
    torch.manual_seed(0)
    theirs = FAST[name](128, 256, batch_first=True)
    for fast in (True, False):
        network = models.build(name, fast=fast)
        network.load_reference(theirs.state_dict())
        outputs, _ = theirs(network.embedding(tokens()))
        torch.testing.assert_close(network(tokens()), network.head(outputs), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", [*FAST, "cnn-1d"])
def test_sizes_below_one_are_rejected(name):
    for option in ("vocab_size", "steps", "out_features"):
        with pytest.raises(UserError, match="1 or more"):
            models.build(name, "mini", **{option: 0})


@pytest.mark.parametrize("dilations", [(1, 1), (1, 2, 4, 8)])
def test_a_convolution_reads_the_steps_of_its_receptive_field(dilations):
    torch.manual_seed(0)
    network = models.build("cnn-1d", "mini", in_features=1, kernel_size=3, dilations=dilations, dropout=0.0).double()
    x = torch.randn(1, 60, 1, dtype=torch.float64, requires_grad=True)
    network(x)[0, 50].sum().backward()
    read_steps = x.grad[0, :, 0].nonzero().flatten().tolist()
    assert network.receptive_field == 1 + 2 * sum(dilations)
    assert (read_steps[0], read_steps[-1]) == (50 - network.receptive_field + 1, 50)


def test_a_convolution_is_torchs_over_the_padded_sequence():
    torch.manual_seed(0)
    network = models.build("cnn-1d", "mini", dilations=(2,), dropout=0.0)
    x, conv = network.embedding(tokens()), network.convs[0]
    before = torch.cat([torch.zeros(3, 2, x.shape[2]), x[:, :-2]], dim=1)  # the step two before
    by_hand = torch.relu(before @ conv.weight[:, :, 0].T + x @ conv.weight[:, :, 1].T + conv.bias)
    torch.testing.assert_close(network(tokens()), network.head(by_hand), rtol=0, atol=1e-5)


def test_a_forecaster_adds_a_change_to_the_last_value_and_knows_no_level():
    torch.manual_seed(0)
    network = models.build("time-series-forecaster", "mini", window=9, horizon=4).double()
    series = torch.randn(2, 9, 1, dtype=torch.float64)
    torch.testing.assert_close(network(series + 100), network(series) + 100)
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
    torch.testing.assert_close(network(series), series[:, -1].expand(2, 4))


@pytest.mark.parametrize("cell", CELLS)
def test_a_forecaster_has_the_layers_that_are_chosen(cell):
    networks = []
    for fast in (True, False):
        torch.manual_seed(0)
        networks.append(models.build("time-series-forecaster", "mini", cell=cell, fast=fast, num_layers=2))
    series = torch.randn(2, 48, 1)
    torch.testing.assert_close(networks[0](series), networks[1](series), rtol=0, atol=1e-5)
    with pytest.raises(UserError, match="cell must be"):
        models.build("time-series-forecaster", cell="transformer")
