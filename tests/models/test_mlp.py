"""The MLP against scikit-learn's with the same weights, and its dropout and batch norm."""

import warnings

import numpy as np
import pytest
import torch

import models
from workbench.errors import UserError


@pytest.mark.parametrize(("activation", "theirs"), [("relu", "relu"), ("tanh", "tanh"), ("sigmoid", "logistic")])
def test_probabilities_are_scikit_learns(activation, theirs):
    from sklearn.neural_network import MLPClassifier

    torch.manual_seed(0)
    x = torch.randn(50, 64, dtype=torch.float64)
    classifier = MLPClassifier((32, 16), activation=theirs, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration is not meant to converge
        classifier.fit(x.numpy(), np.arange(50) % 10)
    network = models.build("mlp", in_features=64, hidden_sizes=(32, 16), activation=activation).double()
    network.load_reference(vars(classifier))
    probabilities = network(x).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(probabilities, classifier.predict_proba(x.numpy()), atol=1e-12)


def test_dropout_drops_its_share_in_training_only():
    torch.manual_seed(0)
    network = models.build("mlp", in_features=1, hidden_sizes=(20_000,), out_features=1, dropout=0.3)
    hidden, output = network.layers
    with torch.no_grad():
        hidden.weight.fill_(1)
        hidden.bias.zero_()
        output.weight.fill_(1 / 20_000)
        output.bias.zero_()
        x = torch.ones(1, 1)
        # The mean of 20,000 neurons, each 0 or 1/0.7: 1 as without dropout, and hardly ever exactly.
        mean = network(x).item()
        assert mean == pytest.approx(1, abs=0.03) and mean != 1
        assert network.eval()(x).item() == pytest.approx(1, abs=1e-4)


def test_batch_norm_standardizes_the_inputs_of_activations():
    torch.manual_seed(0)
    network = models.build("mlp", "mini", batch_norm=True)
    inputs = []
    network.activations[0].register_forward_pre_hook(lambda module, args: inputs.append(args[0]))
    network(100 + 50 * torch.randn(500, 64))
    torch.testing.assert_close(inputs[0].mean(dim=0), torch.zeros(32), rtol=0, atol=1e-4)
    torch.testing.assert_close(inputs[0].std(dim=0, correction=0), torch.ones(32), rtol=0, atol=1e-3)


def test_disabled_options_add_nothing_to_the_weights():
    plain = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert list(models.build("mlp").state_dict()) == plain
    assert set(models.build("mlp", batch_norm=True).state_dict()) > set(plain)


def test_every_hidden_layer_has_an_activation_of_its_own():
    network = models.build("mlp", "mini", hidden_sizes=(16, 12, 8))
    assert [type(activation) for activation in network.activations] == [torch.nn.ReLU] * 3
    assert len(set(network.activations)) == 3
    assert [layer.in_features for layer in network.layers] == [64, 16, 12, 8]


@pytest.mark.parametrize("options", [{"hidden_sizes": (0,)}, {"out_features": 0}, {"activation": "swish"}])
def test_invalid_arguments_are_rejected(options):
    with pytest.raises(UserError, match="must be"):
        models.build("mlp", "mini", **options)
