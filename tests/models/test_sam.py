"""SAM against transformers' SamModel, the published sizes, and its own prompts."""

import pytest
import torch
from torch import nn
from transformers import SamConfig, SamMaskDecoderConfig, SamModel, SamPromptEncoderConfig, SamVisionConfig

import models
from models.cost import summarize
from models.segmentation.sam_prompt_encoder import RandomFourierPositions, box_corners, pad_points
from workbench.errors import UserError

SIZE = 80  # 10x10 tokens, so that windows of 4x4 are filled with zeros
SIZES = dict(
    image_size=SIZE,
    patch_size=8,
    embed_dim=32,
    depth=3,
    num_heads=4,
    window_size=4,
    global_blocks=(1,),
    features=32,
    decoder_heads=4,
    ffn_size=48,
    mask_channels=8,
)
POINTS = torch.tensor([[[10.0, 20], [40, 33]], [[3, 70], [51, 12.5]]])
LABELS = torch.tensor([[1, 0], [1, 1]])
BOXES = torch.tensor([[5.0, 8, 40, 60], [20, 20, 30, 75]])


def reference_config():
    return dict(
        vision_config=SamVisionConfig(
            hidden_size=32,
            output_channels=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            image_size=SIZE,
            patch_size=8,
            window_size=4,
            global_attn_indexes=[1],
            num_pos_feats=16,
            mlp_dim=128,
        ),
        prompt_encoder_config=SamPromptEncoderConfig(
            hidden_size=32, image_size=SIZE, patch_size=8, mask_input_channels=8
        ),
        mask_decoder_config=SamMaskDecoderConfig(
            hidden_size=32, mlp_dim=48, num_attention_heads=4, iou_head_hidden_dim=32, layer_norm_eps=1e-5
        ),
    )


@pytest.fixture(scope="module")
def theirs():
    """Return transformers' network with weights of which all matter to the outputs."""
    torch.manual_seed(0)
    network = SamModel(SamConfig(**reference_config())).eval()
    for name, weight in network.named_parameters():
        if "positional_embedding" in name:
            nn.init.normal_(weight)
        elif weight.dim() > 1:
            nn.init.normal_(
                weight, std=0.5 if "embed" in name or "rel_pos" in name else 1.5 * weight[0].numel() ** -0.5
            )
        else:
            nn.init.normal_(weight, mean=1.0 if "norm" in name and "weight" in name else 0.0, std=0.2)
    return network


@pytest.fixture(scope="module")
def ours(theirs):
    network = models.build("sam", **SIZES)
    network.load_reference(theirs.state_dict())
    return network.eval()


def smooth_images(count=2):
    noise = torch.randn(count, 3, 10, 10, generator=torch.Generator().manual_seed(1))
    return nn.functional.interpolate(noise, size=SIZE, mode="bicubic")


def assert_equal(outputs, expected, which):
    masks, iou = expected.pred_masks[:, 0], expected.iou_scores[:, 0]
    assert masks.std() > 0.1 and (masks[0] - masks[1]).abs().max() > 0.1  # or any network would agree
    torch.testing.assert_close(outputs["masks"][:, which], masks, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(outputs["iou"][:, which], iou, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("multimask", "which"), [(True, slice(1, None)), (False, slice(0, 1))])
@torch.no_grad()
def test_masks_of_points_are_those_of_transformers(theirs, ours, multimask, which):
    images = smooth_images()
    expected = theirs(images, POINTS[:, None], LABELS[:, None], multimask_output=multimask)
    assert_equal(ours(images, *pad_points(POINTS, LABELS)), expected, which)


@torch.no_grad()
def test_masks_of_boxes_are_those_of_transformers(theirs, ours):
    images = smooth_images()
    expected = theirs(images, input_boxes=BOXES[:, None], multimask_output=False)
    assert_equal(ours(images, *box_corners(BOXES)), expected, slice(0, 1))


@torch.no_grad()
def test_masks_of_points_with_a_box_and_a_mask_are_those_of_transformers(theirs, ours):
    images, corners = smooth_images(), box_corners(BOXES)
    rough = 3 * torch.randn(2, 1, 40, 40)
    expected = theirs(images, POINTS[:, None], LABELS[:, None], BOXES[:, None], rough)
    prompts = torch.cat([POINTS, corners[0]], dim=1), torch.cat([LABELS, corners[1]], dim=1)
    assert_equal(ours(images, *prompts, rough), expected, slice(1, None))
    without = ours(images, *prompts)["masks"][:, 1:]
    assert (without - expected.pred_masks[:, 0]).abs().max() > 0.1


@torch.no_grad()
def test_masks_of_a_mask_alone_are_those_of_transformers(theirs, ours):
    images, rough = smooth_images(), 3 * torch.randn(2, 1, 40, 40)
    expected = theirs(images, input_masks=rough)
    no_points = torch.zeros(2, 0, 2), torch.zeros(2, 0, dtype=torch.long)
    assert_equal(ours(images, *no_points, rough), expected, slice(1, None))


@pytest.mark.parametrize(
    ("name", "encoder", "macs"),
    [
        ("sam", 89_670_912, 486_038_667_264),
        pytest.param("sam-l", 308_278_272, 1_492_840_153_088, marks=pytest.mark.full),
        pytest.param("sam-h", 637_026_048, 2_980_541_415_424, marks=pytest.mark.full),
    ],
)
def test_parts_have_the_published_sizes(name, encoder, macs):
    with torch.device("meta"):
        network = models.build(name)
    counts = {part: sum(weight.numel() for weight in module.parameters()) for part, module in network.named_children()}
    assert counts == {"image_encoder": encoder, "prompt_encoder": 6_220, "mask_decoder": 4_058_340}
    layers = summarize(name).table()["layers"]
    assert sum(row["macs"] for row in layers if row["name"].startswith("image_encoder")) == macs
    assert sum(row["macs"] for row in layers if row["name"].startswith("mask_decoder")) == 1_811_302_400


def test_the_published_network_loads_the_weights_of_transformers():
    with torch.device("meta"):
        models.build("sam").load_reference(SamModel(SamConfig()).state_dict())


def test_encodings_of_places_have_the_dot_products_of_their_distance():
    """For waves G from a normal distribution, the mean of cos(4 pi d G) is exp(-(4 pi d)^2 / 2)."""
    torch.manual_seed(0)
    encode = RandomFourierPositions(200_000)
    places = torch.tensor([[0.5, 0.5], [0.52, 0.5], [0.5, 0.6], [0.1, 0.9]])
    products = encode(places) @ encode(places[0]) / 100_000
    distances = (places - places[0]).norm(dim=1)
    torch.testing.assert_close(products, (-((4 * torch.pi * distances) ** 2) / 2).exp(), rtol=0, atol=0.01)


def test_networks_of_impossible_sizes_are_rejected():
    with pytest.raises(UserError, match="features must be a multiple of 8 and mask_channels of 4, not 20 and 16"):
        models.build("sam", "mini", features=20)
    with pytest.raises(UserError, match="num_heads must divide the 64 features of an attention, not be 5"):
        models.build("sam", "mini", decoder_heads=5)
