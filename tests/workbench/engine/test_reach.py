"""The theoretical receptive field: against published sizes, the closed form, and where gradients really arrive."""

from math import prod

import pytest
import torch
from torch import Tensor, nn

import models
from workbench.engine.inside.field import gradient, theoretical
from workbench.engine.inside.reach import fields

C3, POOL = (3, 1), (2, 2)
VGG16 = [*2 * [C3], POOL, *2 * [C3], POOL, *3 * [C3], POOL, *3 * [C3], POOL, *3 * [C3]]
ALEXNET = [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1)]
RESNET18 = [(7, 2), (3, 2), *4 * [C3], *3 * [(3, 2), *3 * [C3]]]
RESNET50 = [(7, 2), (3, 2), *3 * [C3], *((3, 2), *3 * [C3]), *((3, 2), *5 * [C3]), *((3, 2), *2 * [C3])]
# The last block has stride 1.
MOBILENET = [(3, 2), C3, (3, 2), C3, (3, 2), C3, (3, 2), *5 * [C3], (3, 2), C3]


def closed_form(chain: list[tuple[int, int]]) -> int:
    """1 + the sum of (kernel - 1) times all strides before it."""
    return 1 + sum((kernel - 1) * prod(stride for _, stride in chain[:k]) for k, (kernel, _) in enumerate(chain))


def sizes(network: nn.Module, side: int = 224) -> dict[str, tuple[int | None, int | None]]:
    found = fields(network.eval(), torch.zeros(1, 3, side, side, device="meta"))
    return {name: (field.y.size, field.x.size) for name, field in found.items()}


def on_meta(build, *args) -> nn.Module:
    with torch.device("meta"):
        return build(*args)


def torchvisions(name: str) -> nn.Module:
    import torchvision

    return torchvision.models.get_model(name, weights=None)


@pytest.mark.parametrize(
    ("build", "layer", "chain", "published"),
    [
        (lambda: torchvisions("vgg16"), "features.28", VGG16, 196),  # conv5_3
        (lambda: torchvisions("vgg16"), "features.30", [*VGG16, POOL], 212),  # pool5
        (lambda: torchvisions("alexnet"), "features.10", ALEXNET, 163),
        (lambda: torchvisions("alexnet"), "features.12", [*ALEXNET, (3, 2)], 195),
        (lambda: torchvisions("resnet18"), "layer4.1.conv2", RESNET18, 435),
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


def test_a_mean_over_all_places_sees_everything():
    found = sizes(on_meta(models.build, "efficientnet-b0"))
    assert found["stem"] == (3, 3) and found["head"] == (None, None)  # behind squeeze-and-excitation
    assert sizes(on_meta(models.build, "resnet18"))["fc"] == (None, None)


class Residual(nn.Module):
    """A strided block with a shortcut, then branches of two sizes side by side."""

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
    """Every third place, from the second on, then with its neighbour on the left; channels last in between."""

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
    torch.manual_seed(0)  # with some weights a ReLU lets no gradient pass
    network = build().double().eval()
    shape = getattr(network, "input_shape", (1, 48, 48))
    batch = torch.rand(64, *shape, dtype=torch.double)  # many: a ReLU or a maximum may cut some of a sample off
    field = fields(network, batch[:1])[layer]
    made: list[Tensor] = []
    hook = network.get_submodule(layer).register_forward_hook(lambda *seen: made.append(seen[2]))
    network(batch[:1])
    hook.remove()
    unit = (made[0].shape[2] // 2, made[0].shape[3] // 2)
    expected = theoretical(field, unit)
    seen = gradient(network, layer, batch, unit).abs().sum(dim=(0, 1)) > 0
    for axis in (0, 1):
        places = seen.any(dim=1 - axis).nonzero()[:, 0]
        assert expected["first"][axis] >= 0 and expected["first"][axis] + expected["size"][axis] <= shape[1 + axis]
        assert (int(places[0]), len(range(places[0], places[-1] + 1))) == (
            expected["first"][axis],
            expected["size"][axis],
        )


def test_a_field_reaches_beyond_the_picture_at_its_edge():
    network = nn.Sequential(nn.Conv2d(1, 1, 5, 2, 2), nn.Conv2d(1, 1, 3, 1, 1))
    field = fields(network, torch.zeros(1, 1, 8, 8))["1"]
    # 5 + 2*2 pixels; the first place begins 2 + 1*2 before the picture, the next 2 further on
    assert theoretical(field, (0, 1)) == {"size": [9, 9], "first": [-4, -2]}


@pytest.mark.parametrize("lost", [lambda x: x.flip(2), lambda x: x.softmax(dim=3), lambda x: x - x.mean((2, 3), True)])
def test_what_is_not_known_to_stay_near_may_see_everything(lost):
    class Far(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(lost(x))

    field = fields(Far(), torch.rand(1, 1, 8, 8))["conv"]
    assert theoretical(field, (2, 2)) == {"size": [None, None], "first": [None, None]}
