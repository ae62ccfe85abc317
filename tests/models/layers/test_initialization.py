"""Initial weights of mobile networks have the moments of those that torchvision draws."""

import pytest
import torch
import torchvision

import models


def moments(network):
    """Mean and standard deviation of each weight with more than 2,000 elements, in order."""
    return torch.tensor([[weight.mean(), weight.std()] for weight in network.parameters() if weight.numel() > 2000])


@torch.no_grad()
@pytest.mark.parametrize("name", ["mobilenet-v2", pytest.param("efficientnet-b0", marks=pytest.mark.full)])
def test_initial_weights_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name.replace("-", "_"))(weights=None)
    network = models.build(name)
    ours, expected = moments(network), moments(theirs)
    torch.testing.assert_close(ours[:, 1], expected[:, 1], rtol=0.1, atol=0)
    assert (ours[:, 0].abs() < 0.1 * expected[:, 1]).all()
    biases = [layer.bias for layer in network.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
    assert all(not bias.any() for bias in biases if bias is not None)
