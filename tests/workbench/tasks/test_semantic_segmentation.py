"""Semantic segmentation: metrics are scikit-learn's, void pixels count nowhere, and any network of pixels fits."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from pycocotools import mask as coco_mask
from scipy import ndimage
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, jaccard_score
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from models.layers.segmentation_losses import VOID
from workbench import data, tasks
from workbench.data import shape_segments
from workbench.data.scenes import draw, scene
from workbench.data.shape_instances import draw_instances
from workbench.data.shape_scenes import FIRST_SEED, draw_scenes, options
from workbench.data.sources import Resident
from workbench.engine import RunSpec, networks
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext
from workbench.tasks.segmentation_meter import SegmentationMeter, near_boundary
from workbench.tasks.semantic_segmentation import balanced_weights, fit

TASK = tasks.get("shape-segments")
CLASSES = TASK.dataset.classes
TRAINING, EVALUATION = StepContext(is_training=True), StepContext()


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    """Forty images instead of 6,000, which take long to draw."""
    images, _, labels = draw_scenes(options(), 40, FIRST_SEED)
    segments = shape_segments.to_classes(draw_instances(40), labels)
    segments[:, :2] = VOID
    splits = {"train": slice(0, 20), "validation": slice(20, 30), "test": slice(30, 40)}
    columns = {split: (images[rows], segments[rows]) for split, rows in splits.items()}
    monkeypatch.setattr(data, "load", lambda name, seed=0: columns)
    return columns


class Pixelwise(nn.Module):
    """A 1x1 convolution; with `aux` also a second one, as torchvision returns it."""

    def __init__(self, aux=False, margin=0, size=64):
        super().__init__()
        torch.manual_seed(0)
        self.input_shape, self.margin = (3, size, size), margin
        self.out = nn.Conv2d(3, len(CLASSES), kernel_size=1 + 2 * margin)
        self.aux = nn.Conv2d(3, len(CLASSES), 1) if aux else None

    def forward(self, x):
        return {"out": self.out(x), "aux": self.aux(x)} if self.aux else self.out(x)


def test_classes_of_pixels_are_those_of_the_visible_objects():
    images, _, labels = draw_scenes(options(), 5, FIRST_SEED)
    segments = shape_segments.to_classes(draw_instances(5), labels)
    for k in range(5):
        drawing = draw(scene(options(), FIRST_SEED + k))
        expected = np.zeros((64, 64), int)
        for mask, kind in zip(drawing.masks, drawing.labels, strict=True):
            expected[mask] = CLASSES.index(kind)
        assert segments[k].tolist() == expected.tolist() and (images[k].transpose(1, 2, 0) == drawing.picture).all()


def test_metrics_are_scikit_learns_whatever_the_batches():
    rng = np.random.default_rng(0)
    target, predicted = rng.integers(0, 4, (6, 9, 7)), rng.integers(0, 4, (6, 9, 7))
    predicted[0][0, 0] = 4  # of five classes, one is never true, and the last one is neither
    target[rng.random(target.shape) < 0.2] = VOID
    is_valid = target != VOID
    true, guess = target[is_valid], predicted[is_valid]
    meter = SegmentationMeter(6)
    for rows in (slice(0, 1), slice(1, 6)):
        meter.update_classes(torch.from_numpy(predicted[rows]), torch.from_numpy(target[rows]))
    metrics = meter.compute()
    assert meter.confusion().tolist() == confusion_matrix(true, guess, labels=range(6)).tolist()
    assert metrics["miou"] == pytest.approx(jaccard_score(true, guess, average="macro"))
    assert metrics["dice"] == pytest.approx(f1_score(true, guess, average="macro"))
    assert metrics["pixel_accuracy"] == pytest.approx(accuracy_score(true, guess))
    near = np.stack(
        [
            ndimage.maximum_filter(each, 5, mode="nearest") != ndimage.minimum_filter(each, 5, mode="nearest")
            for each in target
        ]
    )
    near &= is_valid
    assert (near_boundary(torch.from_numpy(target)).numpy() == near).all()
    assert metrics["boundary_error"] == pytest.approx((predicted != target)[near].mean())


def test_the_boundary_is_two_pixels_of_each_class():
    target = torch.zeros(1, 8, 12, dtype=torch.uint8)
    target[..., 6:] = 3
    assert near_boundary(target)[0, 0].nonzero().flatten().tolist() == [4, 5, 6, 7]
    assert not near_boundary(torch.zeros(1, 5, 5, dtype=torch.uint8)).any()


def test_a_run_is_evaluated_on_all_pixels_that_are_not_void(few_images):
    network = Pixelwise()
    source = TASK.sources(network, 0)["test"]
    metrics = TASK.evaluate(network, source)
    images, target = few_images["test"]
    mean, deviation = few_images["train"][0].mean(), few_images["train"][0].std()
    logits = network(torch.from_numpy((images - mean) / deviation).float())
    is_valid = target != VOID
    assert metrics["loss"] == pytest.approx(
        F.cross_entropy(logits, torch.from_numpy(target).long(), ignore_index=VOID).item(), rel=1e-4
    )
    predicted = logits.argmax(dim=1).numpy()
    assert metrics["miou"] == pytest.approx(jaccard_score(target[is_valid], predicted[is_valid], average="macro"))
    assert metrics.keys() - {"loss"} == TASK.info.metrics.keys()


def test_an_auxiliary_head_counts_half_in_training_alone():
    network = Pixelwise(aux=True)
    batch = TASK.sources(network, 0)["train"].batch(slice(0, 4))
    target = batch["target"].long()
    own, auxiliary = (
        F.cross_entropy(layer(batch["image"]), target, ignore_index=VOID).item() for layer in (network.out, network.aux)
    )
    for context, expected in ((TRAINING, own + 0.5 * auxiliary), (EVALUATION, own)):
        outputs = TASK.forward(network, batch, context)
        assert TASK.losses(outputs, batch, context)["loss"].item() == pytest.approx(expected)
    assert TASK.training_metrics(TASK.forward(network, batch, TRAINING), batch).keys() == {"pixel_accuracy"}


def test_beyond_the_margin_of_a_network_without_padding_the_image_is_mirrored():
    network = Pixelwise(margin=3, size=70)
    batch = TASK.sources(network, 0)["train"].batch(slice(0, 2))
    read = fit(batch["image"], network)
    assert read.shape == (2, 3, 70, 70) and torch.equal(read[:, :, 3:67, 3:67], batch["image"])
    assert torch.equal(read[0, 0, 3:67, 2], batch["image"][0, 0, :, 1])
    assert TASK.forward(network, batch, EVALUATION).shape == (2, len(CLASSES), 64, 64)


def test_coarse_logits_are_resized_to_the_target():
    class Coarse(Pixelwise):
        def forward(self, x):
            return F.avg_pool2d(self.out(x), 8)

    network = Coarse(size=32)
    batch = TASK.sources(network, 0)["train"].batch(slice(0, 2))
    small = network(F.interpolate(batch["image"], size=32, mode="bilinear", antialias=True))
    expected = F.interpolate(small, size=64, mode="bilinear")
    torch.testing.assert_close(TASK.forward(network, batch, EVALUATION), expected)
    network.align_corners = True
    corners = TASK.forward(network, batch, EVALUATION)[:, :, ::63, ::63]
    torch.testing.assert_close(corners, small[:, :, ::3, ::3])


def test_class_weights_are_scikit_learns_and_for_training_alone(few_images):
    segments = few_images["train"][1]
    pixels = segments[segments != VOID]
    expected = compute_class_weight("balanced", classes=np.arange(5), y=pixels)
    torch.testing.assert_close(balanced_weights(segments, 5).double(), torch.from_numpy(expected), rtol=1e-5, atol=0)
    network, weighted = Pixelwise(), TASK.configure(class_weights=True)
    sources = weighted.sources(network, 0)
    batch = sources["train"].batch(slice(0, 4))
    logits = weighted.forward(network, batch, TRAINING)
    theirs = F.cross_entropy(logits, batch["target"].long(), torch.from_numpy(expected).float(), ignore_index=VOID)
    torch.testing.assert_close(weighted.losses(logits, batch, TRAINING)["loss"], theirs)
    assert "class_weights" not in sources["test"].batch(slice(0, 1))


@pytest.mark.parametrize("loss", ["focal", "dice", "cross-entropy+dice"])
def test_the_loss_of_the_spec_is_trained(loss):
    from models.layers.segmentation_losses import pixel_loss

    network = Pixelwise()
    batch = TASK.sources(network, 0)["train"].batch(slice(0, 4))
    task = TASK.configure(**RunSpec.create("mlp", task="shape-segments", pixel_loss=loss).regularization.of_labels())
    logits = task.forward(network, batch, TRAINING)
    assert torch.equal(task.losses(logits, batch, TRAINING)["loss"], pixel_loss(loss, logits, batch["target"]))


def test_other_tasks_have_no_loss_of_pixels_and_this_one_no_label_noise():
    with pytest.raises(UserError, match=r"The task digits has no pixel_loss: .* classes of pixels"):
        RunSpec.create("mlp", pixel_loss="dice")
    with pytest.raises(UserError, match="no labels to change"):
        RunSpec.create("mlp", task="shape-segments", label_noise=0.1)


def test_a_flip_moves_the_classes_with_the_image():
    batch = TASK.sources(Pixelwise(), 0)["train"].batch(slice(0, 4))
    flipped = TASK.augment(batch, {"flip": 1.0})
    assert torch.equal(flipped["image"], batch["image"].flip(-1))
    assert torch.equal(flipped["target"], batch["target"].flip(-1))
    with pytest.raises(UserError, match=r"only flip\. Leave zoom out"):
        TASK.augment(batch, {"zoom": 0.1})


def test_the_baseline_is_background_everywhere(few_images):
    baseline, target = TASK.compute_baseline(0), few_images["test"][1]
    expected = jaccard_score(target[target != VOID], np.zeros((target != VOID).sum()), average="macro")
    assert (baseline.metric, baseline.value) == ("miou", pytest.approx(expected)) and "background" in baseline.method


def test_visualizations_are_plain_data_and_drawn_with_letters():
    network = Pixelwise()
    source = TASK.sources(network, 0)["validation"]
    visualizations = json.loads(json.dumps(TASK.visualize(network, source), allow_nan=False))
    assert predictions.kinds(visualizations) == ["pixel-classes", "confusion"]
    first = visualizations[0]
    assert first["target"] == source.batch(slice(0, 1))["target"][0].tolist()
    for color in (True, False):
        rows = predictions.draw(visualizations, "pixel-classes", 110, 40, color)
        text = "\n".join("".join(segment.text for segment in row) for row in rows)
        assert "truth" in text and "triangle" in text and max(map(len, text.split("\n"))) <= 110
    perfect = first | {"predicted": first["target"]}
    rows = predictions.draw([perfect], "pixel-classes", 110, 40, color=False)
    text = ["".join(segment.text for segment in row) for row in rows[1:-1]]
    assert all(row[34:66] == row[68:100] for row in text)
    assert not any(letter.islower() for row in text for letter in row[34:])
    halves = [[int(y < 32)] * 64 for y in range(64)]
    rows = predictions.draw(
        [first | {"predicted": halves, "target": [[2] * 64] * 64}], "pixel-classes", 110, 40, color=False
    )
    text = ["".join(segment.text for segment in row) for row in rows]
    assert text[1][34:66] == "b" * 32 and text[16][34:66] == "x" * 32 and text[1][68:100] == "C" * 32


def test_a_file_is_segmented_in_its_own_size(tmp_path):
    class Bright(nn.Module):
        """The class `circle` at bright pixels, background elsewhere."""

        input_shape = (3, 64, 64)

        def forward(self, x):
            bright = x.mean(dim=1, keepdim=True)
            return torch.cat([-bright, bright, *[torch.full_like(bright, -9)] * 3], dim=1)

    image = Image.new("RGB", (200, 100))
    image.paste((255, 255, 255), (50, 20, 100, 60))
    image.save(tmp_path / "a.png")
    [row] = TASK.predict_files(Bright(), [tmp_path / "a.png"], 0)
    assert (row["width"], row["height"]) == (200, 100) and [one["class"] for one in row["segments"]] == [
        "background",
        "circle",
    ]
    [background, circle] = row["segments"]
    decoded = coco_mask.decode(coco_mask.frPyObjects(circle["rle"], 100, 200))
    truth = np.zeros((100, 200), int)
    truth[20:60, 50:100] = 1
    assert (decoded == truth).mean() > 0.98 and circle["share"] == pytest.approx(decoded.mean(), abs=1e-6)
    assert background["share"] + circle["share"] == pytest.approx(1, abs=1e-5)
    answer = TASK.respond(Bright(), {"image": str(tmp_path / "a.png")}, 0)
    assert np.shape(answer["predicted"]) == (32, 64) and predictions.draw([answer], "pixel-classes", 80, 24)


def test_samples_of_another_dataset_have_the_classes_of_this_one(monkeypatch):
    described = data.info("shape-segments")
    other = type(described)(**{**vars(described), "name": "other", "classes": ("star", "background")})
    monkeypatch.setattr(data, "info", lambda name: other if name == "other" else described)
    images, segments = np.zeros((2, 3, 64, 64), np.uint8), np.zeros((2, 64, 64), np.uint8)
    segments[0, 0], segments[1, 1] = 1, VOID
    target = TASK.adapt(Pixelwise(), "other", (images, segments), 0).batch(slice(None))["target"]
    assert target[0, 0, 0] == 0 and target[0, 1, 0] == CLASSES.index("star") and (target[1, 1] == VOID).all()
    other = type(described)(**{**vars(other), "classes": ("background", "hexagon")})
    with pytest.raises(UserError, match="other has the class 'hexagon', and a network of shape-segments segments"):
        TASK.adapt(Pixelwise(), "other", (images, segments), 0)


def test_networks_of_anything_else_are_rejected():
    source = Resident(image=torch.zeros(2, 3, 64, 64), target=torch.zeros(2, 64, 64, dtype=torch.uint8))
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 5))
    with pytest.raises(UserError, match="Sequential has no logits of pixels"):
        TASK.check(flat, source)
    with pytest.raises(UserError, match="there are 5 classes: size it to 5 outputs"):
        TASK.check(nn.Conv2d(3, 2, 1), source)
    assert not networks.is_compatible("resnet18", "mini", "shape-segments")
