"""DeepLab v3+: Chen, Zhu, Papandreou, Schroff, Adam, Encoder-decoder with atrous convolution (arXiv:1802.02611, 2018).

DeepLab v3 enlarges its logits eightfold or more, which blurs boundaries. Here a small decoder enlarges the features
instead, fourfold, and adds the first map of the backbone, which still knows where boundaries are: reduced to few
channels, so that it does not outweigh what ASPP knows. Version 3+ is the last one of DeepLab.

For images of 3x513x513 and 20 classes and the background, output stride 16:

    layer         output                                            resnet50      resnet101
    backbone      ResNet, dilation 2 in layer4     2048x33x33       23,508,032    42,500,160
    aspp          rates 6, 12, 18                  256x33x33        15,535,104
                  enlarged fourfold                256x129x129
    low_level     1x1, 48, of layer1               48x129x129       12,384
    decoder       both, 3x3, 256                   256x129x129
                  3x3, 256                         256x129x129      1,291,264
    classifier    1x1, 21                          21x129x129       5,397
                  enlarged to the image            21x513x513
    total                                                           40,352,181    59,344,309

The paper's best network has a modified Xception instead of a ResNet, and separable convolutions in ASPP and decoder.
Images of 16k + 1 pixels, such as 513, have maps whose places are exactly 4, 8 and 16 pixels apart, the first and the
last at the image's edges, so interpolation aligns the centers of corner pixels. The mini reads 3x65x65, where output
stride 16 would leave 5x5 places: it has output stride 8 and small rates.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.layers.atrous_pyramid import ASPP, conv_norm_relu
from models.segmentation.dilated_resnet import DilatedResNet, resize


class DeepLabV3Plus(nn.Module):
    """A dilated ResNet, ASPP, and a decoder that adds the first map of the ResNet.

    Args:
        layers: Number of bottlenecks in each of ResNet's four layers.
        channels: Channels of ResNet's conv1.
        output_stride: Pixels of the image per place of the last map, 8, 16 or 32.
        aspp_channels: Channels of each branch of ASPP and of the decoder.
        rates: Dilation rates of ASPP, in places of the map.
        low_level_channels: Channels to which the first map is reduced.
        num_classes: Number of classes, the background included.
        image_size: Height and width of the image; other sizes can be read, too.
    """

    def __init__(
        self,
        layers: Sequence[int] = (3, 4, 6, 3),
        channels: int = 64,
        output_stride: int = 16,
        aspp_channels: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        low_level_channels: int = 48,
        num_classes: int = 21,
        image_size: int = 513,
    ):
        super().__init__()
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        self.input_shape = (3, image_size, image_size)
        self.backbone = DilatedResNet(layers, channels, output_stride)
        self.aspp = ASPP(self.backbone.feature_channels[3], aspp_channels, rates)
        self.low_level = conv_norm_relu(self.backbone.feature_channels[0], low_level_channels)
        self.decoder = nn.Sequential(
            *conv_norm_relu(aspp_channels + low_level_channels, aspp_channels, rate=1),
            *conv_norm_relu(aspp_channels, aspp_channels, rate=1),
        )
        self.classifier = nn.Conv2d(aspp_channels, num_classes, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, h, w) for images (N, 3, h, w)."""
        first, *_, last = self.backbone(x)
        context = resize(self.aspp(last), first, align_corners=True)
        logits = self.classifier(self.decoder(torch.cat([context, self.low_level(first)], dim=1)))
        return resize(logits, x, align_corners=True)


FAMILY = dict(
    family="deeplab-v3plus",
    year=2018,
    paper="arXiv:1802.02611",
    topic="deeplab",
    task="shape-segments",
    contribution=(
        "A small decoder for DeepLab v3: enlarged features and an early map of the backbone together find boundaries "
        "that enlarged logits blur."
    ),
    builds_on=("deeplab-v3", "unet"),
    network="DeepLabV3Plus",
    names={
        "deeplab-v3plus": dict(layers=(3, 4, 6, 3)),
        "deeplab-v3plus-resnet101": dict(layers=(3, 4, 23, 3)),
    },
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes, image_size, image_size]"),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",)),
    params={"deeplab-v3plus": 40_352_181, "deeplab-v3plus-resnet101": 59_344_309},
    mini=dict(
        layers=(1, 1, 2, 1),
        channels=8,
        output_stride=8,
        aspp_channels=32,
        rates=(1, 2, 3),
        low_level_channels=8,
        num_classes=5,
        image_size=65,
    ),
    mini_overrides={"deeplab-v3plus-resnet101": dict(layers=(1, 1, 6, 1))},
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.01, batch_size=16),
    reference=None,
)
