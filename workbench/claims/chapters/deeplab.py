"""Claims about DeepLab: its versions, dilation, atrous spatial pyramid pooling, and the fully connected CRF."""

from collections.abc import Iterator

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal, near, true

IMAGES = 24  # of a trial
STRIDE = 8  # pixels of the image per place of a map


def versions(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    import models

    del seed  # nothing is random
    rates = {}
    for name in ("deeplab-v1", "deeplab-v2", "deeplab-v3", "deeplab-v3plus"):
        with torch.device("meta"):
            network = models.build(name)
        backbone = ("features.", "backbone.")
        heads = [
            layer
            for path, layer in network.named_modules()
            if isinstance(layer, nn.Conv2d) and not path.startswith(backbone)
        ]
        rates[name] = sorted({layer.dilation[0] for layer in heads if layer.dilation[0] > 1})
        body = [layer for path, layer in network.named_modules() if path.startswith(backbone)]
        has_dilation = any(isinstance(layer, nn.Conv2d) and layer.dilation[0] > 1 for layer in body)
        yield true(f"{name} has dilated convolutions in its backbone", has_dilation)
    for name, own in rates.items():
        yield true(f"{name} has parallel kernels of several rates (ASPP)", len(own) > 1, f"rates {own}")
    yield true("there is a version 4 after v3+", any(name.startswith("deeplab-v4") for name in models.names()))


DEEPLAB_VERSIONS = Exact(
    id="deeplab-versions",
    statement="DeepLab has four versions, v1 to v4, each with dilation, ASPP and a CRF.",
    topic="deeplab",
    evidence=versions,
    is_structural=True,
    seeds=2,
    expected="does_not_hold",
    source="Chen et al., DeepLab v1 to v3+ (arXiv:1412.7062, 1606.00915, 1706.05587, 1802.02611)",
    note="The versions are v1, v2, v3 and v3+. All have dilation; ASPP came with v2, and only v1 and v2 have a CRF.",
)


def dense_features(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.nn.functional import interpolate
    from torchvision.models.resnet import Bottleneck, ResNet

    torch.manual_seed(seed)
    layers = dict(block=Bottleneck, layers=[1, 1, 2, 2], width_per_group=8)
    strided = ResNet(**layers).double().eval()
    dilated = ResNet(**layers, replace_stride_with_dilation=[False, True, True])
    dilated.double().eval().load_state_dict(strided.state_dict())
    images = interpolate(torch.randn(1, 3, 8, 8), size=96, mode="bilinear").double()

    def last_map(network: ResNet) -> torch.Tensor:
        x = network.maxpool(network.relu(network.bn1(network.conv1(images))))
        output: torch.Tensor = network.layer4(network.layer3(network.layer2(network.layer1(x))))
        return output.detach()

    coarse, fine = last_map(strided), last_map(dilated)
    yield equal("sizes of the last map, with strides and with dilation", (coarse.shape[2], fine.shape[2]), (3, 12))
    counts = [sum(weight.numel() for weight in network.parameters()) for network in (strided, dilated)]
    yield equal("parameters with dilation, and with strides", counts[1], counts[0])
    yield near("every fourth value with dilation, and the values with strides", fine[..., ::4, ::4], coarse, 1e-9)


DILATION_KEEPS_RESOLUTION = Exact(
    id="dilation-keeps-resolution",
    statement=(
        "If dilation replaces the last two strides of a network, its last map has the values of before at every fourth "
        "place in both directions, and new ones in between, with the same weights."
    ),
    topic="deeplab",
    evidence=dense_features,
    expected="holds",
    source="Chen et al., DeepLab v1 (2014), section 3.1",
)


def boundary_error(seed: int, *, crf: bool, colors: bool) -> float:
    """Return the share of wrong pixels within 2 pixels of true boundaries, in percent.

    The true classes of shapes are averaged over squares of 8x8 pixels, as if a network of output stride 8 made no other
    mistake, and enlarged by bilinear interpolation.

    Args:
        seed: Seed of the split of the data.
        crf: Whether a fully connected CRF refines the probabilities.
        colors: Whether the CRF sees the image; if not, all pixels are gray.
    """
    import torch
    import torch.nn.functional as F

    from models.layers.dense_crf import DenseCRF
    from workbench import data
    from workbench.tasks.segmentation_meter import near_boundary
    from workbench.tasks.semantic_segmentation import CRF

    images, segments = (torch.from_numpy(column[:IMAGES]) for column in data.load("shape-segments", seed)["test"])
    coarse = F.avg_pool2d(F.one_hot(segments.long(), 5).permute(0, 3, 1, 2).float(), STRIDE)
    probabilities = F.interpolate(coarse, size=images.shape[2:], mode="bilinear").clamp(min=0.01)
    if crf:
        pixels = images.float() if colors else torch.full(images.shape, 128.0)
        probabilities = DenseCRF(**CRF)(probabilities.log(), pixels)  # type: ignore[arg-type]
    is_wrong, is_near = probabilities.argmax(dim=1) != segments, near_boundary(segments)
    return 100 * float((is_wrong & is_near).sum() / is_near.sum())


CRF_AT_BOUNDARIES = Empirical(
    id="crf-at-boundaries",
    statement=(
        "A fully connected CRF moves the blurred boundaries of a map of stride 8 to where the colors change: fewer "
        "pixels near boundaries are wrong."
    ),
    topic="deeplab",
    arms=dict(
        interpolation=trial(boundary_error, crf=False, colors=True),
        crf=trial(boundary_error, crf=True, colors=True),
    ),
    control=dict(colors=False),
    measure="wrong pixels near boundaries",
    decider=Paired(min_effect=3.0, unit="points"),
    seeds=5,
    expected="holds",
    source="Chen et al., DeepLab v1 (2014), sections 4 and 5; Krähenbühl, Koltun (2011)",
    note="The CRF's weights were chosen on other images. Without the colors of the image, it knows no boundary.",
)
