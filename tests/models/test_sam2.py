"""SAM 2 against transformers' Sam2Model, and in videos its Sam2VideoModel."""

import pytest
import torch
from torch import nn
from transformers import Sam2Config, Sam2Model, Sam2VideoConfig, Sam2VideoInferenceSession, Sam2VideoModel

import models
from models.segmentation.sam2 import is_stable
from models.segmentation.sam2_memory import rotate, rotation_angles
from workbench.errors import UserError

SIZE, FRAMES = 64, 10  # more frames than the memory holds
SIZES = dict(
    image_size=SIZE,
    embed_dim=16,
    num_heads=1,
    depths=(1, 2, 3, 1),
    window_sizes=(8, 6, 6, 2),  # of which some are filled with zeros
    global_blocks=(4,),
    background_size=3,
    features=128,  # pointers are two tokens of the memory
    decoder_heads=4,
    ffn_size=96,
    mask_channels=8,
    memory_depth=2,
    memory_features=64,
)
VISION = dict(
    backbone_config=dict(
        model_type="sam2_hiera_det_model",
        hidden_size=16,
        image_size=[SIZE, SIZE],
        window_positional_embedding_background_size=[3, 3],
        blocks_per_stage=[1, 2, 3, 1],
        embed_dim_per_stage=[16, 32, 64, 128],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[8, 6, 6, 2],
        global_attention_blocks=[4],
    ),
    backbone_channel_list=[128, 64, 32, 16],
    backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
    fpn_hidden_size=128,
)
PROMPTS = dict(hidden_size=128, image_size=SIZE, patch_size=16, mask_input_channels=8)
DECODER = dict(hidden_size=128, mlp_dim=96, num_attention_heads=4, iou_head_hidden_dim=128)
MEMORY = dict(
    image_size=SIZE,
    memory_attention_hidden_size=128,
    memory_attention_num_layers=2,
    memory_attention_feed_forward_hidden_size=96,
    memory_attention_rope_feat_sizes=[4, 4],
    memory_encoder_hidden_size=128,
    mask_downsampler_embed_dim=128,
    memory_fuser_embed_dim=128,
    memory_fuser_intermediate_dim=512,
)
POINTS = torch.tensor([[[10.0, 20], [40, 33]], [[3, 60], [51, 12.5]]])
FOLLOWED = ("pred_masks", "object_score_logits")
LABELS = torch.tensor([[1, 0], [1, 1]])
BOXES = torch.tensor([[5.0, 8, 40, 60], [20, 20, 30, 55]])


def randomize(network):
    """Give a network weights of which all matter to the outputs."""
    torch.manual_seed(0)
    for name, weight in network.named_parameters():
        if "embed" in name or "encoding" in name or ("pointer" in name and weight.dim() == 2 and len(weight) == 1):
            nn.init.normal_(weight, std=0.5 if "patch_embed" not in name else 0.1)
        elif weight.dim() > 1:
            nn.init.normal_(weight, std=1.3 * weight[0].numel() ** -0.5)
        else:
            is_scale = ("norm" in name and "weight" in name) or name.endswith("scale")
            nn.init.normal_(weight, mean=1.0 if is_scale else 0.0, std=0.2)
    with torch.no_grad():
        # In published weights, both are one matrix; the object is visible in most frames.
        network.prompt_encoder.shared_embedding.positional_embedding.copy_(
            network.shared_image_embedding.positional_embedding
        )
        network.mask_decoder.pred_obj_score_head.proj_out.bias += 0.95
    return network.eval()


@pytest.fixture(scope="module")
def image_network():
    configuration = Sam2Config(vision_config=VISION, prompt_encoder_config=PROMPTS, mask_decoder_config=DECODER)
    return randomize(Sam2Model(configuration))


@pytest.fixture(scope="module")
def video_network():
    options = dict(vision_config=VISION | dict(model_type="sam2_vision_model"), **MEMORY)
    return randomize(
        Sam2VideoModel(Sam2VideoConfig(prompt_encoder_config=PROMPTS, mask_decoder_config=DECODER, **options))
    )


def load(theirs):
    network = models.build("sam2", **SIZES)
    network.load_reference(theirs.state_dict())
    return network.eval()


def smooth_images(count, seed=1):
    noise = torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return nn.functional.interpolate(noise, size=SIZE, mode="bicubic")


@torch.no_grad()
def test_masks_in_images_are_those_of_transformers(image_network):
    ours, images = load(image_network), smooth_images(2)
    embedding = ours.encode(images)
    for boxes in (None, BOXES):
        expected = image_network(
            images, POINTS[:, None], LABELS[:, None], boxes[:, None] if boxes is not None else None
        )
        outputs = ours.decode(embedding, *ours.to_points(POINTS, LABELS, boxes))
        assert expected.pred_masks.std() > 0.1 and (expected.pred_masks[0] - expected.pred_masks[1]).abs().max() > 0.1
        torch.testing.assert_close(outputs["masks"][:, 1:], expected.pred_masks[:, 0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(outputs["iou"][:, 1:], expected.iou_scores[:, 0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(outputs["object_score"], expected.object_score_logits[:, 0, 0], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_masks_of_masks_and_the_single_ones_are_those_of_transformers(image_network):
    ours, images, rough = load(image_network), smooth_images(2), 3 * torch.randn(2, 1, 16, 16)
    expected = image_network(images, POINTS[:, None], LABELS[:, None], input_masks=rough, multimask_output=False)
    outputs = ours.decode(ours.encode(images), *ours.to_points(POINTS, LABELS), rough)
    outputs["object_score"] = outputs["object_score"].abs()  # transformers' network for images does not hide masks
    result = ours.choose(outputs, is_ambiguous=False)
    torch.testing.assert_close(result["masks"], expected.pred_masks[:, 0, 0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(result["iou"], expected.iou_scores[:, 0, 0], rtol=1e-4, atol=1e-4)


def follow(network, frames, monkeypatch, points=None, labels=None, mask=None):
    """Return the masks and the object scores of transformers' network for a video, with a memory of full precision."""
    session = Sam2VideoInferenceSession(video=frames, video_height=SIZE, video_width=SIZE, dtype=torch.float32)
    number = session.obj_id_to_idx(1)
    session.obj_with_new_inputs.append(1)
    if mask is None:
        session.add_point_inputs(number, 0, dict(point_coords=points[:, None], point_labels=labels[:, None].int()))
    else:
        session.add_mask_inputs(number, 0, mask)
    monkeypatch.setattr(torch, "bfloat16", torch.float32)
    with torch.no_grad():
        first = network(session, frame_idx=0)
        outputs = [first, *list(network.propagate_in_video_iterator(session))[1:]]
    masks, scores = (torch.cat([getattr(one, name).flatten(0, 1) for one in outputs]) for name in FOLLOWED)
    return masks, scores.flatten()


@pytest.mark.parametrize("count", [1, 2])
def test_masks_of_a_video_are_those_of_transformers(video_network, monkeypatch, count):
    """A single click has the best of three masks; two have a single one."""
    frames, ours = smooth_images(FRAMES), load(video_network)
    points, labels = POINTS[:1, :count], LABELS[:1, :count]
    expected, scores = follow(video_network, frames, monkeypatch, points, labels)
    with torch.no_grad():
        outputs = ours(frames[None], *ours.to_points(points, labels))
    torch.testing.assert_close(outputs["object_score"][0], scores, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(outputs["masks"][0], expected, rtol=1e-4, atol=1e-4)
    assert 0 < (scores > 0).sum() < FRAMES and scores[0] > 0 and expected[1:][scores[1:] > 0].std() > 0.1, scores


def test_masks_after_a_mask_are_those_of_transformers(video_network, monkeypatch):
    frames, ours = smooth_images(FRAMES), load(video_network)
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[:, :, 10:40, 16:50] = 1
    expected, scores = follow(video_network, frames, monkeypatch, mask=mask)
    with torch.no_grad():
        nothing = torch.zeros(1, 0, 2), torch.zeros(1, 0, dtype=torch.long)
        outputs = ours(frames[None], *ours.to_points(*nothing), mask)
    torch.testing.assert_close(outputs["masks"][0], expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(outputs["object_score"][0], scores, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["sam2", pytest.param("sam2-l", marks=pytest.mark.full)])
def test_parts_have_the_published_sizes(name):
    with torch.device("meta"):
        network = models.build(name)
    counts = {part: sum(weight.numel() for weight in module.parameters()) for part, module in network.named_children()}
    sizes = dict(prompt_encoder=6_220, mask_decoder=4_215_109, memory_attention=5_922_304, memory_encoder=1_384_608)
    assert sizes.items() <= counts.items()


def test_the_published_network_loads_the_weights_of_transformers():
    with torch.device("meta"):
        models.build("sam2").load_reference(Sam2VideoModel(Sam2VideoConfig()).state_dict())


def test_scores_of_rotated_features_depend_on_offsets():
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 16)
    angles = rotation_angles(6, 7, 16, torch.device("cpu"))
    turned = (rotate(one.expand(1, 42, 16), angles)[0].unflatten(0, (6, 7)) for one in (query, key))
    queries, keys = turned
    score = (queries[1, 2] * keys[3, 5]).sum()
    torch.testing.assert_close((queries[2, 1] * keys[4, 4]).sum(), score, rtol=1e-4, atol=1e-5)
    assert (score - (queries[1, 2] * keys[3, 4]).sum()).abs() > 1e-3


def test_masks_whose_area_depends_on_the_threshold_are_not_stable():
    steep, flat = torch.full((10, 10), -3.0), torch.full((10, 10), -3.0)
    steep[:5], flat[:5], flat[5] = 3.0, 3.0, 0.01
    assert is_stable(torch.stack([steep, flat, -steep.abs()])).tolist() == [True, False, True]


def test_networks_of_impossible_sizes_are_rejected():
    with pytest.raises(UserError, match="image_size must be a multiple of 32 and of patch_stride times"):
        models.build("sam2", "mini", image_size=72)
    with pytest.raises(UserError, match="features must be a multiple of 8 and of memory_features"):
        models.build("sam2", "mini", memory_features=24)
