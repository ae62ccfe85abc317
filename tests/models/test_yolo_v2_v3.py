"""YOLO v2 and v3: published layers and costs, and their losses by loops over boxes and objects."""

import math

import numpy as np
import pytest
import torch

import models
from models.cost import summarize

SIZE, CLASSES = 64, 4
NAMES = ["yolo-v2", "yolo-v3"]


def build(name, **options):
    torch.manual_seed(0)
    return models.build(name, "mini", **options)


def random_objects(seed, count=3, most=4):
    """Return boxes (count, most, 4), labels, and a mask that leaves some out."""
    generator = torch.Generator().manual_seed(seed)
    first = 40 * torch.rand(count, most, 2, generator=generator)
    boxes = torch.cat([first, first + 10 + 14 * torch.rand(count, most, 2, generator=generator)], dim=2)
    labels = torch.randint(0, CLASSES, (count, most), generator=generator)
    return boxes, labels, torch.rand(count, most, generator=generator) < 0.8


EMPTY = torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.long), torch.zeros(2, 0, dtype=torch.bool)


@pytest.mark.parametrize(
    ("name", "options", "params", "macs"),
    [
        ("yolo-v2", {}, 50_655_389, 14_680_167_424),
        ("yolo-v2", {"num_classes": 80}, 50_962_889, None),
        ("yolo-v3", {}, 61_949_149, 32_932_037_632),
        ("yolo-v3", {"num_classes": 20}, 61_626_049, None),
        ("yolo-v3", {"image_size": 608}, 61_949_149, 70_345_950_208),
    ],
)
def test_parameters_and_macs_are_those_of_the_authors_configurations(name, options, params, macs):
    table = summarize(name, "paper", **options).table()
    assert table["params"] == params
    assert macs is None or table["macs"] == macs


@pytest.mark.parametrize(("name", "convolutions"), [("yolo-v2", 23), ("yolo-v3", 75)])
def test_all_convolutions_but_those_of_the_outputs_have_a_norm_and_a_leaky_relu(name, convolutions):
    kinds = [row["type"] for row in summarize(name, "paper").table()["layers"]]
    assert kinds.count("Conv2d") == convolutions
    outputs = 1 if name == "yolo-v2" else 3
    assert kinds.count("BatchNorm2d") == kinds.count("LeakyReLU") == convolutions - outputs
    with torch.device("meta"):
        network = models.build(name)
    biased = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d) and m.bias is not None]
    assert [m.out_channels for m in biased] == ([125] if name == "yolo-v2" else [255] * 3)


def test_the_paper_networks_have_the_published_boxes():
    with torch.device("meta"):
        v2, v3 = models.build("yolo-v2"), models.build("yolo-v3")
        assert v2(torch.zeros(1, 3, 416, 416)).shape == (1, 13, 13, 125)
        assert v3(torch.zeros(1, 3, 416, 416)).shape == (1, 10_647, 85)
    assert v2.grid.count == 845 and v3.grid.count == 507 + 2028 + 8112


def boxes_of(network, name):
    """Return stride, row, column, width and height of every box of a network, by loops."""
    arguments = models.info(name).presets["mini"]["anchors"]
    grids = [(16, arguments)] if name == "yolo-v2" else list(zip((32, 16, 8), arguments, strict=True))
    return [
        (stride, row, column, width, height)
        for stride, anchors in grids
        for row in range(SIZE // stride)
        for column in range(SIZE // stride)
        for width, height in anchors
    ]


def brute_force_iou(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union


def corners(x, y, w, h):
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def cross_entropy(logit, target):
    p = sigmoid(logit)
    return -target * math.log(p) - (1 - target) * math.log(1 - p)


def brute_force_losses(name, order, predictions, boxes, labels, mask):
    terms = dict.fromkeys(("coordinates", "sizes", "objectness", "no_object", "classes"), 0.0)
    shapes = sorted({(w, h) for *_, w, h in order}, key=[(w, h) for *_, w, h in order].index)
    for image, values in enumerate(predictions):
        objects = [(b, c) for b, c, m in zip(boxes[image], labels[image], mask[image], strict=True) if m]
        responsible = {}
        for box, label in objects:
            x, y, w, h = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]
            overlaps = [brute_force_iou(corners(0, 0, w, h), corners(0, 0, *shape)) for shape in shapes]
            best = shapes[int(np.argmax(overlaps))]
            for k, (stride, row, column, *shape) in enumerate(order):
                if (*shape,) == best and (row, column) == (int(y // stride), int(x // stride)):
                    target = x / stride - column, y / stride - row, math.log(w / best[0]), math.log(h / best[1])
                    responsible.setdefault(k, (target, box, label))
        for k, (stride, row, column, width, height) in enumerate(order):
            x, y, w, h, objectness, *scores = values[k]
            center = (column + sigmoid(x)) * stride, (row + sigmoid(y)) * stride
            predicted = corners(*center, width * math.exp(w), height * math.exp(h))
            prior = corners((column + 0.5) * stride, (row + 0.5) * stride, width, height)
            if k not in responsible:
                compared, limit = (predicted, 0.6) if name == "yolo-v2" else (prior, 0.5)
                if all(brute_force_iou(compared, box) <= limit for box, _ in objects):
                    terms["no_object"] += (
                        sigmoid(objectness) ** 2 if name == "yolo-v2" else cross_entropy(objectness, 0)
                    )
                continue
            (tx, ty, tw, th), box, label = responsible[k]
            if name == "yolo-v2":
                terms["coordinates"] += (sigmoid(x) - tx) ** 2 + (sigmoid(y) - ty) ** 2
                terms["sizes"] += (w - tw) ** 2 + (h - th) ** 2
                terms["objectness"] += 5 * (sigmoid(objectness) - brute_force_iou(predicted, box)) ** 2
                terms["classes"] -= math.log(math.exp(scores[label]) / sum(map(math.exp, scores)))
            else:
                terms["coordinates"] += cross_entropy(x, tx) + cross_entropy(y, ty)
                terms["sizes"] += ((w - tw) ** 2 + (h - th) ** 2) / 2
                terms["objectness"] += cross_entropy(objectness, 1)
                terms["classes"] += sum(cross_entropy(score, c == label) for c, score in enumerate(scores))
    return {term: value / len(predictions) for term, value in terms.items()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_the_documented_one_by_brute_force(name, seed):
    network = build(name)
    objects = random_objects(seed)
    generator = torch.Generator().manual_seed(seed)
    predictions = 0.5 * torch.randn(3, network.grid.count, 5 + CLASSES, generator=generator)
    outputs = predictions.view(3, 4, 4, -1) if name == "yolo-v2" else predictions
    terms = network.losses(outputs, *objects)
    expected = brute_force_losses(
        name, boxes_of(network, name), predictions.tolist(), *(values.tolist() for values in objects)
    )
    assert {term: value.item() for term, value in terms.items()} == pytest.approx(expected, rel=1e-4)
    assert min(expected.values()) > 0


def test_the_gradient_of_yolo_v3_in_its_outputs_is_output_minus_target():
    network = build("yolo-v3")
    boxes, labels = torch.tensor([[[10.0, 12.0, 33.0, 30.0]]]), torch.tensor([[1]])
    predictions = torch.randn(1, network.grid.count, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    terms = network.losses(predictions, boxes, labels, torch.ones(1, 1, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(terms["coordinates"] + terms["sizes"], predictions)
    targets = network.grid.find_targets(boxes, labels, torch.ones(1, 1, dtype=torch.bool))
    own = predictions[0, targets.places[0]].detach()
    activated = torch.cat([own[:2].sigmoid(), own[2:4]])
    torch.testing.assert_close(gradient[0, targets.places[0], :4], activated - targets.values[0])
    assert (gradient != 0).sum() <= 4


@pytest.mark.parametrize("name", NAMES)
def test_images_without_objects_have_only_the_no_object_term(name):
    network = build(name)
    terms = network.losses(network(torch.rand(2, 3, SIZE, SIZE)), *EMPTY)
    assert {term for term, value in terms.items() if value > 0} == {"no_object"}


@pytest.mark.parametrize("name", NAMES)
def test_perfect_outputs_are_the_objects(name):
    network = build(name)
    boxes = torch.tensor([[[3.0, 5.0, 25.0, 26.0], [34.0, 31.0, 60.0, 58.0]]])
    labels = torch.tensor([[3, 1]])
    targets = network.grid.find_targets(boxes, labels, torch.ones(1, 2, dtype=torch.bool))
    predictions = torch.full((1, network.grid.count, 5 + CLASSES), -20.0)
    values = torch.cat([targets.values[:, :2].logit(), targets.values[:, 2:]], dim=1)
    predictions[0, targets.places, :4] = values
    predictions[0, targets.places, 4] = 20.0
    predictions[0, targets.places, 5 + targets.labels] = 20.0
    (detections,) = network.detect(predictions.view(1, 4, 4, -1) if name == "yolo-v2" else predictions)
    order = detections.labels.argsort(descending=True)
    assert detections.labels[order].tolist() == [3, 1]
    torch.testing.assert_close(detections.boxes[order], boxes[0], rtol=0, atol=1e-3)
    assert detections.scores.min() > 0.999


def test_classes_share_one_in_yolo_v2_and_are_independent_in_yolo_v3():
    for name, expected in (("yolo-v2", 1 / CLASSES), ("yolo-v3", 0.5)):
        network = build(name)
        predictions = torch.full((1, network.grid.count, 5 + CLASSES), -20.0)
        predictions[0, 0, :4] = 0
        predictions[0, 0, 4] = 20.0
        predictions[0, 0, 5:] = 0  # all classes alike
        (detections,) = network.detect(predictions.view(1, 4, 4, -1) if name == "yolo-v2" else predictions)
        assert sorted(detections.labels.tolist()) == list(range(CLASSES))
        assert detections.scores.tolist() == pytest.approx([expected] * CLASSES)


def test_the_passthrough_layer_keeps_every_value():
    network = build("yolo-v2")
    x = torch.arange(2 * 4 * 4.0).view(1, 2, 4, 4)
    passed = network.passthrough(x)
    assert passed.shape == (1, 8, 2, 2)
    for row in range(2):
        for column in range(2):
            block = x[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            assert sorted(passed[0, :, row, column].tolist()) == sorted(block.flatten().tolist())


@pytest.mark.parametrize("name", NAMES)
def test_invalid_image_sizes_are_rejected(name):
    from workbench.errors import UserError

    stride = 16 if name == "yolo-v2" else 32
    for size in (0, 8, 50):
        with pytest.raises(UserError, match=f"image_size must be a multiple of {stride}, not {size}"):
            models.build(name, "mini", image_size=size)
