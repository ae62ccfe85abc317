"""The region proposal network (RPN) of Faster R-CNN: which boxes of an image are worth a look, whatever they contain.

A small convolutional network slides over the map of a backbone. From the 3x3 window at each place it outputs, for each
of A anchors there, an objectness (is there an object?) and four offsets from the anchor to the object's box:

    map (C, h, w) -> 3x3 convolution, C channels, ReLU -> 1x1 convolution, A objectness logits
                                                       -> 1x1 convolution, 4A offsets

The boxes with the highest objectness that are left after non-maximum suppression are the proposals. Several maps of
different strides share one head, each with anchors of its own size (Lin et al. 2017, feature pyramid networks).

Training (Ren et al. 2015, section 3.1.2): an anchor is positive if its IoU with an object is 0.7 or more, or the
largest that this object has; negative if it is below 0.3 for all objects. The loss is a mean over 256 random anchors
per image, half of them positive if there are as many. State-dict keys are torchvision's.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.layers.anchors import IGNORED, anchor_shapes, assign, decode_boxes, encode_boxes, sample, tile_anchors

BETA = 1 / 9  # of the smooth L1 loss; both the authors' code and torchvision have it
MIN_SIZE = 1e-3  # width and height of a proposal, in pixels


class Proposals(NamedTuple):
    """The outputs of a region proposal network for a batch.

    Attributes:
        objectness: Logits of all anchors, (N, A).
        offsets: From the anchors to boxes, (N, A, 4).
        anchors: Corners in pixels, (N, A, 4).
        boxes: Proposals, the one with the highest objectness first; corners in pixels within the image, (N, P, 4).
        scores: Their objectness, a probability, (N, P).
        mask: Whether there is such a proposal, (N, P).
    """

    objectness: Tensor
    offsets: Tensor
    anchors: Tensor
    boxes: Tensor
    scores: Tensor
    mask: Tensor


class Head(nn.Module):
    """Three convolutions that output objectness and offsets for each place of a map.

    Args:
        in_channels: Channels of the maps.
        anchors: Anchors per place.
        logits_per_anchor: 2 is a softmax over background and object, as in the paper; 1 is a sigmoid.
    """

    def __init__(self, in_channels: int, anchors: int, logits_per_anchor: int):
        super().__init__()
        # Twice in a Sequential, because torchvision's key is conv.0.0.
        conv = nn.Sequential(nn.Conv2d(in_channels, in_channels, kernel_size=3, padding=1), nn.ReLU(inplace=True))
        self.conv = nn.Sequential(conv)
        self.cls_logits = nn.Conv2d(in_channels, logits_per_anchor * anchors, kernel_size=1)
        self.bbox_pred = nn.Conv2d(in_channels, 4 * anchors, kernel_size=1)
        self.logits_per_anchor = logits_per_anchor
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return objectness (N, h*w*A) and offsets (N, h*w*A, 4), by row, column and anchor, for (N, C, h, w)."""
        x = self.conv(features)
        logits = self.cls_logits(x).permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, self.logits_per_anchor))
        # A softmax over two logits is the sigmoid of their difference.
        objectness = logits[..., -1] - logits[..., 0] if self.logits_per_anchor == 2 else logits[..., 0]
        return objectness, self.bbox_pred(x).permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, 4))


class RegionProposalNetwork(nn.Module):
    """A head that all maps share, and the way from its outputs to proposals and to losses.

    Args:
        in_channels: Channels of the maps.
        sizes: For each map, the sizes of its anchors (square roots of their areas) in pixels.
        ratios: Heights over widths of the anchors.
        logits_per_anchor: 2 is a softmax over background and object, 1 is a sigmoid.
        anchor_offset: Where in its cell an anchor's center is: 0 for the corner, 0.5 for the middle.
        inside_only: Whether anchors that cross the border of the image are left out of the loss.
        candidates: Boxes of each map that enter suppression, in training and in evaluation.
        proposals: Proposals of an image, in training and in evaluation.
        nms_threshold: Largest IoU of two proposals of a map.
        anchors_per_image: Anchors in the loss.
    """

    def __init__(
        self,
        in_channels: int,
        sizes: Sequence[Sequence[float]],
        ratios: Sequence[float],
        logits_per_anchor: int = 1,
        anchor_offset: float = 0.0,
        inside_only: bool = False,
        candidates: Sequence[int] = (2000, 1000),
        proposals: Sequence[int] = (2000, 1000),
        nms_threshold: float = 0.7,
        anchors_per_image: int = 256,
    ):
        super().__init__()
        self.sizes, self.ratios = sizes, ratios
        self.head = Head(in_channels, len(sizes[0]) * len(ratios), logits_per_anchor)
        self.anchor_offset, self.inside_only = anchor_offset, inside_only
        self.candidates, self.proposals, self.nms_threshold = candidates, proposals, nms_threshold
        self.anchors_per_image = anchors_per_image

    def anchors(self, features: Sequence[Tensor], height: int, width: int) -> list[Tensor]:
        """Return the anchors of each map, (h*w*A, 4)."""
        anchors = []
        for one, sizes in zip(features, self.sizes, strict=True):
            rows, columns = one.shape[2:]
            shapes = anchor_shapes(sizes, self.ratios).round().to(one.device)  # whole pixels, as in torchvision
            stride = (height // rows, width // columns)
            anchors.append(tile_anchors(shapes, rows, columns, stride, self.anchor_offset))
        return anchors

    def forward(self, features: Sequence[Tensor], height: int, width: int) -> Proposals:
        """Return proposals, and what the loss needs.

        Args:
            features: Maps (N, C, h, w), from the finest to the coarsest.
            height: Of the images, in pixels.
            width: Of the images.
        """
        outputs = [self.head(one) for one in features]
        objectness, offsets = (torch.cat(parts, dim=1).float() for parts in zip(*outputs, strict=True))
        anchors = torch.cat(self.anchors(features, height, width)).expand(len(objectness), -1, -1)
        with torch.no_grad():  # proposals are constants for the network that classifies them
            rows, levels = self._select_candidates([level for level, _ in outputs])
            scores = objectness.gather(1, rows).sigmoid()
            index = rows[..., None].expand(-1, -1, 4)
            boxes = decode_boxes(offsets.gather(1, index), anchors.gather(1, index))
            limits = boxes.new_tensor([width, height, width, height])
            best = self._suppress(torch.minimum(boxes.clamp(min=0), limits), scores, levels)
        return Proposals(objectness, offsets, anchors, *best)

    def _select_candidates(self, objectness: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the numbers of the best anchors of each map, (N, candidates), and the number of their map."""
        most, rows, levels, start = self.candidates[0 if self.training else 1], [], [], 0
        for number, level in enumerate(objectness):
            top = level.topk(min(most, level.shape[1]), dim=1).indices
            rows.append(top + start)
            levels.append(torch.full_like(top, number))
            start += level.shape[1]
        return torch.cat(rows, dim=1), torch.cat(levels, dim=1)

    def _suppress(self, boxes: Tensor, scores: Tensor, levels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the boxes (N, P, 4), scores and mask (N, P) that remain of candidates after NMS in each map."""
        from torchvision.ops import batched_nms  # here, because torchvision takes long to import

        most = self.proposals[0 if self.training else 1]
        if boxes.is_meta:  # without values, nothing can be suppressed
            return boxes[:, :most], scores[:, :most], torch.ones_like(scores[:, :most], dtype=torch.bool)
        remaining = []
        for corners, score, level in zip(boxes, scores, levels, strict=True):
            large = (corners[:, 2:] - corners[:, :2] >= MIN_SIZE).all(dim=1).nonzero()[:, 0]
            remaining.append(large[batched_nms(corners[large], score[large], level[large], self.nms_threshold)[:most]])
        lists = [torch.cat([b[r], s[r, None]], dim=1) for b, s, r in zip(boxes, scores, remaining, strict=True)]
        padded = pad_sequence(lists, batch_first=True)
        lengths = torch.tensor([len(rows) for rows in remaining], device=boxes.device)
        mask = torch.arange(padded.shape[1], device=boxes.device) < lengths[:, None]
        return padded[..., :4], padded[..., 4], mask

    def losses(self, outputs: Proposals, boxes: Tensor, mask: Tensor, height: int, width: int) -> dict[str, Tensor]:
        """Return the losses of objectness and of offsets, as means over the sampled anchors.

        Args:
            outputs: The outputs for a batch.
            boxes: Corners of the objects in pixels, (N, M, 4).
            mask: Whether there is such an object, (N, M).
            height: Of the images, in pixels.
            width: Of the images.
        """
        anchors, logits, targets, errors = outputs.anchors[0], [], [], []
        limits = anchors.new_tensor([width, height])
        is_outside = (anchors[:, :2] < 0).any(dim=1) | (anchors[:, 2:] > limits).any(dim=1)
        with fixed_unless(self.training):
            samples = [
                self._sample(one[present], anchors, is_outside) for one, present in zip(boxes, mask, strict=True)
            ]
        for objectness, offsets, (positives, negatives, objects) in zip(*outputs[:2], samples, strict=True):
            logits.append(objectness[torch.cat([positives, negatives])])
            targets.append(torch.cat([torch.ones_like(positives), torch.zeros_like(negatives)]))
            expected = encode_boxes(objects, anchors[positives])
            errors.append(F.smooth_l1_loss(offsets[positives], expected, beta=BETA, reduction="sum"))
        sampled = torch.cat(logits)
        entropy = F.binary_cross_entropy_with_logits(sampled, torch.cat(targets).to(sampled), reduction="sum")
        count = max(1, len(sampled))  # with all anchors outside of tiny images, there is none
        return {"objectness": entropy / count, "proposals": torch.stack(errors).sum() / count}

    def _sample(self, boxes: Tensor, anchors: Tensor, is_outside: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return numbers of positive and of negative anchors of an image, and the object of each positive one."""
        from torchvision.ops import box_iou

        objects = boxes.to(anchors)
        iou = box_iou(objects, anchors)
        if self.inside_only:  # an anchor outside is not the best one of an object either
            iou = iou.masked_fill(is_outside, 0.0)
        assignment = assign(iou, positive=0.7, negative=0.3, keep_best=True)
        if self.inside_only:
            assignment = assignment.masked_fill(is_outside, IGNORED)
        positives, negatives = sample(assignment, self.anchors_per_image, positive_share=0.5)
        return positives, negatives, objects[assignment[positives]]


@contextmanager
def fixed_unless(is_training: bool) -> Iterator[None]:
    """Draw the same random numbers each time, unless in training, so that evaluations are repeatable."""
    if is_training:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
