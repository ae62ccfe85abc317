"""LeNet-5 against its paper, and against convolutions by SciPy."""

import numpy as np
import torch
from scipy.signal import correlate2d

import models


def counted(module):
    return sum(weight.numel() for weight in module.parameters())


def test_every_layer_has_its_published_size():
    network = models.build("lenet5-modern")
    layers = [network.c1, network.c3, network.c5, network.f6, network.output]
    assert [counted(layer) for layer in layers] == [156, 2416, 48120, 10164, 850]
    assert counted(network) == 61_706


def test_forward_is_what_the_table_says():
    torch.manual_seed(0)
    network = models.build("lenet5-modern").double()
    x = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    weights = {name: weight.detach().numpy() for name, weight in network.named_parameters()}

    def convolved(maps, layer):
        filters, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
        return np.tanh(
            [
                sum(correlate2d(one, kernel, "valid") for one, kernel in zip(maps, kernels, strict=True)) + b
                for kernels, b in zip(filters, bias, strict=True)
            ]
        )

    def pooled(maps):
        return (maps[:, ::2, ::2] + maps[:, 1::2, ::2] + maps[:, ::2, 1::2] + maps[:, 1::2, 1::2]) / 4

    def dense(values, layer):
        return weights[f"{layer}.weight"] @ values + weights[f"{layer}.bias"]

    maps = pooled(convolved(pooled(convolved(x[0].numpy(), "c1")), "c3"))
    scores = dense(np.tanh(dense(np.tanh(dense(maps.reshape(-1), "c5")), "f6")), "output")
    np.testing.assert_allclose(network(x)[0].detach().numpy(), scores, atol=1e-12)
