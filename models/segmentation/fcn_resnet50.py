"""FCN on ResNet-50: Long, Shelhamer, Darrell, Fully convolutional networks (arXiv:1411.4038), as torchvision built it.

A fully convolutional network has no dense layers: a 1x1 convolution classifies each place of the last map, so that
images of any size can be read, and the logits are enlarged to the size of the image. Where the paper's networks add
finer maps to those of stride 32, this one has maps of stride 8 from the start: dilation replaces the last two strides
of its ResNet (Yu, Koltun, 2015), and bilinear interpolation does the rest.

For images of 3x520x520 and 20 classes and the background:

    layer            output        parameters
    backbone         conv1         64x260x260
                     layer1        256x130x130
                     layer2        512x65x65
                     layer3        1024x65x65     dilation 2 instead of stride 2
                     layer4        2048x65x65     dilation 4             23,508,032
    classifier       3x3, 512      512x65x65
                     1x1, 21       21x65x65                               9,448,981
    interpolation    bilinear      21x520x520
    aux_classifier   3x3, 256; 1x1, 21, of layer3                         2,365,205
    total                                           35,322,218, without the auxiliary classifier 32,957,013

State-dict keys are torchvision's. The mini reads 3x64x64 and has the layers of resnet50's mini.
"""

from collections.abc import Sequence

import torch

from models.segmentation.dilated_resnet import DilatedResNet, FCNHead, ResNetSegmenter


class FCNResNet(ResNetSegmenter):
    """A dilated ResNet, and a classifier of each place.

    Args:
        layers: Number of bottlenecks in each of ResNet's four layers.
        channels: Channels of ResNet's conv1.
        output_stride: Pixels of the image per place of the last map, 8, 16 or 32.
        num_classes: Number of classes, the background included.
        image_size: Height and width of the image.
        aux_loss: Whether there is an auxiliary classifier.
    """

    def __init__(
        self,
        layers: Sequence[int] = (3, 4, 6, 3),
        channels: int = 64,
        output_stride: int = 8,
        num_classes: int = 21,
        image_size: int = 520,
        aux_loss: bool = True,
    ):
        backbone = DilatedResNet(layers, channels, output_stride)
        classifier = FCNHead(backbone.feature_channels[3], num_classes)
        super().__init__(backbone, classifier, num_classes, image_size, aux_loss)


def reference_names() -> list[str]:
    """Return the state-dict keys of torchvision's network, which are also ours."""
    with torch.device("meta"):
        return list(FCNResNet().state_dict())


FAMILY = dict(
    family="fcn-resnet50",
    year=2015,
    paper="arXiv:1411.4038",
    topic="encoder-decoder-segmentation",
    task="shape-segments",
    contribution=(
        "A fully convolutional network whose backbone keeps a map of stride 8 by dilation, so that bilinear "
        "interpolation of its logits is precise enough."
    ),
    builds_on=("fcn", "resnet"),
    network="FCNResNet",
    names={"fcn-resnet50": dict(layers=(3, 4, 6, 3))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(
        out="float32[num_classes, image_size, image_size]",
        aux="float32[num_classes, image_size, image_size]",
    ),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",)),
    params={"fcn-resnet50": 35_322_218},
    mini=dict(layers=(1, 1, 2, 1), channels=8, num_classes=5, image_size=64),
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.01, batch_size=16),
    reference="torchvision",
)
