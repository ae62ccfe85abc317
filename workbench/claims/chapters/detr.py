"""Claims about DETR: duplicates, and the length of the training."""

from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import NonInferior, Paired

if TYPE_CHECKING:
    from torch import nn

TASK, BATCH, NMS_IOU = "shape-scenes", 16, 0.5
LR = {"detr": 0.002, "yolo-v1": 0.006}  # their recipes'


@cache
def trained(seed: int, model: str, steps: int) -> "nn.Module":
    """Return a mini that was trained by Adam, with a learning rate that rises over a tenth of the steps, then falls."""
    import torch

    import models
    from workbench import tasks
    from workbench.tasks.base import StepContext

    torch.manual_seed(seed)
    network, task = models.build(model, "mini"), tasks.get(TASK)
    source = task.sources(network, seed)["train"]
    optimizer = torch.optim.Adam(network.parameters(), LR[model])
    generator, context = torch.Generator().manual_seed(seed), StepContext(is_training=True)
    network.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LR[model] * min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps))
        batch = source.batch(torch.randint(len(source), (BATCH,), generator=generator))
        optimizer.zero_grad()
        torch.autograd.backward(task.losses(task.forward(network, batch, context), batch, context)["loss"])
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
    return network


def ap50(seed: int, *, model: str, steps: int, nms: bool | None = None) -> float:
    """Return the AP50 of a mini on the test set, in points.

    Args:
        seed: Seed of the initial weights, the splits and the batches.
        model: `detr` or `yolo-v1`.
        steps: Updates of 16 images.
        nms: Whether duplicates are suppressed; None for the detector's own way.
    """
    import torch
    from torchvision.ops import batched_nms

    from models.layers.boxes import Detections
    from workbench import tasks
    from workbench.tasks.average_precision import AveragePrecision

    network: Any = trained(seed, model, steps)
    task = tasks.get(TASK)
    source = task.sources(network, seed)["test"]
    meter = AveragePrecision(len(task.dataset.classes))
    for start in range(0, len(source), 200):
        batch = source.batch(slice(start, start + 200))
        outputs = task.predict(network, batch)
        options = {} if nms is None or model == "detr" else {"iou_threshold": 1.0}  # which suppresses nothing
        detections = network.detect(outputs.values, 0.05, **options)
        if nms:
            remaining = [batched_nms(*one, NMS_IOU) for one in detections]
            detections = [
                Detections(*(column[rows] for column in one)) for one, rows in zip(detections, remaining, strict=True)
            ]
        masks = batch["boxes_mask"]
        objects = (
            [values[mask] for values, mask in zip(batch[name], masks, strict=True)] for name in ("boxes", "labels")
        )
        meter.update(detections, *objects)
    return 100 * float(torch.tensor(meter.compute()["ap50"]))


DETR_NO_NMS = Empirical(
    id="detr-no-nms",
    statement="DETR needs no NMS: without it, the AP50 of a trained DETR is at most 1 point lower than with it.",
    topic="detr",
    arms=dict(
        without=trial(ap50, model="detr", steps=1500, nms=False),
        with_nms=trial(ap50, model="detr", steps=1500, nms=True),
    ),
    control=dict(model="yolo-v1", steps=800),
    measure="ap50",
    decider=NonInferior(margin=1.0, unit="points"),
    seeds=4,  # each trains a network for minutes
    expected="holds",
    source="Carion et al., End-to-end object detection with transformers (2020), section 4.2, figure 4",
    note=(
        "The matching gives each object one query, and queries attend to each other. A YOLO v1, of which several cells "
        "and boxes may detect an object, loses AP50 without NMS. The paper's first decoder layer gains by NMS, too."
    ),
)

DETR_SLOW_CONVERGENCE = Empirical(
    id="detr-slow-convergence",
    statement=(
        "DETR converges more slowly than detectors with a grid: after 800 updates of 16 images, a small YOLO v1 has an "
        "AP50 at least 20 points above that of a small DETR."
    ),
    topic="detr",
    arms=dict(
        yolo=trial(ap50, model="yolo-v1", steps=800),
        detr=trial(ap50, model="detr", steps=800),
    ),
    control=dict(steps=20),
    measure="ap50",
    decider=Paired(min_effect=20.0, unit="points"),
    seeds=4,  # each trains two networks
    expected="holds",
    source="Zhu et al., Deformable DETR (2020), abstract and section 1",
    note=(
        "The notes leave it out. The paper trained DETR for 500 epochs; attention starts nearly uniform, and the "
        "queries must learn places that a grid has from the start. After 20 updates neither network detects anything."
    ),
)
