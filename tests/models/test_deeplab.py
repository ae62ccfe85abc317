"""DeepLab and FCN on ResNet: torchvision's networks with the same outputs, and the figures of the papers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import vgg16
from torchvision.models.segmentation import deeplabv3_resnet50, fcn_resnet50
from torchvision.models.segmentation.deeplabv3 import ASPP as TorchvisionASPP

import models
from models.cost import summarize
from models.layers.atrous_pyramid import ASPP
from models.segmentation.deeplab_v1 import dilated_vgg
from models.segmentation.dilated_resnet import DilatedResNet
from tests.networks import by_tier
from workbench.errors import UserError

BUILDERS = {"fcn-resnet50": fcn_resnet50, "deeplab-v3": deeplabv3_resnet50}
# Parameters and multiply-accumulates; torchvision publishes 152.717 and 178.722 GFLOPS for its two networks.
SIZES = {
    "fcn-resnet50": (35_322_218, 152_716_512_000),
    "deeplab-v1": (20_505_429, 50_928_085_696),
    "deeplab-v2": (37_877_652, 80_120_358_592),
    "deeplab-v2-resnet101": (44_048_532, 75_295_716_544),
    "deeplab-v3": (42_004_074, 178_721_945_088),
    "deeplab-v3plus": (40_352_181, 72_194_808_256),
    "deeplab-v3plus-resnet101": (59_344_309, 92_820_363_712),
}


def randomize(network):
    """Give norms other scales and statistics than fresh ones, which hide which are mixed up."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.3, 0.7)
            nn.init.normal_(module.bias, std=0.1)
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)


def set_statistics(network, images):
    """Give norms the statistics of some images, so that outputs differ from image to image."""
    momentum = {module: module.momentum for module in network.modules() if isinstance(module, nn.BatchNorm2d)}
    for module in momentum:
        module.momentum = 1.0
    network.train()(images)
    for module, value in momentum.items():
        module.momentum = value


def smooth_images(count, size):
    noise = torch.randn(count, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    return F.interpolate(noise, size=size, mode="bilinear")


@pytest.mark.full
@pytest.mark.parametrize("name", BUILDERS)
@torch.no_grad()
def test_outputs_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = BUILDERS[name](weights=None, weights_backbone=None, num_classes=7, aux_loss=True).eval()
    randomize(theirs)
    set_statistics(theirs, smooth_images(6, 72))
    ours = models.build(name, num_classes=7).eval()
    images = smooth_images(2, 72)
    expected = theirs.eval()(images)
    assert (ours(images)["out"] - expected["out"]).abs().max() > 1e-2  # or any network would agree
    ours.load_reference(theirs.state_dict())
    outputs = ours(images)
    assert list(outputs) == list(expected) == ["out", "aux"]
    for output in outputs:
        assert (expected[output][0] - expected[output][1]).abs().max() > 1e-2
        torch.testing.assert_close(outputs[output], expected[output], rtol=1e-5, atol=5e-5)
    # In training: the same statistics of batches, once dropout is off.
    for network in (theirs.train(), ours.train()):
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
    expected, outputs = theirs(images), ours(images)
    for output in outputs:
        torch.testing.assert_close(outputs[output], expected[output], rtol=1e-4, atol=5e-4)


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("aux_loss", [True, False])
def test_names_and_shapes_of_weights_are_torchvisions(name, aux_loss):
    with torch.device("meta"):
        theirs = BUILDERS[name](weights=None, weights_backbone=None, aux_loss=aux_loss)
        ours = models.build(name, aux_loss=aux_loss)
    assert {key: value.shape for key, value in ours.state_dict().items()} == {
        key: value.shape for key, value in theirs.state_dict().items()
    }
    assert sum(weight.numel() for weight in ours.parameters()) == sum(weight.numel() for weight in theirs.parameters())
    if aux_loss:
        assert models.reference_names(name) == list(theirs.state_dict())


@pytest.mark.parametrize("name", by_tier(SIZES, fast=("deeplab-v1",)))
def test_the_size_is_the_published_one(name):
    table = summarize(name, "paper").table()
    assert (table["params"], table["macs"]) == SIZES[name]


def test_without_the_auxiliary_classifier_the_rest_is_the_same():
    with torch.device("meta"):
        counts = {name: models.build(name, aux_loss=False) for name in BUILDERS}
    assert {name: sum(weight.numel() for weight in network.parameters()) for name, network in counts.items()} == {
        "fcn-resnet50": 32_957_013,
        "deeplab-v3": 39_638_869,
    }


@torch.no_grad()
def test_aspp_is_torchvisions():
    torch.manual_seed(0)
    theirs, ours = TorchvisionASPP(12, (2, 4, 9), 8), ASPP(12, 8, (2, 4, 9))
    randomize(theirs)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 12, 10, 7)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_a_rate_as_large_as_the_map_leaves_only_the_tap_in_the_middle():
    # DeepLab v3, section 3.3: then the 3x3 filter is a 1x1 filter.
    branch = ASPP(2, 3, (9,)).convs[1][0]
    x = torch.randn(1, 2, 9, 9)
    middle = branch.weight[:, :, 1:2, 1:2]
    torch.testing.assert_close(branch(x), F.conv2d(x, middle))
    smaller = ASPP(2, 3, (8,)).convs[1][0]
    assert not torch.allclose(smaller(x), F.conv2d(x, smaller.weight[:, :, 1:2, 1:2]))


@pytest.mark.parametrize(("output_stride", "step"), [(16, 2), (8, 4)])
@torch.no_grad()
def test_dilation_gives_the_values_of_the_strided_network_and_new_ones_in_between(output_stride, step):
    torch.manual_seed(0)
    strided = DilatedResNet((1, 2, 2, 2), 8, output_stride=32)
    randomize(strided)
    dilated = DilatedResNet((1, 2, 2, 2), 8, output_stride)
    dilated.load_state_dict(strided.state_dict())
    images = smooth_images(2, 96)
    coarse, fine = strided.eval()(images)[-1], dilated.eval()(images)[-1]
    assert (coarse.shape[2], fine.shape[2]) == (96 // 32, 96 // output_stride)
    torch.testing.assert_close(fine[..., ::step, ::step], coarse)


@torch.no_grad()
def test_the_dilated_stage_of_vgg_gives_the_values_of_a_strided_one():
    torch.manual_seed(0)
    network = dilated_vgg((1, 1, 1, 1, 2), 4, batch_norm=False)
    images = smooth_images(1, 97)
    poolings = [k for k, layer in enumerate(network) if isinstance(layer, nn.MaxPool2d)]
    fourth, fifth = poolings[3:]
    expected = F.max_pool2d(network[:fourth](images), kernel_size=3, stride=2, padding=1)
    for layer in network[fourth + 1 : fifth]:
        plain = isinstance(layer, nn.Conv2d)
        expected = F.conv2d(expected, layer.weight, layer.bias, padding=1) if plain else layer(expected)
    torch.testing.assert_close(network[:fifth](images)[..., ::2, ::2], expected)


def test_vgg16s_convolutions_are_the_backbone_of_version_1():
    with torch.device("meta"):
        ours, theirs = models.build("deeplab-v1"), vgg16(weights=None)
    names = [name for name in theirs.state_dict() if name.startswith("features.")]
    assert [name for name in ours.state_dict() if name.startswith("features.")] == names
    assert sum(weight.numel() for weight in ours.features.parameters()) == 14_714_688
    assert ours.classifier.fc6.dilation == (12, 12) and ours.classifier.fc6.kernel_size == (3, 3)


@pytest.mark.parametrize("name", ["deeplab-v1", "deeplab-v2", "deeplab-v2-resnet101"])
def test_maps_have_an_eighth_of_the_image(name):
    # The released networks read 32 k - 31 pixels, such as 321, of which poolings leave 161, 81 and 41.
    with torch.device("meta"):
        network = models.build(name).eval()
        sizes = {size: network(torch.zeros(1, 3, size, size)).shape[1:] for size in (321, 513)}
    assert sizes == {321: (21, 41, 41), 513: (21, 65, 65)}


def test_poolings_of_version_1_halve_three_times():
    with torch.device("meta"):
        x, sizes = torch.zeros(1, 3, 321, 321), []
        for layer in models.build("deeplab-v1").features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                sizes.append(x.shape[-1])
    assert sizes == [161, 81, 41, 41, 41]


def test_rates_and_strides_are_the_papers():
    with torch.device("meta"):
        networks = {name: models.build(name) for name in SIZES}
        images = torch.zeros(1, 3, 513, 513)
        maps = [tuple(x.shape[1:]) for x in networks["deeplab-v3plus"].backbone(images)]
    assert maps == [(256, 129, 129), (512, 65, 65), (1024, 33, 33), (2048, 33, 33)]
    assert [branch[0].dilation[0] for branch in networks["deeplab-v3plus"].aspp.convs[1:4]] == [6, 12, 18]
    assert [branch[0].dilation[0] for branch in networks["deeplab-v3"].classifier[0].convs[1:4]] == [12, 24, 36]
    assert [branch.fc6.dilation[0] for branch in networks["deeplab-v2"].branches] == [6, 12, 18, 24]
    assert [branch.dilation[0] for branch in networks["deeplab-v2-resnet101"].branches] == [6, 12, 18, 24]


@torch.no_grad()
def test_version_2_adds_the_logits_of_its_branches():
    torch.manual_seed(0)
    network = models.build("deeplab-v2-resnet101", "mini").eval()
    images = smooth_images(2, 65)
    features = network.backbone(images)[-1]
    assert features.shape[2:] == (9, 9)
    weights = [F.conv2d(features, b.weight, padding=b.padding, dilation=b.dilation) for b in network.branches]
    biases = sum(branch.bias for branch in network.branches)[:, None, None]
    torch.testing.assert_close(network(images), sum(weights) + biases, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SIZES)
@torch.no_grad()
def test_images_of_other_sizes_are_read(name):
    outputs = models.build(name, "mini").eval()(torch.zeros(1, 3, 50, 75))
    logits = outputs["out"] if isinstance(outputs, dict) else outputs
    is_map = name.startswith(("deeplab-v1", "deeplab-v2"))
    assert logits.shape[2:] == ((7, 10) if is_map else (50, 75))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("deeplab-v3", dict(output_stride=4), "output_stride must be 8, 16 or 32, not 4"),
        ("deeplab-v3", dict(rates=()), "rates must be one or more numbers of 1 or more"),
        ("deeplab-v3plus", dict(num_classes=0), "num_classes must be 1 or more"),
        ("fcn-resnet50", dict(num_classes=0), "num_classes must be 1 or more"),
        ("deeplab-v2", dict(backbone="alexnet"), "backbone must be vgg or resnet, not 'alexnet'"),
        ("deeplab-v2", dict(rates=(6, 0)), "rates must be one or more numbers of 1 or more"),
        ("deeplab-v1", dict(rate=0), "rate must be 1 or more"),
    ],
)
def test_options_that_fit_no_network_are_rejected(name, options, message):
    with pytest.raises(UserError, match=message):
        models.build(name, "mini", **options)


def test_a_training_step_on_a_single_image_is_rejected():
    network = models.build("deeplab-v3", "mini")
    with pytest.raises(UserError, match="a training step needs two images or more: raise batch_size"):
        network(torch.zeros(1, 3, 64, 64))
