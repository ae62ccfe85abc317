"""DeepLab v3: Chen, Papandreou, Schroff, Adam, Rethinking atrous convolution (arXiv:1706.05587, 2017).

Atrous spatial pyramid pooling with batch norm, a 1x1 branch and the mean of the whole map, whose branches are
concatenated. That is enough: the CRF that refined the masks of the first two versions is gone.

On ResNet-50, for images of 3x520x520 and 20 classes and the background:

    layer            output                                              parameters
    backbone         ResNet-50, dilations 2 and 4    2048x65x65          23,508,032
    classifier.0     ASPP: 1x1; 3x3 with rates 12, 24, 36; image mean
                     five times 256 channels         1280x65x65
                     1x1, 256, dropout               256x65x65           15,535,104
    classifier.1     3x3, 256                        256x65x65
    classifier.4     1x1, 21                         21x65x65               595,733
    interpolation    bilinear                        21x520x520
    aux_classifier   FCN head of layer3                                   2,365,205
    total                                                                42,004,074, without aux 39,638,869

The paper's rates are 6, 12, 18 for an output stride of 16; with 8 the map is twice as large, and so are the rates.
State-dict keys are torchvision's deeplabv3_resnet50. The mini reads 3x64x64, a map of 8x8, so its rates are small.
"""

from collections.abc import Sequence

import torch
from torch import nn

from models.layers.atrous_pyramid import ASPP
from models.segmentation.dilated_resnet import DilatedResNet, ResNetSegmenter


class DeepLabHead(nn.Sequential):
    """ASPP, a 3x3 convolution, and a 1x1 convolution to logits.

    Args:
        in_channels: Channels of the map.
        hidden_channels: Channels of ASPP's branches and of the 3x3 convolution.
        rates: Dilation rates of ASPP.
        num_classes: Number of classes.
    """

    def __init__(self, in_channels: int, hidden_channels: int, rates: Sequence[int], num_classes: int):
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        super().__init__(
            ASPP(in_channels, hidden_channels, rates),
            nn.Conv2d(hidden_channels, hidden_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(hidden_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden_channels, num_classes, kernel_size=1),
        )


class DeepLabV3(ResNetSegmenter):
    """A dilated ResNet, ASPP, and a classifier of each place.

    Args:
        layers: Number of bottlenecks in each of ResNet's four layers.
        channels: Channels of ResNet's conv1.
        output_stride: Pixels of the image per place of the last map, 8, 16 or 32.
        aspp_channels: Channels of each branch of ASPP.
        rates: Dilation rates of ASPP, in places of the map.
        num_classes: Number of classes, the background included.
        image_size: Height and width of the image.
        aux_loss: Whether there is an auxiliary classifier.
    """

    def __init__(
        self,
        layers: Sequence[int] = (3, 4, 6, 3),
        channels: int = 64,
        output_stride: int = 8,
        aspp_channels: int = 256,
        rates: Sequence[int] = (12, 24, 36),
        num_classes: int = 21,
        image_size: int = 520,
        aux_loss: bool = True,
    ):
        backbone = DilatedResNet(layers, channels, output_stride)
        classifier = DeepLabHead(backbone.feature_channels[3], aspp_channels, rates, num_classes)
        super().__init__(backbone, classifier, num_classes, image_size, aux_loss)


def reference_names() -> list[str]:
    """Return the state-dict keys of torchvision's network, which are also ours."""
    with torch.device("meta"):
        return list(DeepLabV3().state_dict())


FAMILY = dict(
    family="deeplab-v3",
    year=2017,
    paper="arXiv:1706.05587",
    topic="deeplab",
    task="shape-segments",
    contribution=(
        "ASPP with batch norm and the mean of the whole map, whose branches are concatenated and combined; no CRF "
        "is needed any more."
    ),
    builds_on=("deeplab-v2", "resnet"),
    network="DeepLabV3",
    names={"deeplab-v3": dict(layers=(3, 4, 6, 3))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(
        out="float32[num_classes, image_size, image_size]",
        aux="float32[num_classes, image_size, image_size]",
    ),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",)),
    params={"deeplab-v3": 42_004_074},
    mini=dict(layers=(1, 1, 2, 1), channels=8, aspp_channels=32, rates=(1, 2, 3), num_classes=5, image_size=64),
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.01, batch_size=16),
    reference="torchvision",
)
