"""Classes of pixels that a fully connected CRF refines in an evaluation."""

import pytest
import torch
from torch import nn

from models.layers.dense_crf import DenseCRF
from tests.trained_runs import train_run
from workbench import data, tasks
from workbench.engine import evaluate
from workbench.errors import UserError
from workbench.tasks.base import StepContext
from workbench.tasks.semantic_segmentation import CRF


class Coarse(nn.Module):
    """Returns logits of the true classes at every eighth pixel."""

    input_shape = (3, 64, 64)

    def __init__(self, segments):
        super().__init__()
        classes = nn.functional.one_hot(torch.from_numpy(segments).long(), 5).permute(0, 3, 1, 2).float()
        self.register_buffer("logits", nn.functional.avg_pool2d(classes, 8).clamp(min=0.01).log())

    def forward(self, images):
        return self.logits[: len(images)]


@pytest.fixture(scope="module")
def coarse():
    """Return the task, a network with perfect classes at stride 8, and a batch of test images."""
    task = tasks.get("shape-segments")
    network = Coarse(data.load("shape-segments", 100)["validation"][1][:4])
    return task, network, task.sources(network, 100)["validation"].batch(slice(0, 4))


def test_colors_are_those_of_the_images_in_bytes(coarse):
    task, network, batch = coarse
    images = torch.from_numpy(data.load("shape-segments", 100)["validation"][0][:4]).float()
    logits = task.forward(network, batch, StepContext())
    refined = task.with_crf(100).forward(network, batch, StepContext())
    torch.testing.assert_close(refined.exp(), DenseCRF(**CRF)(logits, images), rtol=1e-3, atol=1e-4)


def test_boundaries_become_better(coarse):
    task, network, batch = coarse
    scores = []
    for kind in (task, task.with_crf(100)):
        meter = kind.meter()
        meter.update(kind.forward(network, batch, StepContext()), batch)
        scores.append(meter.compute())
    assert scores[1]["boundary_error"] < 0.5 * scores[0]["boundary_error"]
    assert scores[1]["miou"] > scores[0]["miou"]


def test_training_knows_no_crf(coarse):
    task, network, batch = coarse
    outputs = [kind.forward(network, batch, StepContext(is_training=True)) for kind in (task, task.with_crf(100))]
    assert torch.equal(*outputs)


@pytest.mark.full
def test_an_evaluation_with_a_crf_differs_and_says_so(monkeypatch):
    from workbench.tasks import semantic_segmentation

    monkeypatch.setitem(semantic_segmentation.CRF, "iterations", 1)
    run = train_run("deeplab-v1", task="shape-segments", steps=2)
    plain, refined = (evaluate.compute(run, "validation", crf=crf) for crf in (False, True))
    assert (plain["crf"], refined["crf"]) == (False, True)
    assert plain["metrics"].keys() == refined["metrics"].keys() and plain["metrics"] != refined["metrics"]


def test_tasks_without_classes_of_pixels_reject_a_crf():
    with pytest.raises(UserError, match="classifies no pixels that a CRF could refine: leave crf out"):
        tasks.get("digits").with_crf(0)
