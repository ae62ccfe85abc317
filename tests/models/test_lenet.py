"""LeNet-5, as taught and as published, against its paper, and against convolutions by SciPy."""

import numpy as np
import pytest
import torch

import models
from models.cost import outline
from models.vision import lenet_1998


def counted(module):
    return sum(weight.numel() for weight in module.parameters())


def in_numpy(network):
    return {name: weight.detach().numpy() for name, weight in network.state_dict().items()}


def convolved(maps, filters, bias):
    from scipy.signal import correlate2d

    return np.array(
        [
            sum(correlate2d(one, kernel, "valid") for one, kernel in zip(maps, kernels, strict=True)) + b
            for kernels, b in zip(filters, bias, strict=True)
        ]
    )


def summed(maps):
    return maps[:, ::2, ::2] + maps[:, 1::2, ::2] + maps[:, ::2, 1::2] + maps[:, 1::2, 1::2]


def test_every_modern_layer_has_its_size():
    network = models.build("lenet5-modern")
    layers = [network.c1, network.c3, network.c5, network.f6, network.output]
    assert [counted(layer) for layer in layers] == [156, 2416, 48120, 10164, 850]


def test_the_modern_forward_is_what_the_table_says():
    torch.manual_seed(0)
    network = models.build("lenet5-modern").double()
    x = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    w = in_numpy(network)

    def dense(values, layer):
        return w[f"{layer}.weight"] @ values + w[f"{layer}.bias"]

    maps = summed(np.tanh(convolved(x[0].numpy(), w["c1.weight"], w["c1.bias"]))) / 4
    maps = summed(np.tanh(convolved(maps, w["c3.weight"], w["c3.bias"]))) / 4
    scores = dense(np.tanh(dense(np.tanh(dense(maps.reshape(-1), "c5")), "f6")), "output")
    np.testing.assert_allclose(network(x)[0].detach().numpy(), scores, atol=1e-12)


# Section II.B of the paper: trainable parameters, and connections, where each weight and bias counts at each position.
PUBLISHED = {
    "c1": (156, 122_304),
    "s2": (12, 5_880),
    "c3": (1_516, 151_600),
    "s4": (32, 2_000),
    "c5": (48_120, 48_120),
    "f6": (10_164, 10_164),
}
# Table I of the paper, as printed: a row for each map of S2, a column for each map of C3.
TABLE = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
""".split()


def test_every_layer_of_1998_has_its_published_parameters_and_connections():
    network = models.build("lenet5")
    assert {name: counted(getattr(network, name)) for name in PUBLISHED} == {n: p for n, (p, _) in PUBLISHED.items()}
    sides = {part.name: part.output_shape for part in outline("lenet5").network.parts}
    connections = {name: counted(getattr(network, name)) * int(np.prod(sides[name][1:])) for name in ("c1", "c3", "c5")}
    connections["f6"] = counted(network.f6)
    for name in ("s2", "s4"):  # four inputs and a bias for each number that comes out
        connections[name] = 5 * int(np.prod(sides[name]))
    assert connections == {name: c for name, (_, c) in PUBLISHED.items()}
    assert sum(connections.values()) + network.output.codes.numel() == 340_908


def test_c3_sees_what_table_1_says():
    torch.manual_seed(0)
    c3 = models.build("lenet5").c3
    x = torch.randn(1, 6, 9, 9)
    before = c3(x)
    for row in range(6):
        changed = x.clone()
        changed[0, row] += 1
        moved = (c3(changed) - before).abs().amax(dim=(0, 2, 3)) > 1e-6
        assert "".join("X" if m else "." for m in moved) == TABLE[row]


def test_the_forward_of_1998_is_what_the_paper_says():
    torch.manual_seed(0)
    network = models.build("lenet5").double()
    x = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    w = in_numpy(network)

    def squash(a):
        return 1.7159 * np.tanh(2 / 3 * a)

    def subsampled(maps, layer):
        return squash(summed(maps) * w[f"{layer}.coefficient"] + w[f"{layer}.bias"])

    s2 = subsampled(squash(convolved(x[0].numpy(), w["c1.weight"], w["c1.bias"])), "s2")
    filters = [f for group in ("three", "four", "six") for f in w[f"c3.{group}.weight"]]
    biases = [b for group in ("three", "four", "six") for b in w[f"c3.{group}.bias"]]
    c3 = []
    for k in range(16):
        seen = [row for row in range(6) if TABLE[row][k] == "X"]
        if k in (4, 5, 9, 10, 11):  # neighbours in a ring, and the first map after the last: 4, 5, 0
            seen = [(k % 6 + i) % 6 for i in range(len(seen))]
        c3.append(convolved(s2[seen], filters[k][None], biases[k][None])[0])
    s4 = subsampled(squash(np.array(c3)), "s4")
    c5 = squash(w["c5.weight"].reshape(120, -1) @ s4.reshape(-1) + w["c5.bias"])
    f6 = squash(w["f6.weight"] @ c5 + w["f6.bias"])
    distances = ((f6 - w["output.codes"]) ** 2).sum(axis=1)
    outputs = network(x)[0]
    np.testing.assert_allclose(outputs.detach().numpy(), -distances / 84, atol=1e-10)
    assert outputs.argmax() == distances.argmin()


def test_the_squash_keeps_ink_and_paper():
    at = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(lenet_1998.squash(at), at, rtol=0, atol=1e-4)
    assert lenet_1998.squash(torch.tensor(100.0)).item() == pytest.approx(1.7159)


def test_the_drawings_are_ten_pictures_that_differ():
    codes = lenet_1998.codes()
    assert codes.shape == (10, 7 * 12)
    assert set(codes.flatten().tolist()) == {-1.0, 1.0}
    apart = torch.cdist(codes, codes, p=1) / 2  # pixels
    assert apart[~torch.eye(10, dtype=torch.bool)].min() >= 5
    assert not dict(models.build("lenet5").named_parameters()).keys() & {"output.codes"}


def test_a_painted_digit_is_read_as_itself():
    layer = models.build("lenet5").output
    assert (-layer(lenet_1998.codes())).argmax(dim=1).tolist() == list(range(10))
    assert layer(lenet_1998.codes()).diagonal().tolist() == [0.0] * 10


def test_first_weights_lie_where_the_appendix_says():
    torch.manual_seed(0)
    network = models.build("lenet5")
    for layer, fan_in in ((network.c1, 25), (network.c3.four, 100), (network.f6, 120), (network.s4, 4)):
        drawn = torch.cat([weight.flatten() for weight in layer.parameters()])
        assert drawn.abs().max() <= 2.4 / fan_in
        assert drawn.abs().max() > 0.8 * 2.4 / fan_in
