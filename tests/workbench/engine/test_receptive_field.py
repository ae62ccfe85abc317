"""Theoretical receptive fields: against published sizes, the closed form, and the pixels that gradients arrive at."""

from functools import partial
from math import prod

import pytest
import torch
from torch import Tensor, nn

import models
from workbench.engine.interpret.axis_field import receptive_fields
from workbench.engine.interpret.feature_maps import record
from workbench.engine.interpret.receptive_field import theoretical, unit_gradient

C3, POOL = (3, 1), (2, 2)
VGG16 = [*2 * [C3], POOL, *2 * [C3], POOL, *3 * [C3], POOL, *3 * [C3], POOL, *3 * [C3]]
ALEXNET = [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1)]
RESNET18 = [(7, 2), (3, 2), *4 * [C3], *3 * [(3, 2), *3 * [C3]]]
RESNET50 = [(7, 2), (3, 2), *3 * [C3], *((3, 2), *3 * [C3]), *((3, 2), *5 * [C3]), *((3, 2), *2 * [C3])]
# The last block has stride 1.
MOBILENET = [(3, 2), C3, (3, 2), C3, (3, 2), C3, (3, 2), *5 * [C3], (3, 2), C3]


def closed_form(chain: list[tuple[int, int]]) -> int:
    """Return 1 + the sum of (kernel size - 1) times all strides before it."""
    return 1 + sum((kernel - 1) * prod(stride for _, stride in chain[:k]) for k, (kernel, _) in enumerate(chain))


def fields_of(network: nn.Module, batch: Tensor):
    return receptive_fields(network.eval(), partial(network, batch))


def sizes(network: nn.Module, image_size: int = 224) -> dict[str, tuple[int | None, int | None]]:
    fields = fields_of(network, torch.zeros(1, 3, image_size, image_size, device="meta"))
    return {name: (field.y.size, field.x.size) for name, field in fields.items()}


def on_meta(build, *args) -> nn.Module:
    with torch.device("meta"):
        return build(*args)


def from_torchvision(name: str) -> nn.Module:
    import torchvision

    return torchvision.models.get_model(name, weights=None)


@pytest.mark.parametrize(
    ("build", "layer", "chain", "published"),
    [
        (lambda: from_torchvision("vgg16"), "features.28", VGG16, 196),  # conv5_3
        (lambda: from_torchvision("vgg16"), "features.30", [*VGG16, POOL], 212),  # pool5
        (lambda: from_torchvision("alexnet"), "features.10", ALEXNET, 163),
        (lambda: from_torchvision("alexnet"), "features.12", [*ALEXNET, (3, 2)], 195),
        (lambda: from_torchvision("resnet18"), "layer4.1.conv2", RESNET18, 435),
        (lambda: models.build("resnet18"), "layer4.1.conv2", RESNET18, 435),
        (lambda: models.build("resnet50"), "layer4.2.conv3", RESNET50, 427),
        (lambda: models.build("mobilenet-v1"), "blocks.12.pointwise", MOBILENET, 315),
    ],
    ids=[
        "vgg16",
        "vgg16 pool5",
        "alexnet",
        "alexnet pool5",
        "torchvision resnet18",
        "resnet18",
        "resnet50",
        "mobilenet",
    ],
)
def test_published_sizes(build, layer, chain, published):
    assert closed_form(chain) == published
    assert sizes(on_meta(build))[layer] == (published, published)


def test_after_a_mean_over_all_positions_the_field_is_the_whole_image():
    fields = sizes(on_meta(models.build, "efficientnet-b0"))
    assert fields["stem"] == (3, 3) and fields["head"] == (None, None)  # after squeeze-and-excitation
    assert sizes(on_meta(models.build, "resnet18"))["fc"] == (None, None)


class Residual(nn.Module):
    """A strided block with a shortcut, then branches of two kernel sizes."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 2, (3, 5), padding=(1, 2))
        self.main = nn.Sequential(nn.Conv2d(2, 2, 3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(2, 2, 3, 1, 2, dilation=2))
        self.shortcut = nn.Conv2d(2, 2, 1, 2)
        self.small, self.large = nn.Conv2d(2, 1, 1), nn.Conv2d(2, 1, (7, 1), padding=(3, 0))
        self.last = nn.Conv2d(2, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu_()
        x = self.main(x) + self.shortcut(x)
        return self.last(torch.cat([self.small(x), self.large(x)], dim=1))


class Sliced(nn.Module):
    """Every third position from the second on, then added to its left neighbor; channels last in between."""

    def __init__(self):
        super().__init__()
        self.conv, self.dense, self.norm = nn.Conv2d(1, 2, 3), nn.Linear(2, 2), nn.LayerNorm(2)
        self.last = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)[:, [1, 0], 1::3, 1::3]
        x = x[..., :-1] + x[..., 1:]
        return self.last(self.norm(self.dense(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2))


NETWORKS = {
    "plain": (
        lambda: nn.Sequential(nn.Conv2d(1, 3, 5, 2, 2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(3, 2, 3, dilation=3)),
        "3",
    ),
    "uneven pooling": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.AvgPool2d((3, 2), (2, 3), (1, 0)), nn.Conv2d(2, 1, 2)),
        "2",
    ),
    "padded": (lambda: nn.Sequential(nn.ZeroPad2d((1, 2, 3, 0)), nn.Conv2d(1, 1, 4, 3)), "1"),
    "branches": (Residual, "last"),
    "slices": (Sliced, "last"),
    "lenet5": (lambda: models.build("lenet5", image_size=44), "s4"),
    "lenet5 c3": (lambda: models.build("lenet5", image_size=44), "c3"),
    "lenet5-modern": (lambda: models.build("lenet5-modern", image_size=44), "c3"),
    "densenet": (lambda: models.build("densenet121", "mini", num_classes=10, image_size=64), "features.denseblock1"),
    "mobilenet-v2": (lambda: models.build("mobilenet-v2", "mini", image_size=96), "stages.1"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_arrive_exactly_within_the_field(name):
    build, layer = NETWORKS[name]
    torch.manual_seed(0)  # with some weights, a ReLU lets no gradient pass
    network = build().double().eval()
    shape = getattr(network, "input_shape", (1, 48, 48))
    batch = torch.rand(64, *shape, dtype=torch.double)  # many, because a ReLU or a max may cut some pixels off
    field = fields_of(network, batch[:1])[layer]
    _, maps = record(network, partial(network, batch[:1]))
    unit = (maps[layer].shape[2] // 2, maps[layer].shape[3] // 2)
    expected = theoretical(field, unit)
    is_nonzero = unit_gradient(network, partial(network, batch), layer, unit).abs().sum(dim=(0, 1)) > 0
    for axis in (0, 1):
        positions = is_nonzero.any(dim=1 - axis).nonzero()[:, 0]
        assert expected["first"][axis] >= 0 and expected["first"][axis] + expected["size"][axis] <= shape[1 + axis]
        assert (int(positions[0]), len(range(positions[0], positions[-1] + 1))) == (
            expected["first"][axis],
            expected["size"][axis],
        )


def test_a_field_extends_beyond_the_image_at_its_border():
    network = nn.Sequential(nn.Conv2d(1, 1, 5, 2, 2), nn.Conv2d(1, 1, 3, 1, 1))
    field = fields_of(network, torch.zeros(1, 1, 8, 8))["1"]
    # 5 + 2*2 pixels; that of position 0 begins 2 + 1*2 pixels before the image, the next one 2 pixels later
    assert theoretical(field, (0, 1)) == {"size": [9, 9], "first": [-4, -2]}


@pytest.mark.parametrize("mix", [lambda x: x.flip(2), lambda x: x.softmax(dim=3), lambda x: x - x.mean((2, 3), True)])
def test_after_an_operation_that_is_not_local_the_field_is_the_whole_image(mix):
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(mix(x))

    field = fields_of(Mixed(), torch.rand(1, 1, 8, 8))["conv"]
    assert theoretical(field, (2, 2)) == {"size": [None, None], "first": [None, None]}


def test_another_input_does_not_change_the_field_of_the_image():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.dense = nn.Conv2d(1, 2, 3), nn.Linear(4, 2)

        def forward(self, step: Tensor, image: Tensor, condition: Tensor) -> Tensor:
            return self.conv(image) + self.dense(condition)[:, :, None, None]

    network = Conditional()
    image = torch.rand(1, 1, 8, 8)
    forward = partial(network, torch.zeros(1, dtype=torch.long), image, condition=torch.rand(1, 4))
    field = receptive_fields(network, forward)[""]
    assert theoretical(field, (1, 2)) == {"size": [3, 3], "first": [1, 2]}
    gradient = unit_gradient(network, forward, "conv", (1, 2))
    expected = torch.zeros(8, 8)
    expected[1:4, 2:5] = network.conv.weight.sum(dim=(0, 1)).detach()
    assert torch.allclose(gradient[0, 0], expected)
