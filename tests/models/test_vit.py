"""ViT, T2T-ViT and the cut into patches against torch's operations, their papers and timm."""

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

import models
from models.cost import summarize
from models.layers.dot_product_attention import recorded_attention
from models.layers.patches import PatchEmbedding, patchify, unpatchify
from models.layers.vit_block import Block, SelfAttention
from models.vision.t2t_vit import TokenPerformer, soft_split
from tests.networks import by_tier
from workbench.errors import UserError

VITS = {
    "vit-ti16": "vit_tiny_patch16_224",
    "vit-s16": "vit_small_patch16_224",
    "vit-b16": "vit_base_patch16_224",
    "vit-l16": "vit_large_patch16_224",
}


def trained(network):
    """Give a network large weights and any norms and biases: fresh ones would hide which of them are mixed up."""
    torch.manual_seed(0)
    for name, weight in network.named_parameters():
        nn.init.normal_(weight, "norm" in name and name.endswith("weight"), 0.3 if weight.dim() < 2 else 0.1)
    return network.eval()


@torch.no_grad()
@pytest.mark.parametrize("name", by_tier(VITS, fast=["vit-ti16"]))
def test_outputs_are_those_of_timm(name):
    theirs = trained(timm.create_model(VITS[name], img_size=32, depth=2, num_classes=7))
    ours = models.build(name, image_size=32, depth=2, num_classes=7).eval()
    ours.load_reference(theirs.state_dict())
    images = torch.randn(2, 3, 32, 32)
    assert (theirs(images)[0] - theirs(images)[1]).abs().max() > 1e-2
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", VITS)
def test_names_shapes_and_dropout_are_those_of_timm(name):
    with torch.device("meta"):
        theirs, ours = timm.create_model(VITS[name]), models.build(name)
    ours.load_reference(theirs.state_dict())
    assert {key: value.shape for key, value in ours.state_dict().items()} == {
        key: value.shape for key, value in theirs.state_dict().items()
    }
    assert models.reference_names(name) == list(theirs.state_dict())
    assert {norm.eps for norm in ours.modules() if isinstance(norm, nn.LayerNorm)} == {1e-6}


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("vit-ti16", 1_253_683_200),
        ("vit-b16", 12 * 197 * 7_077_888 + 12 * 2 * 197**2 * 768 + 196 * 768 * 768 + 768_000),  # by hand
        ("t2t-vit-14", 4_783_468_544),
    ],
)
def test_macs_are_the_published(name, macs):
    assert summarize(name).table()["macs"] == macs


def test_a_patch_embedding_is_a_dense_layer_on_patches():
    torch.manual_seed(0)
    layer, images = PatchEmbedding(12, 4, 3, 10).double(), torch.randn(2, 3, 12, 12).double()
    weight = layer.proj.weight.permute(0, 2, 3, 1).flatten(1)  # channels last, as `patchify` has them
    tokens = F.linear(patchify(images, 4), weight, layer.proj.bias)
    torch.testing.assert_close(layer(images).flatten(1, 2), tokens)


def test_patches_are_rows_of_pixels_and_can_be_put_together_again():
    images = torch.arange(2 * 3 * 6 * 6).view(2, 3, 6, 6)
    patches = patchify(images, 2)
    assert patches.shape == (2, 9, 12)
    assert torch.equal(patches[1, 5], images[1, :, 2:4, 4:6].permute(1, 2, 0).flatten())  # row 1, column 2 of 3x3
    assert torch.equal(unpatchify(patches, 2, 3), images)


def test_a_block_is_torchs_layer_with_its_norms_first():
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(12, 3, 48, 0.0, F.gelu, 1e-6, batch_first=True, norm_first=True)
    ours = Block(12, SelfAttention(12, 3))
    names = dict(zip(ours.state_dict(), ("norm1.weight", "norm1.bias", "self_attn.in_proj_weight",
        "self_attn.in_proj_bias", "self_attn.out_proj.weight", "self_attn.out_proj.bias", "norm2.weight", "norm2.bias",
        "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"), strict=True))  # fmt: skip
    weights = trained(theirs).state_dict()
    ours.load_state_dict({own: weights[other] for own, other in names.items()})
    x = torch.randn(2, 5, 12)
    torch.testing.assert_close(ours(x), theirs(x))


def test_every_block_attends_to_all_tokens():
    network = models.build("vit-ti16", "mini").eval()
    with torch.no_grad(), recorded_attention(network) as weights:
        network(torch.randn(2, 1, 28, 28))
    assert [tuple(each.shape) for each in weights.values()] == [(2, 2, 50, 50)] * 4
    assert all(each.sum(dim=3).sub(1).abs().max() < 1e-5 for each in weights.values())


def test_without_positions_the_order_of_patches_does_not_matter():
    torch.manual_seed(0)
    network, images = models.build("vit-ti16", "mini").eval(), torch.randn(1, 1, 28, 28)
    moved = unpatchify(patchify(images, 4)[:, torch.randperm(49)], 4, 1)
    with torch.no_grad():
        assert (network(images) - network(moved)).abs().max() > 1e-3
        nn.init.zeros_(network.pos_embed)
        torch.testing.assert_close(network(images), network(moved), rtol=0, atol=1e-5)


def test_dropout_acts_in_training_only():
    network = models.build("vit-ti16", "mini", dropout=0.5)
    images = torch.randn(1, 1, 28, 28)
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))


# T2T-ViT


def test_soft_splits_leave_the_published_tokens():
    with torch.device("meta"):
        network, shapes = models.build("t2t-vit-14"), []
        module = network.tokens_to_token
        for layer in (module.attention1, module.attention2, module.project):
            layer.register_forward_hook(lambda _, args, output: shapes.append((args[0].shape[1:], output.shape[1:])))
        network(torch.empty(1, 3, 224, 224))
    assert shapes == [((3136, 147), (3136, 64)), ((784, 576), (784, 64)), ((196, 576), (196, 384))]
    assert sum(weight.numel() for weight in module.parameters()) == 391_526
    assert sum(weight.numel() for weight in network.parameters() if weight.requires_grad) == 21_465_806


def test_a_soft_split_joins_overlapping_windows():
    x = torch.arange(2 * 5 * 5).view(1, 2, 5, 5).double()
    tokens = soft_split(x, 3, 2, 1)
    assert tokens.shape == (1, 9, 18)
    padded = F.pad(x, (1, 1, 1, 1))
    assert torch.equal(tokens[0, 5], padded[0, :, 2:5, 4:7].flatten())  # row 1, column 2 of 3x3


@torch.no_grad()
def test_a_performer_sums_keys_first_and_gets_the_attention_of_its_kernel():
    torch.manual_seed(0)
    layer = TokenPerformer(10, 8).double()
    query, key, value = (torch.randn(2, 7, 8).double() for _ in range(3))
    kernel = layer.random_features(query) @ layer.random_features(key).transpose(1, 2)  # every pair
    expected = kernel / (kernel.sum(dim=2, keepdim=True) + 1e-8) @ value
    torch.testing.assert_close(layer.attend(query, key, value), expected)


@torch.no_grad()
def test_random_features_approximate_the_exponential_of_a_product():
    torch.manual_seed(0)
    layer = TokenPerformer(4, 4)
    query, key = 0.5 * torch.randn(2, 1, 3, 4)
    layer.w = nn.Parameter(torch.randn(200_000, 4), requires_grad=False)  # normal directions, and many
    approximated = layer.random_features(query) @ layer.random_features(key).transpose(1, 2)
    torch.testing.assert_close(approximated, (query @ key.transpose(1, 2)).exp(), rtol=0.02, atol=0)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("vit-b16", {"image_size": 30}, "image_size must be a multiple of the patch size 4, not 30"),
        ("vit-b16", {"num_heads": 5}, "embed_dim must be a multiple of num_heads 5"),
        ("vit-b16", {"pool": "max"}, "pool must be token or mean"),
        ("t2t-vit-14", {"image_size": 50}, "image_size must be a multiple of 16, not 50"),
    ],
)
def test_impossible_arguments_are_one_sentence(name, options, message):
    with pytest.raises(UserError, match=message):
        models.build(name, "mini", **options)
