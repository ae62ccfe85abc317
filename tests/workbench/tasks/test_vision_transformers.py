"""Attention over images and the task of masked patches."""

import numpy as np
import pytest
import torch

import models
from models.layers.dot_product_attention import recorded_attention
from models.layers.patches import patchify
from workbench import data, tasks
from workbench.engine import RunSpec, transfer
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks import attention_maps, masked_patches
from workbench.tasks.base import StepContext

torch.set_num_threads(1)


def build(name, **options):
    torch.manual_seed(0)
    return models.build(name, "mini", **options).eval()


# Questions about attention


def test_attention_of_one_head_is_its_weights_on_the_patches():
    task, network = tasks.get("digits"), build("vit-b16")
    answer = task.respond(network, {"sample": "3", "layer": "2", "head": "1"}, 0)
    image = task.sources(network, 0)["validation"].batch(slice(3, 4))["image"]
    with torch.no_grad(), recorded_attention(network) as weights:
        network(image)
    expected = list(weights.values())[1][0, 0, 1:, 1:].mean(dim=0).view(7, 7)  # its head reads the mean of all patches
    np.testing.assert_allclose(answer["weights"], expected, atol=1e-5)
    assert answer["kind"] == "image-attention" and "layer 2, head 1" in answer["caption"]
    assert predictions.draw([answer], "image-attention", 80, 24)
    assert np.argmax(answer["probabilities"]) == answer["predicted"]


def test_a_class_token_and_a_patch_have_rows_of_their_own_and_layers_can_be_rolled_out():
    task, network = tasks.get("digits"), build("vit-ti16", pool="token")
    image = task.sources(network, 0)["validation"].batch(slice(0, 1))["image"]
    with torch.no_grad(), recorded_attention(network) as weights:
        network(image)
    mean, rolled = attention_maps.select(weights), attention_maps.rollout(weights)
    for question, row in (
        ({"layer": "4"}, mean[0]),
        ({"token": "2,3"}, mean[1 + 2 * 7 + 3]),
        ({"rollout": "yes"}, rolled[0]),
    ):
        answer = task.respond(network, {"sample": "0", **question}, 0)
        np.testing.assert_allclose(np.ravel(answer["weights"]), row[1:], atol=1e-5)


@pytest.mark.parametrize(("layer", "shift"), [("1", 0), ("2", 2)])
def test_a_token_of_swin_attends_to_its_window_which_every_second_layer_shifts(layer, shift):
    task, network = tasks.get("digits"), build("swin-tiny")
    answer = task.respond(network, {"sample": "0", "layer": layer, "token": "1,5"}, 0)
    window = [(place - shift) // 4 for place in range(8)]
    expected = [[(window[row], window[column]) == (window[1], window[5]) for column in range(8)] for row in range(8)]
    np.testing.assert_array_equal(np.array(answer["weights"]) > 0, expected)
    np.testing.assert_allclose(np.sum(answer["weights"]), 1, atol=1e-3)


def test_positions_of_an_untrained_network_are_like_themselves_only():
    network = build("vit-b16")
    *_, drawing = tasks.get("digits").visualize(network, tasks.get("digits").sources(network, 0)["validation"])
    assert drawing["kind"] == "positions"
    image = np.array(drawing["images"][0])
    assert image.shape == (7 * 7 + 6, 7 * 7 + 6)
    assert image[8 * 2 + 2, 8 * 3 + 3] == 1 and (image == 1).sum() == 49  # row 2, column 3 of its own tile


@pytest.mark.parametrize(
    ("name", "question", "message"),
    [
        ("lenet5-modern", {"sample": "0", "layer": "1"}, "LeNet5 has no attention"),
        ("vit-ti16", {"sample": "0", "layer": "5"}, "layer must be an integer from 1 to 4, not 5"),
        ("vit-ti16", {"sample": "0", "head": "3"}, "head must be an integer from 1 to 2, not 3"),
        ("vit-ti16", {"sample": "0", "token": "7,0"}, "token must be row,column of 7x7 patches"),
        ("vit-ti16", {"sample": "x"}, "sample must be an integer from 0"),
        ("vit-ti16", {"sample": "0", "rollout": "maybe"}, "rollout must be yes or no"),
        ("vit-ti16", {"layer": "1"}, "Ask about one image"),
        ("swin-tiny", {"sample": "0", "rollout": "yes"}, "can't be rolled out through layers that merge"),
    ],
)
def test_impossible_questions_are_one_sentence(name, question, message):
    with pytest.raises(UserError, match=message):
        tasks.get("digits").respond(build(name), question, 0)


# Masked patches


def test_the_metric_is_the_error_of_masked_pixels():
    network = build("mae", norm_pix_loss=True)
    task = tasks.get("masked-patches").for_network(network)
    source = task.sources(network, 0)["validation"]
    metrics = task.evaluate(network, source, limit=20)
    images = source.batch(slice(0, 20))["image"]
    with torch.no_grad():
        outputs = task.forward(network, {"image": images}, StepContext())
    masked = outputs["mask"] > 0
    errors = (patchify(outputs["filled"], 4) - patchify(images, 4))[masked]
    assert metrics["masked_mse"] == pytest.approx(errors.square().mean().item(), rel=1e-5)
    assert metrics["loss"] == pytest.approx(network.loss(outputs, images).item(), rel=1e-5)
    assert masked.sum(dim=1).unique().tolist() == [49 - 12]


def test_in_an_evaluation_the_same_patches_are_masked_and_in_training_others():
    network = build("mae")
    task, batch = tasks.get("masked-patches"), {"image": torch.rand(2, 1, 28, 28)}
    generator = torch.Generator().manual_seed(5)
    masks = [task.forward(network, batch, StepContext(generator=generator))["mask"] for _ in range(2)]
    again = [task.forward(network, batch, StepContext())["mask"] for _ in range(2)]
    assert not torch.equal(*masks) and torch.equal(*again)


def test_interpolation_weighs_visible_patches_by_inverse_squared_distance():
    torch.manual_seed(0)
    patches, mask = torch.rand(2, 9, 4), torch.rand(2, 9).argsort(dim=1) >= 4
    filled, mean = masked_patches.interpolate(patches, mask), masked_patches.visible_mean(patches, mask)
    for n in range(2):
        visible = [k for k in range(9) if not mask[n, k]]
        assert torch.allclose(mean[n], patches[n, visible].mean(dim=0))
        for k in set(range(9)) - set(visible):
            weights = [1 / ((k // 3 - other // 3) ** 2 + (k % 3 - other % 3) ** 2) for other in visible]
            levels = [patches[n, other].mean().item() for other in visible]
            assert filled[n, k, 0].item() == pytest.approx(np.average(levels, weights=weights), rel=1e-4)


def test_the_baseline_is_the_best_of_three_for_the_size_of_the_network():
    baseline = tasks.get("masked-patches").for_network(build("mae")).compute_baseline(0)
    splits = data.load("digits", 0)
    train, test = (
        torch.nn.functional.interpolate(torch.from_numpy(splits[split][0]), 28, mode="bilinear", antialias=True)
        for split in ("train", "test")
    )
    assert baseline.method == "the mean of each pixel" and baseline.metric == "masked_mse"
    assert baseline.value == pytest.approx((test - train.mean(dim=0)).square().mean().item(), rel=0.05)
    few_masked = tasks.get("masked-patches-shapes").for_network(build("mae", in_channels=3, mask_ratio=0.1))
    assert few_masked.compute_baseline(0).method == "the mean of the visible patches"


def test_images_are_shown_masked_and_reconstructed():
    network = build("mae")
    task = tasks.get("masked-patches")
    drawing = task.visualize(network, task.sources(network, 0)["validation"])
    assert {each["kind"] for each in drawing} == {"reconstruction"} and len(drawing) == 12
    assert list(drawing[0]["images"]) == ["image", "masked", "reconstruction"]
    image, masked, filled = (np.array(each) for each in drawing[0]["images"].values())
    is_visible = masked != 0.5
    np.testing.assert_array_equal(filled[is_visible], image[is_visible])
    answers = [task.respond(network, {"sample": "1", "seed": seed}, 0)["images"]["masked"] for seed in ("0", "1", "0")]
    assert answers[0] == answers[2] != answers[1]
    with pytest.raises(UserError, match="seed must be an integer"):
        task.respond(network, {"sample": "1", "seed": "x"}, 0)


def test_other_networks_are_told_what_to_train():
    with pytest.raises(UserError, match="train a network such as mae"):
        tasks.get("masked-patches").sources(build("vit-b16"), 0)


def test_the_code_of_an_image_is_the_mean_of_its_tokens():
    network = build("mae")
    task = tasks.get("masked-patches")
    batch = task.sources(network, 0)["validation"].batch(slice(0, 3))
    with torch.no_grad():
        torch.testing.assert_close(task.encode(network, batch), network.encode(batch["image"])[:, 1:].mean(dim=1))


@pytest.mark.full
def test_a_vit_begins_with_the_encoder_and_its_head_is_fresh(tmp_path, monkeypatch):
    from workbench.engine import train

    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    start, *_ = train(RunSpec.create("mae", steps=1, device="cpu"))
    spec = RunSpec.create("vit-b16", origin=start["run"], part="encoder", freeze="backbone", steps=1, device="cpu")
    network = models.build("vit-b16", "mini")
    record = transfer.load_initial_weights(network, spec)
    assert record["loaded"] == 54 and record["missing"] == record["left_over"] == []
    transfer.freeze(network)
    assert [name for name, weight in network.named_parameters() if weight.requires_grad] == ["head.weight", "head.bias"]
