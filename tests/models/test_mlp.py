"""The MLP against scikit-learn's with the same weights, and the methods that a run can switch on."""

import warnings

import numpy as np
import pytest
import torch

import models


@pytest.mark.parametrize(("activation", "theirs"), [("relu", "relu"), ("tanh", "tanh"), ("sigmoid", "logistic")])
def test_scores_are_scikit_learns(activation, theirs):
    from sklearn.neural_network import MLPClassifier

    torch.manual_seed(0)
    x = torch.randn(50, 64, dtype=torch.float64)
    classifier = MLPClassifier((32, 16), activation=theirs, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration doesn't converge, and needn't
        classifier.fit(x.numpy(), np.arange(50) % 10)
    network = models.build("mlp", sizes=(64, 32, 16, 10), activation=activation).double()
    network.load_reference(vars(classifier))
    chances = network(x).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(chances, classifier.predict_proba(x.numpy()), atol=1e-12)


def test_dropout_leaves_out_its_share_in_training_alone():
    torch.manual_seed(0)
    network = models.build("mlp", sizes=(1, 20_000, 1), dropout=0.3)
    hidden, output = network.layers
    with torch.no_grad():
        hidden.weight.fill_(1)
        hidden.bias.zero_()
        output.weight.fill_(1 / 20_000)
        output.bias.zero_()
        x = torch.ones(1, 1)
        # The mean of 20,000 neurons, each 0 or 1/0.7: 1 as without dropout, and hardly ever exactly.
        kept = network(x).item()
        assert kept == pytest.approx(1, abs=0.03) and kept != 1
        assert network.eval()(x).item() == pytest.approx(1, abs=1e-4)


def test_batch_norm_standardises_what_comes_into_the_bend():
    torch.manual_seed(0)
    network = models.build("mlp", "mini", batch_norm=True)
    seen = []
    network.norms[0].register_forward_hook(lambda module, given, output: seen.append(output))
    network(100 + 50 * torch.randn(500, 64))
    torch.testing.assert_close(seen[0].mean(dim=0), torch.zeros(32), rtol=0, atol=1e-4)
    torch.testing.assert_close(seen[0].std(dim=0, correction=0), torch.ones(32), rtol=0, atol=1e-3)


def test_what_is_off_leaves_no_trace_in_the_weights():
    plain = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert list(models.build("mlp").state_dict()) == plain
    assert set(models.build("mlp", batch_norm=True).state_dict()) > set(plain)
