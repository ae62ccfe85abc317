"""The sliding window: its logits are those of the windows one by one; OverFeat's size."""

import pytest
import torch
from torchvision.ops import box_iou

import models
from models.cost import summarize
from workbench.errors import UserError

BOXES = torch.tensor([[[4.0, 6, 30, 34], [36, 30, 62, 60]], [[10, 12, 40, 40], [0, 0, 0, 0]]])
LABELS = torch.tensor([[0, 2], [3, 0]])
MASK = torch.tensor([[True, True], [True, False]])


LAYERS = ((5, 8, 1, 0), (), (5, 16, 1, 0), ())  # of which a window of 32x32 leaves 5x5


def build(**options):
    torch.manual_seed(0)
    scales = {"scales": (0.85, 1.1, 1.4, 1.8), **options}
    return models.build("sliding-window", "mini", layers=LAYERS, window_size=32, **scales)


def test_the_paper_preset_is_overfeats_fast_network_with_a_background_class():
    rows = {
        row["name"]: row
        for row in summarize("sliding-window", "paper", image_size=231, scales=(1.0,)).table()["layers"]
    }
    params = [row["params"] for row in rows.values() if row["type"] == "Conv2d"]
    assert params[:5] == [34_944, 614_656, 1_180_160, 4_719_616, 9_438_208]
    assert sum(params) - (4096 + 1) == 145_920_872  # the paper: 145 million
    shapes = [row["output_shape"] for row in rows.values() if row["type"] in ("Conv2d", "MaxPool2d")]
    assert [shape[1] for shape in shapes] == [56, 28, 24, 12, 12, 12, 12, 6, 1, 1, 1]


@torch.no_grad()
def test_logits_are_those_of_the_windows_one_by_one():
    network = build(batch_norm=False, scales=(0.85, 1.0, 1.3)).double().eval()
    image = torch.randn(1, 3, 64, 64).double()
    logits = network(image)[0]
    windows = network.windows(image.device)
    assert len(windows) == len(logits) == 6**2 + 9**2 + 13**2
    start = 0
    for scale, places in ((0.85, 6), (1.0, 9), (1.3, 13)):
        resized = network.resize(image, scale)
        for row, column in ((0, 0), (2, 5), (places - 1, places - 1)):
            window = resized[:, :, 4 * row : 4 * row + 32, 4 * column : 4 * column + 32]
            alone = network.classifier(network.features(window))[0, :, 0, 0]
            number = start + row * places + column
            torch.testing.assert_close(logits[number], alone, rtol=0, atol=1e-10)
            factor = 64 / resized.shape[2]
            corners = [4 * column * factor, 4 * row * factor, (4 * column + 32) * factor, (4 * row + 32) * factor]
            assert windows[number].tolist() == pytest.approx(corners, rel=1e-5)
        start += places**2


def test_a_window_learns_the_class_of_its_object_and_others_the_background():
    network = build(windows_per_image=10**6).eval()
    windows = network.windows(torch.device("cpu"))
    iou = [box_iou(boxes[mask], windows) for boxes, mask in zip(BOXES, MASK, strict=True)]
    logits = torch.full((2, len(windows), 5), -20.0)
    for number, overlaps in enumerate(iou):
        best = overlaps.argmax(dim=0)
        is_object = overlaps.amax(dim=0) >= 0.6
        is_object |= (overlaps == overlaps.amax(dim=1, keepdim=True)).any(dim=0)
        classes = torch.where(is_object, LABELS[number][best] + 1, 0)
        logits[number].scatter_(1, classes[:, None], 20.0)
    assert network.losses(logits, BOXES, LABELS, MASK)["classes"] < 1e-6
    detections = network.detect(logits, 0.5)
    for one, boxes, labels, mask in zip(detections, BOXES, LABELS, MASK, strict=True):
        assert sorted(set(one.labels.tolist())) == sorted(labels[mask].tolist())
        assert (box_iou(boxes[mask], one.boxes).amax(dim=1) > 0.5).all()


def test_images_without_objects_are_background():
    network = build().eval()
    nothing = torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.long), torch.zeros(2, 0, dtype=torch.bool)
    logits = torch.full((2, len(network.windows(torch.device("cpu"))), 5), -20.0)
    logits[..., 0] = 20.0
    assert network.losses(logits, *nothing)["classes"] < 1e-6
    assert [len(one.boxes) for one in network.detect(logits)] == [0, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(scales=(0.3,)), "scales must resize the image to 24 pixels or more"),
        (dict(window_size=8), "window_size must be larger: of 8 pixels, nothing is left"),
        (dict(num_classes=0), "num_classes must be 1 or more"),
    ],
)
def test_options_that_fit_no_network_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("sliding-window", "mini", **options)
