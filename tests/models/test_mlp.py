"""The MLP against scikit-learn's, with the same weights."""

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier

import models


def test_scores_are_scikit_learns():
    torch.manual_seed(0)
    network = models.build("mlp", "mini").double()
    x = torch.randn(50, 64, dtype=torch.float64)
    theirs = MLPClassifier((32,), activation="relu", max_iter=1)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one iteration doesn't converge, and needn't
        theirs.fit(x.numpy(), np.arange(50) % 10)
    theirs.coefs_ = [layer.weight.detach().numpy().T for layer in network.layers]
    theirs.intercepts_ = [layer.bias.detach().numpy() for layer in network.layers]
    np.testing.assert_allclose(network(x).softmax(dim=1).detach().numpy(), theirs.predict_proba(x.numpy()), atol=1e-12)
