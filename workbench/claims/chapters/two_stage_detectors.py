"""Claims about two-stage detectors, and about the size of objects."""

from collections.abc import Iterator

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal, true
from workbench.claims.small_detectors import Scenes, ap50, draw, train

KINDS = ("circle", "square", "triangle", "star")  # of shape-scenes
SIZE, TEST_IMAGES = 64, 600


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
