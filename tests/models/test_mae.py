"""MAE against transformers' network, and what its masking leaves visible."""

import re

import pytest
import torch
from transformers import ViTMAEConfig, ViTMAEForPreTraining
from transformers.models.vit_mae import modeling_vit_mae

import models
from models.cost import summarize
from models.layers.patches import patchify
from models.layers.positions import grid_sinusoids
from tests.models.test_vit import trained
from workbench.errors import UserError

SMALL = dict(embed_dim=24, depth=2, num_heads=3, decoder_embed_dim=16, decoder_depth=1, decoder_num_heads=2)
SIZES = dict(patch_size=4, image_size=16)


def reference(**options):
    config = ViTMAEConfig(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=96,
        decoder_hidden_size=16,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=64,
        **SIZES,
        **options,
    )
    return trained(ViTMAEForPreTraining(config))


@torch.no_grad()
@pytest.mark.parametrize("mask_ratio", [0.5, 0.75])
@pytest.mark.parametrize("norm_pix_loss", [False, True])
def test_outputs_and_loss_are_those_of_transformers_with_the_same_noise(mask_ratio, norm_pix_loss):
    theirs = reference(mask_ratio=mask_ratio, norm_pix_loss=norm_pix_loss)
    ours = models.build("mae", **SMALL, **SIZES, mask_ratio=mask_ratio, norm_pix_loss=norm_pix_loss).eval()
    ours.load_reference(theirs.state_dict())
    images, noise = torch.randn(3, 3, 16, 16), torch.rand(3, 16)
    expected, outputs = theirs(images, noise=noise), ours(images, noise)
    torch.testing.assert_close(outputs["patches"], expected.logits, rtol=0, atol=1e-5)
    assert torch.equal(outputs["mask"], expected.mask) and outputs["mask"].mean() == mask_ratio
    torch.testing.assert_close(ours.loss(outputs, images), expected.loss)


def test_files_with_the_names_of_older_versions_are_read():
    theirs = reference().state_dict()
    older = {}
    for name, tensor in theirs.items():
        name = re.sub(r"^vit\.layers\.", "vit.encoder.layer.", name)
        name = re.sub(r"\.(q|k|v)_proj\.", lambda m: f".attention.{dict(q='query', k='key', v='value')[m[1]]}.", name)
        name = name.replace(".attention.o_proj.", ".attention.output.dense.")
        name = name.replace(".mlp.fc1.", ".intermediate.dense.").replace(".mlp.fc2.", ".output.dense.")
        older[name] = tensor
    assert older.keys() != theirs.keys()
    newer, again = (models.build("mae", **SMALL, **SIZES) for _ in range(2))
    newer.load_reference(theirs)
    again.load_reference(older)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in newer.state_dict().items())


def test_positions_are_those_of_the_published_weights():
    encodings = modeling_vit_mae.build_2d_sinusoidal_position_embedding(height=5, width=5, embed_dim=24)
    torch.testing.assert_close(grid_sinusoids(5, 24), torch.cat([encodings[:, 12:], encodings[:, :12]], dim=1))
    network = models.build("mae", "mini")
    fixed = {name for name, weight in network.named_parameters() if not weight.requires_grad}
    assert fixed == {"pos_embed", "decoder_pos_embed"}


def test_macs_and_learned_parameters_are_the_published():
    assert summarize("mae").table()["macs"] == 9_781_133_312
    with torch.device("meta"):
        network = models.build("mae")
    counts = {name: weight.numel() for name, weight in network.named_parameters()}
    assert sum(counts.values()) == 111_907_840
    assert sum(count for name, count in counts.items() if "pos_embed" not in name) == 111_655_680
    assert sum(count for name, count in counts.items() if "decoder" not in name and name != "mask_token") == 85_798_656
    assert network.num_visible == 49


def test_the_encoder_has_the_keys_of_vit_b16():
    with torch.device("meta"):
        mae, vit = models.build("mae"), models.build("vit-b16")
    prefixes = models.info("mae").parts["encoder"].prefixes
    assert prefixes == models.info("vit-b16").parts["encoder"].prefixes
    shapes = [
        {name: weight.shape for name, weight in network.state_dict().items() if name.startswith(prefixes)}
        for network in (mae, vit)
    ]
    assert shapes[0] == shapes[1]
    assert set(vit.state_dict()) - set(shapes[1]) == {"head.weight", "head.bias"}


@torch.no_grad()
def test_masked_pixels_change_no_prediction_and_visible_ones_do():
    torch.manual_seed(0)
    network = models.build("mae", "mini").eval()
    images, noise = torch.rand(2, 1, 28, 28), torch.rand(2, 49)
    outputs = network(images, noise)
    masked = outputs["mask"][:, :, None].expand(-1, -1, 16) > 0
    pixels = network.fill({"patches": torch.rand(2, 49, 16), "mask": outputs["mask"]}, images)
    assert (patchify(pixels, 4) != patchify(images, 4))[masked].all()
    assert torch.equal(network(pixels, noise)["patches"], outputs["patches"])  # exactly nothing leaks
    visible = network.fill({"patches": torch.rand(2, 49, 16), "mask": 1 - outputs["mask"]}, images)
    assert not torch.allclose(network(visible, noise)["patches"], outputs["patches"])


@torch.no_grad()
def test_one_mask_token_serves_all_patches_and_positions_tell_them_apart():
    torch.manual_seed(0)
    network, images = models.build("mae", "mini").eval(), torch.rand(1, 1, 28, 28)
    outputs = network(images)
    is_masked = outputs["mask"][0] > 0
    assert len(outputs["patches"][0, is_masked].unique(dim=0)) == is_masked.sum()
    network.decoder_pos_embed.zero_()
    predicted = network(images)
    is_masked = predicted["mask"][0] > 0
    assert predicted["patches"][0, is_masked].std(dim=0).max() < 1e-5


@torch.no_grad()
def test_filled_images_have_their_visible_patches_and_a_perfect_prediction_is_the_image():
    for norm_pix_loss in (False, True):
        network, images = models.build("mae", "mini", norm_pix_loss=norm_pix_loss).eval(), torch.rand(2, 1, 28, 28)
        outputs = network(images)
        filled = patchify(network.fill(outputs, images), 4)
        is_visible = outputs["mask"] == 0
        assert torch.equal(filled[is_visible], patchify(images, 4)[is_visible])
        patches = patchify(images, 4)
        if norm_pix_loss:
            patches = (patches - patches.mean(dim=2, keepdim=True)) / (patches.var(dim=2, keepdim=True) + 1e-6).sqrt()
        perfect = {**outputs, "patches": patches}
        assert network.loss(perfect, images) < 1e-9
        torch.testing.assert_close(network.fill(perfect, images), images, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask_ratio": 0.0}, "mask_ratio must be between 0 and 1, not 0.0"),
        ({"mask_ratio": 1.0}, "mask_ratio must be between 0 and 1, not 1.0"),
        ({"mask_ratio": 0.99}, "leaves 0 of 49 patches visible"),
        ({"image_size": 30}, "image_size must be a multiple of the patch size 4, not 30"),
    ],
)
def test_impossible_arguments_are_one_sentence(options, message):
    with pytest.raises(UserError, match=message):
        models.build("mae", "mini", **options)
