"""Helpers of the claims about transfer learning."""

import pytest
import torch

from workbench.claims.chapters import transfer_learning
from workbench.claims.chapters.transfer_learning import classes_of, small_cnn, transfer

OPTIONS = dict(source="digits", target="digits", labels=5, steps=3, lr=1e-2)


@pytest.mark.parametrize("name", ["digits", "shapes"])
def test_source_and_target_have_four_classes_each_and_no_image_in_common(name):
    (source, source_classes), (target, target_classes) = (classes_of(name, 3, is_source) for is_source in (True, False))
    for classes in (source_classes, target_classes):
        assert torch.bincount(classes).min() > 100 and classes.unique().tolist() == [0, 1, 2, 3]
    images = {tuple(image.flatten()[:200].tolist()) for image in source}
    assert not any(tuple(image.flatten()[:200].tolist()) in images for image in target)


def test_a_frozen_backbone_gives_the_accuracy_of_the_whole_network_with_that_head(monkeypatch):
    monkeypatch.setattr(transfer_learning, "PRETRAINING_STEPS", 20)
    transfer_learning.pretrained.cache_clear()
    frozen = transfer(0, method="frozen", **OPTIONS)
    tuned = transfer(0, method="fine-tuned", **OPTIONS | dict(lr=0.0))
    head_alone = transfer(0, method="frozen", **OPTIONS | dict(lr=0.0))
    transfer_learning.pretrained.cache_clear()
    assert head_alone == tuned and frozen != head_alone


def test_from_scratch_the_source_does_not_matter():
    values = [transfer(1, method="scratch", **OPTIONS | dict(source=source)) for source in ("digits", "shapes")]
    assert values[0] == values[1]


def test_the_network_has_the_parameters_of_its_layers():
    expected = (3 * 9 + 1) * 8 + (8 * 9 + 1) * 16 + (16 * 9 + 1) * 32 + (32 + 1) * 4
    assert sum(weight.numel() for weight in small_cnn(0).parameters()) == expected
