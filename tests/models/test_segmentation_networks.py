"""Encoder-decoders for segmentation: the papers' shapes and sizes, and torch's own operations."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import models
from models.cost import summarize
from models.segmentation.fcn import FCN, bilinear_kernel, crop_offsets
from models.segmentation.unet import UNet, check_size
from models.tracing import example_inputs

# Multiply-accumulates of one sample, each computed by hand or by another program from the layers of the paper.
MACS = {
    "segnet": 31_213_486_080,
    "fcn32s": 181_365_854_976,
    "fcn16s": 181_448_086_272,
    "fcn8s": 181_529_034_048,
    "unet": 150_428_424_448,
    "unet-padded": 48_096_083_968,
    "residual-unet": 34_627_059_712,
    "attention-unet": 66_424_930_304,
}


def outputs_of(network, kind):
    """Return the shapes (channels, height) of the outputs of all modules of a kind, in the order of their use."""
    shapes = []
    handles = [
        module.register_forward_hook(lambda _, inputs, output: shapes.append(tuple(output.shape[1:3])))
        for module in network.modules()
        if isinstance(module, kind)
    ]
    with torch.device("meta"):
        network(*example_inputs(network))
    for handle in handles:
        handle.remove()
    return shapes


def on_meta(name):
    with torch.device("meta"):
        return models.build(name).eval()


@pytest.mark.full
@pytest.mark.parametrize("name", MACS)
def test_macs_are_the_published(name):
    assert summarize(name).table()["macs"] == MACS[name]


def test_u_nets_maps_are_those_of_the_papers_figure():
    network = on_meta("unet")
    assert [height for _, height in outputs_of(network, nn.Conv2d)] == [
        *(570, 568, 282, 280, 138, 136, 66, 64, 30, 28),
        *(54, 52, 102, 100, 198, 196, 390, 388, 388),
    ]
    assert sum(isinstance(module, nn.Conv2d | nn.ConvTranspose2d) for module in network.modules()) == 23
    assert network.margin == (572 - 388) // 2


@pytest.mark.parametrize(("levels", "size"), [(1, 20), (2, 60), (3, 92), (4, 188)])
def test_the_margin_of_a_u_net_is_what_its_output_lacks(levels, size):
    network = UNet(1, 2, channels=1, levels=levels, image_size=size).eval()
    assert network(torch.zeros(1, 1, size, size)).shape[2] == size - 2 * network.margin
    assert UNet(1, 2, 1, levels, padding=1, image_size=16)(torch.zeros(1, 1, 16, 16)).shape == (1, 2, 16, 16)


def test_sizes_that_a_pooling_cannot_halve_are_rejected():
    valid = []
    for size in range(140, 220):
        try:
            check_size(size, levels=4, padding=0)
            valid.append(size)
        except ValueError:
            continue
    # Every map that is pooled must be even: brute force over the operations themselves.
    expected = []
    for size in range(140, 220):
        heights, height = [], size
        for _ in range(4):
            heights.append(height - 4)
            height = (height - 4) // 2
        if all(each % 2 == 0 for each in heights) and height > 4:
            expected.append(size)
    assert valid == expected and valid[0] % 16 == 572 % 16


def test_without_skips_the_decoder_reads_its_own_map_alone():
    with_skips, without = (
        UNet(1, 2, 4, 2, padding=1, skips=skips, image_size=16, dropout=0) for skips in (True, False)
    )
    image = torch.randn(2, 1, 16, 16)
    assert without(image).shape == with_skips(image).shape
    difference = sum(w.numel() for w in with_skips.parameters()) - sum(w.numel() for w in without.parameters())
    assert difference == 9 * (8 * 8 + 4 * 4)  # the 3x3 weights of the encoder's maps at both levels


def test_segnet_unpools_to_the_positions_of_the_maxima():
    torch.manual_seed(0)
    network = models.build("segnet", "mini").eval()
    unpooled, pooled = [], []
    for stage in network.decoder:
        stage.register_forward_pre_hook(lambda _, inputs: unpooled.append(inputs[0]))
    for layer in network.features:
        if isinstance(layer, nn.MaxPool2d):
            layer.register_forward_hook(lambda _, inputs, output: pooled.append((inputs[0], output[1])))
    network(torch.randn(2, 3, 64, 64))
    for maps, (before, indices) in zip(unpooled, reversed(pooled), strict=True):
        assert maps.shape[2:] == before.shape[2:]
        is_maximum = (
            F.max_unpool2d(torch.ones_like(indices, dtype=torch.float32), indices, 2, output_size=before.shape) > 0
        )
        assert is_maximum.float().mean() == 1 / 4 and (maps[~is_maximum] == 0).all()
        windows = before.unfold(2, 2, 2).unfold(3, 2, 2).flatten(-2)
        assert torch.equal(before[is_maximum].sort().values, windows.amax(-1).flatten().sort().values)


def test_segnets_encoder_is_torchvisions_vgg16_with_batch_norm():
    import torchvision

    with torch.device("meta"):
        theirs = torchvision.models.vgg16_bn(weights=None).features.state_dict()
        ours = models.build("segnet").features.state_dict()
    assert {key: value.shape for key, value in theirs.items()} == {key: value.shape for key, value in ours.items()}


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_the_bilinear_kernel_interpolates_as_torch_does(scale):
    maps = torch.randn(1, 1, 5, 6)
    layer = nn.ConvTranspose2d(1, 1, 2 * scale, stride=scale, padding=scale // 2, bias=False)
    layer.weight.data = bilinear_kernel(2 * scale)[None, None]
    ours, theirs = layer(maps), F.interpolate(maps, scale_factor=scale, mode="bilinear", align_corners=False)
    inner = (..., slice(scale, -scale), slice(scale, -scale))  # at the edges, torch repeats pixels instead of zeros
    torch.testing.assert_close(ours[inner], theirs[inner])


def test_fcns_crops_are_those_of_the_authors_networks():
    assert crop_offsets(7, 100) == {32: ((), 19), 16: ((5,), 27), 8: ((5, 9), 31)}


@pytest.mark.parametrize(("kernel_size", "padding"), [(3, 33), (7, 100), (5, 70)])
@pytest.mark.parametrize("stride", [32, 16, 8])
def test_scores_and_image_are_aligned(stride, kernel_size, padding):
    """A bright block moves the scores of a network that adds up what it sees, and they must be centered where it is."""
    network = FCN(
        stride, (1,) * 5, False, 1, 1, kernel_size, padding, num_classes=1, image_size=160, dropout=0
    ).double()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            nn.init.zeros_(module.bias)
    for layer in network.features:
        if isinstance(layer, nn.MaxPool2d):
            layer.forward = lambda x: F.avg_pool2d(x, 2, ceil_mode=True)  # linear, and as symmetric
    image = torch.zeros(1, 3, 160, 160, dtype=torch.double)
    image[..., 64:96, 64:96] = 1
    with torch.no_grad():
        scores, flipped = (network(each)[0, 0] for each in (image, image.flip(-1)))
    assert scores.shape == (160, 160)
    centers = [((each.sum(dim=0) * torch.arange(160)).sum() / each.sum()).item() for each in (scores, flipped)]
    assert centers == pytest.approx([79.5, 79.5], abs=1.0)


def test_fcn_reads_images_of_any_size_and_a_finer_one_starts_as_fcn32s():
    torch.manual_seed(0)
    sizes = dict(depths=(1,) * 5, channels=2, hidden_size=8, num_classes=5, image_size=64)
    coarse, fine = (FCN(stride, **sizes).eval() for stride in (32, 8))
    for size in ((64, 64), (50, 83), (97, 33)):
        assert fine(torch.randn(1, 3, *size)).shape == (1, 5, *size)
    fine.load_state_dict(
        {key: value for key, value in coarse.state_dict().items() if key != "upsample.weight"}, strict=False
    )
    nn.init.normal_(coarse.score.weight)
    fine.score.load_state_dict(coarse.score.state_dict())
    image = torch.randn(1, 3, 64, 64)
    # Two and then eight times bilinear is nearly 32 times bilinear.
    ours, theirs = fine(image), coarse(image)
    assert torch.corrcoef(torch.stack([ours.flatten(), theirs.flatten()]))[0, 1] > 0.98


def test_the_last_upsampling_of_fcn_is_fixed_and_the_others_learn():
    network = models.build("fcn8s", "mini")
    assert [name for name, weight in network.named_parameters() if not weight.requires_grad] == ["upsample.weight"]


def test_attention_is_computed_pixel_by_pixel():
    torch.manual_seed(0)
    network = models.build("attention-unet", "mini").eval()
    gate = network.gates[0]
    decoder_map, encoder_map = (torch.randn(1, 32, 16, 16) for _ in range(2))
    alpha = gate(decoder_map, encoder_map)
    assert alpha.shape == (1, 1, 16, 16) and (alpha > 0).all() and (alpha < 1).all()

    def of_pixel(y, x):
        hidden = sum(
            norm(F.linear(maps[:, :, y, x], conv.weight[:, :, 0, 0], conv.bias)[..., None, None])
            for maps, (conv, norm) in ((decoder_map, gate.of_decoder), (encoder_map, gate.of_encoder))
        ).clamp(min=0)
        return torch.sigmoid(gate.psi(hidden)).item()

    assert [alpha[0, 0, y, x].item() for y, x in ((0, 0), (7, 3))] == pytest.approx([of_pixel(0, 0), of_pixel(7, 3)])


def test_a_residual_u_net_halves_by_strides_and_has_fifteen_levels():
    network = on_meta("residual-unet")
    assert not any(isinstance(module, nn.MaxPool2d) for module in network.modules())
    maps = outputs_of(network, type(network.encoder[0]))
    assert maps == [(64, 224), (128, 112), (256, 56), (512, 28), (256, 56), (128, 112), (64, 224)]
    assert all(before[0] != after[0] for before, after in pairwise(maps))
    convolutions = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    assert sum("shortcut" not in name for name in convolutions) == 15
