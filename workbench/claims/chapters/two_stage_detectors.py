"""Claims about two-stage detectors, and about the size of objects."""

from collections.abc import Iterator
from math import log2
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal, true
from workbench.claims.small_detectors import Scenes, ap50, draw, shape_scenes, train

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("circle", "square", "triangle", "star")  # of shape-scenes
SIZE, TEST_IMAGES = 64, 600


def recall_at_10(seed: int, *, is_network: bool, steps: int) -> float:
    """Return the share of test objects that 10 proposals recall at an IoU of 0.5, in points.

    Args:
        seed: Seed of the split, the initial weights and the order of the samples.
        is_network: Whether a region proposal network proposes, or the 10 fixed boxes that recall most training objects.
        steps: Updates of the network.
    """
    import torch

    import models
    from workbench.tasks.region_proposals import PROPOSALS, choose_boxes, recalls

    training, test = (
        shape_scenes("train", seed),
        Scenes(*(values[:TEST_IMAGES] for values in shape_scenes("test", seed))),
    )
    if is_network:
        torch.manual_seed(seed)
        network = models.build("rpn", "mini", image_size=64, anchor_sizes=(16, 24, 32))
        train(network, training, seed, steps=steps, lr=0.003)
        network.eval()
        with torch.no_grad():
            proposals = [one.boxes[:PROPOSALS] for one in network.detect(network(test.images), 0.0)]  # type: ignore[operator]
    else:
        fixed = choose_boxes(training.boxes[training.labels >= 0], training.images.shape[-1])
        proposals = [fixed] * len(test.labels)
    objects = [boxes[labels >= 0] for boxes, labels in zip(test.boxes, test.labels, strict=True)]
    is_recalled = torch.cat([recalls(*pair) for pair in zip(proposals, objects, strict=True)])
    return 100 * float(is_recalled.double().mean())


RPN_BEATS_HEURISTIC_PROPOSALS = Empirical(
    id="rpn-beats-heuristic-proposals",
    statement=(
        "A region proposal network learns to propose: its first 10 proposals recall at least 10 points more of the "
        "objects than the 10 fixed boxes that suit the training set best."
    ),
    topic="two-stage",
    arms=dict(
        rpn=trial(recall_at_10, is_network=True, steps=400),
        fixed=trial(recall_at_10, is_network=False, steps=0),
    ),
    control=dict(steps=1),
    measure="recall",
    decider=Paired(min_effect=10.0, unit="points"),
    expected="holds",
    source="Ren et al., Faster R-CNN (2015), section 3.1 and figure 4",
    note=(
        "Recall at an IoU of 0.5, on scenes of shapes. In the paper, 300 proposals of the network recall about as much "
        "as 2,000 of selective search. After one step, the network proposes at random."
    ),
)


def macs_of_faster_rcnn(seed: int) -> Iterator[Evidence]:
    import torch

    import models
    from models.cost import SkipInit, trace

    with torch.device("meta"), SkipInit():
        network = models.build("faster-rcnn")
        image = torch.zeros(1, 3, 600, 1000)
    total = trace(network, image).total_macs
    yield equal("proposals that are classified", network.rpn.proposals[1], 300)  # type: ignore[union-attr,index]
    needed = 2 * total * 30 / 1e12
    yield true("30 images a second need more than 4.29 TFLOPS", needed > 4.29, f"{needed:.1f} TFLOPS")
    paper = 2 * total * 5 / 1e12
    yield true("the paper's 5 images a second need less than that", paper < 4.29, f"{paper:.1f} TFLOPS")


FASTER_RCNN_NOT_REAL_TIME = Exact(
    id="faster-rcnn-not-real-time",
    statement=(
        "On a GPU of its time, with a peak of 4.29 TFLOPS, Faster R-CNN with VGG16 could not process 30 images of "
        "600x1000 pixels per second."
    ),
    topic="two-stage",
    evidence=macs_of_faster_rcnn,
    is_structural=True,
    seeds=1,  # it draws nothing
    expected="holds",
    source="Ren et al., Faster R-CNN (2015), table 5: 5 images per second with VGG16 on a K40, 17 with the network ZF",
    note=(
        "Whether a detector is fast enough for video depends on the hardware, the backbone and the size of the images. "
        "NVIDIA states 4.29 TFLOPS for the K40; current GPUs have more than ten times as much."
    ),
)


def log_time_per_image(seed: int, *, is_learned: bool, is_search_counted: bool) -> float:
    """Return log2 of the CPU time of a detector, in ms, for an image of 64x64 and 32 proposals.

    Args:
        seed: Seed of the image and of the weights.
        is_learned: Whether the detector is Faster R-CNN, whose network proposes, or Fast R-CNN.
        is_search_counted: Whether the time of selective search counts, which Fast R-CNN needs.
    """
    import torch

    import models
    from workbench.data.scenes import draw as draw_scene
    from workbench.data.scenes import scene
    from workbench.data.selective_search import propose
    from workbench.data.shape_scenes import options

    torch.manual_seed(seed)
    pixels = np.ascontiguousarray(draw_scene(scene(options(), 10**8 + seed)).picture.transpose(2, 0, 1))
    network = models.build("faster-rcnn" if is_learned else "fast-rcnn", "mini", image_size=128).eval()
    image = torch.from_numpy(pixels)[None].float() / 127.5 - 1
    image = torch.nn.functional.interpolate(image, size=(128, 128), mode="bilinear")
    boxes, mask = torch.rand(1, 32, 2) * 64, torch.ones(1, 32, dtype=torch.bool)
    boxes = torch.cat([boxes, boxes + 48], dim=2)

    def detect() -> "Tensor":
        return network(image) if is_learned else network(image, boxes, mask)  # type: ignore[no-any-return]

    with torch.no_grad():
        milliseconds = cpu_ms(detect, repeats=3)
    if is_search_counted and not is_learned:
        milliseconds += cpu_ms(lambda: propose(pixels), repeats=3)
    return log2(milliseconds)


FASTER_THAN_FAST_RCNN = Empirical(
    id="faster-rcnn-time-per-image",
    statement=(
        "With its proposals, Fast R-CNN takes at least 1.5 times as long per image as Faster R-CNN, because selective "
        "search takes longer than both networks."
    ),
    topic="two-stage",
    arms=dict(
        fast_rcnn=trial(log_time_per_image, is_learned=False, is_search_counted=True),
        faster_rcnn=trial(log_time_per_image, is_learned=True, is_search_counted=True),
    ),
    control=dict(is_search_counted=False),
    measure="log2 of the milliseconds",
    decider=Paired(min_effect=log2(1.5), unit="(log2)"),
    is_timed=True,
    expected="holds",
    source="Ren et al., Faster R-CNN (2015), table 5: 1,510 ms of 1,830 ms are selective search, 10 ms are the RPN's",
    note=(
        "Both classify 32 proposals of an image of 64x64 pixels, with the same convolutions. Without the time of "
        "selective search, Faster R-CNN is the slower one, because it also has to propose."
    ),
)


def ap50_of_size(seed: int, *, image_size: int, smallest: float, steps: int) -> float:
    """Return the test AP50 of a small YOLO v1, in points, on scenes of 64x64 pixels.

    Args:
        seed: Seed of the scenes, the initial weights and the order of the samples.
        image_size: Height and width to which images are reduced before they are enlarged to 64x64 again.
        smallest: Square root of the smallest area of an object, relative to the image; the largest is 1.3 times that.
        steps: Updates.
    """
    import torch

    import models
    from workbench.data.scenes import Options

    sizes = (smallest, 1.3 * smallest)
    options = Options(side=SIZE, kinds=KINDS, sizes=sizes, turn=30, contrast=0.3, objects=(1, 2), clutter=(0, 2))
    training, test = (
        resize(resize(draw(options, count, 2 * seed + k), image_size), SIZE)
        for k, count in enumerate((3000, TEST_IMAGES))
    )
    torch.manual_seed(seed)
    network = models.build("yolo-v1", "mini")
    train(network, training, seed, steps=steps, lr=0.006)
    return ap50(network, test, len(KINDS))


def resize(scenes: Scenes, image_size: int) -> Scenes:
    """Return scenes with images of another size."""
    from torch.nn.functional import interpolate

    scale = image_size / scenes.images.shape[-1]
    if scale == 1:
        return scenes
    images = interpolate(scenes.images, size=(image_size, image_size), mode="bilinear", antialias=True)
    return Scenes(images, scenes.boxes * scale, scenes.labels)


SMALL_OBJECTS_NEED_RESOLUTION = Empirical(
    id="small-objects-need-resolution",
    statement=(
        "Small objects need resolution: with a quarter of the pixels in height and width, a detector loses at least 10 "
        "points of AP50 on objects of 14 to 18% of the image's height and width."
    ),
    topic="boxes",
    arms=dict(
        high=trial(ap50_of_size, image_size=64, smallest=0.14, steps=500),
        low=trial(ap50_of_size, image_size=16, smallest=0.14, steps=500),
    ),
    control=dict(smallest=0.35),
    measure="ap50",
    decider=Paired(min_effect=10.0, unit="points"),
    expected="holds",
    source="COCO detection evaluation, cocodataset.org, which reports small objects by themselves",
    note=(
        "Both arms are the same YOLO v1, which reads 64x64 pixels; in one, images were reduced to 16x16 and enlarged "
        "again, so that an object has 2 to 3 pixels in height and width. In the control, objects are larger."
    ),
)
