"""DeepLab v2: Chen, Papandreou, Kokkinos, Murphy, Yuille, DeepLab (arXiv:1606.00915, 2016).

Objects of one class have many sizes, and one dilation rate suits one of them. Atrous spatial pyramid pooling (ASPP) has
four classifiers with dilation rates 6, 12, 18 and 24 side by side, which all read the same map, and adds their logits.
A fully connected CRF refines the masks, as in version 1.

For images of 3x321x321 and 20 classes and the background, output stride 8:

    layer       output       deeplab-v2, on VGG16 ("ASPP-L")         deeplab-v2-resnet101
    backbone    41x41        512 channels, as in v1   14,714,688     2048 channels, dilations 2, 4   42,500,160
    branches    21x41x41     four of                                 four of
                             3x3, 1024, rate r                       3x3, 21, rate r
                             1x1, 1024
                             1x1, 21                  23,162,964                                      1,548,372
    sum         21x41x41
    total                                             37,877,652                                     44,048,532

Logits are enlarged as those of version 1. The backbone has torchvision's keys of VGG's features or of ResNet, whose
strides are in the 3x3 convolutions. The minis read 3x65x65, a map of 9x9, so their rates are small; VGG has batch norm
there, because it learns from random weights.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from models.segmentation.deeplab_v1 import LargeFOV, dilated_vgg
from models.segmentation.dilated_resnet import DilatedResNet

OUTPUT_STRIDE = 8


class DeepLabV2(nn.Module):
    """A dilated backbone, and the sum of classifiers of several dilation rates.

    Its logits are enlarged with `align_corners`.

    Args:
        backbone: `vgg` or `resnet`.
        layers: Convolutions in each of VGG's five stages, or bottlenecks in each of ResNet's four layers.
        channels: Channels of the first stage of VGG, or of ResNet's conv1.
        batch_norm: Whether VGG's convolutions are followed by batch norm; ResNet's always are.
        hidden_channels: Channels of the two hidden layers of each branch on VGG.
        rates: Dilation rate of each branch, in places of the map.
        num_classes: Number of classes, the background included.
        image_size: Height and width of the image; other sizes can be read, too.
        dropout: Probability that a hidden value of a branch is dropped in a training step.
    """

    align_corners = True

    def __init__(
        self,
        backbone: str = "vgg",
        layers: Sequence[int] = (2, 2, 3, 3, 3),
        channels: int = 64,
        batch_norm: bool = False,
        hidden_channels: int = 1024,
        rates: Sequence[int] = (6, 12, 18, 24),
        num_classes: int = 21,
        image_size: int = 321,
        dropout: float = 0.5,
    ):
        super().__init__()
        if backbone not in ("vgg", "resnet"):
            raise ValueError(f"backbone must be vgg or resnet, not {backbone!r}")
        if not rates or min(rates) < 1:
            raise ValueError("rates must be one or more numbers of 1 or more, such as 6, 12, 18, 24")
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        self.input_shape = (3, image_size, image_size)
        self.backbone: nn.Sequential | DilatedResNet
        branches: list[nn.Module]
        if backbone == "vgg":
            self.backbone = dilated_vgg(layers, channels, batch_norm)
            branches = [LargeFOV(8 * channels, hidden_channels, rate, num_classes, dropout) for rate in rates]
        else:
            self.backbone = DilatedResNet(layers, channels, OUTPUT_STRIDE)
            in_channels = self.backbone.feature_channels[3]
            branches = [
                nn.Conv2d(in_channels, num_classes, kernel_size=3, padding=rate, dilation=rate) for rate in rates
            ]
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes, ceil(h/8), ceil(w/8)) for images (N, 3, h, w)."""
        x = self.backbone(x)[-1] if isinstance(self.backbone, DilatedResNet) else self.backbone(x)
        logits: Tensor = self.branches[0](x)
        for branch in self.branches[1:]:
            logits = logits + branch(x)
        return logits


FAMILY = dict(
    family="deeplab-v2",
    year=2016,
    paper="arXiv:1606.00915",
    topic="deeplab",
    task="shape-segments",
    contribution=(
        "Atrous spatial pyramid pooling: classifiers with several dilation rates read one map and their logits are "
        "added, so that objects of several sizes are recognized."
    ),
    builds_on=("deeplab-v1", "resnet"),
    network="DeepLabV2",
    names={
        "deeplab-v2": dict(backbone="vgg"),
        "deeplab-v2-resnet101": dict(backbone="resnet", layers=(3, 4, 23, 3)),
    },
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes, rows, columns]"),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",)),
    params={"deeplab-v2": 37_877_652, "deeplab-v2-resnet101": 44_048_532},
    mini=dict(channels=8, batch_norm=True, hidden_channels=64, rates=(1, 2, 3, 4), num_classes=5, image_size=65),
    mini_overrides={"deeplab-v2": dict(layers=(1, 1, 2, 2, 2)), "deeplab-v2-resnet101": dict(layers=(1, 1, 6, 1))},
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.01, batch_size=16),
    reference=None,
)
