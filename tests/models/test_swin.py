"""Swin against timm, and its windows and shifts against a brute force over all pairs of tokens."""

import pytest
import timm
import torch

import models
from models.cost import summarize
from models.layers.dot_product_attention import recorded_attention
from models.layers.windows import merge_windows, split_windows
from models.vision.swin import PatchMerging, WindowAttention, relative_positions
from tests.models.test_vit import trained
from workbench.errors import UserError

SWINS = {name: name.replace("-", "_") + "_patch4_window7_224" for name in ("swin-tiny", "swin-small", "swin-base")}


@torch.no_grad()
def test_outputs_are_those_of_timm():
    sizes = dict(embed_dim=12, depths=(2, 2, 2), num_heads=(2, 3, 4), window_size=4)
    theirs = trained(timm.create_model("swin_tiny_patch4_window7_224", img_size=64, num_classes=7, **sizes))
    for name, table in theirs.named_parameters():
        if name.endswith("bias_table"):
            table.normal_()
    ours = models.build("swin-tiny", image_size=64, num_classes=7, **sizes).eval()  # maps of 16, 8 and 4: one unshifted
    ours.load_reference(theirs.state_dict())
    images = torch.randn(3, 3, 64, 64)
    assert (theirs(images)[0] - theirs(images)[1]).abs().max() > 1e-2
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=1e-5)


@pytest.mark.full
@torch.no_grad()
def test_outputs_of_the_published_size_are_those_of_timm():
    theirs = trained(timm.create_model(SWINS["swin-tiny"]))
    ours = models.build("swin-tiny").eval()
    ours.load_reference(theirs.state_dict())
    images = torch.randn(2, 3, 224, 224)
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", SWINS)
def test_names_and_shapes_are_those_of_timm(name):
    with torch.device("meta"):
        theirs, ours = timm.create_model(SWINS[name]), models.build(name)
    ours.load_reference(theirs.state_dict())
    assert models.reference_names(name) == list(theirs.state_dict())


def test_macs_and_maps_are_the_published():
    network = summarize("swin-tiny").network
    assert network.total_macs == 4_490_566_656
    layers = {layer.name: layer for layer in network.walk()}
    maps = [layers[f"layers.{k}"].output_shape for k in range(4)]
    assert maps == [[56, 56, 96], [28, 28, 192], [14, 14, 384], [7, 7, 768]]
    with torch.device("meta"):
        network = models.build("swin-tiny")
    assert [[block.attn.shift for block in stage.blocks] for stage in network.layers] == [
        [0, 3],
        [0, 3],
        [0, 3, 0, 3, 0, 3],
        [0, 0],  # the map is one window
    ]


@pytest.mark.parametrize(("grid_size", "window_size", "shift"), [(8, 4, 0), (8, 4, 2), (9, 3, 1), (6, 2, 1), (4, 4, 0)])
def test_exactly_the_tokens_of_a_shifted_window_attend_to_each_other(grid_size, window_size, shift):
    torch.manual_seed(0)
    layer = WindowAttention(8, 2, grid_size, window_size, shift).double()
    x = torch.randn(1, grid_size, grid_size, 8, dtype=torch.double, requires_grad=True)
    output = layer(x)
    # In the image, windows begin at the shift; those in front of it and behind the last are cut off by its border.
    window = [(place - shift) // window_size for place in range(grid_size)]
    for row in range(grid_size):
        for column in range(grid_size):
            (gradient,) = torch.autograd.grad(output[0, row, column].sum(), x, retain_graph=True)
            attends = (gradient[0] != 0).any(dim=2).tolist()  # a token that is masked leaks nothing at all
            for other_row in range(grid_size):
                for other_column in range(grid_size):
                    is_same = (window[row], window[column]) == (window[other_row], window[other_column])
                    assert attends[other_row][other_column] == is_same


@torch.no_grad()
def test_window_attention_is_attention_between_all_tokens_with_a_mask_and_a_bias():
    torch.manual_seed(0)
    grid, size, shift, heads, features = 6, 3, 1, 2, 8
    layer = WindowAttention(features, heads, grid, size, shift).double()
    layer.relative_position_bias_table.normal_()
    x = torch.randn(2, grid, grid, features).double()
    places = [(row, column) for row in range(grid) for column in range(grid)]
    bias = torch.full((heads, grid**2, grid**2), -torch.inf).double()
    for i, (row, column) in enumerate(places):
        for k, (other_row, other_column) in enumerate(places):
            if all((a - shift) // size == (b - shift) // size for a, b in ((row, other_row), (column, other_column))):
                number = (row - other_row + size - 1) * (2 * size - 1) + column - other_column + size - 1
                bias[:, i, k] = layer.relative_position_bias_table[number]
    query, key, value = (
        each.unflatten(2, (heads, -1)).transpose(1, 2) for each in layer.qkv(x.flatten(1, 2)).chunk(3, dim=2)
    )
    weights = (query @ key.transpose(2, 3) / (features // heads) ** 0.5 + bias).softmax(dim=3)
    expected = layer.proj((weights @ value).transpose(1, 2).flatten(2)).view(x.shape)
    torch.testing.assert_close(layer(x), expected)


def test_windows_can_be_put_together_again():
    x = torch.arange(2 * 6 * 6 * 3).view(2, 6, 6, 3)
    windows = split_windows(x, 3)
    assert torch.equal(windows[4 + 1], x[1, :3, 3:].flatten(0, 1))
    assert torch.equal(merge_windows(windows, 3, 6), x)


def test_offsets_have_a_number_each():
    index = relative_positions(7)
    assert index.shape == (49, 49) and index.unique().tolist() == list(range(169))
    assert (index.diagonal() == 84).all()  # the offset 0, in the middle of 13x13


@torch.no_grad()
def test_merging_is_torchvisions():
    from torchvision.models.swin_transformer import PatchMerging as Theirs

    theirs, ours = Theirs(6), PatchMerging(6)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 4, 8, 6)
    torch.testing.assert_close(ours(x), theirs(x))


def test_attention_is_recorded_by_window():
    network = models.build("swin-tiny", "mini").eval()
    with torch.no_grad(), recorded_attention(network) as weights:
        network(torch.randn(2, 1, 32, 32))
    assert [tuple(each.shape) for each in weights.values()] == [(8, 2, 16, 16)] * 2 + [(2, 4, 16, 16)] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 30}, "image_size must be a multiple of the patch size 4"),
        ({"image_size": 24}, "windows of 4x4 don't cover a map of 6x6 tokens"),
        ({"image_size": 4}, "a map of 1x1 tokens can't be merged"),
        ({"num_heads": (2,)}, "one of each for every stage"),
    ],
)
def test_impossible_arguments_are_one_sentence(options, message):
    with pytest.raises(UserError, match=message):
        models.build("swin-tiny", "mini", **options)
