"""Objects that are followed through films: the films, the losses, J, and frames of the user's own."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import models
from workbench import data, tasks
from workbench.data import run_lengths, shape_films, shape_scenes
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext
from workbench.tasks.video_segmentation import Outputs, TrackMeter, prompt_losses, sample_tracks

CONTEXT = StepContext()


@pytest.fixture(scope="module")
def films():
    return shape_films.draw_films(12)


@pytest.fixture
def task(monkeypatch, films):
    arrays = shape_scenes.draw_scenes(shape_scenes.options(), 12, shape_scenes.FIRST_SEED)
    monkeypatch.setattr(data, "load", lambda name, seed=0: data.deal({"train": arrays}, seed))
    monkeypatch.setattr(shape_films, "load", lambda: films)
    return tasks.get("video-segmentation")


def build():
    torch.manual_seed(0)
    return models.build("sam2", "mini").eval()


def test_films_begin_with_the_scenes_and_their_objects_move(films):
    frames, instances = films
    images, _, _ = shape_scenes.draw_scenes(shape_scenes.options(), 12, shape_scenes.FIRST_SEED)
    np.testing.assert_array_equal(frames[:, 0], images)
    objects = sample_tracks(torch.from_numpy(instances), torch.Generator().manual_seed(0))
    assert objects[:, 0].flatten(1).any(dim=1).all()
    centers = torch.stack([torch.nonzero(film[0]).float().mean(dim=0) for film in objects])
    later = torch.stack([torch.nonzero(film[2]).float().mean(dim=0) for film in objects])
    assert ((later - centers).norm(dim=1) > 1).float().mean() > 0.5
    numbers = (torch.from_numpy(instances) * objects).flatten(1)
    assert all(set(row.tolist()) - {0} == {row.max().item()} for row in numbers)


def perfect_outputs(objects):
    """Return the outputs of a network that knows the masks, of which the last of three is the correct one."""
    logits = torch.where(objects, 9.0, -9.0)
    every = torch.stack([logits, -logits, -logits, logits], dim=2)
    iou = torch.stack([torch.tensor([1.0, 0, 0, 1])] * objects.shape[1]).expand(len(objects), -1, -1)
    is_visible = objects.flatten(2).any(dim=2)
    return dict(masks=logits, iou=iou[..., 0], object_score=20.0 * is_visible - 10, all_masks=every, all_iou=iou)


def test_perfect_outputs_have_no_loss_and_a_j_of_1(films):
    objects = sample_tracks(torch.from_numpy(films[1]), torch.Generator().manual_seed(0))
    objects[0, 3:] = False  # it leaves
    outputs = perfect_outputs(objects)
    losses = prompt_losses("point", outputs, objects)
    assert losses.keys() == {"focal", "dice", "iou", "object"} and all(loss < 2e-3 for loss in losses.values())
    worse = outputs | {"all_masks": -outputs["all_masks"], "object_score": -outputs["object_score"]}
    worse["all_masks"][:, 0] *= -1
    assert prompt_losses("point", worse, objects)["dice"] > prompt_losses("mask", outputs, objects)["dice"] + 0.1
    assert prompt_losses("point", worse, objects)["object"] > 5
    meter = TrackMeter()
    meter.update(Outputs(objects, {"mask": outputs, "point": outputs | {"masks": -outputs["masks"]}}), {})
    assert meter.compute() == {"j": 1.0, "point_j": pytest.approx(0, abs=0.1)}


def test_the_first_frame_has_no_loss_if_its_mask_is_the_prompt(films):
    objects = sample_tracks(torch.from_numpy(films[1]), torch.Generator().manual_seed(0))
    outputs = perfect_outputs(objects)
    outputs["all_masks"][:, 0] = -outputs["all_masks"][:, 0]
    outputs["all_masks"] = outputs["all_masks"].clone()
    assert prompt_losses("mask", outputs, objects)["dice"] < 1e-3 < prompt_losses("point", outputs, objects)["dice"]


def test_every_prompt_is_trained(task):
    network = build()
    batch = task.sources(network, seed=0)["train"].batch(slice(0, 2))
    batch = {name: column[:, :2] for name, column in batch.items()}
    context = StepContext(is_training=True)
    names, missing = set(), dict(network.named_parameters())
    for _ in range(8):
        outputs = task.forward(network.train(), batch, context)
        names |= outputs.prompts.keys()
        task.losses(outputs, batch, context)["loss"].backward()
    unused = {name for name, weight in missing.items() if weight.grad is None}
    assert names == {"mask", "point", "box"} and unused == {"no_mem_pos_enc"}, unused


def test_an_evaluation_is_repeatable_and_has_the_metrics_that_the_task_declares(task):
    network = build()
    test_set = task.sources(network, seed=0)["test"]
    metrics = task.evaluate(network, test_set)
    assert task.info.metrics.keys() <= metrics.keys() and {"focal", "dice", "iou", "object"} <= metrics.keys()
    assert task.evaluate(network, test_set) == metrics


def test_the_baseline_keeps_the_first_mask(task):
    baseline = task.compute_baseline(seed=0)
    assert baseline.metric == "j" and 0.1 < baseline.value < 0.9


def test_masks_are_drawn(task):
    network = build()
    visualization = json.loads(json.dumps(task.visualize(network, task.sources(network, seed=0)["validation"])))
    assert predictions.draw(visualization, "masks", 100, 30)


def predict(task, network, files, **prompt):
    return task.predict_prompt(network, files, {"points": [], "box": None, "mask": None} | prompt, seed=0)


def test_frames_of_a_folder_are_a_video_and_one_frame_is_an_image(task, films, tmp_path):
    network, files = build(), []
    for k, frame in enumerate(films[0][0]):
        files.append(tmp_path / f"{k}.png")
        Image.fromarray(frame.transpose(1, 2, 0)).resize((96, 80)).save(files[-1])
    rows = predict(task, network, files, points=[[40, 30, 1]])
    assert [(row["width"], row["height"], len(row["masks"])) for row in rows] == [(96, 80, 1)] * len(files)
    assert run_lengths.decode(rows[0]["masks"][0]["rle"]).shape == (80, 96)
    [single] = predict(task, network, files[:1], points=[[40, 30, 1]])
    assert single == rows[0]
    mask = np.zeros((80, 96), np.uint8)
    mask[20:50, 30:70] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    first, *_ = predict(task, network, files, mask=str(tmp_path / "mask.png"))
    overlap = run_lengths.decode(first["masks"][0]["rle"]) == (mask > 0)
    assert overlap.mean() > 0.97  # the prompt is the mask of the first frame
    frames = [Image.open(file) for file in files]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    [animation] = predict(task, network, [tmp_path / "film.gif"], points=[[40, 30, 1]])
    assert [one["frame"] for one in animation["masks"]] == [*range(len(files))]
    with pytest.raises(UserError, match="A video is prompted by --mask, or by --point and --box"):
        predict(task, network, files, mask=str(tmp_path / "mask.png"), box=[1, 1, 5, 5])
    Image.new("RGB", (90, 80)).save(tmp_path / "other.png")
    with pytest.raises(UserError, match=r"other.png has 90x80 pixels, and the first frame 96x80: all frames"):
        predict(task, network, [*files, tmp_path / "other.png"], points=[[40, 30, 1]])
    with pytest.raises(UserError, match="The point 96,3 is outside"):
        predict(task, network, files, points=[[96, 3, 1]])


def test_networks_without_a_memory_are_rejected(task):
    with pytest.raises(UserError, match="SAM follows no objects through videos: take sam2"):
        task.sources(models.build("sam", "mini"), seed=0)
