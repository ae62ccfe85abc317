"""Learned NMS: Hosang, Benenson, Schiele, Learning non-maximum suppression (2017).

Greedy suppression has one threshold, which is too low for crowds or too high for single objects. Here a network reads
all detections of an image at once and gives each a new score: high for one detection per object, low for its
duplicates. No suppression follows. It sees boxes and scores alone, not the image, so it works behind any detector.

A detection has a feature vector, zeros at first. Each block updates it by its neighbors, which are the detections of
its class with an IoU above 0.2, itself included:

    for each pair of neighbors    reduced features of both, and features of the pair -> dense, ReLU
    for each detection            maximum over its pairs -> dense, ReLU, dense; added to its features

so that after several blocks, detections that are not neighbors affect each other, too. The features of a pair are three
dense layers of 8 numbers:

    IoU; distance of the centers in x, in y, and Euclidean, relative to the mean size of the first box; log ratios of
    the widths and of the heights; both scores

The loss matches as the evaluation does: from the highest new score down, a detection takes the object of its class with
which it has the largest IoU among those that are left, if that is at least 0.5. Matched detections should have a score
of 1, all others of 0.

Deviation from the paper: the terms of the loss are not weighted by class. The mini has narrower layers and 4 blocks.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.boxes import Detections, convert_to_centers, paired_iou

NEIGHBOR_IOU, MATCH_IOU = 0.2, 0.5
PAIR_VALUES = 8
MAX_DETECTIONS = 100


class Rescored(NamedTuple):
    """Detections with new scores.

    Attributes:
        boxes: Corners (N, D, 4).
        labels: Classes (N, D), -1 after the last detection of an image.
        logits: Logits of the new scores (N, D).
    """

    boxes: Tensor
    labels: Tensor
    logits: Tensor


class Block(nn.Module):
    """Updates the features of detections by their neighbors.

    Args:
        channels: Features of a detection.
        pair_channels: Features of a pair, and reduced features of a detection.
    """

    def __init__(self, channels: int, pair_channels: int):
        super().__init__()
        self.reduce = nn.Linear(channels, pair_channels)
        self.pair = nn.Linear(3 * pair_channels, pair_channels)
        self.hidden = nn.Linear(pair_channels, pair_channels)
        self.expand = nn.Linear(pair_channels, channels)

    def forward(self, x: Tensor, pairs: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Return the new features (n, channels).

        Args:
            x: Features of the detections, (n, channels).
            pairs: Features of the pairs, (p, pair_channels).
            first: The detection that each pair belongs to, (p,).
            second: Its neighbor, (p,).
        """
        reduced = F.relu(self.reduce(x))
        context = F.relu(self.pair(torch.cat([reduced[first], reduced[second], pairs], dim=1)))
        index = first[:, None].expand_as(context)
        pooled = torch.zeros_like(reduced).scatter_reduce(0, index, context, "amax")  # contexts are never negative
        return F.relu(x + self.expand(F.relu(self.hidden(pooled))))


class LearnedNms(nn.Module):
    """Gives detections new scores.

    Args:
        channels: Features of a detection.
        pair_channels: Features of a pair of neighbors.
        num_blocks: Number of blocks.
    """

    def __init__(self, channels: int = 128, pair_channels: int = 32, num_blocks: int = 16):
        super().__init__()
        if min(channels, pair_channels, num_blocks) < 1:
            raise ValueError("channels, pair_channels and num_blocks must be 1 or more")
        self.channels = channels
        sizes = (PAIR_VALUES, pair_channels, pair_channels, pair_channels)
        layers = [nn.Sequential(nn.Linear(*pair), nn.ReLU()) for pair in pairwise(sizes)]
        self.pairs = nn.Sequential(*layers)
        self.blocks = nn.ModuleList(Block(channels, pair_channels) for _ in range(num_blocks))
        self.head = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, 1)
        )

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, Tensor, Tensor]:
        """Return boxes, scores and labels of two detections per image."""
        boxes = torch.tensor([[0.0, 0, 10, 10], [2, 2, 12, 12]]).expand(batch_size, 2, 4)
        return boxes, torch.tensor([0.9, 0.8]).expand(batch_size, 2), torch.zeros(batch_size, 2, dtype=torch.long)

    def forward(self, boxes: Tensor, scores: Tensor, labels: Tensor) -> Tensor:
        """Return the logits of the new scores (N, D).

        Args:
            boxes: Corners (N, D, 4).
            scores: Scores (N, D).
            labels: Classes (N, D), -1 after the last detection of an image.
        """
        overlap = paired_iou(boxes[:, :, None], boxes[:, None])
        is_neighbor = (labels[:, :, None] == labels[:, None]) & (overlap > NEIGHBOR_IOU) & (labels >= 0)[:, :, None]
        image, row, column = is_neighbor.nonzero(as_tuple=True)
        first, second = image * boxes.shape[1] + row, image * boxes.shape[1] + column
        values = _pair_values(boxes.flatten(0, 1), scores.flatten(), first, second)
        pairs = self.pairs(torch.cat([overlap[image, row, column][:, None], values], dim=1))
        x = boxes.new_zeros(labels.numel(), self.channels)
        for block in self.blocks:
            x = block(x, pairs, first, second)
        logits: Tensor = self.head(x)
        return logits.view(labels.shape)

    def losses(self, outputs: Rescored, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the loss: the mean cross-entropy of all detections.

        Args:
            outputs: Detections with new scores.
            boxes: Corners of the objects (N, M, 4).
            labels: Their classes (N, M).
            mask: Whether there is such an object, (N, M).
        """
        targets = match(outputs, boxes, labels, mask).to(outputs.logits.dtype)
        is_detection = outputs.labels >= 0
        return {"scores": F.binary_cross_entropy_with_logits(outputs.logits[is_detection], targets[is_detection])}

    def detect(self, outputs: Rescored, score_threshold: float = 0.0) -> list[Detections]:
        """Return the detections of each image, at most 100."""
        detections = []
        for boxes, labels, scores in zip(outputs.boxes, outputs.labels, outputs.logits.float().sigmoid(), strict=True):
            rows = ((labels >= 0) & (scores >= score_threshold)).nonzero()[:, 0]
            rows = rows[scores[rows].argsort(descending=True)][:MAX_DETECTIONS]
            detections.append(Detections(boxes[rows].float(), scores[rows], labels[rows]))
        return detections


def _pair_values(boxes: Tensor, scores: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Return the features of pairs (p, 7) besides their IoU."""
    centers = convert_to_centers(boxes)
    one, other = centers[first], centers[second]
    distance = (other[:, :2] - one[:, :2]) / one[:, 2:].mean(dim=1, keepdim=True)
    ratios = (other[:, 2:] / one[:, 2:]).log()
    both_scores = torch.stack([scores[first], scores[second]], dim=1)
    return torch.cat([distance, distance.norm(dim=1, keepdim=True), ratios, both_scores], dim=1)


@torch.no_grad()
def match(outputs: Rescored, boxes: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return which detections (N, D) are matched with an object, from the highest new score down."""
    overlap = paired_iou(outputs.boxes[:, :, None], boxes[:, None])
    overlap = overlap.masked_fill(~mask[:, None] | (outputs.labels[:, :, None] != labels[:, None]), 0.0)
    is_matched = torch.zeros_like(outputs.labels, dtype=torch.bool)
    images = torch.arange(len(boxes), device=boxes.device)
    order = outputs.logits.masked_fill(outputs.labels < 0, -torch.inf).argsort(dim=1, descending=True)
    for rows in order.unbind(dim=1) if boxes.shape[1] else ():
        best, target = overlap[images, rows].max(dim=1)
        is_hit = best >= MATCH_IOU
        is_matched[images, rows] = is_hit
        overlap[images[is_hit], :, target[is_hit]] = 0.0
    return is_matched


# fmt: off
FAMILY = dict(
    family="learned-nms",
    year=2017,
    paper="arXiv:1705.02950",
    topic="nms",
    task="crowded-detections",
    contribution=(
        "Suppression as a network: detections look at their neighbors' boxes and scores, several times over, and get "
        "new scores, high for one detection per object."
    ),
    builds_on=("faster-rcnn",),
    network="LearnedNms",
    names={"learned-nms": dict()},
    inputs=dict(detections="float32[detections, 4]", scores="float32[detections]", labels="int64[detections]"),
    outputs=dict(logits="float32[detections]"),
    params={},
    mini=dict(channels=32, pair_channels=16, num_blocks=4),
    recipe=dict(epochs=4, batch_size=32, lr=0.003, schedule="one-cycle"),
    reference=None,
)
# fmt: on
