"""Segmentation by a prompt: the prompts of objects, the losses, the metrics and the masks of image files."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.ops import masks_to_boxes, sigmoid_focal_loss

import models
from workbench import data, tasks
from workbench.data import run_lengths, shape_instances, shape_scenes
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks import prompts
from workbench.tasks.base import StepContext
from workbench.tasks.promptable_segmentation import Outputs, PromptMeter

CONTEXT = StepContext()


@pytest.fixture
def task(monkeypatch):
    count = 40
    arrays = shape_scenes.draw_scenes(shape_scenes.options(), count, shape_scenes.FIRST_SEED)
    instances = shape_instances.draw_instances(count)
    monkeypatch.setattr(data, "load", lambda name, seed=0: data.deal({"train": arrays}, seed))
    monkeypatch.setattr(shape_instances, "load", lambda: instances)
    return tasks.get("promptable-segmentation")


def build(**options):
    torch.manual_seed(0)
    return models.build("sam", "mini", **options).eval()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def random_objects(count=50):
    """Return images with up to 3 objects, of which the first is always visible."""
    instances = torch.randint(0, 4, (count, 12, 10), generator=generator()).byte()
    instances[: count // 2][instances[: count // 2] == 2] = 0
    return instances


def test_every_visible_object_is_sampled_as_often():
    instances = random_objects(2).repeat(500, 1, 1)  # the first image has no object 2
    objects = prompts.sample_objects(instances, generator())
    numbers = (instances * objects).flatten(1).amax(dim=1)
    assert torch.equal(objects, instances == numbers[:, None, None])
    shares = [(numbers[0::2] == k).float().mean().item() for k in (1, 2, 3)]
    assert shares == pytest.approx([0.5, 0, 0.5], abs=0.06)
    assert [(numbers[1::2] == k).float().mean().item() for k in (1, 2, 3)] == pytest.approx([1 / 3] * 3, abs=0.06)


def test_clicks_are_anywhere_inside_and_boxes_enclose():
    objects = prompts.sample_objects(random_objects(), generator())
    clicks = torch.stack([prompts.sample_clicks(objects, generator(seed)) for seed in range(200)]).long()
    hits = torch.zeros_like(objects)
    for k in range(len(objects)):
        hits[k, clicks[:, k, 1], clicks[:, k, 0]] = True
    assert not (hits & ~objects).any() and (hits & objects).sum() > 0.95 * objects.sum()
    torch.testing.assert_close(prompts.enclosing_boxes(objects), masks_to_boxes(objects))


def test_corrections_are_where_the_prediction_is_wrong():
    objects = prompts.sample_objects(random_objects(), generator())
    predicted = torch.rand(objects.shape, generator=generator(1)) < 0.5
    predicted[0] = objects[0]
    clicks, labels = prompts.sample_corrections(predicted, objects, generator())
    for k, ((x, y), label) in enumerate(zip(clicks.long().tolist(), labels.tolist(), strict=True)):
        assert label == objects[k, y, x] and (k == 0 or predicted[k, y, x] != objects[k, y, x])


def test_the_loss_counts_the_best_of_three_masks(task):
    objects = torch.rand(2, 16, 16, generator=generator()) < 0.4
    perfect = torch.where(objects, 9.0, -9.0)
    other = torch.randn(2, 16, 16, generator=generator())
    masks, iou = torch.stack([other, perfect, -perfect], dim=1), torch.tensor([[0.1, 1.0, 0.0]] * 2)
    outputs = Outputs(objects, torch.zeros(2, 1, 2), {"point": (masks, iou)})
    losses = task.losses(outputs, {}, CONTEXT)
    assert losses["focal"] < 1e-3 and losses["dice"] < 1e-3
    share = [torch.logical_and(other[k] > 0, objects[k]).sum() / ((other[k] > 0) | objects[k]).sum() for k in (0, 1)]
    assert losses["iou"].item() == pytest.approx(sum((0.1 - one.item()) ** 2 for one in share) / 6)
    outputs.prompts["point"] = masks[:, :1], iou[:, :1]
    losses = task.losses(outputs, {}, CONTEXT)
    expected = 20 * sigmoid_focal_loss(other, objects.float(), alpha=0.25, gamma=2.0, reduction="mean")
    torch.testing.assert_close(losses["focal"], expected)
    meter = PromptMeter()
    outputs.prompts["point"] = masks, iou
    meter.update(outputs, {})
    assert meter.compute() == {"point_miou": 1.0}


def test_an_evaluation_is_repeatable_and_has_the_metrics_that_the_task_declares(task):
    network = build()
    test_set = task.sources(network, seed=0)["test"]
    metrics = task.evaluate(network, test_set)
    assert task.info.metrics.keys() <= metrics.keys() and {"focal", "dice", "iou"} <= metrics.keys()
    assert task.evaluate(network, test_set) == metrics


def test_the_baseline_is_the_best_disk_around_the_click(task):
    baseline = task.compute_baseline(seed=0)
    assert baseline.metric == "point_miou" and 0.2 < baseline.value < 0.6


def test_masks_are_drawn(task):
    network = build()
    visualization = json.loads(json.dumps(task.visualize(network, task.sources(network, seed=0)["validation"])))
    assert predictions.kinds(visualization) == ["masks"] and predictions.draw(visualization, "masks", 100, 30)
    assert np.array(visualization[0]["images"]).shape == (12, 64, 64, 3)


def test_larger_images_have_the_same_prompts(task):
    """A network for images of twice the size reads points of twice the coordinates, at the same places."""
    network = build()
    network.image_size, places = 128, []
    network.prompt_encoder.image_size = 128
    network.image_encoder = torch.nn.Sequential(torch.nn.AvgPool2d(2), network.image_encoder)
    network.prompt_encoder.pe_layer.register_forward_hook(lambda module, args, output: places.append(args[0]))
    small = build()
    small.prompt_encoder.pe_layer.register_forward_hook(lambda module, args, output: places.append(args[0]))
    batch = task.sources(small, seed=0)["test"].batch(slice(0, 2))
    with torch.no_grad():
        task.forward(network, batch, StepContext()), task.forward(small, batch, StepContext())
    points = [one for one in places if one.dim() == 3 and one.shape[1] <= 3]  # the others are the grid
    half = len(points) // 2
    assert half == 3
    for large, original in zip(points[:2], points[half : half + 2], strict=True):
        torch.testing.assert_close(large[:, :1], original[:, :1])


def predict(task, network, file, **prompt):
    return task.predict_prompt(network, [file], {"points": [], "box": None, "mask": None} | prompt, seed=0)[0]


def test_masks_of_a_file_are_in_its_own_pixels(task, tmp_path):
    network = build()
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[10:40, 20:60] = (200, 60, 30)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    result = predict(task, network, tmp_path / "wide.png", points=[[30, 20, 1]])
    assert (result["width"], result["height"], len(result["masks"])) == (100, 60, 3)
    ious = [mask["iou"] for mask in result["masks"]]
    assert ious == sorted(ious, reverse=True)
    for mask in result["masks"]:
        decoded = run_lengths.decode(mask["rle"])
        assert decoded.shape == (60, 100) and decoded.mean() == pytest.approx(mask["share"], abs=1e-4)
    for prompt in (
        dict(box=[20, 10, 60, 40]),
        dict(points=[[30, 20, 1], [5, 5, 0]]),
        dict(points=[[30, 20, 1]], box=[20, 10, 60, 40]),
    ):
        assert len(predict(task, network, tmp_path / "wide.png", **prompt)["masks"]) == 1


def test_a_mask_file_covers_the_same_part_of_the_network_as_its_image(task, tmp_path):
    network, prompted = build(), []
    network.prompt_encoder.mask_downscaling.register_forward_hook(lambda module, args, output: prompted.append(args[0]))
    Image.new("RGB", (100, 50), "gray").save(tmp_path / "wide.png")
    rough = np.zeros((50, 100), np.uint8)
    rough[25:, :50] = 255
    Image.fromarray(rough).save(tmp_path / "mask.png")
    predict(task, network, tmp_path / "wide.png", mask=str(tmp_path / "mask.png"))
    expected = torch.full((32, 32), -10.0)
    expected[8:16, :16] = 10  # the image is the upper half
    torch.testing.assert_close(prompted[0][0, 0], expected)


def test_questions_are_answered_by_drawings(task, tmp_path):
    network, file = build(), str(tmp_path / "gray.png")
    Image.new("RGB", (100, 60), "gray").save(file)
    single = task.respond(network, {"image": file, "point": "30,20"}, seed=0)
    assert len(single["images"]) == 3 and "predicted IoU" in single["caption"]
    assert predictions.draw([json.loads(json.dumps(single))], "masks", 80, 20)
    assert len(task.respond(network, {"image": file, "point": "30,20 5,5,0", "box": "1,1,50,40"}, 0)["images"]) == 1
    for question, message in (
        ({"point": "3,4"}, "Ask about an image: image=FILE"),
        ({"image": file}, "Add what to segment"),
        ({"image": file, "point": "x"}, "--point is X,Y in pixels"),
    ):
        with pytest.raises(UserError, match=message):
            task.respond(network, question, 0)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ({}, "Add what to segment: --point X,Y, --box X1,Y1,X2,Y2 or --mask FILE"),
        (
            dict(points=[[100, 3, 1]]),
            r"The point 100,3 is outside .*wide.png, which has 100x60 pixels: x is from 0 to 99",
        ),
        (dict(points=[[3, -1, 1]]), "The point 3,-1 is outside"),
        (dict(box=[5, 5, 5, 9]), "The box 5,5,5,9 is empty: x2 must be larger than x1"),
        (dict(box=[5, 5, 50, 60]), "The box 5,5,50,60 is not inside"),
        (dict(mask="other.png"), r"other.png has 60x60 pixels, and .*wide.png 100x60: a mask needs the size"),
        (dict(mask="black.png"), "black.png is empty: paint the object white"),
        (dict(mask="nowhere.png"), "nowhere.png can't be read"),
    ],
)
def test_prompts_outside_the_image_are_rejected(task, tmp_path, prompt, message):
    Image.new("RGB", (100, 60), "gray").save(tmp_path / "wide.png")
    Image.new("L", (60, 60), "white").save(tmp_path / "other.png")
    Image.new("L", (100, 60), "black").save(tmp_path / "black.png")
    if "mask" in prompt:
        prompt = dict(mask=str(tmp_path / prompt["mask"]))
    with pytest.raises(UserError, match=message):
        predict(task, build(), tmp_path / "wide.png", **prompt)


def test_networks_without_prompts_are_rejected(task):
    with pytest.raises(UserError, match="LeNet5 reads no prompts: take sam"):
        task.sources(models.build("lenet5-modern", "mini"), seed=0)
