"""The modern LeNet-5 and the original one, against the paper and against convolutions by SciPy."""

import numpy as np
import pytest
import torch

import models
from models.cost import summarize
from models.vision import lenet_1998


def count_parameters(module):
    return sum(weight.numel() for weight in module.parameters())


def to_numpy(network):
    return {name: weight.detach().numpy() for name, weight in network.state_dict().items()}


def convolve(maps, filters, bias):
    from scipy.signal import correlate2d

    return np.array(
        [
            sum(correlate2d(image, kernel, "valid") for image, kernel in zip(maps, kernels, strict=True)) + b
            for kernels, b in zip(filters, bias, strict=True)
        ]
    )


def sum_2x2(maps):
    return maps[:, ::2, ::2] + maps[:, 1::2, ::2] + maps[:, ::2, 1::2] + maps[:, 1::2, 1::2]


def test_modern_layers_have_their_parameters():
    network = models.build("lenet5-modern")
    layers = [network.c1, network.c3, network.c5, network.f6, network.output]
    assert [count_parameters(layer) for layer in layers] == [156, 2416, 48120, 10164, 850]


def test_the_modern_forward_pass_matches_the_table():
    torch.manual_seed(0)
    network = models.build("lenet5-modern").double()
    x = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    w = to_numpy(network)

    def dense(values, layer):
        return w[f"{layer}.weight"] @ values + w[f"{layer}.bias"]

    maps = sum_2x2(np.tanh(convolve(x[0].numpy(), w["c1.weight"], w["c1.bias"]))) / 4
    maps = sum_2x2(np.tanh(convolve(maps, w["c3.weight"], w["c3.bias"]))) / 4
    logits = dense(np.tanh(dense(np.tanh(dense(maps.reshape(-1), "c5")), "f6")), "output")
    np.testing.assert_allclose(network(x)[0].detach().numpy(), logits, atol=1e-12)


# Section II.B of the paper: trainable parameters, and connections, which count weights and biases at each position.
PUBLISHED = {
    "c1": (156, 122_304),
    "s2": (12, 5_880),
    "c3": (1_516, 151_600),
    "s4": (32, 2_000),
    "c5": (48_120, 48_120),
    "f6": (10_164, 10_164),
}
# Table I of the paper, as printed: a row per map of S2, a column per map of C3.
TABLE = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
""".split()


def test_original_layers_have_the_published_parameters_and_connections():
    network = models.build("lenet5")
    params = {name: count_parameters(getattr(network, name)) for name in PUBLISHED}
    assert params == {name: count for name, (count, _) in PUBLISHED.items()}
    shapes = {layer.name: layer.output_shape for layer in summarize("lenet5").network.children}
    connections = {name: params[name] * int(np.prod(shapes[name][1:])) for name in ("c1", "c3", "c5")}
    connections["f6"] = params["f6"]
    for name in ("s2", "s4"):  # four inputs and a bias per output
        connections[name] = 5 * int(np.prod(shapes[name]))
    assert connections == {name: c for name, (_, c) in PUBLISHED.items()}
    assert sum(connections.values()) + network.output.codes.numel() == 340_908


def test_filters_of_c3_see_the_maps_of_table_1():
    torch.manual_seed(0)
    c3 = models.build("lenet5").c3
    x = torch.randn(1, 6, 9, 9)
    before = c3(x)
    for row in range(6):
        changed = x.clone()
        changed[0, row] += 1
        has_changed = (c3(changed) - before).abs().amax(dim=(0, 2, 3)) > 1e-6
        assert "".join("X" if changes else "." for changes in has_changed) == TABLE[row]


def test_the_original_forward_pass_matches_the_paper():
    torch.manual_seed(0)
    network = models.build("lenet5").double()
    x = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    w = to_numpy(network)

    def squash(a):
        return 1.7159 * np.tanh(2 / 3 * a)

    def subsample(maps, layer):
        return squash(sum_2x2(maps) * w[f"{layer}.coefficient"] + w[f"{layer}.bias"])

    s2 = subsample(squash(convolve(x[0].numpy(), w["c1.weight"], w["c1.bias"])), "s2")
    filters = [f for group in ("three", "four", "six") for f in w[f"c3.{group}.weight"]]
    biases = [b for group in ("three", "four", "six") for b in w[f"c3.{group}.bias"]]
    c3 = []
    for k in range(16):
        inputs = [row for row in range(6) if TABLE[row][k] == "X"]
        if k in (4, 5, 9, 10, 11):  # adjacent maps in a ring, where the first follows the last: 4, 5, 0
            inputs = [(k % 6 + i) % 6 for i in range(len(inputs))]
        c3.append(convolve(s2[inputs], filters[k][None], biases[k][None])[0])
    s4 = subsample(squash(np.array(c3)), "s4")
    c5 = squash(w["c5.weight"].reshape(120, -1) @ s4.reshape(-1) + w["c5.bias"])
    f6 = squash(w["f6.weight"] @ c5 + w["f6.bias"])
    distances = ((f6 - w["output.codes"]) ** 2).sum(axis=1)
    outputs = network(x)[0]
    np.testing.assert_allclose(outputs.detach().numpy(), -distances / 84, atol=1e-10)
    assert outputs.argmax() == distances.argmin()


def test_the_scaled_tanh_maps_ink_and_paper_to_themselves():
    tanh, x = lenet_1998.ScaledTanh(), torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(tanh(x), x, rtol=0, atol=1e-4)
    assert tanh(torch.tensor(100.0)).item() == pytest.approx(1.7159)


def test_the_ten_drawings_differ():
    codes = lenet_1998.codes()
    assert codes.shape == (10, 7 * 12)
    assert set(codes.flatten().tolist()) == {-1.0, 1.0}
    distances = torch.cdist(codes, codes, p=1) / 2  # pixels
    assert distances[~torch.eye(10, dtype=torch.bool)].min() >= 5
    assert not dict(models.build("lenet5").named_parameters()).keys() & {"output.codes"}


def test_a_drawn_digit_is_classified_as_itself():
    layer = models.build("lenet5").output
    assert (-layer(lenet_1998.codes())).argmax(dim=1).tolist() == list(range(10))
    assert layer(lenet_1998.codes()).diagonal().tolist() == [0.0] * 10


def test_initial_weights_are_those_of_the_appendix():
    torch.manual_seed(0)
    network = models.build("lenet5")
    for layer, fan_in in ((network.c1, 25), (network.c3.four, 100), (network.f6, 120), (network.s4, 4)):
        weights = torch.cat([weight.flatten() for weight in layer.parameters()])
        assert weights.abs().max() <= 2.4 / fan_in
        assert weights.abs().max() > 0.8 * 2.4 / fan_in
