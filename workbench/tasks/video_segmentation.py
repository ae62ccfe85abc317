"""Segmentation of an object through a video, after a prompt in the first frame.

In every step, an object that the first frame shows is chosen at random, and a prompt of it: a click, a box or its mask.
Each frame has the loss of a prompted image, 20 times the focal loss plus the dice loss, of the best of three masks and
of the single one, and the mean squared error of the predicted IoUs, where the object is visible; and the cross-entropy
of the occlusion score. The first frame has none if its mask was the prompt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.detection.detr_mask_head import focal_and_dice
from models.segmentation.sam2 import SAM2
from workbench import data
from workbench.data import picture_file, shape_films
from workbench.data.sources import Batch, Resident, Source, StandardizedBytes
from workbench.errors import UserError
from workbench.tasks import prompted_files
from workbench.tasks.base import Baseline, StepContext, Task, Visualization, evaluation_mode
from workbench.tasks.instance_masks import color, enlarge
from workbench.tasks.promptable_segmentation import FOCAL_WEIGHT
from workbench.tasks.prompted_files import PromptedFile, describe_mask
from workbench.tasks.prompts import enclosing_boxes, jitter, mask_ious, sample_clicks, sample_objects
from workbench.tasks.scalers import training_scaler

PROMPTS = ("mask", "point", "box")
VISUALIZED_FILMS = 2
MAX_FRAMES = 1000  # of a video that is predicted


@dataclass
class Outputs:
    """The masks of a batch of videos for one or several prompts.

    Attributes:
        objects: The objects' masks (N, frames, H, W), bool.
        prompts: Prompt -> what the network returned.
    """

    objects: Tensor
    prompts: dict[str, dict[str, Tensor]]


class VideoSegmentation(Task):
    """The losses of each frame, and J, the mean IoU over frames, here of those after the first one.

    A batch holds `video` (N, frames, 3, H, W), standardized, and `instances` (N, frames, H, W), uint8: the number of
    the visible object, 0 for none.
    """

    is_stackable = False

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        read_as_tracker(network)
        scaler = training_scaler(self.data, seed, axis=None)
        return {
            split: Resident(
                video=StandardizedBytes(torch.from_numpy(films), float(scaler.shift), float(scaler.spread)),
                instances=torch.from_numpy(instances),
            )
            for split, (films, instances) in data.deal({"train": shape_films.load()}, seed).items()
        }

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Outputs:
        tracker, video, rng = read_as_tracker(network), batch["video"], context.generator
        objects = sample_tracks(batch["instances"], rng)
        prompts: tuple[str, ...] = PROMPTS
        if context.is_training:
            prompts = (PROMPTS[int(torch.randint(len(PROMPTS), (1,), generator=rng))],)
        else:
            prompts = PROMPTS[:2]
        first, (height, width) = objects[:, 0], video.shape[3:]
        scale = tracker.image_size / height
        if (height, width) != (tracker.image_size, tracker.image_size):
            size = (tracker.image_size, tracker.image_size)
            video = F.interpolate(video.flatten(0, 1), size=size, mode="bilinear", antialias=True)
            video = video.unflatten(0, (len(objects), -1))
        clicks = sample_clicks(first, rng)[:, None]
        boxes = enclosing_boxes(first)
        if context.is_training:
            boxes = jitter(boxes, height, rng)
        inside = torch.ones(len(video), 1, dtype=torch.int64, device=video.device)
        mask = F.interpolate(first[:, None].to(video.dtype), size=video.shape[3:], mode="nearest")

        def resize(places: Tensor) -> Tensor:
            return (places + 0.5) * scale - 0.5  # an integer is the center of a pixel

        nothing = clicks[:, :0], inside[:, :0]
        arguments: dict[str, tuple[Tensor | None, ...]] = {
            "point": tracker.to_points(resize(clicks), inside),
            "box": tracker.to_points(*nothing, resize(boxes)),
            "mask": (*tracker.to_points(*nothing), mask),
        }
        return Outputs(objects, {name: tracker(video, *arguments[name]) for name in prompts})

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        terms = [prompt_losses(name, one, outputs.objects) for name, one in outputs.prompts.items()]
        means = {name: torch.stack([term[name] for term in terms]).mean() for name in terms[0]}
        return {"loss": torch.stack(list(means.values())).sum(), **means}

    def meter(self) -> "TrackMeter":
        return TrackMeter()

    def training_metrics(self, outputs: Outputs, batch: Batch) -> dict[str, float]:
        """Return nothing, because the prompt differs from step to step."""
        return {}

    def evaluation_batch(self, network: nn.Module) -> int:
        """Return the number of videos that are evaluated at once."""
        return max(1, super().evaluation_batch(network) // 16)

    def compute_baseline(self, seed: int) -> Baseline:
        """Return J of the object's true mask in the first frame, kept in place."""
        _, instances = data.deal({"train": shape_films.load()}, seed)["test"]
        objects = sample_tracks(torch.from_numpy(instances), torch.Generator().manual_seed(0))
        return Baseline("the first mask kept in place", "j", float(mask_ious(objects[:, :1], objects[:, 1:]).mean()))

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch = source.batch(slice(0, VISUALIZED_FILMS))
        outputs: Outputs = self.predict(network, batch)
        masks = to_masks(outputs.prompts["point"], outputs.objects.shape[2:])
        tiles = [
            color(image, masks[k, t][None]) for k, film in enumerate(batch["video"]) for t, image in enumerate(film)
        ]
        images = [tile.permute(1, 2, 0).double().round(decimals=3).tolist() for tile in tiles]
        return [{"kind": "masks", "caption": "masks after a point in the first frame", "images": images}]

    @property
    def questions(self) -> Mapping[str, str]:
        """An image file with a prompt."""
        return prompted_files.QUESTIONS

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return a drawing of the masks of a prompt in an image file, or in the images of an animation."""
        return prompted_files.respond(self, network, question, seed)

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        return self.predict_prompt(network, files, {}, seed)  # which rejects it

    @torch.inference_mode()
    def predict_prompt(
        self, network: nn.Module, files: Sequence[Path], prompt: Mapping[str, Any], seed: int
    ) -> list[dict[str, Any]]:
        """Return the `width`, the `height` and the `masks` of each frame, of which there is one.

        A single animated file has a row, whose masks have the number of their `frame`.
        """
        tracker, scaler = read_as_tracker(network), training_scaler(self.data, seed, axis=None)
        places = [(file, 0) for file in files]
        if is_animation := len(files) == 1 and picture_file.count_frames(files[0]) > 1:
            places = [(files[0], k) for k in range(picture_file.count_frames(files[0]))]
        if len(places) > MAX_FRAMES:
            raise UserError(f"The video has {len(places):,} frames, and at most {MAX_FRAMES:,} fit: shorten it.")
        frames = [PromptedFile.read(file, tracker.image_size, scaler, frame) for file, frame in places]
        for frame in frames:
            if (frame.width, frame.height) != (frames[0].width, frames[0].height):
                raise UserError(
                    f"{picture_file.named(frame.file)} has {frame.width}x{frame.height} pixels, and the first frame "
                    f"{frames[0].width}x{frames[0].height}: all frames of a video need one size."
                )
        if prompt.get("mask") and (prompt.get("points") or prompt.get("box")):
            raise UserError("A video is prompted by --mask, or by --point and --box. Leave one of them out.")
        read = cast(Any, frames[0].read_prompt(prompt, tracker.image_size))
        mask = (read["masks"] > 0).float() if read["masks"] is not None else None
        with evaluation_mode(network):
            outputs = tracker(
                torch.cat([frame.image for frame in frames])[None],
                *tracker.to_points(read["clicks"], read["labels"], read["boxes"]),
                mask,
            )
        masks = [
            describe_mask(frame.to_file_pixels(logits), float(iou))
            for frame, logits, iou in zip(frames, outputs["masks"][0], outputs["iou"][0], strict=True)
        ]
        size = {"width": frames[0].width, "height": frames[0].height}
        if is_animation:
            return [{**size, "masks": [{"frame": k, **mask} for k, mask in enumerate(masks)]}]
        return [{**size, "masks": [mask]} for mask in masks]


class TrackMeter:
    """J of each prompt: that of the mask is `j`, that of the click `point_j`."""

    def __init__(self) -> None:
        self.ious: dict[str, list[Tensor]] = {}

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        for name, values in outputs.prompts.items():
            predicted = to_masks(values, outputs.objects.shape[2:])
            ious = mask_ious(predicted[:, 1:], outputs.objects[:, 1:])
            self.ious.setdefault("j" if name == "mask" else f"{name}_j", []).append(ious.flatten().cpu())

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        return {name: float(torch.cat(ious).mean()) for name, ious in self.ious.items()}


def sample_tracks(instances: Tensor, generator: torch.Generator) -> Tensor:
    """Return the masks in all frames (N, frames, H, W), bool, of a random object that is visible in the first one."""
    first = sample_objects(instances[:, 0], generator)
    numbers = (instances[:, 0] * first).flatten(1).amax(dim=1)
    return (instances == numbers[:, None, None, None]) & (numbers > 0)[:, None, None, None]


def prompt_losses(prompt: str, outputs: dict[str, Tensor], objects: Tensor) -> dict[str, Tensor]:
    """Return the terms of the loss for one prompt.

    Args:
        prompt: What it is: of a mask, the first frame has no loss.
        outputs: What the network returned.
        objects: The objects' masks (N, frames, H, W).
    """
    start = int(prompt == "mask" and objects.shape[1] > 1)
    masks, iou, score = (outputs[name][:, start:].flatten(0, 1) for name in ("all_masks", "all_iou", "object_score"))
    targets = objects[:, start:].flatten(0, 1)
    is_visible = targets.flatten(1).any(dim=1)
    logits = enlarge(masks, targets.shape[1:])[is_visible]
    expanded = targets[is_visible][:, None].expand(-1, logits.shape[1], -1, -1)
    losses = focal_and_dice(logits.flatten(0, 1), expanded.flatten(0, 1))
    focal, dice = (loss.view(logits.shape[:2]) for loss in losses)
    best = (FOCAL_WEIGHT * focal + dice)[:, 1:].argmin(dim=1, keepdim=True) + 1

    def mean(loss: Tensor) -> Tensor:
        return torch.cat([loss.gather(1, best), loss[:, :1]]).sum() / max(1, 2 * len(loss))

    errors = (iou[is_visible] - mask_ious(logits > 0, expanded)) ** 2
    return {
        "focal": FOCAL_WEIGHT * mean(focal),
        "dice": mean(dice),
        "iou": errors.sum() / max(1, errors.numel()),
        "object": F.binary_cross_entropy_with_logits(score, is_visible.to(score.dtype)),
    }


def to_masks(outputs: dict[str, Tensor], size: torch.Size) -> Tensor:
    """Return the masks (N, frames, height, width), bool, in another size."""
    return enlarge(outputs["masks"], size) > 0


def read_as_tracker(network: nn.Module) -> SAM2:
    """Return a network as one that follows an object.

    Raises:
        UserError: If it is not one.
    """
    if not isinstance(network, SAM2):
        raise UserError(f"{type(network).__name__} follows no objects through videos: take sam2.")
    return network


TASK = VideoSegmentation(
    data="shape-scenes",
    title="follow the object of a prompt through a short film",
    inputs=dict(video="float32[frames, 3, 64, 64]", points="float32[points, 2]", point_labels="int64[points]"),
    outputs=dict(
        masks="float32[frames, rows, columns]",
        iou="float32[frames]",
        object_score="float32[frames]",
        all_masks="float32[frames, masks, rows, columns]",
        all_iou="float32[frames, masks]",
    ),
    metrics=dict(j="max", point_j="max"),
)
