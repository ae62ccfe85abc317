"""SegNet: Badrinarayanan, Kendall, Cipolla, SegNet: a deep convolutional encoder-decoder (arXiv:1511.00561, 2015).

The encoder is VGG16 without its dense layers. Its max pooling keeps the position of each maximum, and the decoder, the
encoder in reverse, puts each value back to that position: boundaries stay where they were, without upsampling weights.
All other values of an unpooled map are 0, three of four; the convolutions after it fill them in.

For images of 3x224x224 and 21 classes. Every 3x3 convolution but the last has batch norm and ReLU:

    encoder                    output         decoder                        output         parameters
    3x3, 64: x2, max pooling   64x112x112     unpooling, 3x3, 64, 21         21x224x224     38,976 and 49,173
    3x3, 128: x2, pooling      128x56x56      unpooling, 3x3, 128, 64        64x112x112     221,952 and 221,760
    3x3, 256: x3, pooling      256x28x28      unpooling, 3x3, 256: x2, 128   128x56x56      1,476,864 and 1,476,480
    3x3, 512: x3, pooling      512x14x14      unpooling, 3x3, 512: x2, 256   256x28x28      5,902,848 and 5,902,080
    3x3, 512: x3, pooling      512x7x7        unpooling, 3x3, 512: x3        512x14x14      7,082,496 and 7,082,496
                                                                             total          29,455,125

The table is read down on the left, and up on the right. `features` has torchvision's keys of vgg16_bn. The mini has one
convolution per stage, and reads 3x64x64.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from models.vision.vgg import VGG


class SegNet(nn.Module):
    """VGG's convolutions and their mirror image, joined by the positions of the maxima.

    Args:
        depths: Convolutions in each of the five stages.
        channels: Channels of the first stage; the next three double them, up to eight times as many.
        num_classes: Number of classes.
        image_size: Height and width of the image: a multiple of 32.
    """

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        channels: int = 64,
        num_classes: int = 21,
        image_size: int = 224,
    ):
        super().__init__()
        vgg = VGG(depths, True, channels, hidden_size=1, num_classes=1, image_size=image_size)
        self.input_shape, self.features = vgg.input_shape, vgg.features
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                layer.return_indices = True
        widths = [channels * min(2**stage, 8) for stage in range(5)]
        self.decoder = nn.ModuleList()
        for stage in reversed(range(5)):
            layers: list[nn.Module] = []
            for depth in range(depths[stage]):
                is_last = depth == depths[stage] - 1
                out_channels = (widths[stage - 1] if stage else num_classes) if is_last else widths[stage]
                layers.append(nn.Conv2d(widths[stage], out_channels, kernel_size=3, padding=1))
                if stage or not is_last:
                    layers += [nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
            self.decoder.append(nn.Sequential(*layers))
        for layer in self.decoder.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, image_size, image_size) for images (N, 3, image_size, image_size)."""
        positions: list[Tensor] = []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                x, indices = layer(x)
                positions.append(indices)
            else:
                x = layer(x)
        for stage in self.decoder:
            x = stage(F.max_unpool2d(x, positions.pop(), kernel_size=[2, 2]))
        return x


FAMILY = dict(
    family="segnet",
    year=2015,
    paper="arXiv:1511.00561",
    topic="encoder-decoder-segmentation",
    task="shape-segments",
    contribution=(
        "The decoder puts each value back to the position of the maximum that pooling found, so that upsampling keeps "
        "boundaries without weights of its own and without stored maps."
    ),
    builds_on=("vgg", "fcn"),
    network="SegNet",
    names={"segnet": dict()},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes, image_size, image_size]"),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("features.",)),
    params={"segnet": 29_455_125},
    mini=dict(depths=(1, 1, 1, 1, 1), channels=12, num_classes=5, image_size=64),
    recipe=dict(epochs=2, batch_size=16, schedule="one-cycle", lr=0.01),
    reference=None,
)
