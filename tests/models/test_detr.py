"""DETR against transformers' network and its set loss, and its matching against all permutations."""

import itertools
import re

import pytest
import torch
from torch import nn
from transformers import DetrConfig, DetrForObjectDetection
from transformers.loss.loss_for_object_detection import ForObjectDetectionLoss
from transformers.models.detr.modeling_detr import DetrSinePositionEmbedding

import models
from models.cost import summarize
from models.detection.detr import encode_positions
from models.layers.boxes import convert_to_centers, convert_to_corners
from workbench.errors import UserError

SIZES = dict(num_classes=7, num_queries=6, hidden_size=32, num_heads=4, ffn_size=48, encoder_layers=2, decoder_layers=3)
HEIGHT, WIDTH = 96, 160
CONFIG = dict(
    num_labels=7,
    num_queries=6,
    d_model=32,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=48,
    decoder_ffn_dim=48,
    encoder_layers=2,
    decoder_layers=3,
)


def varied(network):
    """Give a network weights, norms and biases that hide nothing, as fresh ones would, and that keep maps finite."""
    torch.manual_seed(0)
    backbone = {id(weight) for name, weight in network.named_parameters() if "backbone" in name}
    for name, weight in network.named_parameters():
        if id(weight) not in backbone:
            std = 0.3 if weight.dim() < 2 else 2.0 if "query" in name else 0.2
            nn.init.normal_(weight, "norm" in name and name.endswith("weight"), std)
    for module in network.modules():
        if type(module).__name__ in ("DetrFrozenBatchNorm2d", "FrozenBatchNorm2d"):
            for tensor, low, high in (
                (module.weight, 0.4, 0.8),
                (module.bias, -0.1, 0.1),
                (module.running_var, 0.5, 1.5),
            ):
                tensor.uniform_(low, high)
            module.running_mean.normal_(std=0.1)
    return network.eval()


def reference():
    return varied(DetrForObjectDetection(DetrConfig(**CONFIG)))


def build(**options):
    return models.build("detr", **SIZES, image_height=HEIGHT, image_width=WIDTH, **options).eval()


def random_predictions(seed, layers=3):
    """Return logits (layers, 3, 6, 8) and boxes (layers, 3, 6, 4) that gradients flow to."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(layers, 3, 6, 8, generator=generator).requires_grad_()
    boxes = (0.2 + 0.4 * torch.rand(layers, 3, 6, 4, generator=generator)).requires_grad_()
    return logits, boxes


def random_objects(seed, most=4):
    """Return corners in pixels (3, most, 4), labels and a mask; the last image has no object."""
    generator = torch.Generator().manual_seed(seed)
    centers = 0.3 + 0.4 * torch.rand(3, most, 2, generator=generator)
    sizes = 0.1 + 0.4 * torch.rand(3, most, 2, generator=generator)
    corners = convert_to_corners(torch.cat([centers, sizes], dim=2)) * torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])
    labels = torch.randint(0, 7, (3, most), generator=generator)
    mask = torch.rand(3, most, generator=generator) < 0.7
    mask[2] = False
    return corners, labels, mask


def as_reference_labels(corners, labels, mask):
    boxes = convert_to_centers(corners / torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT]))
    return [
        {"class_labels": own[is_object], "boxes": box[is_object]}
        for own, box, is_object in zip(labels, boxes, mask, strict=True)
    ]


def test_the_published_network_has_its_parameters_its_cost_and_frozen_layers():
    table = summarize("detr", "paper").table()
    assert (table["params"], table["macs"]) == (41_524_768, 81_245_056_000)
    with torch.device("meta"):
        network = models.build("detr")
        theirs = DetrForObjectDetection(DetrConfig(num_labels=91))
    assert sum(weight.numel() for weight in theirs.parameters()) == 41_524_768
    assert sum(weight.numel() for weight in network.parameters() if weight.requires_grad) == 41_302_368
    assert sum(weight.numel() for weight in network.backbone.parameters()) == 23_454_912
    stacks = (*network.encoder.parameters(), *network.decoder.parameters())
    assert sum(weight.numel() for weight in stacks) == 17_363_456
    network.load_reference(theirs.state_dict())


@torch.no_grad()
def test_outputs_are_those_of_transformers():
    theirs, ours = reference(), build()
    ours.load_reference(theirs.state_dict())
    images = torch.randn(2, 3, HEIGHT, WIDTH)
    expected, outputs = theirs(images), ours(images)
    assert (expected.logits[0] - expected.logits[1]).abs().max() > 1e-2  # or any network would agree
    assert (expected.pred_boxes[:, 0] - expected.pred_boxes[:, 1]).abs().max() > 1e-3
    torch.testing.assert_close(outputs["logits"], expected.logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(outputs["boxes"], expected.pred_boxes, rtol=0, atol=1e-4)


def test_files_with_the_names_of_older_versions_and_of_the_authors_are_read():
    theirs, ours = reference().state_dict(), build()
    ours.load_reference(theirs)
    older, authors = {}, {}
    for name, tensor in theirs.items():
        name = name.replace(".backbone.model.", ".backbone.conv_encoder.model.").replace(".o_proj.", ".out_proj.")
        older[re.sub(r"\.mlp\.fc", ".fc", name)] = tensor
    for name, tensor in ours.state_dict().items():
        name = re.sub(r"^(encoder|decoder)\.", r"transformer.\1.", name)
        authors[name.replace("backbone.", "backbone.0.body.")] = tensor
    for weights in (older, authors):
        assert weights.keys().isdisjoint({"model.backbone.model.conv1.weight", "backbone.conv1.weight"})
        again = build()
        again.load_reference(weights)
        assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in ours.state_dict().items())


@pytest.mark.parametrize("seed", range(3))
def test_the_set_loss_and_its_gradient_are_those_of_transformers(seed):
    objects, (logits, boxes) = random_objects(seed), random_predictions(seed)
    earlier = dict(auxiliary_logits=logits[:-1].transpose(0, 1), auxiliary_boxes=boxes[:-1].transpose(0, 1))
    terms = build().losses(dict(logits=logits[-1], boxes=boxes[-1], **earlier), *objects)
    config = DetrConfig(**CONFIG, auxiliary_loss=True)
    labels = as_reference_labels(*objects)
    loss, expected, _ = ForObjectDetectionLoss(logits[-1], labels, "cpu", boxes[-1], config, logits, boxes)
    torch.testing.assert_close(terms["classes"], expected["loss_ce"])
    torch.testing.assert_close(terms["l1"], 5 * expected["loss_bbox"])
    torch.testing.assert_close(terms["giou"], 2 * expected["loss_giou"])
    total = torch.stack(list(terms.values())).sum()
    torch.testing.assert_close(total, loss)
    own, theirs = (torch.autograd.grad(value, [logits, boxes]) for value in (total, loss))
    assert all(gradient.abs().max() > 1e-2 for gradient in theirs)
    torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-6)


def test_images_without_objects_have_a_loss_of_no_object_alone():
    (corners, labels, _), (logits, boxes) = random_objects(0), random_predictions(0)
    nothing = torch.zeros(labels.shape, dtype=torch.bool)
    terms = build().losses(dict(logits=logits[-1], boxes=boxes[-1]), corners, labels, nothing)
    expected = nn.functional.cross_entropy(logits[-1].flatten(0, 1), torch.full((18,), 7))
    torch.testing.assert_close(terms["classes"], expected)
    assert terms["l1"] == terms["giou"] == 0 and "auxiliary" not in terms


@pytest.mark.parametrize("seed", range(3))
def test_the_matching_is_the_best_of_all_permutations(seed):
    torch.manual_seed(seed)
    network = build()
    logits, boxes = torch.randn(1, 6, 8), 0.3 + 0.3 * torch.rand(1, 6, 4)
    targets, labels = 0.3 + 0.3 * torch.rand(1, 3, 4), torch.randint(0, 7, (1, 3))
    matched = network.match(logits, boxes, targets, labels, torch.ones(1, 3, dtype=torch.bool))[0].tolist()
    assert len(set(matched)) == 3

    def cost(queries):
        from torchvision.ops import generalized_box_iou

        pairs = zip(queries, range(3), strict=True)
        corners, objects = convert_to_corners(boxes[0]), convert_to_corners(targets[0])
        return sum(
            5 * (boxes[0, q] - targets[0, k]).abs().sum()
            - logits[0, q].softmax(dim=0)[labels[0, k]]
            - 2 * generalized_box_iou(corners[q : q + 1], objects[k : k + 1])[0, 0]
            for q, k in pairs
        )

    best = min(cost(queries) for queries in itertools.permutations(range(6), 3))
    torch.testing.assert_close(cost(matched), best)


def test_the_loss_does_not_depend_on_the_order_of_the_objects():
    (corners, labels, mask), (logits, boxes) = random_objects(1), random_predictions(1)
    network, outputs, order = build(), dict(logits=logits[-1], boxes=boxes[-1]), torch.tensor([2, 0, 3, 1])
    shuffled = network.losses(outputs, corners[:, order], labels[:, order], mask[:, order])
    for name, term in network.losses(outputs, corners, labels, mask).items():
        torch.testing.assert_close(shuffled[name], term)


def test_detections_are_the_best_class_of_each_query():
    network = build()
    logits = torch.full((1, 6, 8), -20.0)
    logits[0, :, 7] = 0.0  # "no object"
    logits[0, 4, 2], logits[0, 1, 5] = 3.0, 1.0
    boxes = torch.full((1, 6, 4), 0.5)
    boxes[0, 1] = torch.tensor([0.1, 0.5, 0.4, 0.2])  # beyond the left edge
    (detected,) = network.detect({"logits": logits, "boxes": boxes}, 0.5)
    assert detected.labels.tolist() == [2, 5]
    torch.testing.assert_close(detected.scores, torch.tensor([3.0, 1.0]).sigmoid())
    torch.testing.assert_close(
        detected.boxes, torch.tensor([[40.0, 24.0, 120.0, 72.0], [0.0, 0.4 * HEIGHT, 0.3 * WIDTH, 0.6 * HEIGHT]])
    )


def test_positions_are_those_of_transformers():
    theirs = DetrSinePositionEmbedding(16, normalize=True)((1, 32, 5, 7), "cpu", torch.float32)
    torch.testing.assert_close(encode_positions(torch.zeros(1, 32, 5, 7), 10_000.0), theirs[0].flatten(1).T)


def test_a_backbone_may_be_that_of_a_classifier():
    assert models.info("detr").parts["backbone"].prefixes == ("backbone.",)
    with torch.device("meta"):
        names = {name.removeprefix("backbone.") for name in models.build("detr").state_dict() if "backbone." in name}
        assert names <= models.build("resnet50").state_dict().keys()


def test_options_that_make_no_network_are_rejected():
    for options, message in (
        (dict(num_queries=0), "1 or more"),
        (dict(hidden_size=30), "multiple of 4"),
        (dict(last_layer=5), "last_layer must be 1 to 4"),
    ):
        with pytest.raises(UserError, match=message):
            models.build("detr", "mini", **options)


def test_more_objects_than_queries_are_rejected():
    network = models.build("detr", "mini", num_queries=3).eval()
    corners, labels, _ = random_objects(0)
    with pytest.raises(UserError, match="An image has 4 objects, but the network has 3 queries"):
        network.losses(network(torch.zeros(3, 3, 64, 64)), corners, labels % 4, torch.ones_like(labels).bool())


def test_outputs_of_a_network_that_diverged_have_no_loss_but_nan():
    (corners, labels, mask), (logits, boxes) = random_objects(0), random_predictions(0)
    terms = build().losses(dict(logits=logits[-1] * torch.nan, boxes=boxes[-1] * torch.nan), corners, labels, mask)
    assert all(term.isnan() for term in terms.values())
