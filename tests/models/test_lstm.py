"""The LSTM as a language model; its layers are compared with torch's in `test_recurrent.py`."""

import pytest
import torch
from torch import nn

import models
from models.cost import summarize
from models.layers.recurrent import RecurrentLayers
from workbench.errors import UserError


def tokens(batch_size=3, length=20):
    return torch.randint(96, (batch_size, length), generator=torch.Generator().manual_seed(1))


def pair(preset, **options):
    """The same network, computed by torch's layers and as the equations are written."""
    networks = []
    for fast in (True, False):
        torch.manual_seed(0)
        networks.append(models.build("lstm", preset, fast=fast, **options))
    return networks


@pytest.mark.parametrize(("preset", "num_layers"), [("paper", 1), ("mini", 1), ("mini", 3)])
def test_both_ways_to_compute_have_the_same_weights_outputs_and_gradients(preset, num_layers):
    fast, plain = pair(preset, num_layers=num_layers)
    assert isinstance(fast.lstm, nn.LSTM) and isinstance(plain.lstm, RecurrentLayers)
    assert list(fast.state_dict()) == list(plain.state_dict())
    assert all(torch.equal(weight, plain.state_dict()[key]) for key, weight in fast.state_dict().items())
    outputs = fast(tokens()), plain(tokens())
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-6)
    for logits in outputs:
        nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens()[:, 1:].flatten()).backward()
    for (name, one), (_, other) in zip(fast.named_parameters(), plain.named_parameters(), strict=True):
        largest = one.grad.abs().max().item()
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=min(1e-6, 1e-3 * largest), msg=name)
        assert largest > 1e-5, name


def test_the_recurrent_layer_has_the_published_size_and_cost_however_it_is_computed():
    for fast in (True, False):
        rows = {row["name"]: row for row in summarize("lstm", fast=fast).table()["layers"]}
        assert rows["lstm"]["params"] == 395_264  # of nn.LSTM(128, 256)
        assert rows["lstm"]["macs"] == 64 * 393_216
        assert rows["head"]["macs"] == 64 * 256 * 96
        assert rows["embedding"]["params"] == 96 * 128 and rows["embedding"]["macs"] == 0


@pytest.mark.parametrize("fast", [True, False])
def test_step_by_step_the_outputs_are_those_of_the_whole_text(fast):
    torch.manual_seed(0)
    network = models.build("lstm", "mini", num_layers=2, dropout=0.3, fast=fast).eval()
    text, cache, logits = tokens(), None, []
    with torch.no_grad():
        for token in text.unbind(dim=1):
            one, cache = network.step(token, cache)
            logits.append(one)
        torch.testing.assert_close(torch.stack(logits, dim=1), network(text), rtol=0, atol=1e-6)


def test_an_output_depends_on_the_tokens_before_it_alone():
    torch.manual_seed(0)
    network, text = models.build("lstm", "mini"), tokens()
    before = network(text)
    text[:, 12] = (text[:, 12] + 1) % 96
    change = (network(text) - before).abs().amax(dim=(0, 2))
    assert (change[:12] == 0).all() and (change[12:] > 0).all()


def test_weights_of_torchs_lstm_are_loaded_into_the_recurrent_layer():
    torch.manual_seed(0)
    theirs = nn.LSTM(128, 256, batch_first=True)
    for fast in (True, False):
        network = models.build("lstm", fast=fast)
        network.load_reference(theirs.state_dict())
        outputs, _ = theirs(network.embedding(tokens()))
        torch.testing.assert_close(network(tokens()), network.head(outputs), rtol=0, atol=1e-6)


@pytest.mark.parametrize("fast", [True, False])
def test_dropout_drops_outputs_of_each_layer_in_training_only(fast):
    torch.manual_seed(0)
    network = models.build("lstm", "mini", num_layers=2, dropout=0.5, fast=fast)
    assert not torch.equal(network(tokens()), network(tokens()))
    plain = models.build("lstm", "mini", num_layers=2, fast=fast)
    plain.load_state_dict(network.state_dict())
    torch.testing.assert_close(network.eval()(tokens()), plain(tokens()))
    network.dropout.p = 0.0
    network.train()
    assert not torch.equal(network(tokens()), network(tokens()))  # between the layers


@pytest.mark.parametrize("option", ["vocab_size", "embedding_size", "hidden_size", "num_layers"])
def test_sizes_below_one_are_rejected(option):
    with pytest.raises(UserError, match="must be 1 or more"):
        models.build("lstm", "mini", **{option: 0})
